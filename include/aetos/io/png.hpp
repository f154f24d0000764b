#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

/// Pictures as PNG in memory, for pages that embed them.
namespace aetos::io {

/// 8-bit grey image, row by row from the top: height x width bytes. The result is the bytes of a PNG file.
std::string encode_png_grey(std::span<const std::uint8_t> pixels, std::size_t width, std::size_t height);
/// 8-bit RGB image: height x width x 3 bytes.
std::string encode_png_rgb(std::span<const std::uint8_t> pixels, std::size_t width, std::size_t height);
/// RFC 4648, with padding and without line breaks.
std::string base64(std::string_view bytes);
/// "data:image/png;base64,..." as it stands in the src of an image.
std::string png_data_uri(std::string_view png_bytes);

}  // namespace aetos::io
