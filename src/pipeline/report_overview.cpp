// The run's parameters beside those of the study's three particles: its Supplementary Tables 1.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "aetos/io/tilt_series.hpp"
#include "aetos/pipeline/plan.hpp"
#include "aetos/pipeline/report_page.hpp"
#include "aetos/pipeline/report_sections.hpp"

namespace aetos::pipeline::report {
namespace {

/// What the files of a run say of how it was made; nothing where they say nothing.
struct Origin {
  io::TiltSeriesInfo series;
  io::VolumeInfo volume;
  std::string signal;
};

Origin origin_of(const Run& run) {
  Origin o;
  for (const char* name : {files::tilt_series, files::preprocessed})
    if (o.series.tilts == 0 && run.has(name))
      o.series = io::read_tilt_series_info((run.folder / name).string());
  if (run.has(files::volume)) o.volume = io::read_volume_info((run.folder / files::volume).string());
  const auto signal = o.volume.reconstruction.texts.find("signal");
  if (signal != o.volume.reconstruction.texts.end())
    o.signal = signal->second;
  else if (!o.series.signals.empty())
    o.signal = o.series.signals.front();
  return o;
}

std::optional<double> of(const io::Metadata& metadata, const std::string& key) {
  const auto found = metadata.numbers.find(key);
  return found == metadata.numbers.end() ? std::nullopt : std::optional(found->second);
}

std::string shown(std::optional<double> value) {
  return value ? format_short(*value) : "–";
}

std::string detector_words(const Origin& o) {
  const std::string name = o.signal.substr(0, o.signal.find('_'));
  const auto inner = of(o.series.microscope, name + "_inner_mrad"),
             outer = of(o.series.microscope, name + "_outer_mrad");
  return inner && outer ? format_short(*inner) + " – " + format_short(*outer) : "–";
}

const std::vector<EulerAngles>& angles_of(const Origin& o) {
  return o.volume.angles.empty() ? o.series.angles : o.volume.angles;
}

std::string range_words(const std::vector<EulerAngles>& angles) {
  if (angles.empty()) return "–";
  const auto [low, high] = std::minmax_element(
      angles.begin(), angles.end(), [](const auto& a, const auto& b) { return a.theta_deg < b.theta_deg; });
  return format(low->theta_deg, 1) + " – " + format(high->theta_deg, 1);
}

/// Of the whole series.
std::optional<double> dose_of(const Origin& o) {
  if (const auto total = of(o.series.microscope, "dose_total_e_per_A2")) return total;
  const auto each = of(o.series.microscope, "dose_e_per_A2");
  return each ? std::optional(*each * static_cast<double>(o.series.tilts)) : std::nullopt;
}

std::string oversampling_words(const Origin& o) {
  const auto& texts = o.volume.reconstruction.texts;
  const auto found = texts.find("oversampling_zyx");
  if (found == texts.end()) return "–";
  const auto& words = found->second;
  const auto first = words.substr(0, words.find(' '));
  return words == first + " " + first + " " + first ? first : words;
}

}  // namespace

std::string overview_section(const Run& run) {
  const auto o = origin_of(run);
  const auto& reconstruct = run.stage("reconstruct");
  const auto& angles = angles_of(o);
  if (o.series.tilts == 0 && o.volume.shape[0] == 0) return {};
  const auto& microscope = o.series.microscope;
  const std::string method = text(reconstruct, "method");
  std::vector<std::vector<std::string>> rows{
      {"Voltage (kV)", shown(of(microscope, "voltage_kV")), "300", "300", "300"},
      {"Convergence semi-angle (mrad)", shown(of(microscope, "convergence_mrad")), "21.4", "21.4", "21.4"},
      {"Detector (mrad)", detector_words(o), "39.4 – 200", "31.5 – 190.6", "31.5 – 190.6"},
      {"Pixel (Å)", shown(o.volume.voxel_A ? o.volume.voxel_A : o.series.pixel_A), "0.343", "0.343", "0.343"},
      {"Current (pA)", shown(of(microscope, "screen_current_pA")), "15", "15", "15"},
      {"Projections",
       angles.empty() ? format(static_cast<double>(o.series.tilts))
                      : format(static_cast<double>(angles.size())),
       "50", "59", "57"},
      {"Tilt range (°)", range_words(angles), "−75 – 76", "−76 – 77", "−75 – 75.5"},
      {"Dose, whole series (10⁵ e/Å²)", dose_of(o) ? format(*dose_of(o) / 1e5, 1) : "–", "4.8", "3.4", "2.9"},
      {"Algorithm", method.empty() ? "–" : method, "RESIRE", "RESIRE", "RESIRE"},
      {"Oversampling", oversampling_words(o), "4", "4", "4"},
      {"Iterations", format(number(reconstruct, "iterations")), "200", "200", "200"},
      {"R-factor", format(number(reconstruct, "r_factor"), 4), "0.1069", "0.0728", "0.0990"},
      {"Atoms", format(number(run.stage("trace"), "atoms")), "15,392", "22,382", "13,482"}};
  return section("overview", "Overview",
                 table({"", "This run", "Study: Zr1", "Zr2", "Zr3"}, rows) +
                     paragraph("The study's values are those of its Supplementary Table 1. A dash: this "
                               "run's files do not say."));
}

}  // namespace aetos::pipeline::report
