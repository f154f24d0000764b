#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "lanes.hpp"

/// Between rows, kLanes side by side, and columns, as many side by side: what a transform of the other axis
/// needs.
namespace aetos::multislice {

/// Columns in blocks of kLanes: element y of block b is at data[b * stride + y], its lanes are neighbouring
/// columns.
struct ColumnBlocks {
  ComplexLane* data = nullptr;
  std::size_t stride = 0;

  ComplexLane* block(std::size_t b) const { return data + b * stride; }
};

constexpr std::size_t round_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}
/// Elements between blocks of n values each: kLanes more than needed, as blocks a power of two apart would
/// fall into few sets of the cache.
constexpr std::size_t block_stride(std::size_t n) {
  return round_up(n, kLanes) + kLanes;
}

/// Takes element at[i] of kLanes rows, the first of them y, to column i.
inline void rows_to_columns(const ComplexLane* rows, std::span<const std::uint32_t> at, std::size_t y,
                            const ColumnBlocks& columns) {
  for (std::size_t first = 0, b = 0; first < at.size(); first += kLanes, ++b) {
    const std::size_t width = std::min(kLanes, at.size() - first);
    ComplexLane* to = columns.block(b) + y;
    Lane part[kLanes] = {};
    for (std::size_t l = 0; l < width; ++l) part[l] = rows[at[first + l]].re;
    transpose(part);
    for (std::size_t r = 0; r < kLanes; ++r) to[r].re = part[r];
    for (std::size_t l = 0; l < width; ++l) part[l] = rows[at[first + l]].im;
    for (std::size_t l = width; l < kLanes; ++l) part[l] = Lane{};
    transpose(part);
    for (std::size_t r = 0; r < kLanes; ++r) to[r].im = part[r];
  }
}

/// Adds column i to element at[i] of kLanes rows, the first of them y.
inline void add_columns_to_rows(const ColumnBlocks& columns, std::span<const std::uint32_t> at, std::size_t y,
                                ComplexLane* rows) {
  for (std::size_t first = 0, b = 0; first < at.size(); first += kLanes, ++b) {
    const std::size_t width = std::min(kLanes, at.size() - first);
    const ComplexLane* from = columns.block(b) + y;
    Lane part[kLanes];
    for (std::size_t r = 0; r < kLanes; ++r) part[r] = from[r].re;
    transpose(part);
    for (std::size_t l = 0; l < width; ++l) rows[at[first + l]].re += part[l];
    for (std::size_t r = 0; r < kLanes; ++r) part[r] = from[r].im;
    transpose(part);
    for (std::size_t l = 0; l < width; ++l) rows[at[first + l]].im += part[l];
  }
}

}  // namespace aetos::multislice
