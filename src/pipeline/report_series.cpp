#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "aetos/imaging/spectrum.hpp"
#include "aetos/io/tilt_series.hpp"
#include "aetos/pipeline/plan.hpp"
#include "aetos/pipeline/report_images.hpp"
#include "aetos/pipeline/report_page.hpp"
#include "aetos/pipeline/report_sections.hpp"

namespace aetos::pipeline::report {
namespace {

constexpr std::size_t kMostTilts = 60, kThumbnail_px = 160, kSingle_px = 320;
constexpr double kWhiteShare = 0.999;
constexpr std::size_t kSpectrum_px = 96;
constexpr double kSpectrum_per_nm = 8;  ///< the farthest spatial frequency shown: planes 1.25 Å apart

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// The signal that was reconstructed; else the noisiest kind of the first detector, which a reconstruction
/// takes by itself.
std::string shown_signal(const Run& run, const std::vector<std::string>& signals) {
  if (run.has(files::volume)) {
    const auto used = io::read_volume_info((run.folder / files::volume).string()).reconstruction.texts;
    if (const auto name = used.find("signal"); name != used.end())
      if (std::find(signals.begin(), signals.end(), name->second) != signals.end()) return name->second;
  }
  for (const char* kind : {"_noisy", "_blurred", "_clean"})
    for (const auto& s : signals)
      if (ends_with(s, kind)) return s;
  return signals.empty() ? std::string{} : signals.front();
}

std::string kind_of(const std::string& signal) {
  if (ends_with(signal, "_clean")) return "as simulated";
  if (ends_with(signal, "_blurred")) return "with the source's size";
  if (ends_with(signal, "_noisy")) return "with the dose's noise";
  return {};
}

/// Projections shown: all, or `most` of them evenly spread, first and last included.
std::vector<std::size_t> chosen(std::size_t tilts, std::size_t most) {
  std::vector<std::size_t> out;
  const std::size_t n = std::min(tilts, most);
  for (std::size_t i = 0; i < n; ++i) out.push_back(n == 1 ? 0 : i * (tilts - 1) / (n - 1));
  return out;
}

Array<float, 2> thumbnail(const std::string& file, const std::string& signal, std::size_t tilt,
                          std::size_t limit) {
  const auto image = io::read_tilt_series_images(file, signal, {tilt, tilt + 1});
  return downsample(image[0], block_size(image.extent(1), image.extent(2), limit));
}

std::vector<View<const float, 2>> views(const std::vector<Array<float, 2>>& images) {
  return {images.begin(), images.end()};
}

std::string angle_text(const io::TiltSeriesInfo& info, std::size_t tilt) {
  if (tilt >= info.angles.size()) return "no. " + std::to_string(tilt);
  const auto& a = info.angles[tilt];
  const auto degrees = [](double v) { return format(v, std::abs(v - std::round(v)) < 0.05 ? 0 : 1); };
  if (a.phi_deg == 0 && a.psi_deg == 0) return degrees(a.theta_deg) + "°";
  return degrees(a.phi_deg) + "° " + degrees(a.theta_deg) + "° " + degrees(a.psi_deg) + "°";
}

/// `simulated`: images are fractions of the beam; else their unit is the file's own.
std::string ramp(const GreyScale& scale, bool counts, bool simulated) {
  const auto end = [&](double v) {
    if (!counts && !simulated) return escape(format_short(v));
    if (counts) return escape(format_short(v)) + " electrons";
    // Below zero are centres of mass, not intensities.
    return escape(scale.low < 0 ? format_short(v) + " mrad" : format_short(100 * v) + " % of the beam");
  };
  return "<div class=\"ramp\"><span>" + end(scale.low) + "</span><i></i><span>" + end(scale.high) +
         "</span><span>· one grey scale for all tilts, black to white</span></div>\n";
}

/// What a montage shows.
struct MontageStyle {
  std::string what = "Projection";
  double bar_share = 0;  ///< length of the scale bar over the width of a picture; 0 = none
  bool square = false;   ///< pictures are drawn as squares
};

std::string montage(const io::TiltSeriesInfo& info, const std::vector<std::size_t>& tilts,
                    const std::vector<Array<float, 2>>& images, const GreyScale& scale,
                    const MontageStyle& style) {
  std::string out = style.square ? "<div class=\"montage square\">\n" : "<div class=\"montage\">\n";
  for (std::size_t i = 0; i < tilts.size(); ++i) {
    const auto angle = escape(angle_text(info, tilts[i]));
    out += "<div><img src=\"" + png_data_uri(images[i], scale) + "\" alt=\"" + style.what + " at " + angle +
           "\">";
    if (i == 0 && style.bar_share > 0)
      out += fmt::format("<span class=\"bar\" style=\"width:{:.2f}%\"></span>", 100 * style.bar_share);
    out += "<span class=\"angle\">" + angle + "</span></div>\n";
  }
  return out + "</div>\n";
}

/// Fourier transforms of the same tilts, out to kSpectrum_per_nm; their middles as square pictures.
std::string spectra(const io::TiltSeriesInfo& info, const std::string& file, const std::string& signal,
                    const std::vector<std::size_t>& tilts) {
  if (!info.pixel_A || std::min(info.ny, info.nx) < 32) return {};
  const double reach = std::min(0.5, kSpectrum_per_nm / 10 * *info.pixel_A);  // cycles per pixel
  std::vector<Array<float, 2>> pictures;
  for (std::size_t t : tilts) {
    const auto image = io::read_tilt_series_images(file, signal, {t, t + 1});
    const auto spectrum = imaging::log_spectrum(image[0]);
    const auto half = [&](std::size_t axis) {
      return static_cast<std::size_t>(std::floor(reach * static_cast<double>(spectrum.extent(axis))));
    };
    const std::size_t hy = half(0), hx = half(1);
    if (hy == 0 || hx == 0) return {};
    Array<float, 2> middle({2 * hy, 2 * hx});
    for (std::size_t j = 0; j < 2 * hy; ++j)
      for (std::size_t i = 0; i < 2 * hx; ++i)
        middle(j, i) = spectrum(centre_index(info.ny) - hy + j, centre_index(info.nx) - hx + i);
    pictures.push_back(block_maxima(middle, block_size(2 * hy, 2 * hx, kSpectrum_px)));
  }
  const double field = 2 * reach / *info.pixel_A * 10, bar = scale_bar_A(field);
  std::string words =
      "Fourier transforms of the same images: logarithm of the power under Hann windows, out to " +
      format_short(field / 2) + " per nm, on one scale. The white bar is " + format_short(bar) + " per nm.";
  return "<details open><summary>Fourier transforms of the tilt series</summary>\n" +
         paragraph(escape(words)) +
         montage(info, tilts, pictures, grey_scale(views(pictures), kWhiteShare),
                 {.what = "Fourier transform", .bar_share = bar / field, .square = true}) +
         "</details>\n";
}

/// The projection nearest to zero tilt, once for every kind of image of its detector.
std::string steps_of_one_tilt(const std::string& file, const io::TiltSeriesInfo& info,
                              const std::string& signal) {
  const auto stem = signal.substr(0, signal.rfind('_'));
  std::size_t tilt = 0;
  for (std::size_t i = 0; i < info.angles.size(); ++i)
    if (std::abs(info.angles[i].theta_deg) < std::abs(info.angles[tilt].theta_deg)) tilt = i;
  std::vector<std::string> signals;
  for (const char* kind : {"_clean", "_blurred", "_noisy"})
    if (std::find(info.signals.begin(), info.signals.end(), stem + kind) != info.signals.end())
      signals.push_back(stem + kind);
  if (signals.size() < 2) return {};
  std::vector<Array<float, 2>> images;
  for (const auto& s : signals) images.push_back(thumbnail(file, s, tilt, kSingle_px));
  const auto scale = grey_scale(views(images), kWhiteShare);
  const auto block = block_size(info.ny, info.nx, kSingle_px);
  std::vector<std::string> figures;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const Picture picture{.image = images[i],
                          .pixel_A = info.pixel_A.value_or(1) * static_cast<double>(block),
                          .has_scale = info.pixel_A.has_value(),
                          .across = "x",
                          .down = "y"};
    const auto name = stem + " at " + angle_text(info, tilt) + ", " + kind_of(signals[i]);
    figures.push_back(figure(name, picture_svg(picture, scale, name), ""));
  }
  return row(figures, 3);
}

/// How far the simulated images are from converged ones, by detector.
std::string error_budget(const Run& run) {
  const auto& simulate = run.stage("simulate");
  const auto budget = simulate.find("error_budget");
  if (budget == simulate.end() || !budget->is_object()) return {};
  std::vector<std::vector<std::string>> rows;
  for (const auto& [detector, errors] : budget->at("detectors").items()) {
    std::vector<std::string> row{detector};
    for (const char* kind : {"window", "slice", "sampling", "phonons", "total"})
      row.push_back(errors.at(kind).is_number() ? format(100 * errors.at(kind).get<double>(), 2) : "–");
    rows.push_back(std::move(row));
  }
  const std::string words = "Relative RMS error of the noise-free images, in percent, as estimated on " +
                            std::to_string(budget->at("sample_probes").get<int>()) +
                            " sample probes: the window against the whole cell, slices against ones half as "
                            "thick, the sampling against " +
                            format_short(budget->at("converged_sampling_A").get<double>()) +
                            " Å, and the number of frozen-phonon configurations.";
  return "<details><summary>Error budget of the simulation</summary>\n" + paragraph(escape(words)) +
         table({"Detector", "window", "slices", "sampling", "phonons", "together"}, rows) + "</details>\n";
}

}  // namespace

std::string tilt_series_section(const Run& run) {
  const char* name = run.has(files::tilt_series) ? files::tilt_series : files::preprocessed;
  if (!run.has(name)) return {};
  const auto file = (run.folder / name).string();
  const auto info = io::read_tilt_series_info(file);
  const auto signal = shown_signal(run, info.signals);
  const auto tilts = chosen(info.tilts, kMostTilts);
  std::vector<Array<float, 2>> images;
  for (std::size_t t : tilts) images.push_back(thumbnail(file, signal, t, kThumbnail_px));
  const auto scale = grey_scale(views(images), kWhiteShare);

  std::string words = format(static_cast<double>(info.tilts)) + " projections of " +
                      format(static_cast<double>(info.nx)) + " × " + format(static_cast<double>(info.ny)) +
                      " pixels";
  double bar_share = 0;
  if (info.pixel_A) {
    const double field = *info.pixel_A * static_cast<double>(info.nx);
    bar_share = scale_bar_A(field) / field;
    words += " of " + format_short(*info.pixel_A) + " Å; each is " + format_short(field) +
             " Å wide, and the white bar is " + format_short(scale_bar_A(field)) + " Å";
  }
  words += ". The tilt axis y runs down.";
  if (!signal.empty())
    words += " Shown: " + signal + (kind_of(signal).empty() ? "" : ", " + kind_of(signal)) + ".";
  if (tilts.size() < info.tilts)
    words += " Every tilt is in the file; " + std::to_string(tilts.size()) + " are shown.";
  return section("tilts", "Tilt series",
                 paragraph(escape(words)) + steps_of_one_tilt(file, info, signal) +
                     montage(info, tilts, images, scale, {.bar_share = bar_share}) +
                     ramp(scale, info.is_counts, run.has(files::tilt_series)) +
                     spectra(info, file, signal, tilts) + error_budget(run));
}

}  // namespace aetos::pipeline::report
