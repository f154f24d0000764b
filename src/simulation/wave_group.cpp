#include "aetos/simulation/wave_group.hpp"

#include <algorithm>
#include <cmath>

#include "aetos/core/units.hpp"
#include "aetos/multislice/probe.hpp"

namespace aetos::simulation {
namespace {

using multislice::FftGrid;

/// A rank's rows are built in about this many blocks, so that what they take falls with the ranks; and what
/// surrounds a block at least: no potential reaches farther.
constexpr std::size_t kBlocks = 8, kFewestRows = 128, kMostRows = 512, kSmallCell = 1024;
constexpr double kHalo_A = 8;
/// A builder holds about this many bytes for each pixel of its grid.
constexpr double kBuilderBytes = 64;

std::size_t halo_px(const FftGrid& grid) {
  return static_cast<std::size_t>(std::ceil(kHalo_A / grid.dy_A));
}

std::size_t block_rows(std::size_t rows) {
  return std::clamp(rows / kBlocks, kFewestRows, kMostRows);
}

/// The grid on which blocks are built: the cell itself where blocks would gain nothing.
FftGrid region_grid(const FftGrid& grid, std::size_t rows) {
  if (rows == grid.ny && rows <= kSmallCell) return grid;
  const std::size_t region = fft::fast_size(block_rows(rows) + 2 * halo_px(grid));
  return {grid.nx, std::min(region, grid.ny), grid.dx_A, grid.dy_A};
}

double wrapped(double x, double period) {
  return x - std::floor(x / period) * period;
}

}  // namespace

WaveGroup::WaveGroup(const Communicator& group, const multislice::MicroscopeOptions& microscope,
                     multislice::Parametrization parametrization, const FftGrid& grid, const Vec2& corner_A,
                     std::size_t strip_px)
    : group_(group),
      microscope_(microscope),
      grid_(grid),
      limit_(multislice::BandLimit::of(grid.dx_A, grid.dy_A)),
      corner_A_(corner_A),
      wave_(group, {grid.ny, grid.nx}, strip_px),
      other_(group, {grid.ny, grid.nx}, strip_px),
      region_is_cell_(region_grid(grid, wave_.rows().size()).ny == grid.ny),
      builder_(region_grid(grid, wave_.rows().size()), microscope.voltage_kV, parametrization),
      region_({builder_.grid().ny, grid.nx}),
      potential_{Array<float, 2>({wave_.rows().size(), grid.nx}),
                 Array<float, 2>({wave_.rows().size(), grid.nx})} {
  const std::size_t size =
      region_is_cell_ ? std::max<std::size_t>(wave_.rows().size(), 1) : block_rows(wave_.rows().size());
  for (std::size_t row = wave_.rows().begin; row < wave_.rows().end; row += size)
    blocks_.push_back({row,
                       std::min(size, wave_.rows().end - row),
                       region_is_cell_ ? 0 : static_cast<long>(row) - static_cast<long>(halo_px(grid)),
                       {}});
}

double WaveGroup::bytes(const FftGrid& grid, std::size_t ranks) {
  const double share = static_cast<double>(grid.size()) / static_cast<double>(ranks);
  const auto rows = static_cast<std::size_t>(std::ceil(share / static_cast<double>(grid.nx)));
  const auto region = static_cast<double>(region_grid(grid, rows).size());
  // Two waves, FFTW's buffer for transposing, and two potentials.
  return share * (3 * sizeof(Complex) + 2 * sizeof(float)) + region * (kBuilderBytes + sizeof(float));
}

/// The wave behind the aperture of illumination: one frequency.
void WaveGroup::start() {
  const double lambda = electron_wavelength_A(microscope_.voltage_kV);
  const auto index = [&](double mrad, double dk) { return std::round(mrad * 1e-3 / lambda / dk); };
  const double turns_x = index(microscope_.beam_tilt_mrad[0], grid_.dkx()) / static_cast<double>(grid_.nx);
  const double turns_y = index(microscope_.beam_tilt_mrad[1], grid_.dky()) / static_cast<double>(grid_.ny);
  auto value = wave_.row_data().begin();
  for (std::size_t y = wave_.rows().begin; y < wave_.rows().end; ++y)
    for (std::size_t x = 0; x < grid_.nx; ++x)
      *value++ = Complex(
          std::polar(1.0, 2 * kPi * (turns_x * static_cast<double>(x) + turns_y * static_cast<double>(y))));
}

/// Sorts the atoms into the regions of this rank's blocks, with their images across the cell's border.
void WaveGroup::place_atoms(const multislice::BeamAtoms& atoms, const multislice::SliceGrid& slices) {
  const double width = static_cast<double>(grid_.nx) * grid_.dx_A,
               height = static_cast<double>(grid_.ny) * grid_.dy_A;
  const double region = static_cast<double>(builder_.grid().ny) * grid_.dy_A;
  occupied_.assign(slices.count, false);
  for (Block& block : blocks_) block.slices.assign(slices.count, {});
  for (std::size_t a = 0; a < atoms.size(); ++a) {
    const Vec3& r = atoms.position[a];
    const std::size_t slice = slices.slice_of(r.z());
    occupied_[slice] = true;
    const double x = wrapped(r.x() - corner_A_.x(), width), y = r.y() - corner_A_.y();
    for (Block& block : blocks_) {
      const double from_region = y - static_cast<double>(block.region_first) * grid_.dy_A;
      for (double at = wrapped(from_region, height); at < region; at += height)
        block.slices[slice][atoms.atomic_number[a]].push_back({x, at, atoms.weight[a]});
    }
  }
}

/// Potentials of two slices (the second may be beyond the last) on this rank's rows.
void WaveGroup::build_potentials(const std::array<std::size_t, 2>& slices) {
  Array<float, 2> second({region_.extent(0), region_.extent(1)});
  for (const Block& block : blocks_) {
    multislice::PotentialBuilder::SlicePair pair{};
    std::array<View<float, 2>, 2> views{};
    for (std::size_t part = 0; part < 2; ++part) {
      if (slices[part] >= block.slices.size()) continue;
      pair[part] = &block.slices[slices[part]];
      views[part] = part == 0 ? region_.view() : second.view();
    }
    builder_.projected_potentials(pair, views);
    const auto first = static_cast<std::size_t>(static_cast<long>(block.first_row) - block.region_first);
    for (std::size_t part = 0; part < 2; ++part) {
      if (views[part].empty()) continue;
      for (std::size_t y = 0; y < block.rows; ++y)
        std::copy_n(&views[part](first + y, 0), grid_.nx,
                    &potential_[part](block.first_row - wave_.rows().begin + y, 0));
    }
  }
}

template <class Value>
void WaveGroup::for_columns(std::span<Complex> values, Value value) const {
  const Range columns = wave_.columns();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const double kx = grid_.kx(columns.begin + i);
    for (std::size_t j = 0; j < grid_.ny; ++j)
      values[i * grid_.ny + j] *= value(columns.begin + i, j, kx, grid_.ky(j));
  }
}

/// psi exp(i sigma v), the phasor band-limited. What is limited is exp(i sigma v) - 1: vacuum then transmits
/// exactly 1.
void WaveGroup::transmit(std::size_t part) {
  const double sigma = interaction_constant_rad_VA(microscope_.voltage_kV);
  auto phasor = other_.row_data();
  const float* v = potential_[part].data();
  for (std::size_t i = 0; i < phasor.size(); ++i) {
    const double phase = sigma * static_cast<double>(v[i]);
    phasor[i] = {static_cast<float>(-2 * std::pow(std::sin(phase / 2), 2)),
                 static_cast<float>(std::sin(phase))};
  }
  other_.forward();
  const double scale = 1 / static_cast<double>(grid_.size());
  for_columns(other_.column_data(), [&](std::size_t, std::size_t, double kx, double ky) {
    return static_cast<float>(limit_(std::sqrt(kx * kx + ky * ky)) * scale);
  });
  other_.backward();
  auto wave = wave_.row_data();
  for (std::size_t i = 0; i < wave.size(); ++i) wave[i] += wave[i] * phasor[i];
}

void WaveGroup::propagate_columns(double distance_A) {
  const double chi = -kPi * electron_wavelength_A(microscope_.voltage_kV) * distance_A;
  const auto phases = [chi](std::size_t n, double dk) {
    std::vector<Complex> p(n);
    for (std::size_t i = 0; i < n; ++i) {
      const double k = static_cast<double>(fft::frequency(i, n)) * dk;
      p[i] = Complex(std::polar(1.0, chi * k * k));
    }
    return p;
  };
  const auto along_x = phases(grid_.nx, grid_.dkx()), along_y = phases(grid_.ny, grid_.dky());
  for_columns(wave_.column_data(), [&](std::size_t i, std::size_t j, double kx, double ky) {
    return along_x[i] * along_y[j] * static_cast<float>(limit_(std::sqrt(kx * kx + ky * ky)));
  });
}

void WaveGroup::propagate(const multislice::BeamAtoms& atoms, const multislice::SliceGrid& slices) {
  group_.agree([&] { place_atoms(atoms, slices); });
  start();
  bool in_rows = true, limited = false;
  std::size_t passed = 0, next_part = 2;
  std::array<std::size_t, 2> built{slices.count, slices.count};
  const auto to_columns = [&] {
    if (in_rows) wave_.forward();
    in_rows = false;
  };
  const auto pass = [&] {
    to_columns();
    if (passed > 0 || !limited) propagate_columns(static_cast<double>(passed) * slices.thickness_A);
    limited = true;
    passed = 0;
  };
  for (std::size_t s = 0; s < slices.count; ++s) {
    if (occupied_[s]) {
      if (next_part == 2) {
        const auto following =
            std::find(occupied_.begin() + static_cast<std::ptrdiff_t>(s) + 1, occupied_.end(), true);
        built = {s, static_cast<std::size_t>(following - occupied_.begin())};
        group_.agree([&] { build_potentials(built); });
        next_part = 0;
      }
      if (in_rows) passed = 0;  // vacuum turns nothing but the phase of a plane wave
      if (!in_rows) {
        pass();
        wave_.backward();
        const auto scale = static_cast<float>(1 / static_cast<double>(grid_.size()));
        for (Complex& value : wave_.row_data()) value *= scale;
        in_rows = true;
      }
      transmit(next_part++);
      to_columns();
      limited = false;
    }
    ++passed;
  }
  pass();
}

double WaveGroup::transmitted() {
  double mine = 0;
  for (const Complex& value : wave_.column_data()) mine += static_cast<double>(std::norm(value));
  const auto pixels = static_cast<double>(grid_.size());
  return group_.ordered_sum(std::span<const double>(&mine, 1)) / (pixels * pixels);
}

void WaveGroup::add_image(double inner_mrad, double outer_mrad,
                          const std::vector<multislice::FocusPoint>& foci, double back_A,
                          View<float, 2> image) {
  const double lambda = electron_wavelength_A(microscope_.voltage_kV);
  auto outer = microscope_, inner = microscope_;
  outer.convergence_mrad = outer_mrad;
  inner.convergence_mrad = inner_mrad;
  const double scale = 1 / static_cast<double>(grid_.size());
  for (const auto& focus : foci) {
    std::copy(wave_.column_data().begin(), wave_.column_data().end(), other_.column_data().begin());
    for_columns(other_.column_data(), [&](std::size_t, std::size_t, double kx, double ky) {
      double amplitude = multislice::aperture_amplitude(outer, grid_, kx, ky);
      if (amplitude > 0 && inner_mrad > 0) amplitude -= multislice::aperture_amplitude(inner, grid_, kx, ky);
      if (!(amplitude > 0)) return Complex{};
      const double lens =
          multislice::aberration_phase(microscope_, microscope_.defocus_A + focus.offset_A, kx, ky);
      const double way = kPi * lambda * back_A * (kx * kx + ky * ky);
      return Complex(std::polar(amplitude * scale, way - lens));
    });
    other_.backward();
    const auto values = other_.row_data();
    for (std::size_t i = 0; i < values.size(); ++i)
      image.data()[i] += static_cast<float>(focus.weight) * std::norm(values[i]);
  }
}

namespace {

/// The pixels of a camera that a reciprocal pixel covers along one axis, with the share of each.
std::vector<std::pair<std::size_t, double>> covered(double middle, double width, std::size_t side) {
  std::vector<std::pair<std::size_t, double>> shares;
  const double half = static_cast<double>(side) / 2, low = middle - width / 2 + half, high = low + width;
  for (double p = std::floor(low); p < high; ++p) {
    const double overlap = std::min(high, p + 1) - std::max(low, p);
    if (p >= 0 && p < static_cast<double>(side) && overlap > 0)
      shares.emplace_back(static_cast<std::size_t>(p), overlap / width);
  }
  return shares;
}

}  // namespace

void WaveGroup::add_pattern(double step_mrad, std::size_t side, View<double, 2> pattern) const {
  const double to_px = electron_wavelength_A(microscope_.voltage_kV) * 1e3 / step_mrad;
  const double scale = 1 / std::pow(static_cast<double>(grid_.size()), 2);
  std::vector<std::vector<std::pair<std::size_t, double>>> along_y;
  for (std::size_t j = 0; j < grid_.ny; ++j)
    along_y.push_back(covered(grid_.ky(j) * to_px, grid_.dky() * to_px, side));
  const Range columns = wave_.columns();
  const auto values = wave_.column_data();
  for (std::size_t i = 0; i < columns.size(); ++i)
    for (const auto& [px, share_x] : covered(grid_.kx(columns.begin + i) * to_px, grid_.dkx() * to_px, side))
      for (std::size_t j = 0; j < grid_.ny; ++j)
        for (const auto& [py, share_y] : along_y[j])
          pattern(py, px) +=
              scale * share_x * share_y * static_cast<double>(std::norm(values[i * grid_.ny + j]));
}

}  // namespace aetos::simulation
