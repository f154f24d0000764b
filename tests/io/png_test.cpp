#include "aetos/io/png.hpp"

#include <gtest/gtest.h>
#include <png.h>

#include <stdexcept>
#include <vector>

namespace aetos::io {
namespace {

std::vector<std::uint8_t> decode(const std::string& bytes, std::uint32_t format, std::size_t width,
                                 std::size_t height) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  EXPECT_TRUE(png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()));
  EXPECT_EQ(image.width, width);
  EXPECT_EQ(image.height, height);
  image.format = format;
  std::vector<std::uint8_t> pixels(PNG_IMAGE_SIZE(image));
  EXPECT_TRUE(png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr));
  return pixels;
}

TEST(Png, PicturesSurvive) {
  std::vector<std::uint8_t> pixels(7 * 5 * 3);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 37);
  EXPECT_EQ(decode(encode_png_rgb(pixels, 7, 5), PNG_FORMAT_RGB, 7, 5), pixels);
  pixels.resize(7 * 5);
  EXPECT_EQ(decode(encode_png_grey(pixels, 7, 5), PNG_FORMAT_GRAY, 7, 5), pixels);
  EXPECT_THROW(encode_png_grey(pixels, 6, 5), std::invalid_argument);
}

TEST(Png, Base64OfTheStandardsTestVectors) {
  // RFC 4648, section 10.
  const char* const kVectors[][2] = {{"", ""},
                                     {"f", "Zg=="},
                                     {"fo", "Zm8="},
                                     {"foo", "Zm9v"},
                                     {"foob", "Zm9vYg=="},
                                     {"fooba", "Zm9vYmE="},
                                     {"foobar", "Zm9vYmFy"}};
  for (const auto& v : kVectors) EXPECT_EQ(base64(v[0]), v[1]);
  EXPECT_EQ(png_data_uri("foo"), "data:image/png;base64,Zm9v");
}

}  // namespace
}  // namespace aetos::io
