#include "aetos/multislice/potential.hpp"

#include <cmath>
#include <set>

#include "aetos/core/units.hpp"
#include "aetos/multislice/scattering.hpp"
#include "phase.hpp"
#include "potential_state.hpp"

namespace aetos::multislice {
namespace {

BandLimit band_limit(const FftGrid& grid) {
  return BandLimit::of(grid.dx_A, grid.dy_A);
}

/// A real factor for each pair of frequencies: (block of kLanes along x, along y).
template <class Value>
Array<Lane, 2> factors_of(const PotentialAxis::Route& x, const PotentialAxis::Route& y, Value value) {
  Array<Lane, 2> factors({round_up(x.frequency.size(), kLanes) / kLanes, y.frequency.size()});
  for (std::size_t i = 0; i < x.frequency.size(); ++i)
    for (std::size_t j = 0; j < y.frequency.size(); ++j)
      factors(i / kLanes, j)[i % kLanes] = static_cast<float>(value(x.frequency[i], y.frequency[j]));
  return factors;
}

}  // namespace

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

Array<Lane, 2> PotentialBuilder::State::factors_per_atom(const std::function<double(double)>& factor) {
  const double constant = kPotentialConstant_VA2 / (static_cast<double>(grid.size()) * grid.dx_A * grid.dy_A);
  // The spreading function's transform by |frequency| is taken out again.
  const auto deconvolution = [](const PotentialAxis& axis) {
    std::vector<double> share(axis.out.size() / 2 + 1);
    for (std::size_t i = 0; i < share.size(); ++i) {
      const auto f = static_cast<std::ptrdiff_t>(i);
      share[i] = axis.share(f) /
                 SpreadingKernel::transform(static_cast<double>(i) / static_cast<double>(axis.fine.size()));
    }
    return share;
  };
  const auto along_x = deconvolution(x), along_y = deconvolution(y);
  return factors_of(x.potential, y.potential, [&](std::ptrdiff_t i, std::ptrdiff_t j) {
    const double kx = static_cast<double>(i) * grid.dkx(), ky = static_cast<double>(j) * grid.dky();
    return constant * factor(kx * kx + ky * ky) * along_x[static_cast<std::size_t>(std::abs(i))] *
           along_y[static_cast<std::size_t>(std::abs(j))];
  });
}

const Array<Lane, 2>& PotentialBuilder::State::potential_factors(std::uint8_t atomic_number) {
  Array<Lane, 2>& factors = potential_of[atomic_number];
  if (factors.empty())
    factors =
        factors_per_atom([&](double k2) { return scattering_factor_A(parametrization, atomic_number, k2); });
  return factors;
}

/// Takes the structure factors of one species in two slices to `fine`. False where there is no such atom.
bool PotentialBuilder::State::transform_atoms(std::uint8_t atomic_number, const SlicePair& atoms) {
  spread.clear();
  bool any = false;
  for (std::size_t part = 0; part < 2; ++part)
    if (atoms[part])
      if (const auto placed = atoms[part]->find(atomic_number); placed != atoms[part]->end()) {
        spread.add(placed->second, part == 1);
        any = true;
      }
  if (!any) return false;
  for (std::size_t row = 0; row < y.fine.size(); row += kLanes) {
    std::fill_n(rows.data(), x.fine.size(), ComplexLane{});
    if (spread.add_to_rows(row, rows.data())) x.fine.to_scrambled<-1>(rows.data());
    rows_to_columns(rows.data(), x.potential.from, row, fine.blocks());
  }
  for (std::size_t b = 0; b < fine.count(); ++b) y.fine.to_scrambled<-1>(fine.block(b));
  return true;
}

/// Adds the potential of one species to `spectrum`.
void PotentialBuilder::State::add_species(std::uint8_t atomic_number, const SlicePair& atoms) {
  const Array<Lane, 2>& factors = potential_factors(atomic_number);
  if (!transform_atoms(atomic_number, atoms)) return;
  for (std::size_t b = 0; b < fine.count(); ++b) {
    const ComplexLane* from = fine.block(b);
    ComplexLane* to = spectrum.block(b);
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

/// Takes a spectrum to real space: calls visit(y, rows) for each kLanes rows, which hold the potential in V Å
/// of the first slice in their real and of the second in their imaginary part.
template <class Visit>
void PotentialBuilder::State::potential_rows(ColumnArray& of, Visit visit) {
  for (std::size_t b = 0; b < of.count(); ++b) y.phase.from_scrambled<1>(of.block(b));
  for (std::size_t row = 0; row < y.phase.size(); row += kLanes) {
    std::fill_n(rows.data(), x.phase.size(), ComplexLane{});
    add_columns_to_rows(of.blocks(), x.potential.to, row, rows.data());
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

void PotentialBuilder::State::write_potentials(ColumnArray& of,
                                               const std::array<View<float, 2>, 2>& potentials) {
  potential_rows(of, [&](std::size_t first_row, const ComplexLane* values) {
    for (std::size_t part = 0; part < 2; ++part) {
      if (potentials[part].empty()) continue;
      for (std::size_t l = 0; l < kLanes && first_row + l < potentials[part].extent(0); ++l)
        for (std::size_t i = 0; i < potentials[part].extent(1); ++i)
          potentials[part](first_row + l, i) = part == 0 ? values[i].re[l] : values[i].im[l];
    }
  });
}

/// Transforms exp(i sigma v) - 1 rather than the phasor: vacuum then transmits exactly 1, where a rounding
/// error would take the same share of a wave in every slice.
void PotentialBuilder::State::write_transmissions(ColumnArray& of,
                                                  const std::array<View<float, 3>, 2>& transmissions) {
  const auto strength = static_cast<float>(sigma);
  const std::size_t nx = x.phase.size();
  potential_rows(of, [&](std::size_t first_row, const ComplexLane* values) {
    for (std::size_t part = 0; part < 2; ++part) {
      if (transmissions[part].empty()) continue;
      for (std::size_t i = 0; i < nx; ++i) {
        phasors(i) = unit_phasor((part == 0 ? values[i].re : values[i].im) * strength);
        phasors(i).re -= 1.0f;
      }
      x.phase.to_scrambled<-1>(phasors.data());
      rows_to_columns(phasors.data(), x.band.from, first_row, waves[part].blocks());
    }
  });
  for (std::size_t part = 0; part < 2; ++part)
    if (!transmissions[part].empty()) limit_wave(waves[part], transmissions[part]);
}

void PotentialBuilder::projected_potentials(const SlicePair& atoms,
                                            const std::array<View<float, 2>, 2>& potentials) {
  state_->build_spectrum(atoms);
  state_->write_potentials(state_->spectrum, potentials);
}

void PotentialBuilder::transmissions(const SlicePair& atoms,
                                     const std::array<View<float, 3>, 2>& transmissions) {
  state_->build_spectrum(atoms);
  state_->write_transmissions(state_->spectrum, transmissions);
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
      store(&transmission(0, i, row), rows(i).re + 1.0f);
      store(&transmission(1, i, row), rows(i).im);
    }
  }
}

}  // namespace aetos::multislice
