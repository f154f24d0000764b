#include <fmt/format.h>

#include <filesystem>

#include "aetos/core/error.hpp"
#include "aetos/core/version.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/emd.hpp"

namespace aetos::io::emd {

Axis spatial_axis(const std::string& name, std::size_t n, std::optional<double> pixel_A) {
  Axis axis{name, pixel_A ? "[Å]" : "[px]", std::vector<double>(n)};
  for (std::size_t i = 0; i < n; ++i)
    axis.values[i] = (static_cast<double>(i) - static_cast<double>(centre_index(n))) * pixel_A.value_or(1.0);
  return axis;
}

void write_metadata(hid_t group, const Metadata& metadata) {
  for (const auto& [name, value] : metadata.numbers) hdf5::write_attribute(group, name, value);
  for (const auto& [name, text] : metadata.texts) hdf5::write_attribute(group, name, text);
}

namespace {
std::string program(const Provenance& provenance) {
  return fmt::format("AETOS {} ({})", provenance.version.empty() ? kVersion : provenance.version,
                     provenance.commit.empty() ? kCommit : provenance.commit);
}
}  // namespace

hdf5::Group write_frame(hid_t file, const Metadata& microscope, const Metadata& sample,
                        const Provenance& provenance) {
  hdf5::write_attribute(file, "version_major", 0);
  hdf5::write_attribute(file, "version_minor", 2);
  write_metadata(hdf5::create_group(file, "microscope").get(), microscope);
  write_metadata(hdf5::create_group(file, "sample").get(), sample);
  hdf5::create_group(file, "user");
  const hdf5::Group comments = hdf5::create_group(file, "comments");
  hdf5::write_attribute(comments.get(), "made_by", program(provenance));
  return hdf5::create_group(file, "data");
}

hdf5::Group write_origin(hid_t file, const std::string& content, const Provenance& provenance) {
  hdf5::Group group = hdf5::create_group(file, "aetos");
  hdf5::write_attribute(group.get(), "content", content);
  hdf5::write_attribute(group.get(), "version", provenance.version.empty() ? kVersion : provenance.version);
  hdf5::write_attribute(group.get(), "commit", provenance.commit.empty() ? kCommit : provenance.commit);
  hdf5::write_attribute(group.get(), "seed", provenance.seed);
  hdf5::write_attribute(group.get(), "fingerprint", provenance.fingerprint);
  hdf5::write_attribute(group.get(), "config", provenance.config_text);
  hdf5::write_attribute(group.get(), "inputs", provenance.inputs);
  return group;
}

hdf5::Group create_array_group(const Communicator& comm, hid_t data_group, const std::string& name,
                               std::span<const Axis> axes) {
  hdf5::Group group = hdf5::create_group(data_group, name);
  hdf5::write_attribute(group.get(), "emd_group_type", 1);
  for (std::size_t a = 0; a < axes.size(); ++a) {
    const hdf5::Dataset dim = hdf5::write_small(comm, group.get(), fmt::format("dim{}", a + 1),
                                                {axes[a].values.size()}, axes[a].values);
    hdf5::write_attribute(dim.get(), "name", axes[a].name);
    hdf5::write_attribute(dim.get(), "units", axes[a].units);
  }
  return group;
}

hdf5::Dataset create_array(const Communicator& comm, hid_t data_group, const std::string& name,
                           const std::array<Axis, 3>& axes, const std::array<hsize_t, 3>& chunk,
                           bool compressed) {
  const hdf5::Group group = create_array_group(comm, data_group, name, axes);
  const std::array<hsize_t, 3> shape{axes[0].values.size(), axes[1].values.size(), axes[2].values.size()};
  return hdf5::create_chunked(group.get(), "data", shape, chunk, compressed);
}

}  // namespace aetos::io::emd

namespace aetos::io {

Provenance provenance_of(const RunContext& context) {
  return {.version = kVersion,
          .commit = kCommit,
          .config_text = context.config_text,
          .fingerprint = context.fingerprint,
          .seed = context.seed,
          .inputs = context.inputs};
}

void write_angles(const Communicator& comm, hid_t group, const std::vector<EulerAngles>& angles) {
  if (angles.empty()) return;
  std::vector<double> values;
  for (const EulerAngles& a : angles) values.insert(values.end(), {a.phi_deg, a.theta_deg, a.psi_deg});
  const hdf5::Dataset dataset = hdf5::write_small(comm, group, "euler_deg", {angles.size(), 3}, values);
  hdf5::write_attribute(dataset.get(), "columns", std::string("phi, theta, psi"));
  hdf5::write_attribute(dataset.get(), "units", std::string("[deg]"));
}

PartialFile::PartialFile(const Communicator& comm, const std::filesystem::path& path)
    : comm_(comm), path_(path), partial_(partial_name(path).string()) {}

PartialFile::~PartialFile() {
  file_.reset();
  std::error_code ec;
  if (!published_ && comm_.is_root()) std::filesystem::remove(partial_, ec);
}

void PartialFile::create(std::uint64_t bytes) {
  file_ = hdf5::create_parallel(comm_, partial_, bytes);
}

void PartialFile::close() {
  const herr_t flushed = H5Fflush(file_.get(), H5F_SCOPE_GLOBAL);
  const std::string cause = flushed < 0 ? hdf5::last_error() : std::string{};
  const herr_t closed = H5Fclose(file_.release());
  comm_.agree([&] {
    if (flushed < 0) throw ResourceError(fmt::format("cannot write '{}': {}", partial_, cause));
    hdf5::check(closed, fmt::format("cannot close '{}'", partial_));
    // Gives back what was reserved beyond the end.
    if (comm_.is_root()) std::filesystem::resize_file(partial_, std::filesystem::file_size(partial_));
  });
}

void PartialFile::publish() {
  comm_.agree([&] {
    if (comm_.is_root()) io::publish(partial_, path_);
  });
  published_ = true;
}

}  // namespace aetos::io
