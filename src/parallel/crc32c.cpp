#include "aetos/parallel/crc32c.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace aetos {
namespace {

static_assert(std::endian::native == std::endian::little, "the words below are read as little endian");

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

/// Table t holds the effect of a byte that is followed by t zero bytes: eight bytes are taken in one step
/// ("slicing by 8", Kounavis and Berry 2008).
constexpr Tables make_tables() {
  constexpr std::uint32_t kReversedPolynomial = 0x82f63b78u;
  Tables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) ? kReversedPolynomial : 0u);
    tables[0][i] = crc;
  }
  for (std::size_t t = 1; t < 8; ++t)
    for (std::size_t i = 0; i < 256; ++i)
      tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 0xffu];
  return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> data, std::uint32_t before) {
  std::uint32_t crc = ~before;
  const std::byte* at = data.data();
  std::size_t left = data.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    word ^= crc;
    crc = 0;
    for (std::size_t b = 0; b < 8; ++b) crc ^= kTables[7 - b][(word >> (8 * b)) & 0xffu];
  }
  for (; left > 0; --left, ++at)
    crc = (crc >> 8) ^ kTables[0][(crc ^ static_cast<std::uint32_t>(*at)) & 0xffu];
  return ~crc;
}

}  // namespace aetos
