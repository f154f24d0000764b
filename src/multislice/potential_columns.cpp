#include "aetos/multislice/potential_columns.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "aetos/core/units.hpp"
#include "aetos/multislice/scattering.hpp"
#include "spreading.hpp"

namespace aetos::multislice {
namespace {

/// Factors are read between this many values of |k|: to 1e-8 of the largest.
constexpr std::size_t kTable = std::size_t{1} << 16;

bool is_nyquist(std::size_t i, std::size_t n) {
  return 2 * i == n;
}

}  // namespace

PotentialColumns::PotentialColumns(const FftGrid& grid, Parametrization parametrization, std::size_t first,
                                   std::size_t count)
    : grid_(grid),
      parametrization_(parametrization),
      first_(first),
      count_(count),
      largest_k_(std::hypot(0.5 / grid.dx_A, 0.5 / grid.dy_A) * (1 + 1e-9)),
      line_(2 * grid.ny) {
  for (std::size_t f = 0; f <= grid.ny / 2; ++f)
    deconvolution_.push_back(
        1 / SpreadingKernel::transform(static_cast<double>(f) / static_cast<double>(line_.size())));
  auto* p = reinterpret_cast<fftwf_complex*>(line_.data());
  forward_.reset(fftwf_plan_dft_1d(static_cast<int>(line_.size()), p, p, FFTW_FORWARD, FFTW_ESTIMATE));
}

const std::vector<float>& PotentialColumns::factors(std::uint8_t atomic_number) {
  auto& table = factors_[atomic_number];
  if (!table.empty()) return table;
  const double constant =
      kPotentialConstant_VA2 / (static_cast<double>(grid_.size()) * grid_.dx_A * grid_.dy_A);
  for (std::size_t i = 0; i <= kTable + 1; ++i) {
    const double k = largest_k_ * static_cast<double>(i) / static_cast<double>(kTable);
    table.push_back(
        static_cast<float>(constant * scattering_factor_A(parametrization_, atomic_number, k * k)));
  }
  return table;
}

std::vector<PotentialColumns::Bump> PotentialColumns::bumps_of(
    std::uint8_t atomic_number, const PotentialBuilder::SlicePair& atoms) const {
  constexpr double half = SpreadingKernel::kWidth / 2.0;
  std::vector<Bump> bumps;
  for (std::size_t part = 0; part < 2; ++part) {
    if (!atoms[part]) continue;
    const auto placed = atoms[part]->find(atomic_number);
    if (placed == atoms[part]->end()) continue;
    for (const PlacedAtom& atom : placed->second) {
      Bump bump{atom.x_A, 0, {}, {}, std::polar(1.0, -2 * kPi * grid_.dkx() * atom.x_A)};
      const double place = 2 * atom.y_A / grid_.dy_A, top = std::ceil(place - half);
      for (std::size_t i = 0; i < SpreadingKernel::kWidth; ++i)
        bump.weight.push_back(atom.weight * static_cast<float>(SpreadingKernel::value(
                                                (top + static_cast<double>(i) - place) / half)));
      const auto n = static_cast<double>(line_.size());
      bump.row = static_cast<std::size_t>(top - std::floor(top / n) * n);
      bump.phase = part == 0 ? 1.0 : std::complex<double>(0, 1);
      bumps.push_back(std::move(bump));
    }
  }
  return bumps;
}

void PotentialColumns::add_species(std::uint8_t atomic_number, const PotentialBuilder::SlicePair& atoms,
                                   std::span<Complex> columns) {
  auto bumps = bumps_of(atomic_number, atoms);
  if (bumps.empty()) return;
  const auto& table = factors(atomic_number);
  const auto unit = [&](const Bump& bump, std::size_t i) {
    return std::polar(1.0, -2 * kPi * grid_.kx(i) * bump.x_A);
  };
  std::vector<std::complex<double>> part;  // 1 or i
  for (const Bump& bump : bumps) part.push_back(bump.phase);
  for (std::size_t c = 0; c < count_; ++c) {
    const std::size_t i = first_ + c;
    const double kx = grid_.kx(i);
    std::fill(line_.begin(), line_.end(), Complex{});
    for (std::size_t b = 0; b < bumps.size(); ++b) {
      Bump& bump = bumps[b];
      // Afresh now and then, and where frequencies turn negative; the mean of both signs at Nyquist's.
      const bool afresh =
          c % 256 == 0 || fft::frequency(i, grid_.nx) <= -static_cast<std::ptrdiff_t>(grid_.nx / 2) + 1;
      bump.phase = afresh ? part[b] * unit(bump, i) : bump.phase * bump.step;
      const Complex phase(is_nyquist(i, grid_.nx) ? part[b] * unit(bump, i).real() : bump.phase);
      for (std::size_t j = 0; j < bump.weight.size(); ++j) {
        std::size_t row = bump.row + j;
        if (row >= line_.size()) row -= line_.size();
        line_[row] += bump.weight[j] * phase;
      }
    }
    fftwf_execute(forward_.get());
    for (std::size_t j = 0; j < grid_.ny; ++j) {
      const std::ptrdiff_t f = fft::frequency(j, grid_.ny);
      const auto size = static_cast<std::size_t>(std::abs(f));
      Complex value = line_[f < 0 ? line_.size() - size : size];
      if (is_nyquist(j, grid_.ny)) value = 0.5f * (value + line_[size]);
      const double at = std::hypot(kx, grid_.ky(j)) / largest_k_ * static_cast<double>(kTable);
      const auto below = static_cast<std::size_t>(at);
      const auto share = static_cast<float>(at - static_cast<double>(below));
      const float factor = table[below] + share * (table[below + 1] - table[below]);
      columns[c * grid_.ny + j] += value * factor * static_cast<float>(deconvolution_[size]);
    }
  }
}

void PotentialColumns::spectrum(const PotentialBuilder::SlicePair& atoms, std::span<Complex> columns) {
  std::fill(columns.begin(), columns.end(), Complex{});
  std::set<std::uint8_t> species;
  for (const SliceAtoms* slice : atoms)
    if (slice)
      for (const auto& [atomic_number, placed] : *slice) species.insert(atomic_number);
  for (const std::uint8_t atomic_number : species) add_species(atomic_number, atoms, columns);
}

}  // namespace aetos::multislice
