#pragma once

#include <algorithm>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/parallel/communicator.hpp"
#include "aetos/parallel/partition.hpp"
#include "plan.hpp"

/// Who holds and computes what. A plain tilt series is cut into slabs of rows, which share nothing but sums
/// for the R-factors. For any Euler angles every rank holds all images and computes its own projections; with
/// the Fourier projector the volume and its spectrum are slabs, in real space every rank holds the volume,
/// steps its own planes and gets the others'.
namespace aetos::reconstruction {

struct Decomposition {
  Range held_rows;          ///< rows of the volume in this rank's memory
  Range owned_rows;         ///< rows that it writes to files
  Range image_rows;         ///< rows of the images in its memory
  Range projections;        ///< that it projects
  Range planes;             ///< that it back-projects
  bool whole = false;       ///< the volume is in every rank's memory
  bool all_images = false;  ///< the images are
  /// Ranks project together: each has a slab of the volume and of its spectrum.
  bool spectrum_divided() const { return all_images && !whole; }
};

inline Decomposition decompose(const Communicator& comm, const Plan& plan) {
  const auto block = [&](std::size_t n) {
    return block_partition(n, static_cast<std::size_t>(comm.size()), static_cast<std::size_t>(comm.rank()));
  };
  const std::size_t nz = plan.geometry.volume_px[0], ny = plan.geometry.volume_px[1];
  const std::size_t projections = plan.geometry.angles.size();
  const Range rows = block(ny);
  if (plan.plain) return {rows, rows, rows, {0, projections}, {0, nz}, false, false};
  const Range image_rows{0, plan.geometry.nv};
  if (plan.fourier && comm.size() > 1)
    return {rows, rows, image_rows, block(projections), {0, nz}, false, true};
  return {{0, ny}, rows, image_rows, block(projections), block(nz), true, true};
}

/// (item, rows of all ranks) on every rank, from each rank's (item, its block of rows).
template <class T>
Array<T, 2> gather_rows(const Communicator& comm, View<const T, 2> mine, std::size_t all_rows) {
  const std::size_t items = mine.extent(0);
  const auto joined = comm.all_gather(std::span<const T>(mine.flat()));
  Array<T, 2> all({items, all_rows});
  const T* from = joined.data();
  for (int rank = 0; rank < comm.size(); ++rank) {
    const Range rows =
        block_partition(all_rows, static_cast<std::size_t>(comm.size()), static_cast<std::size_t>(rank));
    for (std::size_t i = 0; i < items; ++i, from += rows.size())
      std::copy(from, from + rows.size(), all.data() + i * all_rows + rows.begin);
  }
  return all;
}

/// Items `mine` of the first axis are sent to all other ranks, theirs arrive.
template <class T, std::size_t N>
void share_items(const Communicator& comm, View<T, N> array, Range mine) {
  if (comm.size() == 1) return;
  const std::size_t size = array.size() / array.extent(0);
  const std::span<const T> own(array.data() + mine.begin * size, mine.size() * size);
  const auto joined = comm.all_gather(own);
  std::copy(joined.begin(), joined.end(), array.data());
}

}  // namespace aetos::reconstruction
