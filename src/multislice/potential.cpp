#include "aetos/multislice/potential.hpp"

#include <cmath>
#include <cstring>
#include <set>

#include "aetos/core/units.hpp"
#include "aetos/multislice/scattering.hpp"
#include "columns.hpp"
#include "phase.hpp"
#include "potential_axis.hpp"
#include "spreading.hpp"

namespace aetos::multislice {
namespace {

using SlicePair = PotentialBuilder::SlicePair;

/// Columns of one transform: a block for each 16 frequencies along x, `rows` values in each column.
class ColumnArray {
 public:
  ColumnArray(std::size_t columns, std::size_t rows)
      : values_({round_up(columns, kLanes) / kLanes, block_stride(rows)}) {}
  ColumnBlocks blocks() { return {values_.data(), values_.extent(1)}; }
  std::size_t count() const { return values_.extent(0); }
  ComplexLane* block(std::size_t b) { return &values_(b, 0); }
  void clear() { std::fill(values_.begin(), values_.end(), ComplexLane{}); }

 private:
  Array<ComplexLane, 2> values_;
};

BandLimit band_limit(const FftGrid& grid) {
  return BandLimit::of(grid.dx_A, grid.dy_A);
}

/// A real factor for each pair of frequencies: (block of 16 along x, along y).
template <class Value>
Array<Lane, 2> factors_of(const PotentialAxis::Route& x, const PotentialAxis::Route& y, Value value) {
  Array<Lane, 2> factors({round_up(x.frequency.size(), kLanes) / kLanes, y.frequency.size()});
  for (std::size_t i = 0; i < x.frequency.size(); ++i)
    for (std::size_t j = 0; j < y.frequency.size(); ++j)
      factors(i / kLanes, j)[i % kLanes] = static_cast<float>(value(x.frequency[i], y.frequency[j]));
  return factors;
}

}  // namespace

struct PotentialBuilder::State {
  FftGrid grid;
  Parametrization parametrization;
  double sigma;  ///< rad / (V Å)
  PotentialAxis x, y;
  std::map<std::uint8_t, Array<Lane, 2>> potential_of;  ///< V Å per unit of a species' structure factor
  Array<Lane, 2> band;                                  ///< the limit, over the phase grid's size
  SpreadAtoms spread;
  Array<ComplexLane, 1> rows, phasors;  ///< 16 rows of any of the grids
  ColumnArray fine, spectrum, limited;
  std::array<ColumnArray, 2> waves;  ///< of each slice

  State(const FftGrid& g, double voltage_kV, Parametrization p, std::size_t refine);
  const Array<Lane, 2>& potential_factors(std::uint8_t atomic_number);
  void add_species(std::uint8_t atomic_number, const SlicePair& atoms);
  void build_spectrum(const SlicePair& atoms);
  template <class Visit>
  void potential_rows(Visit visit);
  void limit_wave(ColumnArray& wave, View<float, 3> transmission);
};

PotentialBuilder::State::State(const FftGrid& g, double voltage_kV, Parametrization p, std::size_t refine)
    : grid(g),
      parametrization(p),
      sigma(interaction_constant_rad_VA(voltage_kV)),
      x(g.nx, refine, g.dkx(), band_limit(g).end),
      y(g.ny, refine, g.dky(), band_limit(g).end),
      band(factors_of(x.band, y.band,
                      [&](std::ptrdiff_t i, std::ptrdiff_t j) {
                        const double k =
                            std::hypot(static_cast<double>(i) * g.dkx(), static_cast<double>(j) * g.dky());
                        return band_limit(g)(k) / static_cast<double>(x.phase.size() * y.phase.size());
                      })),
      spread(g),
      rows({2 * g.nx}),
      phasors({2 * g.nx}),
      fine(x.potential.from.size(), y.fine.size()),
      spectrum(x.potential.to.size(), y.phase.size()),
      limited(x.band.to.size(), y.out.size()),
      waves{ColumnArray(x.band.from.size(), y.phase.size()),
            ColumnArray(x.band.from.size(), y.phase.size())} {}

const Array<Lane, 2>& PotentialBuilder::State::potential_factors(std::uint8_t atomic_number) {
  Array<Lane, 2>& factors = potential_of[atomic_number];
  if (!factors.empty()) return factors;
  const double constant = kPotentialConstant_VA2 / (static_cast<double>(grid.size()) * grid.dx_A * grid.dy_A);
  // The spreading function's transform by |frequency| is taken out again.
  const auto deconvolution = [](const PotentialAxis& axis) {
    std::vector<double> factor(axis.out.size() / 2 + 1);
    for (std::size_t i = 0; i < factor.size(); ++i) {
      const auto f = static_cast<std::ptrdiff_t>(i);
      factor[i] = axis.share(f) /
                  SpreadingKernel::transform(static_cast<double>(i) / static_cast<double>(axis.fine.size()));
    }
    return factor;
  };
  const auto along_x = deconvolution(x), along_y = deconvolution(y);
  factors = factors_of(x.potential, y.potential, [&](std::ptrdiff_t i, std::ptrdiff_t j) {
    const double kx = static_cast<double>(i) * grid.dkx(), ky = static_cast<double>(j) * grid.dky();
    return constant * scattering_factor_A(parametrization, atomic_number, kx * kx + ky * ky) *
           along_x[static_cast<std::size_t>(std::abs(i))] * along_y[static_cast<std::size_t>(std::abs(j))];
  });
  return factors;
}

/// Adds the potential of one species to `spectrum`.
void PotentialBuilder::State::add_species(std::uint8_t atomic_number, const SlicePair& atoms) {
  const Array<Lane, 2>& factors = potential_factors(atomic_number);
  spread.clear();
  for (std::size_t part = 0; part < 2; ++part)
    if (atoms[part])
      if (const auto placed = atoms[part]->find(atomic_number); placed != atoms[part]->end())
        spread.add(placed->second, part == 1);

  for (std::size_t row = 0; row < y.fine.size(); row += kLanes) {
    std::fill_n(rows.data(), x.fine.size(), ComplexLane{});
    if (spread.add_to_rows(row, rows.data())) x.fine.to_scrambled<-1>(rows.data());
    rows_to_columns(rows.data(), x.potential.from, row, fine.blocks());
  }
  for (std::size_t b = 0; b < fine.count(); ++b) {
    ComplexLane* from = fine.block(b);
    ComplexLane* to = spectrum.block(b);
    y.fine.to_scrambled<-1>(from);
    for (std::size_t j = 0; j < factors.extent(1); ++j) {
      const ComplexLane& value = from[y.potential.from[j]];
      ComplexLane& sum = to[y.potential.to[j]];
      sum = {sum.re + value.re * factors(b, j), sum.im + value.im * factors(b, j)};
    }
  }
}

void PotentialBuilder::State::build_spectrum(const SlicePair& atoms) {
  spectrum.clear();
  std::set<std::uint8_t> species;
  for (const SliceAtoms* slice : atoms)
    if (slice)
      for (const auto& [atomic_number, placed] : *slice) species.insert(atomic_number);
  for (const std::uint8_t atomic_number : species) add_species(atomic_number, atoms);
}

/// Takes `spectrum` to real space: calls visit(y, rows) for each 16 rows, which hold the potential in V Å of
/// the first slice in their real and of the second in their imaginary part.
template <class Visit>
void PotentialBuilder::State::potential_rows(Visit visit) {
  for (std::size_t b = 0; b < spectrum.count(); ++b) y.phase.from_scrambled<1>(spectrum.block(b));
  for (std::size_t row = 0; row < y.phase.size(); row += kLanes) {
    std::fill_n(rows.data(), x.phase.size(), ComplexLane{});
    add_columns_to_rows(spectrum.blocks(), x.potential.to, row, rows.data());
    x.phase.from_scrambled<1>(rows.data());
    visit(row, rows.data());
  }
}

PotentialBuilder::PotentialBuilder(const FftGrid& grid, double voltage_kV, Parametrization parametrization,
                                   std::size_t phase_oversampling)
    : state_(std::make_unique<State>(grid, voltage_kV, parametrization, phase_oversampling)) {}
PotentialBuilder::~PotentialBuilder() = default;
PotentialBuilder::PotentialBuilder(PotentialBuilder&&) noexcept = default;

const FftGrid& PotentialBuilder::grid() const {
  return state_->grid;
}

/// An odd number of cache lines: columns a power of two apart would fall into few sets of the cache.
std::size_t PotentialBuilder::column_room() const {
  const std::size_t lines = round_up(state_->grid.ny, kLanes) / kLanes + 1;
  return (lines % 2 == 1 ? lines : lines + 1) * kLanes;
}

void PotentialBuilder::projected_potentials(const SlicePair& atoms,
                                            const std::array<View<float, 2>, 2>& potentials) {
  State& s = *state_;
  s.build_spectrum(atoms);
  s.potential_rows([&](std::size_t first_row, const ComplexLane* rows) {
    for (std::size_t part = 0; part < 2; ++part) {
      if (!atoms[part]) continue;
      for (std::size_t l = 0; l < kLanes && first_row + l < potentials[part].extent(0); ++l)
        for (std::size_t i = 0; i < potentials[part].extent(1); ++i)
          potentials[part](first_row + l, i) = part == 0 ? rows[i].re[l] : rows[i].im[l];
    }
  });
}

/// Transforms exp(i sigma v) - 1 rather than the phasor: vacuum then transmits exactly 1, where a rounding
/// error would take the same share of a wave in every slice.
void PotentialBuilder::transmissions(const SlicePair& atoms,
                                     const std::array<View<float, 3>, 2>& transmissions) {
  State& s = *state_;
  s.build_spectrum(atoms);
  const auto sigma = static_cast<float>(s.sigma);
  const std::size_t nx = s.x.phase.size();
  s.potential_rows([&](std::size_t first_row, const ComplexLane* rows) {
    for (std::size_t part = 0; part < 2; ++part) {
      if (!atoms[part]) continue;
      for (std::size_t i = 0; i < nx; ++i) {
        s.phasors(i) = unit_phasor((part == 0 ? rows[i].re : rows[i].im) * sigma);
        s.phasors(i).re -= 1.0f;
      }
      s.x.phase.to_scrambled<-1>(s.phasors.data());
      rows_to_columns(s.phasors.data(), s.x.band.from, first_row, s.waves[part].blocks());
    }
  });
  for (std::size_t part = 0; part < 2; ++part)
    if (atoms[part]) s.limit_wave(s.waves[part], transmissions[part]);
}

/// From a wave whose rows are transformed to the band-limited transmission function.
void PotentialBuilder::State::limit_wave(ColumnArray& wave, View<float, 3> transmission) {
  for (std::size_t b = 0; b < wave.count(); ++b) {
    y.phase.to_scrambled<-1>(wave.block(b));
    ComplexLane* to = limited.block(b);
    std::fill_n(to, y.out.size(), ComplexLane{});
    for (std::size_t j = 0; j < band.extent(1); ++j) {
      const ComplexLane& value = wave.block(b)[y.band.from[j]];
      to[y.band.to[j]] = {value.re * band(b, j), value.im * band(b, j)};
    }
    y.out.from_scrambled<1>(to);
  }
  for (std::size_t row = 0; row < y.out.size(); row += kLanes) {
    std::fill_n(rows.data(), x.out.size(), ComplexLane{});
    add_columns_to_rows(limited.blocks(), x.band.to, row, rows.data());
    x.out.from_scrambled<1>(rows.data());
    for (std::size_t i = 0; i < x.out.size(); ++i) {
      rows(i).re += 1.0f;
      std::memcpy(&transmission(0, i, row), &rows(i).re, sizeof(Lane));
      std::memcpy(&transmission(1, i, row), &rows(i).im, sizeof(Lane));
    }
  }
}

}  // namespace aetos::multislice
