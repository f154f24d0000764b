#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "aetos/core/error.hpp"
#include "aetos/io/disk_space.hpp"
#include "aetos/io/hdf5.hpp"

namespace aetos::io::hdf5 {

std::vector<hsize_t> shape_of(hid_t dataset) {
  const Space space(check(H5Dget_space(dataset), "cannot read an HDF5 dataset's shape"));
  const int rank = H5Sget_simple_extent_ndims(space.get());
  if (rank <= 0) return {};
  std::vector<hsize_t> shape(static_cast<std::size_t>(rank));
  H5Sget_simple_extent_dims(space.get(), shape.data(), nullptr);
  return shape;
}

std::optional<bool> is_integer(hid_t dataset) {
  const Type type(H5Dget_type(dataset));
  if (!is_number(type.get())) return {};
  return H5Tget_class(type.get()) != H5T_FLOAT;
}

Dataset write_small(const Communicator& comm, hid_t group, const std::string& name,
                    const std::vector<hsize_t>& shape, std::span<const double> values) {
  const std::string action = fmt::format("cannot write the HDF5 dataset '{}'", name);
  const Space space(check(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), action));
  const PropertyList creation = property_list(H5P_DATASET_CREATE);
  H5Pset_obj_track_times(creation.get(), false);
  H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER);
  Dataset dataset(check(
      H5Dcreate2(group, name.c_str(), H5T_IEEE_F64LE, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
      action));
  if (values.empty()) return dataset;
  const Space memory(check(H5Scopy(space.get()), action));
  if (!comm.is_root()) {
    H5Sselect_none(space.get());
    H5Sselect_none(memory.get());
  }
  const PropertyList transfer = property_list(H5P_DATASET_XFER);
  H5Pset_dxpl_mpio(transfer.get(), H5FD_MPIO_COLLECTIVE);
  const herr_t status =
      H5Dwrite(dataset.get(), H5T_NATIVE_DOUBLE, memory.get(), space.get(), transfer.get(), values.data());
  comm.agree([&] { check(status, action); });
  return dataset;
}

std::vector<double> read_small(hid_t group, const std::string& name) {
  const std::string action = fmt::format("cannot read the HDF5 dataset '{}'", name);
  const Dataset dataset(check(H5Dopen2(group, name.c_str(), H5P_DEFAULT), action));
  std::size_t n = 1;
  for (hsize_t extent : shape_of(dataset.get())) {
    if (extent > (1u << 20)) throw ResourceError(action + ": too large");
    n *= extent;
  }
  if (n > (1u << 20)) throw ResourceError(action + ": too large");
  if (!is_integer(dataset.get())) throw ResourceError(action + ": not numbers");
  std::vector<double> values(n);
  if (n > 0)
    check(H5Dread(dataset.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), action);
  return values;
}

namespace {

void check_filters(hid_t creation, const std::string& file) {
  const int filters = H5Pget_nfilters(creation);
  for (int i = 0; i < filters; ++i) {
    unsigned flags = 0, config = 0;
    std::size_t values = 0;
    char name[128] = {};
    const H5Z_filter_t id = H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &values, nullptr,
                                           sizeof name - 1, name, &config);
    if (id >= 0 && H5Zfilter_avail(id) <= 0)
      throw InputError(
          file, fmt::format("compressed with the HDF5 filter '{}' (number {})", name[0] ? name : "?", id),
          "a filter that this HDF5 has (h5repack -f GZIP=4 converts)");
  }
}

/// HDF5 makes no chunk that is larger than an axis of fixed length, but believes one that it reads, and would
/// take numbers from behind the chunk's own.
void check_chunks(hid_t creation, hid_t dataset, const std::string& file) {
  std::array<hsize_t, H5S_MAX_RANK> chunk{}, most{};
  const int rank = H5Pget_chunk(creation, H5S_MAX_RANK, chunk.data());
  const Space space(check(H5Dget_space(dataset), "cannot read an HDF5 dataset's shape"));
  H5Sget_simple_extent_dims(space.get(), nullptr, most.data());
  for (std::size_t a = 0; a < static_cast<std::size_t>(std::max(rank, 0)); ++a)
    if (most[a] != H5S_UNLIMITED && chunk[a] > most[a])
      throw InputError(file, fmt::format("a chunk of {} along an axis of {}", chunk[a], most[a]),
                       "chunks within their array");
}

}  // namespace

void check_readable(hid_t dataset, const std::string& file) {
  const PropertyList creation(check(H5Dget_create_plist(dataset), "cannot read an HDF5 dataset"));
  if (H5Pget_layout(creation.get()) == H5D_CHUNKED) {
    check_filters(creation.get(), file);
    check_chunks(creation.get(), dataset, file);
  }
  // Deflate shrinks by at most 1032; a file that declares more than that did not come from data.
  long double declared = static_cast<long double>(H5Tget_size(Type(H5Dget_type(dataset)).get()));
  for (hsize_t extent : shape_of(dataset)) declared *= static_cast<long double>(extent);
  const auto stored = static_cast<long double>(H5Dget_storage_size(dataset));
  if (declared > 1100 * stored + 65536)
    throw InputError(file,
                     fmt::format("an array of {:.0f} bytes of which only {:.0f} are stored",
                                 static_cast<double>(declared), static_cast<double>(stored)),
                     "a complete array");
}

namespace {

Space select(hid_t space, const std::array<hsize_t, 3>& start, const std::array<hsize_t, 3>& count) {
  Space copy(check(H5Scopy(space), "HDF5 selection"));
  check(H5Sselect_hyperslab(copy.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr),
        "HDF5 selection");
  return copy;
}

}  // namespace

Array<float, 3> read_box(hid_t dataset, const Box& box, std::size_t limit_bytes) {
  Array<float, 3> out({box.count[0], box.count[1], box.count[2]});
  if (out.empty()) return out;
  const Space space(check(H5Dget_space(dataset), "cannot read an HDF5 dataset"));
  const hsize_t plane = box.count[1] * box.count[2];
  const hsize_t step = std::max<hsize_t>(1, limit_bytes / sizeof(float) / plane);
  for (hsize_t i = 0; i < box.count[0]; i += step) {
    const hsize_t n = std::min(step, box.count[0] - i);
    const std::array<hsize_t, 3> count{n, box.count[1], box.count[2]};
    const Space from = select(space.get(), {box.start[0] + i, box.start[1], box.start[2]}, count);
    const Space to(check(H5Screate_simple(3, count.data(), nullptr), "HDF5 selection"));
    check(H5Dread(dataset, H5T_NATIVE_FLOAT, to.get(), from.get(), H5P_DEFAULT, out.data() + i * plane),
          "cannot read an HDF5 dataset");
  }
  return out;
}

namespace {

template <class Out>
void read_any(hid_t dataset, const std::vector<hsize_t>& start, const std::vector<hsize_t>& count, hid_t type,
              Out* out) {
  const Space from(check(H5Dget_space(dataset), "cannot read an HDF5 dataset"));
  if (static_cast<std::size_t>(H5Sget_simple_extent_ndims(from.get())) != count.size())
    throw ResourceError("cannot read an HDF5 dataset: another number of axes than before");
  check(H5Sselect_hyperslab(from.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr),
        "HDF5 selection");
  const Space to(
      check(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr), "HDF5 selection"));
  check(H5Dread(dataset, type, to.get(), from.get(), H5P_DEFAULT, out), "cannot read an HDF5 dataset");
}

}  // namespace

void read_any_box(hid_t dataset, const std::vector<hsize_t>& start, const std::vector<hsize_t>& count,
                  float* out) {
  read_any(dataset, start, count, H5T_NATIVE_FLOAT, out);
}

void read_any_box(hid_t dataset, const std::vector<hsize_t>& start, const std::vector<hsize_t>& count,
                  double* out) {
  read_any(dataset, start, count, H5T_NATIVE_DOUBLE, out);
}

Dataset create_chunked(hid_t group, const std::string& name, std::span<const hsize_t> shape,
                       std::span<const hsize_t> chunk, bool compressed) {
  const int rank = static_cast<int>(shape.size());
  const PropertyList creation = property_list(H5P_DATASET_CREATE);
  H5Pset_obj_track_times(creation.get(), false);
  H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER);
  check(H5Pset_chunk(creation.get(), rank, chunk.data()), "HDF5 chunks");
  if (compressed) {
    check(H5Pset_shuffle(creation.get()), "HDF5 shuffle filter");
    check(H5Pset_deflate(creation.get(), 1), "HDF5 deflate filter");
  }
  const Space space(check(H5Screate_simple(rank, shape.data(), nullptr), "HDF5 shape"));
  return Dataset(check(
      H5Dcreate2(group, name.c_str(), H5T_IEEE_F32LE, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
      fmt::format("cannot create the HDF5 dataset '{}'", name)));
}

void write_pieces(const Communicator& comm, hid_t dataset, const float* data,
                  const std::array<hsize_t, 3>& memory, const std::vector<Piece>& pieces,
                  const std::string& file) {
  const Space file_space(check(H5Dget_space(dataset), "HDF5 shape"));
  const bool nothing = pieces.empty();
  // A rank without data still needs a valid memory space; one element stands for it.
  const std::array<hsize_t, 3> one{1, 1, 1};
  const Space memory_space(
      check(H5Screate_simple(3, nothing ? one.data() : memory.data(), nullptr), "HDF5 shape"));
  const PropertyList transfer = property_list(H5P_DATASET_XFER);
  H5Pset_dxpl_mpio(transfer.get(), H5FD_MPIO_COLLECTIVE);
  const float none = 0;
  const auto rounds = static_cast<std::size_t>(comm.max(static_cast<double>(pieces.size())));
  for (std::size_t i = 0; i < rounds; ++i) {
    Space to(check(H5Scopy(file_space.get()), "HDF5 shape")),
        from(check(H5Scopy(memory_space.get()), "HDF5 shape"));
    if (i < pieces.size()) {
      to = select(file_space.get(), pieces[i].file.start, pieces[i].file.count);
      from = select(memory_space.get(), pieces[i].memory_start, pieces[i].file.count);
    } else {
      H5Sselect_none(to.get());
      H5Sselect_none(from.get());
    }
    const herr_t status =
        H5Dwrite(dataset, H5T_NATIVE_FLOAT, from.get(), to.get(), transfer.get(), nothing ? &none : data);
    comm.agree([&] {
      if (status >= 0) return;
      const bool full = free_bytes(file).value_or(HUGE_VAL) < (1 << 20);
      throw ResourceError(
          fmt::format("cannot write '{}': {}", file, full ? "the disk is full" : last_error()));
    });
  }
}

}  // namespace aetos::io::hdf5
