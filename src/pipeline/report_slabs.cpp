// The report's pictures of the measures `sections` and `profiles`: slabs of the volume with their atoms,
// lines across images.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>

#include "aetos/io/atomic_file.hpp"
#include "aetos/io/tilt_series.hpp"
#include "aetos/pipeline/plan.hpp"
#include "aetos/pipeline/report_images.hpp"
#include "aetos/pipeline/report_page.hpp"
#include "aetos/pipeline/report_plots.hpp"
#include "aetos/pipeline/report_sections.hpp"

namespace aetos::pipeline::report {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostSections = 12, kMostProfiles = 12;
constexpr double kCutout_A =
    30;  ///< a slab narrower than this is shown on its own grey scale, in which oxygen may be seen

/// "x", "−z", "(0.71, 0, 0.71)".
std::string axis_words(const Json& v) {
  if (v.size() != 3) return "–";
  for (std::size_t k = 0; k < 3; ++k)
    if (std::abs(std::abs(v[k].get<double>()) - 1) < 1e-6)
      return fmt::format("{}{}", v[k].get<double>() < 0 ? "−" : "", "xyz"[k]);
  std::string words = "(";
  for (std::size_t k = 0; k < 3; ++k)
    words += fmt::format("{}{}", k ? ", " : "", format(v[k].get<double>(), 2));
  return words + ")";
}

/// Dots of each section, and the species in the order of their colours.
std::map<std::size_t, std::vector<Dot>> dots_of(const Run& run, std::vector<std::string>& species) {
  std::map<std::size_t, std::vector<Dot>> dots;
  const char* file = "section-atoms.csv";
  if (!run.has(file)) return dots;
  for (const auto& cells : csv_rows(io::read_text_file((run.folder / file).string()))) {
    if (cells.size() < 5) continue;
    auto at = std::find(species.begin(), species.end(), cells[2]);
    if (at == species.end()) at = species.insert(species.end(), cells[2]);
    dots[std::stoul(cells[0])].push_back(
        {std::stod(cells[3]), std::stod(cells[4]), static_cast<std::size_t>(at - species.begin())});
  }
  return dots;
}

std::string key_of(const std::vector<std::string>& species) {
  std::string out = "<p class=\"key\">";
  for (std::size_t i = 0; i < species.size(); ++i)
    out += fmt::format("<span class=\"s{}\"><i></i>{}</span>", i % 6, escape(species[i]));
  return out + "</p>\n";
}

}  // namespace

std::string slabs_part(const Run& run, const Json& sections) {
  const auto& list = list_at(sections, "sections");
  if (list.empty() || !run.has(files::sections)) return {};
  const auto file = (run.folder / files::sections).string();
  const auto signal = io::read_tilt_series_info(file).signals.at(0);
  std::vector<std::string> species;
  auto dots = dots_of(run, species);
  std::vector<std::string> figures;
  for (std::size_t i = 0; i < std::min(kMostSections, list.size()); ++i) {
    const auto& s = list[i];
    const auto image = io::read_tilt_series_images(file, signal, {i, i + 1});
    const double width = number(s, "width_A").value_or(1),
                 pixel = width / static_cast<double>(image.extent(2));
    const auto& through = list_at(s, "through_A");
    Picture picture{.image = image[0],
                    .pixel_A = pixel,
                    .centre = {static_cast<double>(image.extent(1)) / 2 - 0.5,
                               static_cast<double>(image.extent(2)) / 2 - 0.5},
                    .across = axis_words(list_at(s, "across")),
                    .down = axis_words(list_at(s, "down")),
                    .dots = std::move(dots[i])};
    const auto atoms = picture.dots.size();
    const std::string of = text(s, "of");
    const std::string title =
        fmt::format("{}{} Å across {}", of.empty() || of == "the whole" ? "" : of + ", ",
                    format(number(s, "thickness_A"), 1), axis_words(list_at(s, "normal")));
    std::string middle;
    for (const auto& v : through)
      middle += fmt::format("{}{}", middle.empty() ? "" : ", ", format(v.get<double>(), 1));
    figures.push_back(figure(
        title,
        picture_svg(picture, grey_scale({image[0]}, width < kCutout_A ? 0.9 : 0.998),
                    "Slab of the volume, " + title),
        std::to_string(atoms) + " atoms; middle at " + middle + " Å; " + format(width, 1) + " Å wide"));
  }
  return paragraph(
             "Slabs of the volume, averaged over their thickness, with the atoms in them. Boxes of 15 Å are "
             "shown on a scale in "
             "which the atoms' middles are white, so that what lies between can be seen. Data: sections.h5, "
             "section-atoms.csv") +
         key_of(species) + row(figures, 3);
}

std::string profiles_part(const Run& run, const Json& profiles) {
  const auto& list = list_at(profiles, "profiles");
  const char* file = "profiles.csv";
  if (list.empty() || !run.has(file)) return {};
  std::map<std::size_t, std::pair<std::vector<double>, std::vector<double>>> lines;
  for (const auto& cells : csv_rows(io::read_text_file((run.folder / file).string()))) {
    if (cells.size() < 5) continue;
    auto& [x, y] = lines[std::stoul(cells[0])];
    x.push_back(std::stod(cells[1]));
    y.push_back(cells[4].empty() ? std::nan("") : std::stod(cells[4]));
  }
  std::vector<std::string> figures;
  for (std::size_t i = 0; i < std::min(kMostProfiles, list.size()); ++i) {
    const auto& p = list[i];
    const auto ends = [&](const char* key) {
      const auto& v = list_at(p, key);
      return v.size() == 2
                 ? fmt::format("({}, {})", format(v[0].get<double>(), 1), format(v[1].get<double>(), 1))
                 : std::string("–");
    };
    const std::string title = fmt::format("From {} to {} Å", ends("from_A"), ends("to_A"));
    figures.push_back(figure(title,
                             line_plot({.label = "along the line (Å)"}, {.label = "intensity"},
                                       lines[i].first, lines[i].second, title),
                             text(p, "signal") + " of projection " + format(number(p, "projection")) +
                                 ", mean over " + format(number(p, "width_A"), 1) +
                                 " Å across. Data: profiles.csv"));
  }
  return row(figures, 2);
}

}  // namespace aetos::pipeline::report
