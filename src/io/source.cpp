#include "aetos/io/source.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>

#include "aetos/core/error.hpp"
#include "aetos/io/text_fields.hpp"

namespace aetos::io {
namespace {

const std::map<std::string, Format>& extensions() {
  static const std::map<std::string, Format> table{
      {".h5", Format::hdf5},  {".hdf5", Format::hdf5}, {".emd", Format::hdf5}, {".mat", Format::mat},
      {".mrc", Format::mrc},  {".mrcs", Format::mrc},  {".ccp4", Format::mrc}, {".map", Format::mrc},
      {".st", Format::mrc},   {".ali", Format::mrc},   {".rec", Format::mrc},  {".tif", Format::tiff},
      {".tiff", Format::tiff}};
  return table;
}

std::optional<Format> format_by_name(const std::string& file) {
  const auto found = extensions().find(lower_case(std::filesystem::path(file).extension().string()));
  if (found == extensions().end()) return {};
  return found->second;
}

std::optional<Format> format_by_content(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string head(512, '\0');
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  if (head.starts_with("\x89HDF\r\n\x1a\n")) return Format::hdf5;
  if (head.starts_with("MATLAB ")) return Format::mat;
  if (head.substr(208, 4) == "MAP ") return Format::mrc;
  if (head.starts_with(std::string("II*\0", 4)) || head.starts_with(std::string("MM\0*", 4)))
    return Format::tiff;
  return {};
}

}  // namespace

Source parse_source(const std::string& source) {
  Source out;
  out.file = source;
  std::error_code ec;
  const std::size_t colon = source.find_last_of(':');
  if (colon != std::string::npos && colon > 0 && !std::filesystem::exists(source, ec) &&
      (format_by_name(source.substr(0, colon)) || std::filesystem::exists(source.substr(0, colon), ec))) {
    out.file = source.substr(0, colon);
    out.array = source.substr(colon + 1);
  }
  if (!std::filesystem::exists(out.file, ec))
    throw InputError(out.file, "no such file", "images or a volume");
  if (std::filesystem::is_directory(out.file, ec))
    throw InputError(out.file, "is a folder", "a file of images or a volume");
  auto format = format_by_name(out.file);
  if (!format) format = format_by_content(out.file);
  if (!format)
    throw InputError(out.file, "a file of unknown kind", "HDF5 (.h5), MAT (.mat), MRC (.mrc) or TIFF (.tif)");
  out.format = *format;
  return out;
}

void check_box(const std::string& file, const Box3& box, const std::array<std::size_t, 3>& shape) {
  for (std::size_t a = 0; a < 3; ++a)
    if (box.start[a] > shape[a] || box.count[a] > shape[a] - box.start[a])
      throw InputError(file, fmt::format("an array of {} x {} x {}", shape[0], shape[1], shape[2]),
                       fmt::format("one that holds the indices {} to {} of its axis {}", box.start[a],
                                   box.start[a] + box.count[a], a + 1));
}

namespace {

Array<float, 3> read_box(const Source& source, const std::string& signal, const Box3& box) {
  switch (source.format) {
    case Format::mat:
      return mat_read(source, box);
    case Format::mrc:
      return mrc_read(source, box);
    case Format::tiff:
      return tiff_read(source, box);
    default:
      return hdf5_read(source, signal, box);
  }
}

TiltSeriesInfo series_info(const Source& source) {
  switch (source.format) {
    case Format::mat:
      return mat_series_info(source);
    case Format::mrc:
      return mrc_series_info(source);
    case Format::tiff:
      return tiff_series_info(source);
    default:
      return hdf5_series_info(source);
  }
}

VolumeInfo volume_info(const Source& source) {
  switch (source.format) {
    case Format::mat:
      return mat_volume_info(source);
    case Format::mrc:
      return mrc_volume_info(source);
    case Format::tiff:
      return tiff_volume_info(source);
    default:
      return hdf5_volume_info(source);
  }
}

}  // namespace

TiltSeriesInfo read_tilt_series_info(const std::string& source) {
  return series_info(parse_source(source));
}

Array<float, 3> read_tilt_series_rows(const std::string& source, const std::string& signal, Range rows) {
  const Source s = parse_source(source);
  const TiltSeriesInfo info = series_info(s);
  return read_box(s, choose_signal(info, signal, s.file),
                  {{0, rows.begin, 0}, {info.tilts, rows.size(), info.nx}});
}

Array<float, 3> read_tilt_series_images(const std::string& source, const std::string& signal,
                                        Range projections) {
  const Source s = parse_source(source);
  const TiltSeriesInfo info = series_info(s);
  return read_box(s, choose_signal(info, signal, s.file),
                  {{projections.begin, 0, 0}, {projections.size(), info.ny, info.nx}});
}

VolumeInfo read_volume_info(const std::string& source) {
  return volume_info(parse_source(source));
}

Array<float, 3> read_volume_rows(const std::string& source, Range rows) {
  const Source s = parse_source(source);
  const VolumeInfo info = volume_info(s);
  return read_box(s, {}, {{0, rows.begin, 0}, {info.shape[0], rows.size(), info.shape[2]}});
}

Array<float, 3> read_volume_planes(const std::string& source, Range planes) {
  const Source s = parse_source(source);
  const VolumeInfo info = volume_info(s);
  return read_box(s, {}, {{planes.begin, 0, 0}, {planes.size(), info.shape[1], info.shape[2]}});
}

std::string choose_signal(const TiltSeriesInfo& info, const std::string& wanted, const std::string& place) {
  std::string listed;
  for (const std::string& s : info.signals) listed += (listed.empty() ? "" : ", ") + s;
  if (!wanted.empty() && wanted != "auto") {
    for (const std::string& s : info.signals)
      if (s == wanted) return s;
    // Files of one unnamed array have no signals to choose from.
    if (info.signals.size() == 1 && info.signals[0].empty()) return {};
    throw InputError(place, fmt::format("no signal '{}'", wanted), "one of " + listed);
  }
  for (const char* kind : {"_noisy", "_blurred", "_clean", ""}) {
    std::vector<std::string> matches;
    for (const std::string& s : info.signals)
      if (s.ends_with(kind)) matches.push_back(s);
    if (matches.size() == 1) return matches[0];
    if (!matches.empty()) break;
  }
  throw InputError(place, "images of several detectors: " + listed,
                   "reconstruct.signal that names one of them");
}

std::string choose_detector_signal(const std::string& source, const std::string& wanted,
                                   const std::vector<std::string>& all, const std::string& place) {
  const auto has = [&](const std::string& name) {
    return std::find(all.begin(), all.end(), name) != all.end();
  };
  if (all.empty()) throw InputError(source, "no images", "a tilt series");
  if (wanted != "auto" && has(wanted)) return wanted;
  if (all.size() == 1 && wanted == "auto") return all.front();
  const std::array<std::string, 3> kinds{"_noisy", "_blurred", "_clean"};
  std::string detector = wanted;
  if (wanted == "auto") {
    detector = all.front();
    for (const auto& kind : kinds)
      if (detector.ends_with(kind)) detector.resize(detector.size() - kind.size());
  }
  for (const auto& kind : kinds)
    if (has(detector + kind)) return detector + kind;
  if (wanted == "auto") return all.front();
  throw InputError(place, "'" + wanted + "', which " + source + " does not hold",
                   fmt::format("one of {}", fmt::join(all, ", ")));
}

}  // namespace aetos::io
