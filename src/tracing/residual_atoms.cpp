#include "residual_atoms.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

#include "aetos/atoms/neighbours.hpp"
#include "aetos/tracing/peaks.hpp"
#include "distributed_misfit.hpp"
#include "peak_pixels.hpp"

namespace aetos::tracing {
namespace {

constexpr double kMargin_A = 3;  // beyond the farthest atom
constexpr double kSamePlace_A = 0.7;
/// Standard deviations: a particle has 10,000 places and more to look at.
constexpr double kSignificance = 3.5;
constexpr double kCoarseShare =
    0.5;  // of the least intensity: the in-focus filter sees less of atoms out of focus

/// Residuals times weight and scale, and the weight of each pixel times scale², of the projections held here.
struct Residuals {
  Array<float, 3> slope, stiffness;
};

Residuals residuals_of(const MeasuredImages& images, const AtomProjector& atoms,
                       const std::vector<ImageFit>& fits) {
  const Shape<3> shape = images.values.shape();
  Residuals mine{Array<float, 3>(shape), Array<float, 3>(shape)};
  for (std::size_t i = 0; i < images.mine.size(); ++i) {
    const std::size_t t = images.mine.begin + i;
    const auto image = atoms.project(images.sight[t], {images.ny, images.nx}, images.pixel_A);
    const auto weight = images.weight_of(i);
    for (std::size_t j = 0; j < image.size(); ++j) {
      const double w = weight_at(weight, j);
      const double residual =
          static_cast<double>(images.values[i].data()[j]) - fits[t].scale * image.data()[j] - fits[t].offset;
      mine.slope[i].data()[j] = static_cast<float>(w * fits[t].scale * residual);
      mine.stiffness[i].data()[j] = static_cast<float>(w * fits[t].scale * fits[t].scale);
    }
  }
  return mine;
}

/// Samples of a peak in focus at whole pixels, (2 n + 1)².
struct Kernel {
  std::ptrdiff_t n = 0;
  std::vector<double> value;
};

Kernel in_focus(const PeakTable& table, double pixel_A) {
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

/// Two images of one shape, pixel by pixel: what a voxel takes from both lies together.
void interleave(View<const float, 2> first, View<const float, 2> second, View<float, 3> both) {
  for (std::size_t i = 0; i < first.size(); ++i)
    both.data()[2 * i] = first.data()[i], both.data()[2 * i + 1] = second.data()[i];
}

/// Adds what lies at a place in two interleaved images, bilinear between pixels; nothing outside.
inline void add_sample(View<const float, 3> both, double x, double y, float& first, float& second) {
  const double fx = std::floor(x), fy = std::floor(y);
  if (!(fx >= 0 && fy >= 0 && fx + 1 < static_cast<double>(both.extent(1)) &&
        fy + 1 < static_cast<double>(both.extent(0))))
    return;
  const float* above =
      both.data() + 2 * (static_cast<std::size_t>(fy) * both.extent(1) + static_cast<std::size_t>(fx));
  const float* below = above + 2 * both.extent(1);
  const double a = x - fx, b = y - fy;
  const auto between = [&](std::size_t i) {
    const auto along = [&](const float* row) {
      return (1 - a) * static_cast<double>(row[i]) + a * static_cast<double>(row[i + 2]);
    };
    return static_cast<float>((1 - b) * along(above) + b * along(below));
  };
  first += between(0);
  second += between(1);
}

/// The search's cube of voxels about the rotation centre, one pixel wide each or a whole part of one, and
/// where images have their middle.
struct Grid {
  double radius_A, pixel_A, step_A, middle_x, middle_y;
  std::ptrdiff_t half;

  Grid(const MeasuredImages& images, double radius)
      : radius_A(radius),
        pixel_A(images.pixel_A),
        step_A(search_step_A(images.pixel_A)),
        middle_x(static_cast<double>(centre_index(images.nx))),
        middle_y(static_cast<double>(centre_index(images.ny))),
        half(static_cast<std::ptrdiff_t>(std::ceil(radius / step_A))) {}
  std::size_t side() const { return static_cast<std::size_t>(2 * half + 1); }
  double place(std::size_t i) const { return (static_cast<double>(i) - static_cast<double>(half)) * step_A; }
};

/// The intensity that fits the residuals best at every voxel of some planes within the ball, for a peak in
/// focus. Each projection is filtered by the rank that holds it, and goes round once. Throws Interrupted on
/// all ranks at a stop request. Collective.
Array<float, 3> matched_filter(const Communicator& comm, const Stop& stop, const MeasuredImages& images,
                               const Residuals& residuals, const Kernel& kernel, const Grid& grid,
                               Range planes) {
  const std::size_t side = grid.side();
  Array<float, 3> map({planes.size(), side, side}), bottom(map.shape());
  std::vector<int> owner;
  const auto held = comm.all_gather_value(images.mine);
  for (std::size_t rank = 0; rank < held.size(); ++rank)
    owner.insert(owner.end(), held[rank].size(), static_cast<int>(rank));
  Array<float, 3> filtered({images.ny, images.nx, 2});
  for (std::size_t t = 0; t < images.sight.size(); ++t) {
    end_if_stopped(comm, stop);
    if (owner[t] == comm.rank())
      interleave(correlate(residuals.slope[t - images.mine.begin], kernel, 1).view(),
                 correlate(residuals.stiffness[t - images.mine.begin], kernel, 2).view(), filtered.view());
    comm.broadcast(filtered.flat(), owner[t]);
    const auto pixel_of = [&](double x, double y, double z) {
      const Vec3 beam = images.sight[t].place(Vec3(x, y, z)) / grid.pixel_A;
      return std::array{beam.x() + grid.middle_x, beam.y() + grid.middle_y};
    };
    const auto origin = pixel_of(0, 0, 0), step = pixel_of(grid.step_A, 0, 0);
    const double along_u = step[0] - origin[0], along_v = step[1] - origin[1];
    for (std::size_t z = 0; z < planes.size(); ++z)
      for (std::size_t y = 0; y < side; ++y) {
        const double place_z = grid.place(planes.begin + z), place_y = grid.place(y);
        const double left = grid.radius_A * grid.radius_A - place_z * place_z - place_y * place_y;
        if (left < 0) continue;
        const auto reach = static_cast<std::ptrdiff_t>(std::sqrt(left) / grid.step_A);
        const auto [u, v] = pixel_of(0, place_y, place_z);
        for (std::ptrdiff_t x = -reach; x <= reach; ++x) {
          const auto column = static_cast<std::size_t>(grid.half + x);
          add_sample(filtered.view(), u + along_u * static_cast<double>(x),
                     v + along_v * static_cast<double>(x), map(z, y, column), bottom(z, y, column));
        }
      }
  }
  for (std::size_t i = 0; i < map.size(); ++i)
    map.data()[i] = bottom.data()[i] > 0 ? map.data()[i] / bottom.data()[i] : 0;
  return map;
}

struct FittedIntensity {
  double value = 0;
  double sigma = std::numeric_limits<double>::infinity();  ///< standard deviation by the weights
};

/// The intensities that fit the residuals best at some places, each alone, with the peak as wide as it is at
/// each projection. Collective.
std::vector<FittedIntensity> best_intensities(const Communicator& comm, const MeasuredImages& images,
                                              const Residuals& residuals, const PeakTable& table,
                                              const Grid& grid, const std::vector<Vec3>& places) {
  const std::size_t record = 2 * places.size();
  std::vector<double> mine(images.mine.size() * record), sum(record);
  for (std::size_t i = 0; i < images.mine.size(); ++i)
    for (std::size_t p = 0; p < places.size(); ++p) {
      double &a = mine[i * record + 2 * p], &b = mine[i * record + 2 * p + 1];
      const Vec3 beam = images.sight[images.mine.begin + i].place(places[p]);
      const auto depth = table.place(beam.z());
      const double reach = std::sqrt(static_cast<double>(table.nodes(depth)) * table.step());
      const Range ys = pixels_within(beam.y(), reach, grid.middle_y, grid.pixel_A, images.ny),
                  xs = pixels_within(beam.x(), reach, grid.middle_x, grid.pixel_A, images.nx);
      for (std::size_t y = ys.begin; y < ys.end; ++y)
        for (std::size_t x = xs.begin; x < xs.end; ++x) {
          const double du = (static_cast<double>(x) - grid.middle_x) * grid.pixel_A - beam.x(),
                       dv = (static_cast<double>(y) - grid.middle_y) * grid.pixel_A - beam.y();
          const double peak = table.at(depth, du * du + dv * dv);
          a += peak * static_cast<double>(residuals.slope(i, y, x));
          b += peak * peak * static_cast<double>(residuals.stiffness(i, y, x));
        }
    }
  comm.ordered_sum(mine, sum);
  std::vector<FittedIntensity> best(places.size());
  for (std::size_t p = 0; p < places.size(); ++p)
    if (sum[2 * p + 1] > 0) best[p] = {sum[2 * p] / sum[2 * p + 1], 1 / std::sqrt(sum[2 * p + 1])};
  return best;
}

}  // namespace

double search_step_A(double pixel_A) {
  constexpr double kCoarsest_A = 0.4;
  return pixel_A / std::ceil(pixel_A / kCoarsest_A);
}

std::vector<Vec3> find_missing_atoms(const Communicator& comm, const Stop& stop, const MeasuredImages& images,
                                     const State& state, const std::vector<ImageFit>& fits,
                                     const Evidence& evidence, double share, const std::vector<Vec3>& tried) {
  const auto& at = state.model.layout;
  double square = 0;
  for (std::size_t k = 0; k < at.species; ++k)
    square += state.parameters[at.width(k)] / static_cast<double>(at.species);
  const Residuals residuals = residuals_of(images, AtomProjector(state.model, state.parameters), fits);
  const PeakTable table(*state.model.shape, square, state.parameters[at.growth()]);

  const Grid grid(images, farthest_from_origin(state) + kMargin_A);
  const std::size_t side = grid.side();
  const Range own =
      block_partition(side, static_cast<std::size_t>(comm.size()), static_cast<std::size_t>(comm.rank()));
  const Range held =
      own.empty() ? own : Range{own.begin - std::min<std::size_t>(own.begin, 1), std::min(side, own.end + 1)};
  const auto map = matched_filter(comm, stop, images, residuals, in_focus(table, images.pixel_A), grid, held);

  const atoms::NeighbourSearch near(positions_of(state)), before(tried);
  std::size_t plateaus = 0;
  using Voxel = std::array<std::int64_t, 3>;
  const auto place = [&](const Voxel& v) {
    const auto along = [&](std::size_t axis) { return grid.place(static_cast<std::size_t>(v[axis])); };
    return Vec3(along(2), along(1), along(0));
  };
  std::vector<Voxel> mine;
  for (const Maximum& m : local_maxima({map.view(), held.begin, {side, side, side}}, own,
                                       static_cast<float>(kCoarseShare * share * evidence.least), plateaus))
    if (near.within(place(m.voxel), evidence.apart_A).empty() &&
        before.within(place(m.voxel), kSamePlace_A).empty())
      mine.push_back(m.voxel);
  std::vector<Vec3> places;
  for (const Voxel& v : comm.all_gather(std::span<const Voxel>(mine))) places.push_back(place(v));
  const auto best = best_intensities(comm, images, residuals, table, grid, places);
  std::vector<std::size_t> strongest_first;
  for (std::size_t p = 0; p < places.size(); ++p)
    if (best[p].value >= std::max(share * evidence.least, kSignificance * best[p].sigma))
      strongest_first.push_back(p);
  std::stable_sort(strongest_first.begin(), strongest_first.end(),
                   [&](std::size_t a, std::size_t b) { return best[a].value > best[b].value; });
  std::vector<Vec3> found;
  for (const std::size_t p : strongest_first) {
    const auto one_is_within = [&](double distance) {
      return std::any_of(found.begin(), found.end(),
                         [&](const Vec3& r) { return (r - places[p]).norm() < distance; });
    };
    const bool rare = one_is_within(evidence.rare_A) || !near.within(places[p], evidence.rare_A).empty();
    if (!one_is_within(evidence.apart_A) && best[p].value >= share * evidence.least_at(rare))
      found.push_back(places[p]);
  }
  return found;
}

}  // namespace aetos::tracing
