#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace aetos {

/// CRC32C (Castagnoli; RFC 3720, appendix B.4) of `data`, going on from the checksum of what came before it.
/// "123456789" gives 0xe3069283.
std::uint32_t crc32c(std::span<const std::byte> data, std::uint32_t before = 0);

}  // namespace aetos
