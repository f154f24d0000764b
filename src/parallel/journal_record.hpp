#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "aetos/parallel/crc32c.hpp"

/// Layout of a journal record: this header, then the payload. Little endian, no padding.
namespace aetos::journal {

inline constexpr std::array<char, 8> kMagic{'A', 'E', 'T', 'O', 'S', 'J', 'R', '\n'};
inline constexpr std::uint32_t kVersion = 1;

struct Header {
  std::array<char, 8> magic = kMagic;
  std::uint32_t version = kVersion;
  std::uint32_t payload_crc = 0;
  std::uint64_t fingerprint_hash = 0;
  std::uint64_t key = 0;
  std::uint64_t length = 0;  ///< bytes of the payload
  std::uint32_t unused = 0;
  std::uint32_t header_crc = 0;  ///< of the 44 bytes before it
};
static_assert(sizeof(Header) == 48);

inline std::uint32_t header_checksum(const Header& header) {
  const auto bytes = std::as_bytes(std::span<const Header, 1>(&header, 1));
  return crc32c(bytes.first(sizeof(Header) - sizeof(header.header_crc)));
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo): tells the fingerprints of different configs apart.
inline std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

}  // namespace aetos::journal
