#include "aetos/io/png.hpp"

#include <png.h>

#include <stdexcept>

#include "aetos/core/error.hpp"

namespace aetos::io {
namespace {

std::string encode(std::span<const std::uint8_t> pixels, std::size_t width, std::size_t height,
                   std::uint32_t format) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = format;
  if (width == 0 || height == 0 || pixels.size() != width * height * PNG_IMAGE_SAMPLE_CHANNELS(format))
    throw std::invalid_argument("a picture whose pixels do not fill it");
  png_alloc_size_t bytes = 0;
  if (!png_image_write_to_memory(&image, nullptr, &bytes, 0, pixels.data(), 0, nullptr))
    throw ResourceError(std::string("cannot encode a PNG: ") + image.message);
  std::string out(bytes, '\0');
  if (!png_image_write_to_memory(&image, out.data(), &bytes, 0, pixels.data(), 0, nullptr))
    throw ResourceError(std::string("cannot encode a PNG: ") + image.message);
  out.resize(bytes);
  return out;
}

}  // namespace

std::string encode_png_grey(std::span<const std::uint8_t> pixels, std::size_t width, std::size_t height) {
  return encode(pixels, width, height, PNG_FORMAT_GRAY);
}

std::string encode_png_rgb(std::span<const std::uint8_t> pixels, std::size_t width, std::size_t height) {
  return encode(pixels, width, height, PNG_FORMAT_RGB);
}

std::string base64(std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      out += i + k <= bytes.size() ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::string png_data_uri(std::string_view png_bytes) {
  return "data:image/png;base64," + base64(png_bytes);
}

}  // namespace aetos::io
