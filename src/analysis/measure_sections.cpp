// Slabs of the volume in any direction with the atoms in them, and intensities along lines of images.
#include <fmt/format.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>

#include "aetos/analysis/oxidation.hpp"
#include "aetos/analysis/polyhedra.hpp"
#include "aetos/analysis/vacancies.hpp"
#include "aetos/atoms/neighbours.hpp"
#include "aetos/core/error.hpp"
#include "aetos/io/tilt_series.hpp"
#include "interpolated.hpp"
#include "measured_model.hpp"

namespace aetos::analysis {
namespace {

using config::SectionOptions;
using nlohmann::json;

constexpr std::size_t kSide_px = 256;  ///< of every picture
constexpr double kCutout_A = 15, kCutoutThickness_A = 2.5;
constexpr int kMostFields = 4;
constexpr double kProfileStep_A = 0.05, kAcrossStep_A = 0.1;

/// A section with what it shows, in words.
struct Section {
  SectionOptions options;
  std::string of;
};

/// Axes of the picture: across, down, and through the slab. Across is x as far as it can be, else y; for a
/// normal along x it is z.
struct Axes {
  Vec3 across, down, normal;
};
Axes axes_of(const SectionOptions& o) {
  Axes a;
  a.normal = Vec3(o.normal[0], o.normal[1], o.normal[2]).normalized();
  const bool along_x = std::abs(a.normal.x()) > 0.999;
  const Vec3 wanted = along_x ? Vec3(0, 0, 1) : Vec3(1, 0, 0);
  a.across = (wanted - wanted.dot(a.normal) * a.normal).normalized();
  a.down = a.normal.cross(a.across);
  // Down is y or z upwards, whichever side the normal points to.
  if (const Vec3 m = a.down.cwiseAbs(); a.down[m.y() >= m.z() ? 1 : 2] < 0) a.down = -a.down;
  return a;
}

Section box_about(const Vec3& place, const std::string& of) {
  Section box{{}, of};
  box.options.through_A = {place.x(), place.y(), place.z()};
  box.options.thickness_A = kCutoutThickness_A;
  box.options.width_A = kCutout_A;
  return box;
}

/// The site of oxygen of each phase that lies deepest: most atoms of its phase within a box's half side;
/// and the innermost vacancy.
std::vector<Section> cutouts(const MeasuredModel& m) {
  const auto& points = m.framework.position;
  const auto regular = near_regular_tetrahedra(points, m.alpha, m.neighbours.cutoff_A);
  const auto sites = sites_by_oxygen(points, m.triangulation, regular, m.phases, m.oxygen);
  const atoms::NeighbourSearch search(points);
  std::vector<Section> found;
  for (const Phase phase : {Phase::metal, Phase::crystalline_oxide, Phase::amorphous_oxide}) {
    std::size_t most = 0;
    Vec3 place = Vec3::Zero();
    for (const auto& s : sites) {
      if (phase_of_most(s.atoms, m.phases) != phase || (!m.oxygen.empty() && s.value < 0.5)) continue;
      const auto near = search.within(s.place, kCutout_A / 2);
      const auto own = static_cast<std::size_t>(
          std::count_if(near.begin(), near.end(), [&](const auto& n) { return m.phases[n.index] == phase; }));
      if (own > most) {
        most = own;
        place = s.place;
      }
    }
    if (most > 0) found.push_back(box_about(place, phase_name(phase)));
  }
  if (const auto empty = vacancies(points, m.triangulation, m.phases); !empty.empty()) {
    // The one nearest to the middle is the least disturbed by the surface.
    const auto& v = *std::min_element(empty.begin(), empty.end(), [](const auto& a, const auto& b) {
      return a.place.norm() < b.place.norm();
    });
    found.push_back(box_about(v.place, "vacancy in " + phase_name(v.phase)));
  }
  return found;
}

/// Mean over the slab's thickness at every pixel; zero beyond the volume.
Array<float, 2> picture_of(const InterpolatedVolume& volume, const SectionOptions& o, double width_A) {
  const Axes axes = axes_of(o);
  const Vec3 middle(o.through_A[0], o.through_A[1], o.through_A[2]);
  const double pixel = width_A / static_cast<double>(kSide_px);
  const int layers = std::max(1, static_cast<int>(std::lround(o.thickness_A / volume.voxel_A())));
  Array<float, 2> picture({kSide_px, kSide_px});
  for (std::size_t j = 0; j < kSide_px; ++j)
    for (std::size_t i = 0; i < kSide_px; ++i) {
      const double across = (static_cast<double>(i) + 0.5) * pixel - width_A / 2,
                   down = (static_cast<double>(j) + 0.5) * pixel - width_A / 2;
      double sum = 0;
      for (int k = 0; k < layers; ++k) {
        const double depth = ((k + 0.5) / layers - 0.5) * o.thickness_A;
        sum += volume.at(middle + across * axes.across + down * axes.down + depth * axes.normal).value_or(0);
      }
      picture(j, i) = static_cast<float>(sum / layers);
    }
  return picture;
}

/// Rows of the atoms in a slab: section, atom, element, across and down in Å, phase of framework atoms.
std::string atoms_in(const MeasuredModel& m, std::size_t section, const SectionOptions& o, double width_A) {
  const Axes axes = axes_of(o);
  const Vec3 middle(o.through_A[0], o.through_A[1], o.through_A[2]);
  std::vector<std::string> phase(m.whole->size());
  for (std::size_t i = 0; i < m.row.size(); ++i) phase[m.row[i]] = phase_name(m.phases[i]);
  std::string csv;
  for (std::size_t i = 0; i < m.whole->size(); ++i) {
    const Vec3 r = m.whole->position[i] - middle;
    const double across = r.dot(axes.across), down = r.dot(axes.down);
    if (std::abs(r.dot(axes.normal)) > o.thickness_A / 2 ||
        std::max(std::abs(across), std::abs(down)) > width_A / 2)
      continue;
    csv += fmt::format("{},{},{},{:.4f},{:.4f},{}\n", section, i, element_symbol(m.whole->atomic_number[i]),
                       across, down, phase[i]);
  }
  return csv;
}

json vector_json(const Vec3& v) {
  return {v.x(), v.y(), v.z()};
}

std::vector<Section> sections_of(const MeasuredModel& m) {
  if (m.inputs.sections.empty()) {
    std::vector<Section> all{{SectionOptions{}, "the whole"}};
    for (auto& cut : cutouts(m)) all.push_back(std::move(cut));
    return all;
  }
  std::vector<Section> all;
  for (const auto& o : m.inputs.sections) all.push_back({o, ""});
  return all;
}

/// The mean across the line at a place along it; none where none of it lies in the image.
std::optional<double> mean_across(const InterpolatedImage& image, const Vec2& r, const Vec2& across,
                                  double width_A) {
  const int n = static_cast<int>(width_A / 2 / kAcrossStep_A);
  double sum = 0, count = 0;
  for (int k = -n; k <= n; ++k)
    if (const auto v = image.at(r + k * kAcrossStep_A * across)) {
      sum += *v;
      count += 1;
    }
  return count > 0 ? std::optional(sum / count) : std::nullopt;
}

/// Lengths that could only be a slip of units would keep a run busy for days.
void require_within(const std::string& key, double length_A, double field_A) {
  if (length_A <= kMostFields * field_A) return;
  throw InputError(
      key, fmt::format("{:.6g} Å", length_A),
      fmt::format("at most {:.6g} Å, {} times what there is to see", kMostFields * field_A, kMostFields));
}

}  // namespace

json measure_sections(const MeasuredModel& m, MeasureOutput& output) {
  if (m.inputs.volume.empty())
    throw InputError("analyze.volume", "no volume",
                     "a volume, or the reconstruct stage before, for 'sections'");
  const InterpolatedVolume volume(m.inputs.volume);
  json list = json::array();
  std::string csv = "section,atom,element,across_A,down_A,phase\n";
  for (const auto& section : sections_of(m)) {
    const double width = section.options.width_A.value_or(volume.widest_A());
    require_within("analyze.sections.thickness_A", section.options.thickness_A, volume.widest_A());
    const Axes axes = axes_of(section.options);
    csv += atoms_in(m, list.size(), section.options, width);
    output.pictures.push_back(picture_of(volume, section.options, width));
    list.push_back({{"of", section.of},
                    {"normal", vector_json(axes.normal)},
                    {"across", vector_json(axes.across)},
                    {"down", vector_json(axes.down)},
                    {"through_A", section.options.through_A},
                    {"thickness_A", section.options.thickness_A},
                    {"width_A", width}});
  }
  output.files["section-atoms.csv"] = csv;
  return {{"sections", list}};
}

json measure_profiles(const MeasuredModel& m, MeasureOutput& output) {
  json list = json::array();
  std::string csv = "profile,distance_A,x_A,y_A,intensity\n";
  for (const auto& p : m.inputs.profiles) {
    const std::string& file = p.image.empty() ? m.inputs.images : p.image;
    if (file.empty())
      throw InputError("analyze.images", "no images",
                       "a tilt series, or the simulate stage before, for 'profiles'");
    const auto info = io::read_tilt_series_info(file);
    if (!info.pixel_A) throw InputError(file, "no pixel size", "a series that says it");
    io::check_projections({p.projection}, info.tilts, "analyze.profiles.projection");
    const auto signal = io::choose_detector_signal(file, p.signal, info.signals, "analyze.profiles.signal");
    const InterpolatedImage image(io::read_tilt_series_images(file, signal, {p.projection, p.projection + 1}),
                                  *info.pixel_A);
    const Vec2 from(p.from_A[0], p.from_A[1]), to(p.to_A[0], p.to_A[1]);
    const double length = (to - from).norm();
    const double field =
        std::hypot(static_cast<double>(info.nx), static_cast<double>(info.ny)) * *info.pixel_A;
    require_within("analyze.profiles.to_A", length, field);
    require_within("analyze.profiles.width_A", p.width_A, field);
    const Vec2 along = (to - from) / length, across(-along.y(), along.x());
    const auto steps = static_cast<std::size_t>(std::ceil(length / kProfileStep_A));
    std::size_t inside = 0;
    for (std::size_t k = 0; k <= steps; ++k) {
      const double d = length * static_cast<double>(k) / static_cast<double>(steps);
      const Vec2 r = from + d * along;
      const auto value = mean_across(image, r, across, p.width_A);
      inside += value ? 1 : 0;
      csv += fmt::format("{},{:.4f},{:.4f},{:.4f},{}\n", list.size(), d, r.x(), r.y(), cell(value, 8));
    }
    if (inside == 0)
      throw InputError("analyze.profiles.from_A", fmt::format("a line outside the images of {}", file),
                       fmt::format("x and y within {:.1f} and {:.1f} Å",
                                   0.5 * static_cast<double>(info.nx) * *info.pixel_A,
                                   0.5 * static_cast<double>(info.ny) * *info.pixel_A));
    list.push_back({{"file", file},
                    {"signal", signal},
                    {"projection", p.projection},
                    {"from_A", p.from_A},
                    {"to_A", p.to_A},
                    {"width_A", p.width_A},
                    {"length_A", length}});
  }
  output.files["profiles.csv"] = csv;
  return {{"profiles", list}};
}

}  // namespace aetos::analysis
