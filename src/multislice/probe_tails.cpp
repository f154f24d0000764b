#include "probe_tails.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "aetos/core/fft.hpp"
#include "aetos/core/units.hpp"

namespace aetos::multislice {
namespace {

/// Rings move outwards by 0.1 Å over this depth at 30 mrad.
constexpr double kPlane_A = 4;
/// Sides of the cells that whole probes are made on: at the window's pixels, and for the rings far out.
constexpr double kMargin_A = 24, kCell_A = 40, kWidest_A = 120;
/// Atoms this far from a tile see rings so wide that what they add is smooth over the tile.
constexpr double kFar_A = 15;

/// A cell of at most `side_A` with the pixels of `grid`.
FftGrid cell_of(const FftGrid& grid, double side_x_A, double side_y_A) {
  const auto along = [](double side, double sampling_A) {
    return fft::fast_size(static_cast<std::size_t>(std::ceil(side / sampling_A - 1e-6)));
  };
  return {along(side_x_A, grid.dx_A), along(side_y_A, grid.dy_A), grid.dx_A, grid.dy_A};
}

double extent_x_A(const FftGrid& grid) {
  return static_cast<double>(grid.nx) * grid.dx_A;
}
double extent_y_A(const FftGrid& grid) {
  return static_cast<double>(grid.ny) * grid.dy_A;
}
double shorter_A(const FftGrid& grid) {
  return std::min(extent_x_A(grid), extent_y_A(grid));
}

/// An aperture whose edge falls over one reciprocal pixel of a cell damps the probe's rings by this at a
/// distance.
double ring_amplitude(double distance_A, double cell_A) {
  const double x = kPi * distance_A / cell_A;
  return x < 1e-6 ? 1 : std::sin(x) / x;
}

double area_A2(const FftGrid& grid) {
  return static_cast<double>(grid.size()) * grid.dx_A * grid.dy_A;
}

/// Intensity per Å² of a wave after `way_A` of vacuum, from its spectrum with sum |psi|² = 1; pixel (0, 0) is
/// the probe.
Array<double, 2> intensity_after(const Array<std::complex<double>, 2>& spectrum, const FftGrid& grid,
                                 double wavelength_A, double way_A) {
  Array<std::complex<double>, 2> wave(spectrum.shape());
  for (std::size_t j = 0; j < grid.ny; ++j)
    for (std::size_t i = 0; i < grid.nx; ++i) {
      if (spectrum(j, i) == std::complex<double>{}) continue;
      const double k2 = grid.kx(i) * grid.kx(i) + grid.ky(j) * grid.ky(j);
      wave(j, i) = spectrum(j, i) * std::polar(1.0, -kPi * wavelength_A * way_A * k2);
    }
  auto* p = reinterpret_cast<fftw_complex*>(wave.data());
  const fft::PlanD plan(fftw_plan_dft_2d(static_cast<int>(grid.ny), static_cast<int>(grid.nx), p, p,
                                         FFTW_BACKWARD, FFTW_ESTIMATE));
  fftw_execute(plan.get());
  Array<double, 2> intensity(wave.shape());
  std::transform(wave.begin(), wave.end(), intensity.begin(),
                 [&](const auto& v) { return std::norm(v) / area_A2(grid); });
  return intensity;
}

/// FFT index of n where pixel p of a window of `window` pixels lies, its middle pixel at index 0.
std::size_t from_middle(std::size_t p, std::size_t window, std::size_t n) {
  return p >= window / 2 ? p - window / 2 : n - window / 2 + p;
}

/// Of a pixel of a cell in FFT order from pixel (0, 0).
double distance_A(const FftGrid& cell, std::size_t y, std::size_t x) {
  return std::hypot(static_cast<double>(fft::frequency(x, cell.nx)) * cell.dx_A,
                    static_cast<double>(fft::frequency(y, cell.ny)) * cell.dy_A);
}

long floor_divided(long a, long b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

}  // namespace

ProbeTails::ProbeTails(const FftGrid& window, const FftGrid& probe_cell, double wavelength_A)
    : window_(window),
      cell_(cell_of(window,
                    std::min(extent_x_A(probe_cell), std::max(extent_x_A(window) + kMargin_A, kCell_A)),
                    std::min(extent_y_A(probe_cell), std::max(extent_y_A(window) + kMargin_A, kCell_A)))),
      wide_(shorter_A(probe_cell) > kWidest_A ? cell_of(probe_cell, kWidest_A, kWidest_A) : probe_cell),
      wavelength_A_(wavelength_A),
      soft_edge_A_(shorter_A(probe_cell)),
      reach_A_(0.5 * shorter_A(wide_)) {}

/// Of a plane's middle slice below the reference plane.
double ProbeTails::height_A(long plane) const {
  return (static_cast<double>(plane * slices_per_plane_) + 0.5 * static_cast<double>(slices_per_plane_ - 1)) *
         slice_A_;
}

/// What the intensity of rings on `cell` is multiplied by where that cell is smaller than the one whose probe
/// the windows cut, to have the rings of that one.
double ProbeTails::ring_ratio(double distance, const FftGrid& cell) const {
  const double side = shorter_A(cell);
  if (side > 0.99 * soft_edge_A_) return 1;
  distance = std::min(0.5 * side, distance);
  const double ratio = ring_amplitude(distance, soft_edge_A_) / ring_amplitude(distance, side);
  return ratio * ratio;
}

/// The same for every plane and focus.
void ProbeTails::count_pixels_by_distance() {
  ring_ratio_near_ = Array<double, 2>({window_.ny, window_.nx});
  for (std::size_t y = 0; y < window_.ny; ++y)
    for (std::size_t x = 0; x < window_.nx; ++x)
      ring_ratio_near_(y, x) = ring_ratio(distance_A(cell_, from_middle(y, window_.ny, cell_.ny),
                                                     from_middle(x, window_.nx, cell_.nx)),
                                          cell_);
  const std::size_t bins = static_cast<std::size_t>(reach_A_ / wide_.dx_A) + 2;
  std::vector<std::size_t> count(bins, 0);
  bin_ = Array<std::uint32_t, 2>({wide_.ny, wide_.nx});
  for (std::size_t y = 0; y < wide_.ny; ++y)
    for (std::size_t x = 0; x < wide_.nx; ++x) {
      const auto bin = static_cast<std::size_t>(distance_A(wide_, y, x) / wide_.dx_A + 0.5);
      bin_(y, x) = static_cast<std::uint32_t>(std::min(bin, bins));  // the last one for those beyond reach
      if (bin < bins) ++count[bin];
    }
  per_bin_.assign(bins, 0);
  for (std::size_t i = 0; i < bins; ++i)
    if (count[i] > 0)
      per_bin_[i] =
          ring_ratio(static_cast<double>(i) * wide_.dx_A, wide_) / static_cast<double>(count[i]);
}

ProbeTails::Plane ProbeTails::whole_plane(const WholeProbe& probe, long plane) const {
  Plane whole;
  {
    const auto near = intensity_after(probe.near, cell_, wavelength_A_, height_A(plane));
    whole.within = Array<float, 2>({window_.ny, window_.nx});
    for (std::size_t y = 0; y < window_.ny; ++y)
      for (std::size_t x = 0; x < window_.nx; ++x)
        whole.within(y, x) = static_cast<float>(
            ring_ratio_near_(y, x) *
            near(from_middle(y, window_.ny, cell_.ny), from_middle(x, window_.nx, cell_.nx)));
  }
  whole.by_distance = by_distance(intensity_after(probe.far, wide_, wavelength_A_, height_A(plane)));
  return whole;
}

/// Mean over the pixels of the wide cell at each distance from the probe.
std::vector<float> ProbeTails::by_distance(const Array<double, 2>& intensity) const {
  std::vector<double> sum(per_bin_.size() + 1, 0);
  for (std::size_t i = 0; i < intensity.size(); ++i) sum[bin_.data()[i]] += intensity.data()[i];
  std::vector<float> mean(per_bin_.size());
  for (std::size_t i = 0; i < mean.size(); ++i) mean[i] = static_cast<float>(sum[i] * per_bin_[i]);
  return mean;
}

void ProbeTails::prepare(long first, const SliceGrid& slices, std::size_t foci, const FreeProbes& probes) {
  if (bin_.size() == 0) count_pixels_by_distance();
  if (slices.thickness_A != slice_A_) whole_.clear();
  slice_A_ = slices.thickness_A;
  slices_per_plane_ = std::max(1L, static_cast<long>(kPlane_A / slice_A_ + 1e-9));
  const long first_plane = floor_divided(first, slices_per_plane_);
  const long last_plane = floor_divided(first + static_cast<long>(slices.count) - 1, slices_per_plane_);
  slices_above_ = first - first_plane * slices_per_plane_;
  missing_within_.clear();
  missing_within_.resize(foci);
  planes_.assign(foci, {});
  for (std::size_t f = 0; f < foci; ++f) {
    std::optional<WholeProbe> probe;
    for (long plane = first_plane; plane <= last_plane; ++plane) {
      if (!whole_.count({f, plane})) {
        if (!probe) probe = WholeProbe{probes.whole(f, cell_), probes.whole(f, wide_)};
        whole_.emplace(std::pair{f, plane}, whole_plane(*probe, plane));
      }
      const Plane& whole = whole_.at({f, plane});
      const double way = height_A(plane) - static_cast<double>(first) * slice_A_;
      const auto held = intensity_after(probes.of_window(f), window_, wavelength_A_, way);
      Array<float, 2>& missing = missing_within_[f].emplace_back(Shape<2>{window_.ny, window_.nx});
      for (std::size_t y = 0; y < window_.ny; ++y)
        for (std::size_t x = 0; x < window_.nx; ++x)
          missing(y, x) =
              whole.within(y, x) - static_cast<float>(held(from_middle(y, window_.ny, window_.ny),
                                                           from_middle(x, window_.nx, window_.nx)));
      planes_[f].push_back(&whole);
    }
  }
}

ProbeTails::Atoms::Atoms(const ProbeTails& tails, const LateralGrid& lateral, const BeamAtoms& atoms,
                         const SliceGrid& slices, std::span<const Vec2> probes)
    : tails_(tails), low_(probes.front()), high_(probes.front()) {
  for (const Vec2& probe : probes) {
    low_ = low_.cwiseMin(probe);
    high_ = high_.cwiseMax(probe);
  }
  const double reach = tails.reach_A();
  // Calls add(image) for every periodic image of a coordinate that the tile reaches.
  const auto images = [reach](double at, double from, double to, double period, auto add) {
    if (period > 0) at -= std::floor((at - from + reach) / period) * period;
    for (; at <= to + reach; at += period) {
      if (at >= from - reach) add(at);
      if (period <= 0) return;
    }
  };
  const double period_x = static_cast<double>(lateral.cell_x_px) * lateral.sampling_x_A;
  const double period_y = static_cast<double>(lateral.cell_y_px) * lateral.sampling_y_A;
  for (std::size_t a = 0; a < atoms.size(); ++a) {
    if (atoms.weight[a] == 0) continue;
    const Vec3& r = atoms.position[a];
    const auto plane = static_cast<std::uint32_t>(tails.plane_of(slices.slice_of(r.z())));
    Element& element = by_element_[atoms.atomic_number[a]];
    element.far_at_corners.resize(tails.planes_.size());
    images(r.x(), low_.x(), high_.x(), period_x, [&](double x) {
      images(r.y(), low_.y(), high_.y(), period_y,
             [&](double y) { place(element, x, y, atoms.weight[a], plane); });
    });
  }
}

void ProbeTails::Atoms::place(Element& element, double x, double y, float weight, std::uint32_t plane) const {
  const Vec2 atom(x, y);
  if ((atom - atom.cwiseMax(low_).cwiseMin(high_)).norm() < 0.5 * shorter_A(tails_.window_) + kFar_A) {
    element.x_A.push_back(static_cast<float>(x));
    element.y_A.push_back(static_cast<float>(y));
    element.weight.push_back(weight);
    element.plane.push_back(plane);
    return;
  }
  for (std::size_t c = 0; c < 4; ++c) {
    const Vec2 corner((c & 1 ? high_ : low_).x(), (c & 2 ? high_ : low_).y());
    const double distance = (atom - corner).norm();
    if (distance >= tails_.reach_A_) continue;
    const auto bin = static_cast<std::size_t>(distance / tails_.wide_.dx_A + 0.5);
    for (std::size_t f = 0; f < tails_.planes_.size(); ++f)
      element.far_at_corners[f][c] +=
          static_cast<double>(weight * tails_.planes_[f][plane]->by_distance[bin]);
  }
}

double ProbeTails::Atoms::of_far(const Vec2& probe, const Corners& corners) const {
  const auto share = [](double at, double low, double high) {
    return high > low ? (at - low) / (high - low) : 0;
  };
  const double u = share(probe.x(), low_.x(), high_.x()), v = share(probe.y(), low_.y(), high_.y());
  return (1 - v) * ((1 - u) * corners[0] + u * corners[1]) + v * ((1 - u) * corners[2] + u * corners[3]);
}

ProbeTails::Exposure ProbeTails::Atoms::of_near(std::size_t focus, const Vec2& probe,
                                                const Element& atoms) const {
  const FftGrid& window = tails_.window_;
  const auto px = static_cast<float>(probe.x()), py = static_cast<float>(probe.y());
  const auto per_dx = static_cast<float>(1 / window.dx_A), per_dy = static_cast<float>(1 / window.dy_A);
  const float middle_x = static_cast<float>(window.nx / 2) + 0.5f;
  const float middle_y = static_cast<float>(window.ny / 2) + 0.5f;
  const auto columns = static_cast<float>(window.nx), rows = static_cast<float>(window.ny);
  const auto reach = static_cast<float>(tails_.reach_A_), per_bin = static_cast<float>(1 / tails_.wide_.dx_A);
  const auto& missing = tails_.missing_within_[focus];
  const auto& planes = tails_.planes_[focus];
  double within = 0, missing_within = 0, beyond = 0;
  for (std::size_t a = 0; a < atoms.x_A.size(); ++a) {
    const float x = atoms.x_A[a] - px, y = atoms.y_A[a] - py;
    const float column = x * per_dx + middle_x, row = y * per_dy + middle_y;
    const std::uint32_t plane = atoms.plane[a];
    if (column >= 0 && row >= 0 && column < columns && row < rows) {
      const auto i = static_cast<std::size_t>(column), j = static_cast<std::size_t>(row);
      within += static_cast<double>(atoms.weight[a] * planes[plane]->within(j, i));
      missing_within += static_cast<double>(atoms.weight[a] * missing[plane](j, i));
      continue;
    }
    const float distance = std::sqrt(x * x + y * y);
    if (distance < reach)
      beyond += static_cast<double>(
          atoms.weight[a] * planes[plane]->by_distance[static_cast<std::size_t>(distance * per_bin + 0.5f)]);
  }
  return {within + beyond, missing_within + beyond};
}

}  // namespace aetos::multislice
