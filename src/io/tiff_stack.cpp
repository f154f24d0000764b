#include <fmt/format.h>
#include <tiffio.h>

#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>

#include "aetos/core/error.hpp"
#include "aetos/io/source.hpp"

/// Stacks of pages in a TIFF file, one image each.
namespace aetos::io {
namespace {

struct CloseTiff {
  void operator()(TIFF* t) const { TIFFClose(t); }
};
using Tiff = std::unique_ptr<TIFF, CloseTiff>;

thread_local std::string last_message;

void keep_message(const char*, const char* format, va_list arguments) {
  char text[512];
  std::vsnprintf(text, sizeof text, format, arguments);
  last_message = text;
}

struct Page {
  std::uint32_t width = 0, height = 0;
  std::uint16_t bits = 1, samples = 1, format = SAMPLEFORMAT_UINT;
  friend bool operator==(const Page&, const Page&) = default;
};

Page read_page(TIFF* tiff) {
  Page p;
  TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &p.width);
  TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &p.height);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &p.bits);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &p.samples);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &p.format);
  return p;
}

/// From the resolution tag. A pixel above a micrometre is what programs write when they do not know (72 dots
/// an inch).
std::optional<double> pixel_of(TIFF* tiff) {
  std::uint16_t unit = RESUNIT_NONE;
  float resolution = 0;
  if (!TIFFGetField(tiff, TIFFTAG_RESOLUTIONUNIT, &unit) ||
      !TIFFGetField(tiff, TIFFTAG_XRESOLUTION, &resolution))
    return {};
  if (unit == RESUNIT_NONE || !(resolution > 0) || !std::isfinite(resolution)) return {};
  const double pixel_A = (unit == RESUNIT_CENTIMETER ? 1e8 : 2.54e8) / resolution;
  return pixel_A < 1e4 ? std::optional<double>(pixel_A) : std::nullopt;
}

Tiff open_tiff(const std::string& path) {
  TIFFSetErrorHandler(&keep_message);
  TIFFSetWarningHandler(nullptr);
  Tiff tiff(TIFFOpen(path.c_str(), "r"));
  if (!tiff) throw InputError(path, "is not a TIFF file, or damaged (" + last_message + ")", "a TIFF stack");
  return tiff;
}

void check_page(const Page& page, const std::string& path) {
  const bool real = page.format == SAMPLEFORMAT_IEEEFP && (page.bits == 32 || page.bits == 64);
  const bool integer = (page.format == SAMPLEFORMAT_UINT || page.format == SAMPLEFORMAT_INT) &&
                       (page.bits == 8 || page.bits == 16 || page.bits == 32);
  if (page.samples != 1 || !(real || integer))
    throw InputError(path, fmt::format("pages of {} samples of {} bits", page.samples, page.bits),
                     "grey images of 8, 16 or 32 bits");
  if (page.width == 0 || page.height == 0) throw InputError(path, "pages without pixels", "sizes above 0");
}

/// ImageJ writes stacks above 4 GB as one page with the rest of the data behind it.
void check_description(TIFF* tiff, std::size_t pages, const std::string& path) {
  const char* text = nullptr;
  if (!TIFFGetField(tiff, TIFFTAG_IMAGEDESCRIPTION, &text) || text == nullptr) return;
  const char* at = std::strstr(text, "images=");
  unsigned long announced = 0;
  if (at != nullptr && std::sscanf(at, "images=%lu", &announced) == 1 && announced > pages)
    throw InputError(path,
                     fmt::format("{} pages, though its description announces {} images", pages, announced),
                     "one page for each image (ImageJ: save as image sequence, or as MRC)");
}

float sample(const unsigned char* row, std::size_t x, const Page& p) {
  const auto value = [&](auto zero) {
    std::memcpy(&zero, row + x * sizeof zero, sizeof zero);
    return static_cast<float>(zero);
  };
  if (p.format == SAMPLEFORMAT_IEEEFP) return p.bits == 32 ? value(float{}) : value(double{});
  const bool with_sign = p.format == SAMPLEFORMAT_INT;
  if (p.bits == 8) return with_sign ? value(std::int8_t{}) : value(std::uint8_t{});
  if (p.bits == 16) return with_sign ? value(std::int16_t{}) : value(std::uint16_t{});
  return with_sign ? value(std::int32_t{}) : value(std::uint32_t{});
}

}  // namespace

TiltSeriesInfo tiff_series_info(const Source& source) {
  const Tiff tiff = open_tiff(source.file);
  const Page first = read_page(tiff.get());
  check_page(first, source.file);
  TiltSeriesInfo info;
  info.pixel_A = pixel_of(tiff.get());
  std::size_t pages = 0;
  do {
    const Page page = read_page(tiff.get());
    if (!(page == first))
      throw InputError(source.file,
                       fmt::format("page {} is {} x {} of {} bits, page 1 is {} x {} of {} bits", pages + 1,
                                   page.width, page.height, page.bits, first.width, first.height, first.bits),
                       "pages of one size");
    ++pages;
  } while (TIFFReadDirectory(tiff.get()));
  TIFFSetDirectory(tiff.get(), 0);
  check_description(tiff.get(), pages, source.file);
  info.tilts = pages;
  info.ny = first.height;
  info.nx = first.width;
  info.signals = {""};
  info.is_counts = first.format != SAMPLEFORMAT_IEEEFP;
  return info;
}

VolumeInfo tiff_volume_info(const Source& source) {
  const TiltSeriesInfo series = tiff_series_info(source);
  VolumeInfo info;
  info.shape = {series.tilts, series.ny, series.nx};
  info.voxel_A = series.pixel_A;
  return info;
}

Array<float, 3> tiff_read(const Source& source, const Box3& box) {
  const TiltSeriesInfo info = tiff_series_info(source);
  check_box(source.file, box, {info.tilts, info.ny, info.nx});
  Array<float, 3> out({box.count[0], box.count[1], box.count[2]});
  if (out.empty()) return out;
  const Tiff tiff = open_tiff(source.file);
  if (TIFFIsTiled(tiff.get())) throw InputError(source.file, "pages stored in tiles", "pages stored in rows");
  std::vector<unsigned char> row(static_cast<std::size_t>(TIFFScanlineSize64(tiff.get())));
  for (std::size_t i = 0; i < box.count[0]; ++i) {
    if (!TIFFSetDirectory(tiff.get(), static_cast<tdir_t>(box.start[0] + i)))
      throw InputError(source.file,
                       fmt::format("page {} cannot be read ({})", box.start[0] + i + 1, last_message),
                       "a complete file");
    const Page page = read_page(tiff.get());
    // Compressed rows can only be reached through those before them.
    for (std::size_t y = 0; y < box.start[1] + box.count[1]; ++y) {
      if (TIFFReadScanline(tiff.get(), row.data(), static_cast<std::uint32_t>(y)) < 0)
        throw InputError(source.file,
                         fmt::format("page {} cannot be read ({})", box.start[0] + i + 1, last_message),
                         "a complete file");
      if (y < box.start[1]) continue;
      for (std::size_t x = 0; x < box.count[2]; ++x)
        out(i, y - box.start[1], x) = sample(row.data(), box.start[2] + x, page);
    }
  }
  return out;
}

}  // namespace aetos::io
