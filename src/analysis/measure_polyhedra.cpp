// The measures that need the triangulation: tetrahedra and Voronoi cells.
#include <fmt/format.h>

#include <algorithm>

#include "aetos/analysis/polyhedra.hpp"
#include "aetos/core/median.hpp"
#include "measured_model.hpp"

namespace aetos::analysis {

using nlohmann::json;

json measure_tetrahedra(const MeasuredModel& m, MeasureOutput& output) {
  const auto& points = m.framework.position;
  const auto sites = near_regular_tetrahedra(points, m.alpha, m.neighbours.cutoff_A);
  std::string csv = "atom_1,atom_2,atom_3,atom_4,volume_A3,x_A,y_A,z_A\n";
  std::vector<double> volumes;
  for (const auto& t : sites) {
    volumes.push_back(t.volume_A3);
    const Vec3 c = centroid(points, t);
    csv += fmt::format("{},{},{},{},{:.5f},{:.4f},{:.4f},{:.4f}\n", m.row[t.atoms[0]], m.row[t.atoms[1]],
                       m.row[t.atoms[2]], m.row[t.atoms[3]], t.volume_A3, c.x(), c.y(), c.z());
  }
  output.files["tetrahedra.csv"] = csv;
  const auto mean = mean_of(volumes);
  std::optional<double> median;
  if (!volumes.empty()) median = upper_median(volumes);
  return {{"sites", sites.size()},
          {"delaunay_tetrahedra", m.triangulation.tetrahedra().size()},
          {"alpha_shape_tetrahedra", m.alpha.size()},
          {"hull_volume_A3", total_volume_A3(m.triangulation.tetrahedra())},
          {"mean_volume_A3", number_or_null(mean)},
          {"median_volume_A3", number_or_null(median)}};
}

json measure_voronoi(const MeasuredModel& m, MeasureOutput& output) {
  const auto cells = voronoi_indices(m.framework.position, m.triangulation);
  std::string csv = "atom,n3,n4,n5,n6,coordination\n";
  std::map<std::string, std::size_t> counts;
  std::vector<double> coordination;
  std::vector<std::int64_t> faces;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto& n = cells[i].index;
    csv += fmt::format("{},{},{},{},{},{}\n", m.row[i], n[0], n[1], n[2], n[3], cells[i].coordination);
    faces.push_back(cells[i].coordination);
    if (cells[i].coordination == 0) continue;
    coordination.push_back(cells[i].coordination);
    ++counts[fmt::format("{} {} {} {}", n[0], n[1], n[2], n[3])];
  }
  output.files["voronoi.csv"] = csv;
  output.columns["voronoi_coordination"] = {faces, 1};
  std::vector<std::pair<std::string, std::size_t>> most(counts.begin(), counts.end());
  std::stable_sort(most.begin(), most.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  most.resize(std::min<std::size_t>(most.size(), 20));
  json frequent = json::array();
  for (const auto& [index, atoms] : most) frequent.push_back({{"index", index}, {"atoms", atoms}});
  return {{"closed_cells", coordination.size()},
          {"open_cells", cells.size() - coordination.size()},
          {"mean_coordination", number_or_null(mean_of(coordination))},
          {"most_frequent", frequent}};
}

}  // namespace aetos::analysis
