#include <fmt/format.h>

#include "dislocations.hpp"
#include "measured_model.hpp"

namespace aetos::analysis {

using nlohmann::json;

json measure_dislocations(const MeasuredModel& m, MeasureOutput& output) {
  const auto& points = m.framework.position;
  const auto grains = find_grains(points, m.neighbours, m.phases);
  const auto found = dislocations(points, m.neighbours, m.alpha, grains);
  std::vector<std::int64_t> line(points.size(), -1);
  std::string csv =
      "line,network,phase,other_phase,burgers_h,burgers_k,burgers_l,burgers_A,length_A,character_deg,x_A,y_A,"
      "z_A,"
      "along_x,along_y,along_z\n";
  json list = json::array();
  double length = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto& d = found[i];
    for (const std::size_t atom : d.atoms) line[atom] = static_cast<std::int64_t>(i);
    const auto &here = phase_name(grains[d.grain].phase), &there = phase_name(grains[d.other].phase);
    const double size = d.burgers_A.norm();
    csv +=
        fmt::format("{},{},{},{},{},{},{},{:.4f},{:.3f},{:.2f},{:.3f},{:.3f},{:.3f},{:.4f},{:.4f},{:.4f}\n",
                    i, d.network ? 1 : 0, here, there, 0.5 * d.burgers[0], 0.5 * d.burgers[1],
                    0.5 * d.burgers[2], size, d.length_A, d.character_deg(), d.place.x(), d.place.y(),
                    d.place.z(), d.direction.x(), d.direction.y(), d.direction.z());
    list.push_back({{"phases", {here, there}},
                    {"grains", {d.grain, d.other}},
                    {"burgers_cube", {0.5 * d.burgers[0], 0.5 * d.burgers[1], 0.5 * d.burgers[2]}},
                    {"burgers_xyz_A", {d.burgers_A.x(), d.burgers_A.y(), d.burgers_A.z()}},
                    {"burgers_A", size},
                    {"network", d.network},
                    {"length_A", d.length_A},
                    {"character_deg", d.character_deg()},
                    {"place_A", {d.place.x(), d.place.y(), d.place.z()}},
                    {"direction", {d.direction.x(), d.direction.y(), d.direction.z()}},
                    {"atoms", d.atoms.size()}});
    length += d.length_A;
  }
  output.files["dislocations.csv"] = csv;
  output.columns["dislocation"] = {line, 1};
  return {{"lines", list}, {"number", found.size()}, {"length_A", length}};
}

}  // namespace aetos::analysis
