// Intensity of the reconstruction at atoms, oxygen sites, vacancies and the voids between.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "aetos/analysis/oxidation.hpp"
#include "aetos/analysis/polyhedra.hpp"
#include "aetos/analysis/vacancies.hpp"
#include "aetos/atoms/neighbours.hpp"
#include "aetos/core/error.hpp"
#include "aetos/io/tilt_series.hpp"
#include "measured_model.hpp"

namespace aetos::analysis {
namespace {

using nlohmann::json;

constexpr double kSphereStep_A = 0.25;  ///< grid of points in a sphere
constexpr double kVoidFromAtom_A = 2.1, kVoidFromSite_A = 1.8, kVoidsApart_A = 0.5;
constexpr double kTraceable = 3;  ///< contrast over the spread of the voids from which a peak can be told

/// Mean over points on a grid in the sphere about a place, each interpolated between eight voxels; none where
/// the sphere leaves the volume.
class SphereMean {
 public:
  SphereMean(const Array<float, 3>& volume, double voxel_A, double radius_A)
      : volume_(volume), voxel_(voxel_A) {
    const int n = static_cast<int>(radius_A / kSphereStep_A);
    for (int i = -n; i <= n; ++i)
      for (int j = -n; j <= n; ++j)
        for (int k = -n; k <= n; ++k) {
          const Vec3 d = kSphereStep_A * Vec3(i, j, k);
          if (d.norm() <= radius_A) offsets_.push_back(d);
        }
  }
  std::optional<double> at(const Vec3& place) const {
    double sum = 0;
    for (const auto& d : offsets_) {
      const auto v = interpolated(place + d);
      if (!v) return std::nullopt;
      sum += *v;
    }
    return sum / static_cast<double>(offsets_.size());
  }

 private:
  std::optional<double> interpolated(const Vec3& r) const {
    std::array<std::size_t, 3> low{};
    std::array<double, 3> share{};
    for (std::size_t axis = 0; axis < 3; ++axis) {  // z, y, x
      const std::size_t n = volume_.extent(axis);
      const double index = r[2 - static_cast<int>(axis)] / voxel_ + static_cast<double>(centre_index(n));
      if (!(index >= 0) || index >= static_cast<double>(n - 1)) return std::nullopt;
      low[axis] = static_cast<std::size_t>(index);
      share[axis] = index - static_cast<double>(low[axis]);
    }
    double sum = 0;
    for (std::size_t corner = 0; corner < 8; ++corner) {
      double weight = 1;
      std::array<std::size_t, 3> at = low;
      for (std::size_t axis = 0; axis < 3; ++axis) {
        const bool upper = (corner >> axis) & 1;
        at[axis] += upper;
        weight *= upper ? share[axis] : 1 - share[axis];
      }
      sum += weight * static_cast<double>(volume_(at[0], at[1], at[2]));
    }
    return sum;
  }
  const Array<float, 3>& volume_;
  double voxel_;
  std::vector<Vec3> offsets_;
};

using Levels = std::map<std::pair<std::string, Phase>, std::vector<double>>;

struct Place {
  std::string kind;  ///< atom, oxygen, empty, void, vacancy
  Phase phase;
  Vec3 r;
};

/// Places in the framework that hold neither an atom nor an oxygen site: across each site from each of its
/// corners (in fluorite the middle of the empty cube).
std::vector<Place> voids_between(const MeasuredModel& m, const std::vector<OxygenSite>& sites) {
  std::vector<Vec3> site_places;
  for (const auto& s : sites) site_places.push_back(s.place);
  const atoms::NeighbourSearch atom_search(m.framework.position), site_search(site_places);
  std::vector<Place> found;
  std::vector<Vec3> candidates;
  std::vector<Phase> phases;
  for (const auto& s : sites)
    for (const std::size_t corner : s.atoms) {
      const Vec3 r = 2 * s.place - m.framework.position[corner];
      if (atom_search.nearest(r)->distance_A < kVoidFromAtom_A ||
          site_search.nearest(r)->distance_A < kVoidFromSite_A)
        continue;
      candidates.push_back(r);
      phases.push_back(phase_of_most(s.atoms, m.phases));
    }
  const atoms::NeighbourSearch search(candidates);
  std::vector<bool> taken(candidates.size());
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    if (taken[c]) continue;
    for (const auto& n : search.within(candidates[c], kVoidsApart_A)) taken[n.index] = true;
    found.push_back({"void", phases[c], candidates[c]});
  }
  return found;
}

std::vector<Place> places_of(const MeasuredModel& m) {
  const auto& points = m.framework.position;
  std::vector<Place> places;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (!m.surface[i]) places.push_back({"atom", m.phases[i], points[i]});
  const auto regular = near_regular_tetrahedra(points, m.alpha, m.neighbours.cutoff_A);
  const auto sites = sites_by_oxygen(points, m.triangulation, regular, m.phases, m.oxygen);
  for (const auto& s : sites) {
    const char* kind = m.oxygen.empty() ? "site" : s.value > 0.5 ? "oxygen" : "empty";
    places.push_back({kind, phase_of_most(s.atoms, m.phases), s.place});
  }
  const auto voids = voids_between(m, sites);
  places.insert(places.end(), voids.begin(), voids.end());
  for (const auto& v : vacancies(points, m.triangulation, m.phases))
    places.push_back({"vacancy", v.phase, v.place});
  return places;
}

/// Oxygen sites over the voids, against the atoms over the voids and against the voids' spread.
json against(const std::vector<double>& sites, const std::vector<double>& atoms,
             const std::vector<double>& voids) {
  if (sites.empty() || atoms.empty() || voids.size() < 2)
    return {{"ratio_to_atoms", nullptr}, {"contrast_to_noise", nullptr}, {"traceable", nullptr}};
  const double background = *mean_of(voids), contrast = *mean_of(sites) - background;
  const double noise = contrast / *deviation_of(voids);
  return {{"ratio_to_atoms", number_or_null(contrast / (*mean_of(atoms) - background))},
          {"contrast_to_noise", number_or_null(noise)},
          {"traceable", noise >= kTraceable}};
}

json by_phase(Levels& levels, bool with_oxygen) {
  json phases = json::object();
  for (const Phase p : kPhases) {
    json one = json::object();
    for (const char* kind : {"atom", "site", "oxygen", "empty", "void", "vacancy"})
      if (const auto& values = levels[{kind, p}]; !values.empty()) one[kind] = level_of(values, "places");
    const char* sites = with_oxygen ? "oxygen" : "site";
    one["oxygen_sites"] = against(levels[{sites, p}], levels[{"atom", p}], levels[{"void", p}]);
    phases[phase_name(p)] = one;
  }
  return phases;
}

}  // namespace

json measure_intensity(const MeasuredModel& m, MeasureOutput& output) {
  if (m.inputs.volume.empty())
    throw InputError("analyze.volume", "no volume",
                     "a volume, or the reconstruct stage before, for 'intensity'");
  const auto info = io::read_volume_info(m.inputs.volume);
  if (!info.voxel_A) throw InputError(m.inputs.volume, "no voxel size", "a volume that says it");
  const auto volume = io::read_volume_planes(m.inputs.volume, {0, info.shape[0]});
  const SphereMean mean(volume, *info.voxel_A, m.inputs.radius_A);
  Levels levels;
  std::string csv = "kind,phase,x_A,y_A,z_A,intensity\n";
  for (const auto& p : places_of(m)) {
    const auto value = mean.at(p.r);
    if (!value) continue;
    levels[{p.kind, p.phase}].push_back(*value);
    csv += fmt::format("{},{},{:.4f},{:.4f},{:.4f},{:.6g}\n", p.kind, phase_name(p.phase), p.r.x(), p.r.y(),
                       p.r.z(), *value);
  }
  output.files["intensity.csv"] = csv;
  return {{"radius_A", m.inputs.radius_A}, {"by_phase", by_phase(levels, !m.oxygen.empty())}};
}

}  // namespace aetos::analysis
