#include "aetos/tracing/projection_model.hpp"

#include <algorithm>
#include <cmath>

#include "aetos/core/units.hpp"

namespace aetos::tracing {
namespace {

constexpr double kCut = 5;  // widths; beyond them a Gaussian is below 4e-6 of its height

/// One atom on one image: where it is, how wide, and the pixels that it reaches.
struct Spot {
  double depth = 0, square = 1, amplitude = 0;  // z', S, I / (2 pi S)
  std::size_t k = 0;
  std::size_t y0 = 0, y1 = 0, x0 = 0, x1 = 0;  // pixels [y0, y1) x [x0, x1)
  std::vector<double> du, dv, gu, gv;          // distances and the two factors of the Gaussian

  bool empty() const { return y1 <= y0 || x1 <= x0; }
};

void along_axis(double centre, double reach, double square, std::size_t n, double pixel, std::size_t& begin,
                std::size_t& end, std::vector<double>& distance, std::vector<double>& factor) {
  const double middle = static_cast<double>(centre_index(n));
  const double first = std::ceil((centre - reach) / pixel + middle),
               last = std::floor((centre + reach) / pixel + middle);
  const double limit = static_cast<double>(n);
  begin = static_cast<std::size_t>(std::clamp(first, 0.0, limit));
  end = static_cast<std::size_t>(std::clamp(last + 1, 0.0, limit));
  distance.clear();
  factor.clear();
  for (std::size_t i = begin; i < end; ++i) {
    const double d = (static_cast<double>(i) - middle) * pixel - centre;
    distance.push_back(d);
    factor.push_back(std::exp(-d * d / (2 * square)));
  }
}

void place(Spot& spot, const AtomModel& model, std::span<const double> p, std::size_t atom,
           const Mat3& rotation, const Shape<2>& shape, double pixel) {
  const auto& at = model.layout;
  const std::size_t i = at.position(atom);
  const Vec3 beam = to_beam_frame(rotation, Vec3(p[i], p[i + 1], p[i + 2]));
  spot.k = model.species_of[atom];
  spot.depth = beam.z();
  spot.square = p[at.width(spot.k)] + p[at.growth()] * spot.depth * spot.depth;
  spot.amplitude = p[at.intensity(atom)] / (2 * kPi * spot.square);
  const double reach = kCut * std::sqrt(spot.square);
  along_axis(beam.x(), reach, spot.square, shape[1], pixel, spot.x0, spot.x1, spot.du, spot.gu);
  along_axis(beam.y(), reach, spot.square, shape[0], pixel, spot.y0, spot.y1, spot.dv, spot.gv);
}

/// Least squares of measured = scale * image + offset.
ImageFit best_scale(View<const double, 2> image, View<const float, 2> measured) {
  const auto n = static_cast<double>(image.size());
  double m = 0, d = 0, mm = 0, md = 0;
  for (std::size_t i = 0; i < image.size(); ++i) {
    const double a = image.data()[i], b = static_cast<double>(measured.data()[i]);
    m += a, d += b, mm += a * a, md += a * b;
  }
  ImageFit fit;
  const double spread = mm - m * m / n;
  fit.scale = spread > 0 ? (md - m * d / n) / spread : 0;
  fit.offset = (d - fit.scale * m) / n;
  return fit;
}

}  // namespace

Array<double, 2> project(const AtomModel& model, std::span<const double> parameters, const Mat3& rotation,
                         const Shape<2>& shape, double pixel_A) {
  Array<double, 2> image(shape);
  Spot spot;
  for (std::size_t a = 0; a < model.layout.atoms; ++a) {
    place(spot, model, parameters, a, rotation, shape, pixel_A);
    for (std::size_t y = spot.y0; y < spot.y1; ++y) {
      double* row = image.data() + y * shape[1] + spot.x0;
      const double height = spot.amplitude * spot.gv[y - spot.y0];
      for (std::size_t x = 0; x < spot.gu.size(); ++x) row[x] += height * spot.gu[x];
    }
  }
  return image;
}

ImageFit image_misfit(const AtomModel& model, std::span<const double> parameters, const Mat3& rotation,
                      View<const float, 2> measured, double pixel_A, std::span<double> gradient) {
  const Shape<2>& shape = measured.shape();
  Array<double, 2> image = project(model, parameters, rotation, shape, pixel_A);
  ImageFit fit = best_scale(image, measured);
  for (std::size_t i = 0; i < image.size(); ++i) {
    const double residual =
        fit.scale * image.data()[i] + fit.offset - static_cast<double>(measured.data()[i]);
    fit.misfit += residual * residual;
    image.data()[i] = 2 * fit.scale * residual;  // from here on: the misfit's slope to the model's pixel
  }

  const auto& at = model.layout;
  std::fill(gradient.begin(), gradient.end(), 0.0);
  Spot spot;
  for (std::size_t a = 0; a < at.atoms; ++a) {
    place(spot, model, parameters, a, rotation, shape, pixel_A);
    if (spot.empty()) continue;
    double sum = 0, sum_u = 0, sum_v = 0, sum_square = 0;  // of slope * Gaussian times 1, du, dv, d²
    for (std::size_t y = spot.y0; y < spot.y1; ++y) {
      const double* row = image.data() + y * shape[1] + spot.x0;
      double q0 = 0, q1 = 0, q2 = 0;
      for (std::size_t x = 0; x < spot.gu.size(); ++x) {
        const double w = row[x] * spot.gu[x];
        q0 += w, q1 += w * spot.du[x], q2 += w * spot.du[x] * spot.du[x];
      }
      const double gv = spot.gv[y - spot.y0], dv = spot.dv[y - spot.y0];
      sum += gv * q0, sum_u += gv * q1, sum_v += gv * dv * q0, sum_square += gv * (q2 + dv * dv * q0);
    }
    const double by_square =
        spot.amplitude * (sum_square / (2 * spot.square * spot.square) - sum / spot.square);
    const double growth = parameters[at.growth()];
    const Vec3 in_beam(spot.amplitude * sum_u / spot.square, spot.amplitude * sum_v / spot.square,
                       by_square * 2 * growth * spot.depth);
    const Vec3 by_position = rotation * in_beam;
    for (std::size_t axis = 0; axis < 3; ++axis)
      gradient[at.position(a) + axis] = by_position(static_cast<Eigen::Index>(axis));
    gradient[at.intensity(a)] = sum / (2 * kPi * spot.square);
    gradient[at.width(spot.k)] += by_square;
    gradient[at.growth()] += by_square * spot.depth * spot.depth;
  }
  return fit;
}

void add_fisher_information(const AtomModel& model, std::span<const double> parameters, const Mat3& rotation,
                            double scale, View<const double, 2> variance, double pixel_A,
                            std::span<double> information) {
  Spot spot;
  for (std::size_t a = 0; a < model.layout.atoms; ++a) {
    place(spot, model, parameters, a, rotation, variance.shape(), pixel_A);
    for (std::size_t y = spot.y0; y < spot.y1; ++y)
      for (std::size_t x = spot.x0; x < spot.x1; ++x) {
        const double du = spot.du[x - spot.x0], dv = spot.dv[y - spot.y0];
        const double g = scale * spot.gv[y - spot.y0] * spot.gu[x - spot.x0];
        const Vec3 slope =
            rotation * Vec3(spot.amplitude * g * du / spot.square, spot.amplitude * g * dv / spot.square, 0);
        const std::array<double, 4> by{slope.x(), slope.y(), slope.z(), g / (2 * kPi * spot.square)};
        double* at = information.data() + 10 * a;
        for (std::size_t i = 0; i < 4; ++i)
          for (std::size_t j = i; j < 4; ++j) *at++ += by[i] * by[j] / variance(y, x);
      }
  }
}

}  // namespace aetos::tracing
