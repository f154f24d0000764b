#include "aetos/tracing/projection_model.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "aetos/core/rotation_vector.hpp"
#include "peak_pixels.hpp"

namespace aetos::tracing {
namespace {

/// Least squares of measured = scale * image + offset.
ImageFit best_scale(View<const double, 2> image, View<const float, 2> measured, View<const float, 2> weight) {
  double n = 0, m = 0, d = 0, mm = 0, md = 0;
  for (std::size_t i = 0; i < image.size(); ++i) {
    const double w = weight_at(weight, i);
    const double a = image.data()[i], b = static_cast<double>(measured.data()[i]);
    n += w, m += w * a, d += w * b, mm += w * a * a, md += w * a * b;
  }
  ImageFit fit;
  const double spread = mm - m * m / n;
  fit.scale = spread > 0 ? (md - m * d / n) / spread : 0;
  fit.offset = (d - fit.scale * m) / n;
  return fit;
}

}  // namespace

/// One atom on one image: where it is, its peak, and the pixels that it reaches.
struct AtomProjector::Spot {
  const PeakTable* table = nullptr;
  PeakTable::Place at;
  std::size_t nodes = 0;
  Vec3 turned = Vec3::Zero();                                                     // R^T r
  double u = 0, v = 0, depth = 0, amplitude = 0, inverse_step = 0, farthest = 0;  // farthest: rho
  double pixel = 1, middle_x = 0, middle_y = 0;
  std::size_t y0 = 0, y1 = 0, nx = 0;        // rows [y0, y1)
  std::array<std::vector<double>, 4> cubic;  // coefficients of the peak between its nodes; beyond: 0
  std::vector<double> value, slope;          // at the nodes

  double dv(std::size_t y) const { return (static_cast<double>(y) - middle_y) * pixel - v; }
  double du(std::size_t x) const { return (static_cast<double>(x) - middle_x) * pixel - u; }

  /// Pixels of a row at `dv` that are nearer than the farthest.
  Range columns(double dv) const {
    const double reach = farthest - dv * dv;
    return reach <= 0 ? Range{} : pixels_within(u, std::sqrt(reach), middle_x, pixel, nx);
  }

  /// The peak at its depth, from the tables of the planes about it.
  void interpolate() {
    const double next = at.share, here = 1 - next;
    const double *v0 = table->value(at.plane), *v1 = table->value(at.plane + 1);
    const double *s0 = table->slope(at.plane), *s1 = table->slope(at.plane + 1);
    value.resize(nodes + 1);
    slope.resize(nodes + 1);
    for (std::size_t n = 0; n <= nodes; ++n) {
      value[n] = here * v0[n] + next * v1[n];
      slope[n] = here * s0[n] + next * s1[n];
    }
    for (auto& c : cubic) c.assign(nodes + 2, 0);  // a rounded distance may lie at the last node
    for (std::size_t n = 0; n < nodes; ++n) {
      const double rise = value[n + 1] - value[n];
      cubic[0][n] = value[n];
      cubic[1][n] = slope[n];
      cubic[2][n] = 3 * rise - 2 * slope[n] - slope[n + 1];
      cubic[3][n] = slope[n] + slope[n + 1] - 2 * rise;
    }
  }
};

AtomProjector::AtomProjector(const AtomModel& model, std::span<const double> parameters)
    : model_(model), p_(parameters) {
  const auto& at = model.layout;
  for (std::size_t k = 0; k < at.species; ++k)
    tables_.emplace_back(*model.shape, parameters[at.width(k)], parameters[at.growth()]);
}

void AtomProjector::place(Spot& spot, std::size_t atom, const Sight& sight, const Shape<2>& shape,
                          double pixel_A) const {
  const std::size_t i = model_.layout.position(atom);
  spot.turned = to_beam_frame(sight.rotation, Vec3(p_[i], p_[i + 1], p_[i + 2]));
  spot.u = spot.turned.x() + sight.u_A, spot.v = spot.turned.y() + sight.v_A, spot.depth = spot.turned.z();
  spot.table = &tables_[model_.species_of[atom]];
  spot.at = spot.table->place(spot.depth);
  spot.nodes = spot.table->nodes(spot.at);
  spot.inverse_step = 1 / spot.table->step();
  spot.farthest = static_cast<double>(spot.nodes) * spot.table->step();
  spot.amplitude = p_[model_.layout.intensity(atom)] * (1 + p_[model_.layout.fading()] * spot.depth);
  spot.pixel = pixel_A;
  spot.nx = shape[1];
  spot.middle_x = static_cast<double>(centre_index(shape[1]));
  spot.middle_y = static_cast<double>(centre_index(shape[0]));
  const auto rows = pixels_within(spot.v, std::sqrt(spot.farthest), spot.middle_y, pixel_A, shape[0]);
  spot.y0 = rows.begin, spot.y1 = rows.end;
  spot.interpolate();
}

Sight Sight::after(const PoseChange& change) const {
  // R^T r turns by the change in the beam's frame, so R takes its inverse on the right.
  return {rotation * rotation_by({-change[0], -change[1], -change[2]}), u_A + change[3], v_A + change[4]};
}

Array<double, 2> AtomProjector::project(const Sight& sight, const Shape<2>& shape, double pixel_A) const {
  Array<double, 2> image(shape);
  Spot spot;
  for (std::size_t a = 0; a < model_.layout.atoms; ++a) {
    place(spot, a, sight, shape, pixel_A);
    const double *c0 = spot.cubic[0].data(), *c1 = spot.cubic[1].data(), *c2 = spot.cubic[2].data(),
                 *c3 = spot.cubic[3].data();
    for (std::size_t y = spot.y0; y < spot.y1; ++y) {
      const double dv = spot.dv(y);
      const Range columns = spot.columns(dv);
      double* row = image.data() + y * shape[1] + columns.begin;
      const double first = spot.du(columns.begin), amplitude = spot.amplitude;
      const int n = static_cast<int>(columns.size());
      for (int x = 0; x < n; ++x) {
        const double du = first + x * pixel_A, t = (du * du + dv * dv) * spot.inverse_step;
        const int node = static_cast<int>(t);
        const double s = t - node;
        row[x] += amplitude * (c0[node] + s * (c1[node] + s * (c2[node] + s * c3[node])));
      }
    }
  }
  return image;
}

ImageFit AtomProjector::misfit(const Sight& sight, View<const float, 2> measured, View<const float, 2> weight,
                               double pixel_A, std::span<double> gradient) const {
  const Shape<2>& shape = measured.shape();
  Array<double, 2> image = project(sight, shape, pixel_A);
  ImageFit fit = best_scale(image, measured, weight);
  for (std::size_t i = 0; i < image.size(); ++i) {
    const double residual =
        fit.scale * image.data()[i] + fit.offset - static_cast<double>(measured.data()[i]);
    const double w = weight_at(weight, i);
    fit.misfit += w * residual * residual;
    fit.mean_square += residual * residual / static_cast<double>(image.size());
    image.data()[i] = 2 * fit.scale * w * residual;  // from here on: the misfit's slope to the model's pixel
  }

  const auto& at = model_.layout;
  std::fill(gradient.begin(), gradient.end(), 0.0);
  fit.by_pose = {};
  const double fading = p_[at.fading()];
  Spot spot;
  std::vector<std::array<double, 4>> moments;  // per node: sums of slopes times 1, s, s², s³
  std::vector<double> of_value, of_slope;      // the same as slopes to the peak's nodes
  std::vector<double> column_u, column_v, along;
  std::vector<int> node;
  for (std::size_t a = 0; a < at.atoms; ++a) {
    place(spot, a, sight, shape, pixel_A);
    if (spot.y0 == spot.y1) continue;
    moments.assign(spot.nodes + 2, {});
    const double *c1 = spot.cubic[1].data(), *c2 = spot.cubic[2].data(), *c3 = spot.cubic[3].data();
    const Range widest = spot.columns(0);
    column_u.assign(widest.size(), 0);
    column_v.assign(widest.size(), 0);
    node.resize(widest.size());
    along.resize(widest.size());
    for (std::size_t y = spot.y0; y < spot.y1; ++y) {
      const double dv = spot.dv(y);
      const Range columns = spot.columns(dv);
      const double* row = image.data() + y * shape[1] + columns.begin;
      const double first = spot.du(columns.begin), inverse_step = spot.inverse_step;
      const int n = static_cast<int>(columns.size());
      // Loops without sums across pixels, which the compiler can do for several at once.
      double *to_u = column_u.data() + (columns.begin - widest.begin),
             *to_v = column_v.data() + (columns.begin - widest.begin), *s_of = along.data();
      int* node_of = node.data();
      for (int x = 0; x < n; ++x) {
        const double du = first + x * pixel_A, t = (du * du + dv * dv) * inverse_step;
        const int i = static_cast<int>(t);
        const double s = t - i, by_rho = row[x] * (c1[i] + s * (2 * c2[i] + s * 3 * c3[i]));
        node_of[x] = i, s_of[x] = s;
        to_u[x] += du * by_rho;
        to_v[x] += dv * by_rho;
      }
      for (int x = 0; x < n; ++x) {
        const double w = row[x], s = s_of[x], ws = w * s, wss = ws * s;
        auto& m = moments[static_cast<std::size_t>(node_of[x])];
        m[0] += w, m[1] += ws, m[2] += wss, m[3] += wss * s;
      }
    }
    double sum_u = 0, sum_v = 0;
    for (std::size_t x = 0; x < widest.size(); ++x) sum_u += column_u[x], sum_v += column_v[x];
    sum_u *= -2 * spot.inverse_step, sum_v *= -2 * spot.inverse_step;
    of_value.assign(spot.nodes + 1, 0);
    of_slope.assign(spot.nodes + 1, 0);
    for (std::size_t n = 0; n < spot.nodes; ++n) {
      const auto& m = moments[n];
      const double to_next = 3 * m[2] - 2 * m[3];
      of_value[n] += m[0] - to_next, of_value[n + 1] += to_next;
      of_slope[n] += m[1] - 2 * m[2] + m[3], of_slope[n + 1] += m[3] - m[2];
    }
    const auto sum = [&](const double* value, const double* slope) {
      double s = 0;
      for (std::size_t n = 0; n <= spot.nodes; ++n) s += of_value[n] * value[n] + of_slope[n] * slope[n];
      return s;
    };
    const PeakTable& t = *spot.table;
    const std::size_t p = spot.at.plane;
    const double share = spot.at.share, here = sum(t.value(p), t.slope(p)),
                 next = sum(t.value(p + 1), t.slope(p + 1));
    const double square_here = (1 - share) * sum(t.value_by_square(p), t.slope_by_square(p)),
                 square_next = share * sum(t.value_by_square(p + 1), t.slope_by_square(p + 1));
    const double peak = (1 - share) * here + share * next, intensity = p_[at.intensity(a)];
    const double by_depth = spot.amplitude * (next - here) / PeakShape::kPlane_A + intensity * fading * peak;
    const Vec3 in_beam(spot.amplitude * sum_u, spot.amplitude * sum_v, by_depth);
    const Vec3 by_position = sight.rotation * in_beam, by_turn = spot.turned.cross(in_beam);
    for (std::size_t i = 0; i < 3; ++i) fit.by_pose[i] += by_turn(static_cast<Eigen::Index>(i));
    fit.by_pose[3] += in_beam.x(), fit.by_pose[4] += in_beam.y();
    for (std::size_t axis = 0; axis < 3; ++axis)
      gradient[at.position(a) + axis] = by_position(static_cast<Eigen::Index>(axis));
    gradient[at.intensity(a)] = (1 + fading * spot.depth) * peak;
    gradient[at.width(model_.species_of[a])] += spot.amplitude * (square_here + square_next);
    const double z0 = t.depth_of(p), z1 = t.depth_of(p + 1);
    gradient[at.growth()] += spot.amplitude * (z0 * z0 * square_here + z1 * z1 * square_next);
    gradient[at.fading()] += intensity * spot.depth * peak;
  }
  return fit;
}

void AtomProjector::add_fisher_information(const Sight& sight, double scale, View<const double, 2> variance,
                                           double pixel_A, std::span<double> information) const {
  Spot spot;
  const double fading = p_[model_.layout.fading()];
  for (std::size_t a = 0; a < model_.layout.atoms; ++a) {
    place(spot, a, sight, variance.shape(), pixel_A);
    for (std::size_t y = spot.y0; y < spot.y1; ++y) {
      const double dv = spot.dv(y);
      const Range columns = spot.columns(dv);
      for (std::size_t x = columns.begin; x < columns.end; ++x) {
        const double du = spot.du(x), t = (du * du + dv * dv) * spot.inverse_step;
        const auto n = static_cast<std::size_t>(t);
        const double s = t - static_cast<double>(n);
        const auto& c = spot.cubic;
        const double peak = c[0][n] + s * (c[1][n] + s * (c[2][n] + s * c[3][n]));
        const double by_rho =
            scale * spot.amplitude * spot.inverse_step * (c[1][n] + s * (2 * c[2][n] + s * 3 * c[3][n]));
        const Vec3 slope = sight.rotation * Vec3(-2 * du * by_rho, -2 * dv * by_rho, 0);
        const std::array<double, 4> by{slope.x(), slope.y(), slope.z(),
                                       scale * (1 + fading * spot.depth) * peak};
        double* at = information.data() + 10 * a;
        for (std::size_t i = 0; i < 4; ++i)
          for (std::size_t j = i; j < 4; ++j) *at++ += by[i] * by[j] / variance(y, x);
      }
    }
  }
}

}  // namespace aetos::tracing
