#include "aetos/simulation/wave_group.hpp"

#include <algorithm>
#include <cmath>

#include "aetos/core/units.hpp"
#include "aetos/multislice/probe.hpp"

namespace aetos::simulation {
namespace {

using multislice::FftGrid;

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
      columns_(grid, parametrization, wave_.columns().begin, wave_.columns().size()),
      potential_{Array<float, 2>({wave_.rows().size(), grid.nx}),
                 Array<float, 2>({wave_.rows().size(), grid.nx})} {}

double WaveGroup::bytes(const FftGrid& grid, std::size_t ranks) {
  const double share = static_cast<double>(grid.size()) / static_cast<double>(ranks);
  // Two waves, FFTW's buffer for transposing, and two potentials.
  return share * (3 * sizeof(Complex) + 2 * sizeof(float));
}

/// The wave behind the aperture of illumination: one frequency.
void WaveGroup::pass_plane_wave() {
  const double lambda = electron_wavelength_A(microscope_.voltage_kV);
  const auto index = [&](double mrad, double dk) { return std::round(mrad * 1e-3 / lambda / dk); };
  const double turns_x = index(microscope_.beam_tilt_mrad[0], grid_.dkx()) / static_cast<double>(grid_.nx);
  const double turns_y = index(microscope_.beam_tilt_mrad[1], grid_.dky()) / static_cast<double>(grid_.ny);
  auto value = wave_.row_data().begin();
  for (std::size_t y = wave_.rows().begin; y < wave_.rows().end; ++y)
    for (std::size_t x = 0; x < grid_.nx; ++x)
      *value++ = Complex(
          std::polar(1.0, 2 * kPi * (turns_x * static_cast<double>(x) + turns_y * static_cast<double>(y))));
  pass_through(true);
}

void WaveGroup::place_atoms(const multislice::BeamAtoms& atoms, const multislice::SliceGrid& slices) {
  slices_ = slices;
  atoms_.assign(slices.count, {});
  const double width = static_cast<double>(grid_.nx) * grid_.dx_A,
               height = static_cast<double>(grid_.ny) * grid_.dy_A;
  for (std::size_t a = 0; a < atoms.size(); ++a) {
    const Vec3& r = atoms.position[a];
    atoms_[slices.slice_of(r.z())][atoms.atomic_number[a]].push_back(
        {wrapped(r.x() - corner_A_.x(), width), wrapped(r.y() - corner_A_.y(), height), atoms.weight[a]});
  }
}

/// Potentials of two slices (the second may be beyond the last) on this rank's rows.
void WaveGroup::build_potentials(const std::array<std::size_t, 2>& slices) {
  group_.agree([&] {
    multislice::PotentialBuilder::SlicePair pair{};
    for (std::size_t part = 0; part < 2; ++part)
      if (slices[part] < atoms_.size()) pair[part] = &atoms_[slices[part]];
    columns_.spectrum(pair, other_.column_data());
  });
  other_.backward();
  const auto values = other_.row_data();
  for (std::size_t i = 0; i < values.size(); ++i) {
    potential_[0].data()[i] = values[i].real();
    potential_[1].data()[i] = values[i].imag();
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

/// Over some slices at once, with the band limit of each.
void WaveGroup::propagate_columns(std::size_t slices) {
  const double distance_A = static_cast<double>(slices) * slices_.thickness_A;
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
    const double limit = std::pow(limit_(std::sqrt(kx * kx + ky * ky)), static_cast<double>(slices));
    return along_x[i] * along_y[j] * static_cast<float>(limit);
  });
}

void WaveGroup::pass_probe(const multislice::MicroscopeOptions& lens, double defocus_A,
                           const Vec2& position_A) {
  double mine = 0;
  auto values = wave_.column_data();
  std::fill(values.begin(), values.end(), Complex(1));
  for_columns(values, [&](std::size_t, std::size_t, double kx, double ky) {
    const auto wave = multislice::probe_wave(lens, defocus_A, grid_, kx, ky);
    mine += std::norm(wave);
    if (wave == std::complex<double>{}) return Complex{};
    return Complex(wave * std::polar(1.0, -2 * kPi * (kx * position_A.x() + ky * position_A.y())));
  });
  const auto scale = static_cast<float>(1 / std::sqrt(group_.ordered_sum(std::span<const double>(&mine, 1))));
  for (Complex& value : values) value *= scale;
  pass_through(false);
}

/// Sends the wave, which is in rows or in columns, through all slices; it ends in columns.
void WaveGroup::pass_through(bool in_rows) {
  const auto& slices = slices_;
  std::size_t passed = 0, next_part = 2;
  std::array<std::size_t, 2> built{slices.count, slices.count};
  const auto to_columns = [&] {
    if (in_rows) wave_.forward();
    in_rows = false;
  };
  const auto pass = [&] {
    to_columns();
    if (passed > 0) propagate_columns(passed);
    passed = 0;
  };
  for (std::size_t s = 0; s < slices.count; ++s) {
    if (!atoms_[s].empty()) {
      if (next_part == 2) {
        std::size_t following = s + 1;
        while (following < slices.count && atoms_[following].empty()) ++following;
        built = {s, following};
        build_potentials(built);
        next_part = 0;
      }
      if (in_rows) passed = 0;  // a plane wave: vacuum turns nothing but its phase
      if (!in_rows) {
        pass();
        wave_.backward();
        const auto scale = static_cast<float>(1 / static_cast<double>(grid_.size()));
        for (Complex& value : wave_.row_data()) value *= scale;
        in_rows = true;
      }
      transmit(next_part++);
      to_columns();
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

void WaveGroup::intensity(View<float, 2> columns) const {
  const auto values = wave_.column_data();
  for (std::size_t i = 0; i < values.size(); ++i) columns.data()[i] = std::norm(values[i]);
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
