#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string_view>

#include "aetos/core/error.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/emd.hpp"
#include "aetos/io/tilt_series.hpp"

namespace aetos::io {

namespace {

/// Hash of one y row of a slab: the bytes of its (z, x) plane in order.
std::uint64_t row_hash(View<const float, 3> slab, std::size_t row) {
  std::string bytes;
  bytes.reserve(slab.extent(0) * slab.extent(2) * sizeof(float));
  for (std::size_t z = 0; z < slab.extent(0); ++z)
    bytes.append(reinterpret_cast<const char*>(&slab(z, row, std::size_t{0})),
                 slab.extent(2) * sizeof(float));
  return std::hash<std::string_view>{}(bytes);
}

/// A chunk is part of one row, so that it has one owner; its height in z keeps it near 128 KiB and does not
/// depend on the number of ranks.
std::array<hsize_t, 3> volume_chunk(const std::array<std::size_t, 3>& shape) {
  const std::size_t planes = std::max<std::size_t>(1, (std::size_t{1} << 17) / (shape[2] * sizeof(float)));
  return {std::min(shape[0], planes), 1, shape[2]};
}

std::vector<hdf5::Piece> volume_pieces(const std::array<std::size_t, 3>& shape, Range rows,
                                       std::size_t limit_bytes) {
  const std::size_t row_bytes = shape[0] * shape[2] * sizeof(float);
  const hsize_t planes_of_chunk = volume_chunk(shape)[0];
  hsize_t planes = shape[0];
  if (row_bytes > limit_bytes)
    planes =
        std::max<hsize_t>(1, limit_bytes / (shape[2] * sizeof(float)) / planes_of_chunk) * planes_of_chunk;
  const std::size_t step = std::max<std::size_t>(1, limit_bytes / row_bytes);
  std::vector<hdf5::Piece> pieces;
  for (std::size_t y = rows.begin; y < rows.end; y += step)
    for (hsize_t z = 0; z < shape[0]; z += planes) {
      const hsize_t n = std::min(step, rows.end - y), nz = std::min<hsize_t>(planes, shape[0] - z);
      pieces.push_back({{{z, y, 0}, {nz, n, shape[2]}}, {z, y - rows.begin, 0}});
    }
  return pieces;
}

void check_partition(const Communicator& comm, const std::array<std::size_t, 3>& shape, Range rows,
                     View<const float, 3> slab, const std::string& path) {
  const auto ranges = comm.all_gather(std::span<const Range>(&rows, 1));
  comm.agree([&] {
    if (shape[0] == 0 || shape[1] == 0 || shape[2] == 0)
      throw InputError(path, "a volume without voxels", "sizes above 0");
    if (!rows.empty() && slab.shape() != Shape<3>{shape[0], rows.size(), shape[2]})
      throw std::invalid_argument("a slab of another shape than its rows of the volume " + path);
    std::vector<int> owners(shape[1], 0);
    for (const Range& r : ranges)
      for (std::size_t y = r.begin; y < std::min(r.end, shape[1]); ++y) ++owners[y];
    if (std::any_of(owners.begin(), owners.end(), [](int n) { return n != 1; }))
      throw std::invalid_argument("every row of the volume needs one owner: " + path);
  });
}

void write_list(const Communicator& comm, hid_t group, const std::string& name,
                const std::vector<double>& values) {
  if (!values.empty()) hdf5::write_small(comm, group, name, {values.size()}, values);
}

void write_content(const Communicator& comm, const PartialFile& file, const VolumeInfo& info,
                   const Provenance& provenance, Range my_rows, View<const float, 3> slab,
                   const WriteOptions& options) {
  const hdf5::Group data = emd::write_frame(file.get(), {}, {}, provenance);
  const std::array<emd::Axis, 3> axes{emd::spatial_axis("z", info.shape[0], info.voxel_A),
                                      emd::spatial_axis("y", info.shape[1], info.voxel_A),
                                      emd::spatial_axis("x", info.shape[2], info.voxel_A)};
  const hdf5::Dataset volume =
      emd::create_array(comm, data.get(), "volume", axes, volume_chunk(info.shape), options.compress);
  const hdf5::Group origin = emd::write_origin(file.get(), "volume", provenance);
  if (info.voxel_A) hdf5::write_attribute(origin.get(), "voxel_A", *info.voxel_A);
  emd::write_metadata(hdf5::create_group(origin.get(), "reconstruction").get(), info.reconstruction);
  write_list(comm, origin.get(), "r_factor_history", info.r_history);
  write_list(comm, origin.get(), "r_factor_per_projection", info.r_per_projection);
  write_angles(comm, origin.get(), info.angles);
  hdf5::write_pieces(comm, volume.get(), slab.data(), {info.shape[0], my_rows.size(), info.shape[2]},
                     volume_pieces(info.shape, my_rows, options.transfer_limit_bytes), file.name());
}

/// Reads the rows back, dealt out anew over the ranks, and compares.
void verify(const Communicator& comm, const std::string& partial, const VolumeInfo& info,
            const std::vector<std::uint64_t>& hashes) {
  comm.agree([&] {
    const hdf5::File file = hdf5::open_for_reading(partial);
    const hdf5::Dataset data(
        hdf5::check(H5Dopen2(file.get(), "/data/volume/data", H5P_DEFAULT), "cannot read back the volume"));
    const Range mine = block_partition(info.shape[1], static_cast<std::size_t>(comm.size()),
                                       static_cast<std::size_t>(comm.rank()));
    for (std::size_t y = mine.begin; y < mine.end; ++y) {
      const auto row = hdf5::read_box(data.get(), {{0, y, 0}, {info.shape[0], 1, info.shape[2]}});
      if (row_hash(row.view(), 0) != hashes[y])
        throw ResourceError(
            fmt::format("'{}' does not read back as it was written (is the disk full or broken?)", partial));
    }
  });
}

}  // namespace

void write_volume(const Communicator& comm, const std::filesystem::path& path, const VolumeInfo& info,
                  const Provenance& provenance, Range my_rows, View<const float, 3> slab,
                  const WriteOptions& options) {
  check_partition(comm, info.shape, my_rows, slab, path);
  struct RowHash {
    std::uint64_t row, hash;
  };
  std::vector<RowHash> mine;
  for (std::size_t y = my_rows.begin; y < my_rows.end; ++y)
    mine.push_back({y, row_hash(slab, y - my_rows.begin)});
  std::vector<std::uint64_t> hashes(info.shape[1]);
  for (const RowHash& r : comm.all_gather(std::span<const RowHash>(mine))) hashes[r.row] = r.hash;

  PartialFile file(comm, path);
  file.create(info.shape[0] * info.shape[1] * info.shape[2] * sizeof(float));
  write_content(comm, file, info, provenance, my_rows, slab, options);
  file.close();
  verify(comm, file.name(), info, hashes);
  file.publish();
}

}  // namespace aetos::io
