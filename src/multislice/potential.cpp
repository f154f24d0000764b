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

}  // namespace

struct PotentialBuilder::State {
  FftGrid grid;
  Parametrization parametrization;
  double sigma;                                   ///< rad / (V Å)
  std::vector<float> deconvolve_x, deconvolve_y;  ///< by |frequency|
  std::map<std::uint8_t, Array<float, 2>>
      potential_of;                   ///< V Å per unit of structure factor: (ny, nx / 2 + 1)
  Array<float, 2> fine, phase, band;  ///< band: the limit over nx ny, (ny, nx)
  Array<Complex, 2> fine_spectrum, spectrum;
  fft::PlanF fine_forward, back, wave_forward, wave_back;

  State(const FftGrid& g, double voltage_kV, Parametrization p);
  void plan();
  const Array<float, 2>& potential_factors(std::uint8_t atomic_number);
  void add_species(std::uint8_t atomic_number, const std::vector<PlacedAtom>& atoms, double scale);
  void scaled_potential(const SliceAtoms& atoms, double scale, float* out);
};

PotentialBuilder::State::State(const FftGrid& g, double voltage_kV, Parametrization p)
    : grid(g),
      parametrization(p),
      sigma(interaction_constant_rad_VA(voltage_kV)),
      deconvolve_x(deconvolution(g.nx, g.nx / 2 + 1)),
      deconvolve_y(deconvolution(g.ny, g.ny / 2 + 1)),
      fine({2 * g.ny, 2 * g.nx}),
      phase({g.ny, g.nx}),
      band({g.ny, g.nx}),
      fine_spectrum({2 * g.ny, g.nx + 1}),
      spectrum({g.ny, g.nx / 2 + 1}) {
  const BandLimit limit = BandLimit::of(grid.dx_A, grid.dy_A);
  for (std::size_t j = 0; j < grid.ny; ++j)
    for (std::size_t i = 0; i < grid.nx; ++i)
      band(j, i) =
          static_cast<float>(limit(std::hypot(grid.kx(i), grid.ky(j))) / static_cast<double>(grid.size()));
  plan();
}

void PotentialBuilder::State::plan() {
  const int nx = static_cast<int>(grid.nx), ny = static_cast<int>(grid.ny);
  Array<Complex, 2> wave({grid.ny, grid.nx});
  fine_forward.reset(
      fftwf_plan_dft_r2c_2d(2 * ny, 2 * nx, fine.data(), fftw(fine_spectrum.data()), FFTW_ESTIMATE));
  back.reset(fftwf_plan_dft_c2r_2d(ny, nx, fftw(spectrum.data()), phase.data(), FFTW_ESTIMATE));
  wave_forward.reset(
      fftwf_plan_dft_2d(ny, nx, fftw(wave.data()), fftw(wave.data()), FFTW_FORWARD, FFTW_ESTIMATE));
  wave_back.reset(
      fftwf_plan_dft_2d(ny, nx, fftw(wave.data()), fftw(wave.data()), FFTW_BACKWARD, FFTW_ESTIMATE));
}

const Array<float, 2>& PotentialBuilder::State::potential_factors(std::uint8_t atomic_number) {
  Array<float, 2>& factors = potential_of[atomic_number];
  if (!factors.empty()) return factors;
  Array<float, 2> made(spectrum.shape());
  const double area = static_cast<double>(grid.size()) * grid.dx_A * grid.dy_A;
  for (std::size_t j = 0; j < made.extent(0); ++j)
    for (std::size_t i = 0; i < made.extent(1); ++i) {
      const double kx = static_cast<double>(i) * grid.dkx(), ky = grid.ky(j);
      const auto row = static_cast<std::size_t>(std::abs(fft::frequency(j, grid.ny)));
      const double f = scattering_factor_A(parametrization, atomic_number, kx * kx + ky * ky);
      made(j, i) =
          static_cast<float>(kPotentialConstant_VA2 / area * f) * deconvolve_x[i] * deconvolve_y[row];
    }
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
  const std::size_t columns = spectrum.extent(1), fine_rows = 2 * grid.ny;
  const auto s = static_cast<float>(scale);
  for (std::size_t j = 0; j < grid.ny; ++j) {
    const std::ptrdiff_t frequency = fft::frequency(j, grid.ny);
    const std::size_t from = frequency < 0 ? fine_rows - static_cast<std::size_t>(-frequency) : j;
    const float* source = reinterpret_cast<const float*>(&fine_spectrum(from, 0));
    const float* factor = &factors(j, 0);
    float* out = reinterpret_cast<float*>(&spectrum(j, 0));
    if (2 * j == grid.ny) {  // the Nyquist row stands for both signs: a real potential takes their mean
      const float* other = reinterpret_cast<const float*>(&fine_spectrum(j, 0));
      for (std::size_t i = 0; i < 2 * columns; ++i)
        out[i] += s * factor[i / 2] * 0.5f * (source[i] + other[i]);
    } else {
      for (std::size_t i = 0; i < 2 * columns; ++i) out[i] += s * factor[i / 2] * source[i];
    }
  }
}

void PotentialBuilder::State::scaled_potential(const SliceAtoms& atoms, double scale, float* out) {
  std::fill(spectrum.begin(), spectrum.end(), Complex{});
  for (const auto& [atomic_number, placed] : atoms) add_species(atomic_number, placed, scale);
  fftwf_execute_dft_c2r(back.get(), fftw(spectrum.data()), out);
}

PotentialBuilder::PotentialBuilder(const FftGrid& grid, double voltage_kV, Parametrization parametrization)
    : state_(std::make_unique<State>(grid, voltage_kV, parametrization)) {}
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
  unit_phasors(s.phase.flat(), transmission.data());
  fftwf_execute_dft(s.wave_forward.get(), fftw(transmission.data()), fftw(transmission.data()));
  float* t = reinterpret_cast<float*>(transmission.data());
  const float* band = s.band.data();
  for (std::size_t i = 0; i < 2 * s.band.size(); ++i) t[i] *= band[i / 2];
  fftwf_execute_dft(s.wave_back.get(), fftw(transmission.data()), fftw(transmission.data()));
}

}  // namespace aetos::multislice
