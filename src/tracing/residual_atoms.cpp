#include "residual_atoms.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "aetos/atoms/neighbours.hpp"

namespace aetos::tracing {
namespace {

constexpr double kMargin_A = 3;       // beyond the farthest atom
constexpr double kCoarseShare = 0.5;  // of `least`: the in-focus filter sees less of atoms out of focus

struct Candidate {
  double x = 0, y = 0, z = 0, intensity = 0;
  Vec3 position() const { return {x, y, z}; }
};

/// Residuals of all projections times weight and scale, and the weight of each pixel times scale², on every
/// rank.
struct Residuals {
  Array<float, 3> slope, stiffness;
};

Residuals gather_residuals(const Communicator& comm, const MeasuredImages& images, const AtomProjector& atoms,
                           const std::vector<ImageFit>& fits) {
  const std::size_t pixels = images.ny * images.nx;
  std::vector<float> slope, stiffness;
  for (std::size_t i = 0; i < images.mine.size(); ++i) {
    const std::size_t t = images.mine.begin + i;
    const auto image = atoms.project(images.rotation[t], {images.ny, images.nx}, images.pixel_A);
    const auto weight = images.weight_of(i);
    for (std::size_t j = 0; j < pixels; ++j) {
      const double w = weight.empty() ? 1 : static_cast<double>(weight.data()[j]);
      const double residual =
          static_cast<double>(images.values[i].data()[j]) - fits[t].scale * image.data()[j] - fits[t].offset;
      slope.push_back(static_cast<float>(w * fits[t].scale * residual));
      stiffness.push_back(static_cast<float>(w * fits[t].scale * fits[t].scale));
    }
  }
  const Shape<3> shape{images.rotation.size(), images.ny, images.nx};
  Residuals all{Array<float, 3>(shape), Array<float, 3>(shape)};
  const auto whole_slope = comm.all_gather(std::span<const float>(slope)),
             whole_stiffness = comm.all_gather(std::span<const float>(stiffness));
  std::copy(whole_slope.begin(), whole_slope.end(), all.slope.begin());
  std::copy(whole_stiffness.begin(), whole_stiffness.end(), all.stiffness.begin());
  return all;
}

/// Samples of a peak in focus at whole pixels, (2 n + 1)², and of its square.
struct Kernel {
  std::ptrdiff_t n = 0;
  std::vector<double> value;
};

Kernel in_focus(const PeakShape& shape, double square, double growth, double pixel_A) {
  const PeakTable table(shape, square, growth);
  const auto at = table.place(0);
  const double farthest = static_cast<double>(table.nodes(at)) * table.step();
  Kernel k;
  k.n = static_cast<std::ptrdiff_t>(std::sqrt(farthest) / pixel_A);
  for (std::ptrdiff_t y = -k.n; y <= k.n; ++y)
    for (std::ptrdiff_t x = -k.n; x <= k.n; ++x) {
      const double rho = static_cast<double>(x * x + y * y) * pixel_A * pixel_A;
      k.value.push_back(rho < farthest ? table.at(at, rho) : 0);
    }
  return k;
}

/// sum over the kernel of image(pixel + offset) * kernel(offset)^power; beyond the image there is nothing.
Array<float, 2> correlate(View<const float, 2> image, const Kernel& kernel, int power) {
  const auto ny = static_cast<std::ptrdiff_t>(image.extent(0)),
             nx = static_cast<std::ptrdiff_t>(image.extent(1));
  std::vector<double> row(image.extent(1));
  Array<float, 2> out(image.shape());
  for (std::ptrdiff_t y = 0; y < ny; ++y) {
    std::fill(row.begin(), row.end(), 0.0);
    const double* k = kernel.value.data();
    for (std::ptrdiff_t dy = -kernel.n; dy <= kernel.n; ++dy)
      for (std::ptrdiff_t dx = -kernel.n; dx <= kernel.n; ++dx, ++k) {
        if (y + dy < 0 || y + dy >= ny || *k == 0) continue;
        const double factor = power == 2 ? *k * *k : *k;
        const float* from = image.data() + (y + dy) * nx + dx;
        for (std::ptrdiff_t x = std::max<std::ptrdiff_t>(0, -dx), end = std::min(nx, nx - dx); x < end; ++x)
          row[static_cast<std::size_t>(x)] += factor * static_cast<double>(from[x]);
      }
    for (std::ptrdiff_t x = 0; x < nx; ++x)
      out.data()[y * nx + x] = static_cast<float>(row[static_cast<std::size_t>(x)]);
  }
  return out;
}

/// Bilinear between pixels; 0 outside.
double sample(View<const float, 2> image, double x, double y) {
  const double fx = std::floor(x), fy = std::floor(y);
  if (!(fx >= 0 && fy >= 0 && fx + 1 < static_cast<double>(image.extent(1)) &&
        fy + 1 < static_cast<double>(image.extent(0))))
    return 0;
  const float* at =
      image.data() + static_cast<std::size_t>(fy) * image.extent(1) + static_cast<std::size_t>(fx);
  const double a = x - fx, b = y - fy;
  const auto v = [&](std::size_t i) { return static_cast<double>(at[i]); };
  return (1 - b) * ((1 - a) * v(0) + a * v(1)) +
         b * ((1 - a) * v(image.extent(1)) + a * v(image.extent(1) + 1));
}

}  // namespace

std::vector<Vec3> find_missing_atoms(const Communicator& comm, const MeasuredImages& images,
                                     const AtomModel& model, std::span<const double> parameters,
                                     const std::vector<ImageFit>& fits, double apart_A, double least) {
  const auto& at = model.layout;
  std::vector<Vec3> known;
  double farthest = 0, square = 0;
  for (std::size_t a = 0; a < at.atoms; ++a) {
    const double* r = parameters.data() + at.position(a);
    known.emplace_back(r[0], r[1], r[2]);
    farthest = std::max(farthest, known.back().norm());
  }
  for (std::size_t k = 0; k < at.species; ++k)
    square += parameters[at.width(k)] / static_cast<double>(at.species);
  const AtomProjector atoms(model, parameters);
  const Residuals residuals = gather_residuals(comm, images, atoms, fits);

  // Matched filter with the peak in focus, on a grid of pixels.
  const std::size_t tilts = images.rotation.size();
  const Kernel kernel = in_focus(*model.shape, square, parameters[at.growth()], images.pixel_A);
  std::vector<Array<float, 2>> top, bottom;
  for (std::size_t t = 0; t < tilts; ++t) {
    top.push_back(correlate(residuals.slope[t], kernel, 1));
    bottom.push_back(correlate(residuals.stiffness[t], kernel, 2));
  }
  const double radius = farthest + kMargin_A, step = images.pixel_A;
  const auto half = static_cast<std::ptrdiff_t>(std::ceil(radius / step));
  const auto side = static_cast<std::size_t>(2 * half + 1);
  const double middle_x = static_cast<double>(centre_index(images.nx)),
               middle_y = static_cast<double>(centre_index(images.ny));
  const auto place = [&](std::size_t i) {
    return (static_cast<double>(i) - static_cast<double>(half)) * step;
  };
  const Range own =
      block_partition(side, static_cast<std::size_t>(comm.size()), static_cast<std::size_t>(comm.rank()));
  const Range held{own.begin - std::min<std::size_t>(own.begin, 1), std::min(side, own.end + 1)};
  Array<float, 3> map({own.empty() ? 0 : held.size(), side, side});
  for (std::size_t z = 0; z < map.extent(0); ++z)
    for (std::size_t y = 0; y < side; ++y)
      for (std::size_t x = 0; x < side; ++x) {
        const Vec3 r(place(x), place(y), place(held.begin + z));
        if (r.norm() > radius) continue;
        double a = 0, b = 0;
        for (std::size_t t = 0; t < tilts; ++t) {
          const Vec3 beam = to_beam_frame(images.rotation[t], r) / step;
          a += sample(top[t], beam.x() + middle_x, beam.y() + middle_y);
          b += sample(bottom[t], beam.x() + middle_x, beam.y() + middle_y);
        }
        map(z, y, x) = b > 0 ? static_cast<float>(a / b) : 0;
      }

  const atoms::NeighbourSearch near(known);
  std::vector<Candidate> mine;
  for (std::size_t z = own.begin; z < own.end; ++z) {
    if (z == 0 || z + 1 >= side) continue;
    const std::size_t k = z - held.begin;
    for (std::size_t y = 1; y + 1 < side; ++y)
      for (std::size_t x = 1; x + 1 < side; ++x) {
        const float v = map(k, y, x);
        if (!(static_cast<double>(v) >= kCoarseShare * least)) continue;
        bool top_most = true;
        for (std::size_t c = 0; c < 27 && top_most; ++c) {
          const float other = map(k + c / 9 - 1, y + c / 3 % 3 - 1, x + c % 3 - 1);
          top_most = c < 13 ? v > other : v >= other;
        }
        if (!top_most) continue;
        const Vec3 r(place(x), place(y), place(z));
        if (!near.within(r, apart_A).empty()) continue;
        mine.push_back({r.x(), r.y(), r.z(), 0});
      }
  }
  // The intensity with the peak as wide as it is at each projection.
  const PeakTable table(*model.shape, square, parameters[at.growth()]);
  for (Candidate& c : mine) {
    double a = 0, b = 0;
    for (std::size_t t = 0; t < tilts; ++t) {
      const Vec3 beam = to_beam_frame(images.rotation[t], c.position());
      const auto depth = table.place(beam.z());
      const double reach = std::sqrt(static_cast<double>(table.nodes(depth)) * table.step());
      const auto inside = [&](double centre, double middle, std::size_t n) {
        const double limit = static_cast<double>(n);
        return Range{
            static_cast<std::size_t>(std::clamp(std::ceil((centre - reach) / step + middle), 0.0, limit)),
            static_cast<std::size_t>(
                std::clamp(std::floor((centre + reach) / step + middle) + 1, 0.0, limit))};
      };
      const Range ys = inside(beam.y(), middle_y, images.ny), xs = inside(beam.x(), middle_x, images.nx);
      for (std::size_t y = ys.begin; y < ys.end; ++y)
        for (std::size_t x = xs.begin; x < xs.end; ++x) {
          const double du = (static_cast<double>(x) - middle_x) * step - beam.x(),
                       dv = (static_cast<double>(y) - middle_y) * step - beam.y();
          const double peak = table.at(depth, du * du + dv * dv);
          a += peak * static_cast<double>(residuals.slope(t, y, x));
          b += peak * peak * static_cast<double>(residuals.stiffness(t, y, x));
        }
    }
    c.intensity = b > 0 ? a / b : 0;
  }
  std::erase_if(mine, [&](const Candidate& c) { return c.intensity < least; });
  auto all = comm.all_gather(std::span<const Candidate>(mine));
  std::stable_sort(all.begin(), all.end(),
                   [](const Candidate& a, const Candidate& b) { return a.intensity > b.intensity; });
  std::vector<Vec3> found;
  for (const Candidate& c : all)
    if (std::none_of(found.begin(), found.end(),
                     [&](const Vec3& r) { return (r - c.position()).norm() < apart_A; }))
      found.push_back(c.position());
  return found;
}

}  // namespace aetos::tracing
