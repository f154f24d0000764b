#include "tile_region.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace aetos::multislice {
namespace {

/// The band limit of the transmission function makes its values wrong near the region's edge: this much is
/// cut off.
constexpr double kDiscarded_A = 2.0;

}  // namespace

/// One axis of a region, in pixels of the lateral grid.
struct TileRegion::Axis {
  double sampling_A, corner_A;
  std::size_t window_px, cell_px;  ///< cell_px: 0 where the axis does not repeat
  long first = 0;                  ///< the region's first pixel
  std::size_t size = 0;            ///< its FFT size
  double atoms_end_A = 0;          ///< atoms lie in 0..atoms_end_A from the region's first pixel

  bool whole() const { return cell_px == window_px; }
  long margin() const { return std::lround(std::ceil(kDiscarded_A / sampling_A)); }
  double pixel_of(double position_A) const { return (position_A - corner_A) / sampling_A; }
  /// First pixel of the window whose centre is nearest to the probe.
  long window_first(double probe_A) const {
    return whole() ? 0 : std::lround(pixel_of(probe_A)) - static_cast<long>(window_px / 2);
  }

  void cover(double lowest_probe_A, double highest_probe_A) {
    if (whole()) {
      size = cell_px;
      atoms_end_A = static_cast<double>(size) * sampling_A;
      return;
    }
    first = window_first(lowest_probe_A) - margin();
    const long end = window_first(highest_probe_A) + static_cast<long>(window_px) + margin();
    const auto needed = static_cast<std::size_t>(end - first);
    size = fft::fast_size(needed);
    atoms_end_A = static_cast<double>(needed) * sampling_A;
  }

  /// Calls place(x) for the atom and its periodic images in the region, x in Å from the region's first pixel.
  template <class Place>
  void images(double position_A, Place place) const {
    const double x = (pixel_of(position_A) - static_cast<double>(first)) * sampling_A;
    if (cell_px == 0) {
      if (x >= 0 && x < atoms_end_A) place(x);
      return;
    }
    const double period = static_cast<double>(cell_px) * sampling_A;
    const double lowest = x - std::floor(x / period) * period;
    if (whole()) {
      place(std::clamp(lowest, 0.0, period));
      return;
    }
    for (double image = lowest; image < atoms_end_A; image += period) place(image);
  }
};

std::size_t TileRegion::Place::next_slice(std::size_t from) const {
  const auto begin = touches.begin() + static_cast<std::ptrdiff_t>(std::min(from, touches.size()));
  return static_cast<std::size_t>(std::find(begin, touches.end(), std::uint8_t{1}) - touches.begin());
}

TileRegion::TileRegion(const EngineSettings& settings, const BeamAtoms& atoms, const SliceGrid& slices,
                       std::span<const Vec2> probes) {
  const LateralGrid& lateral = settings.grid;
  Axis x{lateral.sampling_x_A, lateral.corner_A.x(), settings.window_x_px, lateral.cell_x_px};
  Axis y{lateral.sampling_y_A, lateral.corner_A.y(), settings.window_y_px, lateral.cell_y_px};
  Vec2 lowest = probes.front(), highest = probes.front();
  for (const Vec2& probe : probes) {
    lowest = lowest.cwiseMin(probe);
    highest = highest.cwiseMax(probe);
  }
  x.cover(lowest.x(), highest.x());
  y.cover(lowest.y(), highest.y());
  grid_ = {x.size, y.size, x.sampling_A, y.sampling_A};
  for (const Vec2& probe : probes) {
    const long window_x = x.window_first(probe.x()), window_y = y.window_first(probe.y());
    places_.push_back({static_cast<std::size_t>(window_x - x.first),
                       static_cast<std::size_t>(window_y - y.first),
                       (x.pixel_of(probe.x()) - static_cast<double>(window_x)) * x.sampling_A,
                       (y.pixel_of(probe.y()) - static_cast<double>(window_y)) * y.sampling_A,
                       {}});
  }
  place_atoms(x, y, atoms, slices, settings.multislice.slicing);
  mark_slices({settings.window_x_px, settings.window_y_px, x.sampling_A, y.sampling_A});
}

void TileRegion::place_atoms(const Axis& x, const Axis& y, const BeamAtoms& atoms, const SliceGrid& slices,
                             Slicing slicing) {
  if (slicing == Slicing::finite)
    planes_ = AtomPlanes(slices.thickness_A, slices.count);
  else
    slices_.resize(slices.count);
  const double top_A = static_cast<double>(slices.first) * slices.thickness_A;
  for (std::size_t a = 0; a < atoms.size(); ++a) {
    const Vec3& r = atoms.position[a];
    const std::uint8_t element = atoms.atomic_number[a];
    if (atoms.weight[a] == 0) continue;
    x.images(r.x(), [&](double px) {
      y.images(r.y(), [&](double py) {
        const PlacedAtom atom{px, py, atoms.weight[a]};
        if (slicing == Slicing::finite)
          planes_.add(element, atom, r.z() - top_A);
        else
          slices_[slices.slice_of(r.z())][element].push_back(atom);
      });
    });
  }
}

/// Slices that feel an atom for which `inside` holds.
template <class Inside>
std::vector<std::uint8_t> TileRegion::slices_with(Inside inside) const {
  const auto any = [&](const SliceAtoms& atoms) {
    return std::any_of(atoms.begin(), atoms.end(), [&](const auto& species) {
      return std::any_of(species.second.begin(), species.second.end(), inside);
    });
  };
  std::vector<std::uint8_t> felt(planes_.planes.empty() ? slices_.size() : planes_.slices(), 0);
  for (std::size_t s = 0; s < slices_.size(); ++s) felt[s] = any(slices_[s]);
  for (std::size_t plane = 0; plane < planes_.planes.size(); ++plane) {
    if (!any(planes_.planes[plane])) continue;
    const auto [first, last] = planes_.slices_felt(plane);
    for (std::size_t s = first; s <= last; ++s) felt[s] = 1;
  }
  return felt;
}

void TileRegion::mark_slices(const FftGrid& window) {
  const double width = static_cast<double>(window.nx) * grid_.dx_A;
  const double height = static_cast<double>(window.ny) * grid_.dy_A;
  for (Place& place : places_) {
    const double left = static_cast<double>(place.window_x) * grid_.dx_A;
    const double top = static_cast<double>(place.window_y) * grid_.dy_A;
    place.touches = slices_with([&](const PlacedAtom& atom) {
      return atom.x_A >= left && atom.x_A <= left + width && atom.y_A >= top && atom.y_A <= top + height;
    });
  }
  felt_ = slices_with([](const PlacedAtom&) { return true; });
}

double TileRegion::reach_A(const EngineSettings& settings) {
  const auto reach = [](std::size_t window_px, std::size_t cell_px, double sampling_A) {
    if (window_px == cell_px) return std::numeric_limits<double>::infinity();
    return (static_cast<double>(window_px / 2 + 2)) * sampling_A + kDiscarded_A + sampling_A;
  };
  const LateralGrid& g = settings.grid;
  return std::max(reach(settings.window_x_px, g.cell_x_px, g.sampling_x_A),
                  reach(settings.window_y_px, g.cell_y_px, g.sampling_y_A));
}

}  // namespace aetos::multislice
