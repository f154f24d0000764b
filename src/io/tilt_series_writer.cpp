#include <fmt/format.h>

#include <functional>
#include <string_view>

#include "aetos/core/error.hpp"
#include "aetos/core/fault.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/emd.hpp"
#include "aetos/io/tilt_series.hpp"

namespace aetos::io {
namespace {

/// What was written, to compare with what is read back. Plain data, since ranks exchange it.
struct Written {
  std::uint64_t signal, projection, hash;
};

std::uint64_t hash_of(const float* data, std::size_t n) {
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(data), n * sizeof(float)});
}

/// An image is one chunk, up to half a gigabyte.
std::array<hsize_t, 3> image_chunk(std::size_t ny, std::size_t nx) {
  const std::size_t rows = std::max<std::size_t>(1, (std::size_t{1} << 29) / sizeof(float) / nx);
  return {1, std::min(ny, rows), nx};
}

/// Runs of consecutive projections, cut where a transfer would be too large.
std::vector<hdf5::Piece> image_pieces(const std::vector<std::size_t>& projections,
                                      const std::array<hsize_t, 3>& chunk, std::size_t ny, std::size_t nx,
                                      std::size_t limit_bytes) {
  std::vector<hdf5::Piece> pieces;
  const bool whole = chunk[1] == ny;
  const std::size_t most = whole ? std::max<std::size_t>(1, limit_bytes / (ny * nx * sizeof(float))) : 1;
  for (std::size_t i = 0; i < projections.size();) {
    std::size_t n = 1;
    while (i + n < projections.size() && n < most && projections[i + n] == projections[i] + n) ++n;
    for (hsize_t y = 0; y < ny; y += chunk[1]) {
      const hsize_t rows = std::min<hsize_t>(chunk[1], ny - y);
      pieces.push_back({{{projections[i], y, 0}, {n, rows, nx}}, {i, y, 0}});
    }
    i += n;
  }
  return pieces;
}

/// Group names must not begin like one another: HyperSpy 1.7 joins such groups into one array.
void check_names(const std::vector<std::string>& signals, const std::string& file) {
  if (signals.empty()) throw InputError(file, "a tilt series without images", "one signal at least");
  for (std::size_t i = 0; i < signals.size(); ++i)
    for (std::size_t j = 0; j < signals.size(); ++j)
      if (i != j && signals[j].starts_with(signals[i]))
        throw InputError(file, fmt::format("images named '{}' and '{}'", signals[i], signals[j]),
                         "no name that is the beginning of another (readers join them)");
}

/// HDF5 needs the same calls with the same values from every rank; other values on one rank would only show
/// as a broken file much later.
void check_same_everywhere(const Communicator& comm, const TiltSeriesInfo& info, const Provenance& provenance,
                           const std::string& file) {
  std::string text =
      fmt::format("{} {} {} {} {} {} {} {} {} {}", info.tilts, info.ny, info.nx, info.pixel_A.value_or(-1),
                  info.electrons_per_pixel.value_or(-1), info.is_counts, provenance.seed,
                  provenance.fingerprint, provenance.config_text, provenance.inputs);
  for (const EulerAngles& a : info.angles)
    text += fmt::format(" {} {} {}", a.phi_deg, a.theta_deg, a.psi_deg);
  for (const std::string& s : info.signals) text += " " + s;
  for (const Metadata* m : {&info.microscope, &info.sample}) {
    for (const auto& [name, value] : m->numbers) text += fmt::format(" {}={}", name, value);
    for (const auto& [name, value] : m->texts) text += fmt::format(" {}={}", name, value);
  }
  const std::uint64_t mine = std::hash<std::string>{}(text);
  const auto all = comm.all_gather(std::span<const std::uint64_t>(&mine, 1));
  for (std::uint64_t other : all)
    if (other != all[0]) throw std::logic_error("ranks describe the tilt series " + file + " differently");
}

}  // namespace

struct TiltSeriesWriter::State {
  const Communicator& comm;
  PartialFile file;
  TiltSeriesInfo info;
  WriteOptions options;
  std::vector<hdf5::Dataset> datasets = {};  ///< one per signal
  std::vector<Written> written = {};         ///< by this rank
};

TiltSeriesWriter::TiltSeriesWriter(const Communicator& comm, const std::filesystem::path& path,
                                   const TiltSeriesInfo& info, const Provenance& provenance,
                                   const WriteOptions& options)
    : state_(new State{comm, {comm, path}, info, options}) {
  check_names(info.signals, path);
  if (info.tilts == 0 || info.ny == 0 || info.nx == 0)
    throw InputError(path, "images without pixels", "sizes above 0");
  if (!info.angles.empty() && info.angles.size() != info.tilts)
    throw InputError(path, fmt::format("{} angles for {} projections", info.angles.size(), info.tilts),
                     "one each");
  check_same_everywhere(comm, info, provenance, path);
  State& s = *state_;
  s.file.create(info.signals.size() * info.tilts * info.ny * info.nx * sizeof(float));
  const hdf5::Group data = emd::write_frame(s.file.get(), info.microscope, info.sample, provenance);
  emd::Axis tilt{"tilt", info.angles.empty() ? "[px]" : "[deg]", {}};
  for (std::size_t i = 0; i < info.tilts; ++i)
    tilt.values.push_back(info.angles.empty() ? static_cast<double>(i) : info.angles[i].theta_deg);
  const std::array<emd::Axis, 3> axes{tilt, emd::spatial_axis("y", info.ny, info.pixel_A),
                                      emd::spatial_axis("x", info.nx, info.pixel_A)};
  for (const std::string& signal : info.signals)
    s.datasets.push_back(
        emd::create_array(comm, data.get(), signal, axes, image_chunk(info.ny, info.nx), options.compress));

  const hdf5::Group origin = emd::write_origin(s.file.get(), "tilt series", provenance);
  if (info.pixel_A) hdf5::write_attribute(origin.get(), "pixel_A", *info.pixel_A);
  if (info.electrons_per_pixel)
    hdf5::write_attribute(origin.get(), "electrons_per_pixel", *info.electrons_per_pixel);
  hdf5::write_attribute(origin.get(), "is_counts", info.is_counts ? 1 : 0);
  write_angles(comm, origin.get(), info.angles);
}

TiltSeriesWriter::~TiltSeriesWriter() = default;

void TiltSeriesWriter::write(const std::string& signal, const std::vector<std::size_t>& projections,
                             View<const float, 3> images) {
  State& s = *state_;
  std::size_t index = 0;
  s.comm.agree([&] {
    fault::point("series-write");
    while (index < s.info.signals.size() && s.info.signals[index] != signal) ++index;
    if (index == s.info.signals.size())
      throw std::invalid_argument("no signal named '" + signal + "' in " + s.file.path().string());
    const Shape<3> expected{projections.size(), s.info.ny, s.info.nx};
    if (!projections.empty() && images.shape() != expected)
      throw std::invalid_argument("images of another shape than the tilt series " + s.file.path().string());
    for (std::size_t p : projections)
      if (p >= s.info.tilts) throw std::invalid_argument(fmt::format("projection {} of {}", p, s.info.tilts));
  });
  const auto chunk = image_chunk(s.info.ny, s.info.nx);
  const auto pieces = image_pieces(projections, chunk, s.info.ny, s.info.nx, s.options.transfer_limit_bytes);
  hdf5::write_pieces(s.comm, s.datasets[index].get(), images.data(),
                     {projections.size(), s.info.ny, s.info.nx}, pieces, s.file.name());
  for (std::size_t i = 0; i < projections.size(); ++i)
    s.written.push_back({index, projections[i], hash_of(images[i].data(), s.info.ny * s.info.nx)});
}

void TiltSeriesWriter::commit() {
  State& s = *state_;
  const std::vector<Written> all = s.comm.all_gather(std::span<const Written>(s.written));
  std::vector<const Written*> by_image(s.info.signals.size() * s.info.tilts, nullptr);
  for (const Written& w : all) by_image[w.signal * s.info.tilts + w.projection] = &w;
  for (std::size_t i = 0; i < by_image.size(); ++i)
    if (by_image[i] == nullptr)
      throw std::logic_error(fmt::format("{}: projection {} of '{}' was never written",
                                         s.file.path().string(), i % s.info.tilts,
                                         s.info.signals[i / s.info.tilts]));
  s.datasets.clear();
  s.file.close();
  s.comm.agree([&] {
    const hdf5::File file = hdf5::open_for_reading(s.file.name());
    const auto stride = static_cast<std::size_t>(s.comm.size());
    for (std::size_t i = static_cast<std::size_t>(s.comm.rank()); i < by_image.size(); i += stride) {
      const std::string name = fmt::format("/data/{}/data", s.info.signals[i / s.info.tilts]);
      const hdf5::Dataset data(
          hdf5::check(H5Dopen2(file.get(), name.c_str(), H5P_DEFAULT), "cannot read back " + name));
      const auto image = hdf5::read_box(data.get(), {{i % s.info.tilts, 0, 0}, {1, s.info.ny, s.info.nx}});
      if (hash_of(image.data(), image.size()) != by_image[i]->hash)
        throw ResourceError(fmt::format(
            "'{}' does not read back as it was written (is the disk full or broken?)", s.file.name()));
    }
  });
  s.file.publish();
}

}  // namespace aetos::io
