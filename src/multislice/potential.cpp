#include "aetos/multislice/potential.hpp"

#include <cmath>

#include "aetos/core/fft.hpp"
#include "aetos/core/units.hpp"
#include "aetos/multislice/scattering.hpp"
#include "phase.hpp"
#include "spreading.hpp"

namespace aetos::multislice {
namespace {

using Complex = std::complex<float>;

fftwf_complex* fftw(Complex* p) {
  return reinterpret_cast<fftwf_complex*>(p);
}

/// 1 / (transform of the spreading function) of the first `count` frequencies of an axis.
std::vector<float> deconvolution(std::size_t n, std::size_t count) {
  std::vector<float> factor(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double frequency = static_cast<double>(i) / static_cast<double>(2 * n);
    factor[i] = static_cast<float>(1 / SpreadingKernel::transform(frequency));
  }
  return factor;
}

std::size_t row_of(std::ptrdiff_t frequency, std::size_t n) {
  return frequency < 0 ? n - static_cast<std::size_t>(-frequency) : static_cast<std::size_t>(frequency);
}

}  // namespace

struct PotentialBuilder::State {
  FftGrid grid;
  Parametrization parametrization;
  std::size_t refine;                             ///< phase grid over grid
  double sigma;                                   ///< rad / (V Å)
  std::vector<float> deconvolve_x, deconvolve_y;  ///< by |frequency|
  std::map<std::uint8_t, Array<float, 2>>
      potential_of;                           ///< V Å per unit of structure factor: (ny, nx / 2 + 1)
  Array<float, 2> fine, phase, band;          ///< phase: on the phase grid; band: the limit, (ny, nx)
  Array<Complex, 2> fine_spectrum, spectrum;  ///< spectrum: the potential's, of the phase grid
  Array<Complex, 2> wave;                     ///< exp(i sigma v) on the phase grid
  fft::PlanF fine_forward, back, wave_forward, wave_back;

  State(const FftGrid& g, double voltage_kV, Parametrization p, std::size_t phase_oversampling);
  void plan();
  const Array<float, 2>& potential_factors(std::uint8_t atomic_number);
  void add_species(std::uint8_t atomic_number, const std::vector<PlacedAtom>& atoms, double scale);
  void scaled_potential(const SliceAtoms& atoms, double scale, float* out);
};

PotentialBuilder::State::State(const FftGrid& g, double voltage_kV, Parametrization p,
                               std::size_t phase_oversampling)
    : grid(g),
      parametrization(p),
      refine(phase_oversampling),
      sigma(interaction_constant_rad_VA(voltage_kV)),
      deconvolve_x(deconvolution(g.nx, g.nx / 2 + 1)),
      deconvolve_y(deconvolution(g.ny, g.ny / 2 + 1)),
      fine({2 * g.ny, 2 * g.nx}),
      phase({refine * g.ny, refine * g.nx}),
      band({g.ny, g.nx}),
      fine_spectrum({2 * g.ny, g.nx + 1}),
      spectrum({refine * g.ny, refine * g.nx / 2 + 1}),
      wave(phase.shape()) {
  const BandLimit limit = BandLimit::of(grid.dx_A, grid.dy_A);
  for (std::size_t j = 0; j < grid.ny; ++j)
    for (std::size_t i = 0; i < grid.nx; ++i)
      band(j, i) = static_cast<float>(limit(std::hypot(grid.kx(i), grid.ky(j))));
  plan();
}

void PotentialBuilder::State::plan() {
  const int nx = static_cast<int>(grid.nx), ny = static_cast<int>(grid.ny);
  const int r = static_cast<int>(refine);
  Array<Complex, 2> filtered({grid.ny, grid.nx});
  fine_forward.reset(
      fftwf_plan_dft_r2c_2d(2 * ny, 2 * nx, fine.data(), fftw(fine_spectrum.data()), FFTW_ESTIMATE));
  back.reset(fftwf_plan_dft_c2r_2d(r * ny, r * nx, fftw(spectrum.data()), phase.data(), FFTW_ESTIMATE));
  wave_forward.reset(
      fftwf_plan_dft_2d(r * ny, r * nx, fftw(wave.data()), fftw(wave.data()), FFTW_FORWARD, FFTW_ESTIMATE));
  wave_back.reset(
      fftwf_plan_dft_2d(ny, nx, fftw(filtered.data()), fftw(filtered.data()), FFTW_BACKWARD, FFTW_ESTIMATE));
}

const Array<float, 2>& PotentialBuilder::State::potential_factors(std::uint8_t atomic_number) {
  Array<float, 2>& factors = potential_of[atomic_number];
  if (!factors.empty()) return factors;
  Array<float, 2> made({grid.ny, grid.nx / 2 + 1});
  const double area = static_cast<double>(grid.size()) * grid.dx_A * grid.dy_A;
  for (std::size_t j = 0; j < made.extent(0); ++j)
    for (std::size_t i = 0; i < made.extent(1); ++i) {
      const double kx = static_cast<double>(i) * grid.dkx(), ky = grid.ky(j);
      const auto row = static_cast<std::size_t>(std::abs(fft::frequency(j, grid.ny)));
      const double f = scattering_factor_A(parametrization, atomic_number, kx * kx + ky * ky);
      made(j, i) =
          static_cast<float>(kPotentialConstant_VA2 / area * f) * deconvolve_x[i] * deconvolve_y[row];
    }
  if (refine > 1 &&
      grid.nx % 2 == 0)  // half for each sign of the Nyquist frequency, which the phase grid tells apart
    for (std::size_t j = 0; j < grid.ny; ++j) made(j, grid.nx / 2) *= 0.5f;
  factors = std::move(made);
  return factors;
}

/// Adds scale x potential of one species to `spectrum`.
void PotentialBuilder::State::add_species(std::uint8_t atomic_number, const std::vector<PlacedAtom>& atoms,
                                          double scale) {
  const Array<float, 2>& factors = potential_factors(atomic_number);
  std::fill(fine.begin(), fine.end(), 0.0f);
  spread_atoms(atoms, grid, fine);
  fftwf_execute(fine_forward.get());
  const auto s = static_cast<float>(scale);
  const auto add_row = [&](std::ptrdiff_t frequency, std::size_t j, float share) {
    const float* source = reinterpret_cast<const float*>(&fine_spectrum(row_of(frequency, 2 * grid.ny), 0));
    float* out = reinterpret_cast<float*>(&spectrum(row_of(frequency, refine * grid.ny), 0));
    const float* factor = &factors(j, 0);
    for (std::size_t i = 0; i < 2 * factors.extent(1); ++i) out[i] += s * share * factor[i / 2] * source[i];
  };
  for (std::size_t j = 0; j < grid.ny; ++j) {
    const std::ptrdiff_t frequency = fft::frequency(j, grid.ny);
    if (2 * j != grid.ny) {
      add_row(frequency, j, 1);
    } else {  // a real potential has the Nyquist frequency with both signs, half each
      add_row(frequency, j, 0.5f);
      add_row(-frequency, j, 0.5f);
    }
  }
}

void PotentialBuilder::State::scaled_potential(const SliceAtoms& atoms, double scale, float* out) {
  std::fill(spectrum.begin(), spectrum.end(), Complex{});
  for (const auto& [atomic_number, placed] : atoms) add_species(atomic_number, placed, scale);
  fftwf_execute_dft_c2r(back.get(), fftw(spectrum.data()), out);
}

PotentialBuilder::PotentialBuilder(const FftGrid& grid, double voltage_kV, Parametrization parametrization,
                                   std::size_t phase_oversampling)
    : state_(std::make_unique<State>(grid, voltage_kV, parametrization, phase_oversampling)) {}
PotentialBuilder::~PotentialBuilder() = default;
PotentialBuilder::PotentialBuilder(PotentialBuilder&&) noexcept = default;

const FftGrid& PotentialBuilder::grid() const {
  return state_->grid;
}

void PotentialBuilder::projected_potential(const SliceAtoms& atoms, View<float, 2> potential) {
  state_->scaled_potential(atoms, 1, state_->phase.data());
  std::copy(state_->phase.begin(), state_->phase.end(), potential.begin());
}

void PotentialBuilder::transmission(const SliceAtoms& atoms, View<std::complex<float>, 2> transmission) {
  State& s = *state_;
  s.scaled_potential(atoms, s.sigma, s.phase.data());
  unit_phasors(s.phase.flat(), s.wave.data());
  fftwf_execute(s.wave_forward.get());
  for (std::size_t j = 0; j < s.grid.ny; ++j) {
    const Complex* from = &s.wave(row_of(fft::frequency(j, s.grid.ny), s.wave.extent(0)), 0);
    const float* band = &s.band(j, 0);
    Complex* to = &transmission(j, 0);
    const std::size_t positive = (s.grid.nx + 1) / 2, skipped = s.wave.extent(1) - s.grid.nx;
    for (std::size_t i = 0; i < positive; ++i) to[i] = from[i] * band[i];
    for (std::size_t i = positive; i < s.grid.nx; ++i) to[i] = from[i + skipped] * band[i];
  }
  fftwf_execute_dft(s.wave_back.get(), fftw(transmission.data()), fftw(transmission.data()));
  // In double, so that vacuum transmits exactly 1 instead of losing a rounding error in every slice.
  const double norm = 1 / static_cast<double>(s.wave.size());
  float* t = reinterpret_cast<float*>(transmission.data());
  for (std::size_t i = 0; i < 2 * transmission.size(); ++i)
    t[i] = static_cast<float>(static_cast<double>(t[i]) * norm);
}

}  // namespace aetos::multislice
