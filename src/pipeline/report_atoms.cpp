#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "aetos/core/median.hpp"
#include "aetos/core/structure.hpp"
#include "aetos/io/structure_files.hpp"
#include "aetos/io/tilt_series.hpp"
#include "aetos/pipeline/plan.hpp"
#include "aetos/pipeline/report_images.hpp"
#include "aetos/pipeline/report_page.hpp"
#include "aetos/pipeline/report_plots.hpp"
#include "aetos/pipeline/report_sections.hpp"

namespace aetos::pipeline::report {
namespace {

constexpr double kThickness_A = 2.5;
constexpr std::size_t kSlab_px = 512;

/// Each species' place in the key, by falling count.
std::map<std::uint8_t, std::size_t> species_order(const Structure& atoms,
                                                  std::map<std::uint8_t, std::size_t>& counts) {
  for (std::uint8_t z : atoms.atomic_number) ++counts[z];
  std::vector<std::uint8_t> order;
  for (const auto& [z, n] : counts) order.push_back(z);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return counts.at(a) > counts.at(b); });
  std::map<std::uint8_t, std::size_t> place;
  for (std::size_t i = 0; i < order.size(); ++i) place[order[i]] = i;
  return place;
}

std::string key_of_species(const Structure& atoms) {
  std::map<std::uint8_t, std::size_t> counts;
  const auto order = species_order(atoms, counts);
  std::vector<std::string> entries(order.size());
  for (const auto& [z, place] : order)
    entries[place] =
        fmt::format("<span class=\"s{}\"><i></i>{} {}</span>", place % 6,
                    escape(format(static_cast<double>(counts.at(z)))), escape(element_symbol(z)));
  std::string out = "<p class=\"key\">";
  for (const auto& entry : entries) out += entry;
  return out + "</p>\n";
}

/// Planes of a slab about the centre whose thickness is nearest to kThickness_A, an odd number of them.
Range central_planes(std::size_t n, double voxel_A) {
  const std::size_t half =
      static_cast<std::size_t>(std::max(0.0, std::round((kThickness_A / voxel_A - 1) / 2)));
  const std::size_t c = centre_index(n);
  return {c - std::min(c, half), std::min(n, c + half + 1)};
}

/// Mean of a slab along its thickness: axis 0 (planes, y, x) or 1 (z, rows, x).
Array<float, 2> mean_along(const Array<float, 3>& slab, int axis) {
  const std::size_t n = slab.extent(static_cast<std::size_t>(axis));
  Array<float, 2> mean({axis == 0 ? slab.extent(1) : slab.extent(0), slab.extent(2)});
  for (std::size_t i = 0; i < mean.extent(0); ++i)
    for (std::size_t x = 0; x < mean.extent(1); ++x) {
      double sum = 0;
      for (std::size_t k = 0; k < n; ++k) sum += axis == 0 ? slab(k, i, x) : slab(i, k, x);
      mean(i, x) = static_cast<float>(sum / static_cast<double>(n));
    }
  return mean;
}

/// Atoms over the mean of a slab; `down` and `normal` are 1 (y) or 2 (z).
std::string overlay(const Array<float, 2>& full, const Structure& atoms, const io::VolumeInfo& info, int down,
                    int normal, double thickness_A) {
  const auto block = block_size(full.extent(0), full.extent(1), kSlab_px);
  const auto image = downsample(full, block);
  const auto k = static_cast<double>(block);
  const auto centre = [&](std::size_t n) { return (static_cast<double>(centre_index(n)) + 0.5) / k - 0.5; };
  Picture picture{.image = image,
                  .pixel_A = *info.voxel_A * k,
                  .centre = {centre(full.extent(0)), centre(full.extent(1))},
                  .across = "x",
                  .down = down == 1 ? "y" : "z"};
  std::map<std::uint8_t, std::size_t> counts;
  const auto order = species_order(atoms, counts);
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    const Vec3& r = atoms.position[i];
    if (std::abs(r(normal)) <= thickness_A / 2)
      picture.dots.push_back({r.x(), r(down), order.at(atoms.atomic_number[i])});
  }
  const std::string title = "x–" + picture.down + ", " + format(thickness_A, 1) + " Å thick";
  return figure(title,
                picture_svg(picture, grey_scale({image}, 0.998), "Atoms over a slab of the volume, " + title),
                std::to_string(picture.dots.size()) + " atoms");
}

std::string overlays(const std::string& file, const Structure& atoms) {
  const auto info = io::read_volume_info(file);
  if (!info.voxel_A) return {};
  const auto planes = central_planes(info.shape[0], *info.voxel_A);
  const auto rows = central_planes(info.shape[1], *info.voxel_A);
  const auto flat = mean_along(io::read_volume_planes(file, planes), 0);
  const auto side = mean_along(io::read_volume_rows(file, rows), 1);
  const auto thickness = [&](const Range& r) { return static_cast<double>(r.size()) * *info.voxel_A; };
  return paragraph(
             "Circles: the traced atoms inside each slab about the rotation centre. Grey: the volume's mean "
             "over its thickness.") +
         row({overlay(flat, atoms, info, 1, 2, thickness(planes)),
              overlay(side, atoms, info, 2, 1, thickness(rows))},
             2);
}

std::string column_figure(const Structure& atoms, const std::string& name, const std::string& title,
                          const std::string& label, const std::string& unit) {
  const auto found = atoms.columns.find(name);
  if (found == atoms.columns.end() || found->second.width != 1) return {};
  const auto* values = std::get_if<std::vector<double>>(&found->second.values);
  if (values == nullptr) return {};
  // Widths and intensities are positive; zero stands for a peak without a fit.
  auto sorted = *values;
  std::erase_if(sorted, [](double v) { return !std::isfinite(v) || v <= 0; });
  const auto h = histogram(sorted, 40);
  if (h.edges.empty()) return {};
  const double median = upper_median(sorted);
  return figure(title,
                histogram_plot({.label = label}, {.label = "atoms"}, h.edges, h.counts,
                               {{median, "median " + format_short(median) + unit}}, title),
                "Data: atoms.extxyz");
}

/// What the trace stage said of its own work.
std::string words_of_stage(const nlohmann::json& stage) {
  std::string out;
  std::size_t dropped = 0;
  if (stage.contains("rejected") && stage["rejected"].is_object())
    for (const auto& [why, count] : stage["rejected"].items())
      if (count.is_number_unsigned()) dropped += count.get<std::size_t>();
  if (stage.contains("rejected")) out += format(static_cast<double>(dropped)) + " other peaks were dropped. ";
  if (stage.contains("refinement") && stage["refinement"].is_object()) {
    const auto moved = number(stage["refinement"], "moved_rms_A");
    out += "Refined against the measured images, which moved the atoms by " +
           format(moved ? std::optional(100 * *moved) : std::nullopt, 1) + " pm rms";
    if (const auto bound = number(stage, "crlb_pm"))
      out += "; the images' noise alone allows " + format(bound, 1) + " pm (Cramér-Rao bound)";
    out += ".";
    if (const auto added = number(stage["refinement"], "added_from_residuals"); added && *added > 0)
      out += " " + format(added) + " atoms were found in what the others left of the images.";
    if (const auto& error = stage["refinement"].value("error_axis_pm", nlohmann::json());
        error.is_array() && error.size() == 3)
      out += " Standard errors from two halves of the series: " + format(error[0].get<double>(), 1) + ", " +
             format(error[1].get<double>(), 1) + ", " + format(error[2].get<double>(), 1) +
             " pm along x, y, z.";
  } else if (!stage.empty()) {
    out += "Positions are those of the volume's peaks, not refined against images.";
  }
  std::string html = out.empty() ? "" : paragraph(escape(out));
  if (stage.contains("notes") && stage["notes"].is_array())
    for (const auto& note : stage["notes"])
      if (note.is_string()) html += paragraph("Note: " + escape(note.get<std::string>()) + ".");
  return html;
}

}  // namespace

std::string atoms_section(const Run& run) {
  if (!run.has(files::atoms)) return {};
  const auto atoms = io::read_structure((run.folder / files::atoms).string());
  std::string body = key_of_species(atoms) + words_of_stage(run.stage("trace"));
  if (run.has(files::volume)) body += overlays((run.folder / files::volume).string(), atoms);
  std::vector<std::string> plots;
  for (auto f : {column_figure(atoms, "sigma_a", "Width of the peaks", "fitted Gaussian width σ (Å)", " Å"),
                 column_figure(atoms, "integrated_intensity", "Intensity of the peaks",
                               "integrated intensity (the volume's units × Å³)", "")})
    if (!f.empty()) plots.push_back(std::move(f));
  if (!plots.empty()) body += row(plots, 2);
  return section("atoms", "Traced atoms", body);
}

}  // namespace aetos::pipeline::report
