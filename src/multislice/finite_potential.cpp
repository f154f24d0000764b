// Slices that hold the integral of the potential over their own thickness.
#include <algorithm>
#include <cmath>
#include <set>

#include "aetos/multislice/scattering.hpp"
#include "potential_state.hpp"

namespace aetos::multislice {
namespace {

/// Planes so far apart change dark-field images by up to 1.5e-3 against planes of 0.06 Å (slices of 2 and 1
/// Å); fewer than four in a slice of 0.5 Å by 6e-3.
constexpr double kPlaneSpacing_A = 0.25, kClosestPlanes_A = 0.125;
constexpr std::size_t kFewestPlanes = 4;

}  // namespace

AtomPlanes::AtomPlanes(double slice_thickness_A, std::size_t slices) {
  const auto number = [&](double spacing) {
    return static_cast<std::size_t>(std::ceil(slice_thickness_A / spacing - 1e-9));
  };
  per_slice = std::max(number(kPlaneSpacing_A), std::min(kFewestPlanes, number(kClosestPlanes_A)));
  planes.resize(slices * per_slice + 1);
  spacing_A = slice_thickness_A / static_cast<double>(per_slice);
}

void AtomPlanes::add(std::uint8_t atomic_number, const PlacedAtom& atom, double depth_A) {
  const double place = std::clamp(depth_A / spacing_A, 0.0, static_cast<double>(planes.size() - 1));
  const auto upper = std::min(static_cast<std::size_t>(place), planes.size() - 2);
  const double below = place - static_cast<double>(upper);
  for (std::size_t i = 0; i < 2; ++i) {
    const double share = i == 0 ? 1 - below : below;
    if (share <= 0) continue;
    planes[upper + i][atomic_number].push_back(
        {atom.x_A, atom.y_A, static_cast<float>(share * static_cast<double>(atom.weight))});
  }
}

std::size_t AtomPlanes::reach() const {
  return static_cast<std::size_t>(std::ceil(kReach_A / spacing_A - 1e-9));
}

std::array<std::size_t, 2> AtomPlanes::slices_felt(std::size_t plane) const {
  const std::size_t first = plane > reach() ? (plane - reach()) / per_slice : 0;
  return {std::min(first, slices() - 1), std::min((plane + reach() - 1) / per_slice, slices() - 1)};
}

const FiniteFactors& PotentialBuilder::State::finite_factors(std::uint8_t atomic_number,
                                                             const AtomPlanes& atoms) {
  if (finite_spacing_A != atoms.spacing_A) finite_of.clear();
  finite_spacing_A = atoms.spacing_A;
  FiniteFactors& factors = finite_of[atomic_number];
  for (std::size_t n = factors.size(); n < atoms.reach(); ++n)
    factors.push_back(factors_per_atom([&](double k2) {
      return scattering_factor_beyond_A(parametrization, atomic_number, k2,
                                        static_cast<double>(n) * atoms.spacing_A);
    }));
  return factors;
}

/// Adds one species to the spectra of all slices. A slice shares its complex spectrum with its mirror image
/// counted from the other end, and so do the planes: the shares are the same for both.
void PotentialBuilder::State::add_finite_species(std::uint8_t atomic_number, const AtomPlanes& atoms) {
  const FiniteFactors& factors = finite_factors(atomic_number, atoms);
  const Array<Lane, 2>& whole = potential_factors(atomic_number);
  const std::size_t last_plane = atoms.planes.size() - 1, half = finite_spectra.size();
  const auto per_slice = static_cast<std::ptrdiff_t>(atoms.per_slice);
  for (std::size_t plane = 0; plane <= last_plane; ++plane) {
    const auto [first, last] = atoms.slices_felt(plane);
    if (first >= half) break;
    if (!transform_atoms(atomic_number, {&atoms.planes[plane], &atoms.planes[last_plane - plane]})) continue;
    for (std::size_t s = first; s <= last && s < half; ++s) {
      const auto top = static_cast<std::ptrdiff_t>(s) * per_slice - static_cast<std::ptrdiff_t>(plane);
      Share share;
      if (s + 1 == atoms.slices())
        share.whole = 1;
      else
        share.add_above(top + per_slice, 1, factors);
      if (s > 0) share.add_above(top, -1, factors);
      add_share(share, whole, finite_spectra[s]);
    }
  }
}

/// Adds `fine` times a share to a spectrum.
void PotentialBuilder::State::add_share(const Share& share, const Array<Lane, 2>& whole, ColumnArray& sum) {
  const Array<Lane, 2>& a = share.beyond[0] ? *share.beyond[0] : whole;
  const Array<Lane, 2>& b = share.beyond[1] ? *share.beyond[1] : whole;
  for (std::size_t block = 0; block < fine.count(); ++block) {
    const ComplexLane* from = fine.block(block);
    ComplexLane* to = sum.block(block);
    for (std::size_t j = 0; j < whole.extent(1); ++j) {
      const Lane factor =
          whole(block, j) * share.whole + a(block, j) * share.sign[0] + b(block, j) * share.sign[1];
      const ComplexLane& value = from[y.potential.from[j]];
      ComplexLane& at = to[y.potential.to[j]];
      at = {at.re + value.re * factor, at.im + value.im * factor};
    }
  }
}

void PotentialBuilder::State::build_finite_spectra(const AtomPlanes& atoms) {
  const std::size_t half = (atoms.slices() + 1) / 2;
  while (finite_spectra.size() > half) finite_spectra.pop_back();
  while (finite_spectra.size() < half) finite_spectra.emplace_back(x.potential.to.size(), y.phase.size());
  for (ColumnArray& of_slice : finite_spectra) of_slice.clear();
  std::set<std::uint8_t> species;
  for (const SliceAtoms& plane : atoms.planes)
    for (const auto& [atomic_number, placed] : plane) species.insert(atomic_number);
  for (const std::uint8_t atomic_number : species) add_finite_species(atomic_number, atoms);
}

void PotentialBuilder::finite_potentials(const AtomPlanes& atoms,
                                         std::span<const View<float, 2>> potentials) {
  state_->build_finite_spectra(atoms);
  for (std::size_t s = 0; s < state_->finite_spectra.size(); ++s) {
    const std::size_t mirror = atoms.slices() - 1 - s;
    state_->write_potentials(state_->finite_spectra[s],
                             {potentials[s], mirror == s ? View<float, 2>{} : potentials[mirror]});
  }
}

void PotentialBuilder::finite_transmissions(const AtomPlanes& atoms,
                                            std::span<const View<float, 3>> transmissions) {
  state_->build_finite_spectra(atoms);
  for (std::size_t s = 0; s < state_->finite_spectra.size(); ++s) {
    const std::size_t mirror = atoms.slices() - 1 - s;
    const std::array<View<float, 3>, 2> built{transmissions[s],
                                              mirror == s ? View<float, 3>{} : transmissions[mirror]};
    if (!built[0].empty() || !built[1].empty()) state_->write_transmissions(state_->finite_spectra[s], built);
  }
}

}  // namespace aetos::multislice
