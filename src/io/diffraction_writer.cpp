#include "aetos/io/diffraction_writer.hpp"

#include <fmt/format.h>

#include <array>

#include "aetos/core/error.hpp"
#include "aetos/core/fault.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/emd.hpp"

namespace aetos::io {
namespace {

using Extent = std::array<hsize_t, 4>;

constexpr std::size_t kLargestChunk_bytes = std::size_t{4} << 20;

/// Up to 4 x 4 patterns.
Extent chunk_of(const DiffractionSet& set) {
  hsize_t probes = 4;
  while (probes > 1 && probes * probes * set.side * set.side * sizeof(float) > kLargestChunk_bytes)
    probes /= 2;
  return {std::min<hsize_t>(probes, set.ny), std::min<hsize_t>(probes, set.nx), set.side, set.side};
}

emd::Axis angle_axis(const std::string& name, const DiffractionSet& set) {
  emd::Axis axis = emd::spatial_axis(name, set.side, set.step_mrad);
  axis.units = "[mrad]";
  return axis;
}

hdf5::Dataset create_set(const Communicator& comm, hid_t data, const DiffractionSet& set) {
  const std::array<emd::Axis, 4> axes{emd::spatial_axis("y", set.ny, set.pixel_A),
                                      emd::spatial_axis("x", set.nx, set.pixel_A), angle_axis("qy", set),
                                      angle_axis("qx", set)};
  const hdf5::Group group = emd::create_array_group(comm, data, set.name, axes);
  hdf5::write_attribute(group.get(), "theta_deg", set.theta_deg);
  return hdf5::create_chunked(group.get(), "data", Extent{set.ny, set.nx, set.side, set.side}, chunk_of(set),
                              false);
}

std::size_t bytes_of(const std::vector<DiffractionSet>& sets) {
  std::size_t bytes = 0;
  for (const auto& set : sets) bytes += set.bytes();
  return bytes;
}

}  // namespace

struct DiffractionWriter::State {
  const Communicator& comm;
  PartialFile file;
  std::vector<hdf5::Dataset> datasets = {};
};

DiffractionWriter::DiffractionWriter(const Communicator& comm, const std::filesystem::path& path,
                                     const std::vector<DiffractionSet>& sets, const Metadata& microscope,
                                     const Metadata& sample, const Provenance& provenance)
    : state_(new State{comm, {comm, path}}) {
  State& s = *state_;
  s.file.create(bytes_of(sets));
  const hdf5::Group data = emd::write_frame(s.file.get(), microscope, sample, provenance);
  for (const auto& set : sets) s.datasets.push_back(create_set(comm, data.get(), set));
  emd::write_origin(s.file.get(), "diffraction patterns", provenance);
}

DiffractionWriter::~DiffractionWriter() = default;

void DiffractionWriter::write(std::size_t set, std::size_t y, std::size_t x, View<const float, 4> patterns) {
  State& s = *state_;
  s.comm.agree([] { fault::point("diffraction-write"); });
  const hid_t dataset = s.datasets.at(set).get();
  const bool nothing = patterns.empty();
  const Extent one{1, 1, 1, 1}, start{y, x, 0, 0};
  Extent count = one;
  if (!nothing) std::copy(patterns.shape().begin(), patterns.shape().end(), count.begin());
  const hdf5::Space to(hdf5::check(H5Dget_space(dataset), "HDF5 shape"));
  const hdf5::Space from(hdf5::check(H5Screate_simple(4, count.data(), nullptr), "HDF5 shape"));
  if (nothing) {
    H5Sselect_none(to.get());
    H5Sselect_none(from.get());
  } else {
    hdf5::check(H5Sselect_hyperslab(to.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr),
                "HDF5 selection");
  }
  const hdf5::PropertyList transfer = hdf5::property_list(H5P_DATASET_XFER);
  H5Pset_dxpl_mpio(transfer.get(), H5FD_MPIO_COLLECTIVE);
  const float none = 0;
  const herr_t status = H5Dwrite(dataset, H5T_NATIVE_FLOAT, from.get(), to.get(), transfer.get(),
                                 nothing ? &none : patterns.data());
  s.comm.agree([&] {
    if (status < 0)
      throw ResourceError(fmt::format("cannot write '{}': {}", s.file.name(), hdf5::last_error()));
  });
}

void DiffractionWriter::commit() {
  State& s = *state_;
  s.datasets.clear();
  s.file.close();
  s.file.publish();
}

}  // namespace aetos::io
