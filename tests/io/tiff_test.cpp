#include <gtest/gtest.h>
#include <tiffio.h>

#include <vector>

#include "aetos/core/error.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/tilt_series.hpp"
#include "support/temporary_folder.hpp"

namespace aetos::io {
namespace {

struct PageSpec {
  std::uint32_t width = 5, height = 4;
  float dots_per_cm = 0;
  const char* description = nullptr;
};

void write_tiff(const std::string& path, const std::vector<PageSpec>& pages) {
  TIFF* tiff = TIFFOpen(path.c_str(), "w");
  ASSERT_NE(tiff, nullptr);
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const PageSpec& p = pages[i];
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, p.width);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, p.height);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 16);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_LZW);
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 2);
    if (p.dots_per_cm > 0) {
      TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER);
      TIFFSetField(tiff, TIFFTAG_XRESOLUTION, p.dots_per_cm);
    }
    if (p.description != nullptr) TIFFSetField(tiff, TIFFTAG_IMAGEDESCRIPTION, p.description);
    std::vector<std::uint16_t> row(p.width);
    for (std::uint32_t y = 0; y < p.height; ++y) {
      for (std::uint32_t x = 0; x < p.width; ++x)
        row[x] = static_cast<std::uint16_t>(60000 + i * 100 + y * 10 + x);
      TIFFWriteScanline(tiff, row.data(), y, 0);
    }
    TIFFWriteDirectory(tiff);
  }
  TIFFClose(tiff);
}

TEST(TiffStack, PagesAreImages) {
  const test::TemporaryFolder scratch;
  const std::string path = scratch / "a.tif";
  write_tiff(path, {{}, {}, {}});
  const TiltSeriesInfo info = read_tilt_series_info(path);
  EXPECT_EQ(info.tilts, 3u);
  EXPECT_EQ(info.ny, 4u);
  EXPECT_EQ(info.nx, 5u);
  EXPECT_TRUE(info.is_counts);
  EXPECT_FALSE(info.pixel_A);
  const auto rows = read_tilt_series_rows(path, "", {1, 3});
  for (std::size_t t = 0; t < 3; ++t)
    for (std::size_t y = 0; y < 2; ++y)
      for (std::size_t x = 0; x < 5; ++x)
        ASSERT_EQ(rows(t, y, x), static_cast<float>(60000 + t * 100 + (y + 1) * 10 + x));
}

TEST(TiffStack, PixelSizeOnlyFromASensibleResolution) {
  const test::TemporaryFolder scratch;
  write_tiff(scratch / "a.tif", {{5, 4, 2e8f}});  // 0.5 Å
  EXPECT_NEAR(*read_tilt_series_info(scratch / "a.tif").pixel_A, 0.5, 1e-6);
  write_tiff(scratch / "b.tif", {{5, 4, 28.35f}});  // 72 dots an inch
  EXPECT_FALSE(read_tilt_series_info(scratch / "b.tif").pixel_A);
}

TEST(TiffStack, WrongInputIsRefused) {
  const test::TemporaryFolder scratch;
  const auto error_of = [&](const std::string& path) -> std::string {
    try {
      read_tilt_series_images(path, "", {0, 1});
    } catch (const InputError& e) {
      return e.what();
    }
    return {};
  };
  write_tiff(scratch / "unequal.tif", {{5, 4}, {6, 4}});
  EXPECT_NE(error_of(scratch / "unequal.tif").find("page 2"), std::string::npos);
  write_tiff(scratch / "long.tif", {{5, 4, 0, "ImageJ=1.53\nimages=60\n"}});
  EXPECT_NE(error_of(scratch / "long.tif").find("60 images"), std::string::npos);
  write_file_atomically(scratch / "text.tif", "no picture");
  EXPECT_FALSE(error_of(scratch / "text.tif").empty());
  write_tiff(scratch / "whole.tif", {{}, {}});
  const std::string whole = read_text_file(scratch / "whole.tif");
  write_file_atomically(scratch / "cut.tif", whole.substr(0, whole.size() / 2));
  EXPECT_FALSE(error_of(scratch / "cut.tif").empty());
}

}  // namespace
}  // namespace aetos::io
