#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "aetos/core/geometry.hpp"
#include "aetos/io/tilt_series.hpp"
#include "aetos/pipeline/plan.hpp"
#include "aetos/pipeline/report_images.hpp"
#include "aetos/pipeline/report_page.hpp"
#include "aetos/pipeline/report_plots.hpp"
#include "aetos/pipeline/report_sections.hpp"

namespace aetos::pipeline::report {
namespace {

constexpr std::size_t kSlice_px = 512;
constexpr double kWhiteShare = 0.998;

/// Pictures across each of the three axes, at full size.
struct ThreeViews {
  Array<float, 2> xy, xz, zy;
  explicit ThreeViews(const std::array<std::size_t, 3>& n)
      : xy({n[1], n[2]}), xz({n[0], n[2]}), zy({n[1], n[0]}) {}
};
struct Views {
  ThreeViews slices;     ///< through the centre
  ThreeViews brightest;  ///< the greatest value along each line of sight
};

Views read_views(const std::string& file, const io::VolumeInfo& info) {
  const auto [nz, ny, nx] = info.shape;
  Views v{ThreeViews(info.shape), ThreeViews(info.shape)};
  const std::size_t z = centre_index(nz), y = centre_index(ny), x = centre_index(nx);
  const auto brighter = [](float& so_far, float value) { so_far = std::max(so_far, value); };
  each_plane(file, [&](std::size_t k, View<const float, 2> plane) {
    if (k == z) std::copy(plane.begin(), plane.end(), v.slices.xy.begin());
    for (std::size_t j = 0; j < ny; ++j) {
      v.slices.zy(j, k) = plane(j, x);
      for (std::size_t i = 0; i < nx; ++i) {
        const float value = plane(j, i);
        if (j == y) v.slices.xz(k, i) = value;
        brighter(v.brightest.xy(j, i), value);
        brighter(v.brightest.xz(k, i), value);
        brighter(v.brightest.zy(j, k), value);
      }
    }
  });
  return v;
}

/// One picture of the volume, whose title `of` completes.
std::string view_figure(const Array<float, 2>& full, const io::VolumeInfo& info, const GreyScale& scale,
                        const std::string& across, const std::string& down, const std::string& of) {
  const auto block = block_size(full.extent(0), full.extent(1), kSlice_px);
  const auto image = downsample(full, block);
  const Picture picture{.image = image,
                        .pixel_A = info.voxel_A.value_or(1) * static_cast<double>(block),
                        .has_scale = info.voxel_A.has_value(),
                        .across = across,
                        .down = down};
  const auto title = across + "–" + down + of;
  return figure(title, picture_svg(picture, scale, "The volume, " + title), "");
}

/// The three pictures side by side on one grey scale; `before` and `after` the axis across.
std::string three_views(const ThreeViews& v, const io::VolumeInfo& info, const std::string& before,
                        const std::string& after) {
  const auto scale = grey_scale({v.xy, v.xz, v.zy}, kWhiteShare);
  return row({view_figure(v.xy, info, scale, "x", "y", before + "z" + after),
              view_figure(v.xz, info, scale, "x", "z", before + "y" + after),
              view_figure(v.zy, info, scale, "z", "y", before + "x" + after)},
             3);
}

std::string pictures(const std::string& file, const io::VolumeInfo& info) {
  const auto views = read_views(file, info);
  return three_views(views.slices, info, " at ", " = 0") +
         paragraph(
             "The greatest value along each line of sight. In three dimensions: an isosurface below, and "
             "ParaView opens run.xdmf.") +
         three_views(views.brightest, info, ", seen along ", "");
}

std::string history_figure(const io::VolumeInfo& info) {
  if (info.r_history.size() < 2) return {};
  std::vector<double> x;
  for (std::size_t i = 0; i < info.r_history.size(); ++i) x.push_back(static_cast<double>(i + 1));
  return figure("R-factor",
                line_plot({.label = "iteration"}, {.label = "mean R-factor", .logarithmic = true}, x,
                          info.r_history, "R-factor against iteration"),
                "Mean over projections of Σ|Pu − b| / Σ|b| before each iteration's update, on a logarithmic "
                "scale. Data: volume.h5");
}

/// R of each projection, null where it is not defined.
std::vector<double> r_per_projection(const Run& run, const io::VolumeInfo& info) {
  const auto& stage = run.stage("reconstruct");
  const auto listed = stage.find("r_factor_per_projection");
  if (listed == stage.end() || !listed->is_array()) return info.r_per_projection;
  std::vector<double> values;
  for (const auto& v : *listed) values.push_back(v.is_number() ? v.get<double>() : std::nan(""));
  return values;
}

std::string per_projection_figure(const Run& run, const io::VolumeInfo& info) {
  const auto r = r_per_projection(run, info);
  if (r.empty()) return {};
  std::vector<double> x;
  std::set<double> distinct;
  for (const auto& a : info.angles) {
    x.push_back(a.theta_deg);
    distinct.insert(a.theta_deg);
  }
  const bool by_angle = x.size() == r.size() && distinct.size() == x.size();
  if (!by_angle) {
    x.clear();
    for (std::size_t i = 0; i < r.size(); ++i) x.push_back(static_cast<double>(i));
  }
  double sum = 0;
  std::size_t defined = 0;
  for (double v : r)
    if (std::isfinite(v)) sum += v, ++defined;
  std::optional<Mark> mean;
  if (defined > 0) {
    const double value = sum / static_cast<double>(defined);
    mean = Mark{value, "mean " + format(value, 4)};
  }
  double most = 0;
  for (double v : r)
    if (std::isfinite(v)) most = std::max(most, v);
  std::string caption = "R-factor of the volume written, for each projection. Data: volume.h5.";
  if (defined < r.size())
    caption +=
        " It is not defined for " + std::to_string(r.size() - defined) + " projection(s) without intensity.";
  return figure("R-factor of each projection",
                stem_plot({.label = by_angle ? "tilt angle θ (degrees)" : "projection"},
                          {.label = "R-factor", .low = 0, .high = most > 0 ? 1.16 * most : 1}, x, r, mean,
                          "R-factor of each projection"),
                caption);
}

/// "3.1 Å; along x 2.9 Å, y 2.8 Å, z 3.9 Å" where a curve falls below a level.
std::string resolutions(const nlohmann::json& curves, const std::string& key) {
  const auto value = [&](const nlohmann::json& curve) {
    const auto found = curve.find(key);
    return found != curve.end() && found->is_number() ? format(found->get<double>(), 3) + " Å"
                                                      : "not reached";
  };
  std::string words = value(curves);
  if (!curves.contains("directions")) return words;
  std::string separator = "; along ";
  for (const char* axis : {"x", "y", "z"}) {
    words += separator + axis + " " + value(curves["directions"].value(axis, nlohmann::json::object()));
    separator = ", ";
  }
  return words;
}

std::string shell_figure(const Run& run, const char* key, const std::string& title) {
  const auto& stage = run.stage("reconstruct");
  const auto curves = stage.find(key);
  if (curves == stage.end() || !curves->is_object()) return {};
  std::vector<double> frequency, correlation;
  for (const auto& v : curves->value("frequency_per_A", nlohmann::json::array()))
    frequency.push_back(v.is_number() ? v.get<double>() : std::nan(""));
  for (const auto& v : curves->value("correlation", nlohmann::json::array()))
    correlation.push_back(v.is_number() ? v.get<double>() : std::nan(""));
  if (frequency.size() < 2 || frequency.size() != correlation.size()) return {};
  double lowest = 0;
  for (double v : correlation)
    if (std::isfinite(v)) lowest = std::min(lowest, v);
  return figure(
      title,
      line_plot({.label = "spatial frequency (1/Å)"}, {.label = "correlation", .low = lowest, .high = 1.05},
                frequency, correlation, title + " against spatial frequency"),
      "Resolution where it falls below 0.5: " + resolutions(*curves, "resolution_A_at_0.5") +
          ". Below 0.143: " + resolutions(*curves, "resolution_A_at_0.143") + ".");
}

}  // namespace

std::string volume_section(const Run& run) {
  if (!run.has(files::volume)) return {};
  const auto file = (run.folder / files::volume).string();
  const auto info = io::read_volume_info(file);
  const auto& stage = run.stage("reconstruct");
  std::string words = format(static_cast<double>(info.shape[2])) + " × " +
                      format(static_cast<double>(info.shape[1])) + " × " +
                      format(static_cast<double>(info.shape[0])) + " voxels (x, y, z)";
  if (info.voxel_A) words += " of " + format_short(*info.voxel_A) + " Å";
  if (const auto method = text(stage, "method"); !method.empty())
    words += ", " + method + ", " + format(number(stage, "iterations")) + " iterations";
  words += ". Slices one voxel thick through the rotation centre, on one grey scale.";
  const bool plain = std::all_of(info.angles.begin(), info.angles.end(),
                                 [](const EulerAngles& a) { return a.phi_deg == 0 && a.psi_deg == 0; });
  if (plain && !info.angles.empty())
    words += " The beam ran along z at zero tilt, so that the missing wedge of angles lies about z.";
  std::vector<std::string> plots;
  for (auto f : {history_figure(info), per_projection_figure(run, info),
                 shell_figure(run, "fsc_half_sets", "Fourier shell correlation of half sets"),
                 shell_figure(run, "fsc_truth", "Fourier shell correlation with the truth")})
    if (!f.empty()) plots.push_back(std::move(f));
  return section("volume", "Reconstructed volume",
                 paragraph(escape(words)) + pictures(file, info) + (plots.empty() ? "" : row(plots, 2)));
}

}  // namespace aetos::pipeline::report
