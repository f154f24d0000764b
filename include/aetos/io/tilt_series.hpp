#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/core/error.hpp"
#include "aetos/core/geometry.hpp"
#include "aetos/parallel/communicator.hpp"
#include "aetos/parallel/partition.hpp"
#include "aetos/parallel/run_context.hpp"

/// Tilt series and volumes on disk. Images are (tilt, y, x), volumes (z, y, x); the centre is index n / 2.
namespace aetos::io {

/// Free-form attributes of a file's metadata groups: numbers and text by name; a quantity's name carries its
/// unit.
struct Metadata {
  std::map<std::string, double> numbers;
  std::map<std::string, std::string> texts;
};

/// Who made a file, from what.
struct Provenance {
  std::string version, commit, config_text, fingerprint;
  std::uint64_t seed = 0;
  std::string inputs = {};  ///< files that the run read: "SHA-256  path" in lines, as sha256sum writes them
};

/// Of a file that a stage of this run writes.
Provenance provenance_of(const RunContext& context);

/// Provenance of an HDF5 file of ours; empty for other programs' files.
std::optional<Provenance> read_provenance(const std::string& path);

/// How files are written.
struct WriteOptions {
  bool compress = true;                                     ///< shuffle and deflate
  std::size_t transfer_limit_bytes = std::size_t{1} << 30;  ///< of one call to MPI-IO (which breaks at 2^31)
};

/// What a tilt series file holds, before any image is read.
struct TiltSeriesInfo {
  std::size_t tilts = 0, ny = 0, nx = 0;
  std::optional<double> pixel_A;    ///< from the file, if it says
  std::vector<EulerAngles> angles;  ///< empty if the file has none
  std::vector<std::string>
      signals;  ///< "adf_clean", "adf_blurred", "adf_noisy"...; one unnamed for MAT and MRC
  std::optional<double> electrons_per_pixel;
  bool is_counts = false;  ///< images are counts rather than fractions
  Metadata microscope, sample;
};

/// Reads the header of .h5 (ours or any EMD 0.2), .mat[:array], .mrc (with .rawtlt/.tlt beside it), .tif.
/// Every rank may call it alone. Throws InputError with file, found and expected.
TiltSeriesInfo read_tilt_series_info(const std::string& source);

/// Reads rows `rows` of every projection of one signal: (tilt, rows, x). Independent on each rank.
Array<float, 3> read_tilt_series_rows(const std::string& source, const std::string& signal, Range rows);
/// Reads whole images: (projections, y, x).
Array<float, 3> read_tilt_series_images(const std::string& source, const std::string& signal,
                                        Range projections);

/// The signal that a request means: `wanted` itself, or for "auto" and "" the only noisy one, else the only
/// blurred one, else the only one there is. InputError (at `place`) if that is not one.
std::string choose_signal(const TiltSeriesInfo& info, const std::string& wanted, const std::string& place);

/// What a stage takes of the images `all` of a file: `wanted` itself, or of the detector that it names (auto:
/// the first) "adf_noisy" where there is one, else blurred, else clean. InputError (at `place`) if there is
/// none.
std::string choose_detector_signal(const std::string& source, const std::string& wanted,
                                   const std::vector<std::string>& all, const std::string& place);

/// The angles of a series' images: `given` ones or, where there are none, the file's. InputError unless there
/// is a finite one for every image.
std::vector<EulerAngles> angles_of_images(const std::string& source, const TiltSeriesInfo& info,
                                          const std::vector<EulerAngles>& given);
/// Throws InputError (at the config's key `place`) if one of the listed projections is not among `count`.
void check_projections(const std::vector<std::size_t>& listed, std::size_t count, const std::string& place);
/// What to say of a pixel that the config gives where the file has another; empty if they are the same or one
/// is absent.
std::string overridden_pixel_note(std::optional<double> given_A, std::optional<double> of_file_A);
/// The error for a value that is no finite number.
InputError undefined_pixel(const std::string& source, float value, std::size_t projection, std::size_t y,
                           std::size_t x);

/// Angles from a .mat (n x 3 Euler angles or n thetas), .rawtlt, .tlt, .txt or .csv file.
std::vector<EulerAngles> read_angles(const std::string& path);

/// Writes a tilt series collectively under a temporary name; `commit` makes it final. Each rank writes whole
/// images.
class TiltSeriesWriter {
 public:
  TiltSeriesWriter(const Communicator& comm, const std::filesystem::path& path, const TiltSeriesInfo& info,
                   const Provenance& provenance, const WriteOptions& options = {});
  ~TiltSeriesWriter();
  TiltSeriesWriter(const TiltSeriesWriter&) = delete;
  TiltSeriesWriter& operator=(const TiltSeriesWriter&) = delete;

  /// Collective: every rank calls it the same number of times, with the projections that it holds now
  /// (possibly none). images: (its projections, y, x), float.
  void write(const std::string& signal, const std::vector<std::size_t>& projections,
             View<const float, 3> images);
  /// Flushes, reads back, fsyncs and renames. Collective. Without it the partial file is removed.
  void commit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct VolumeInfo {
  std::array<std::size_t, 3> shape{};  ///< z, y, x
  std::optional<double> voxel_A;
  Metadata reconstruction;        ///< method, iterations, projector...
  std::vector<double> r_history;  ///< mean R1 as the code reports it at each iteration
  std::vector<double> r_per_projection;
  std::vector<EulerAngles> angles;
};

VolumeInfo read_volume_info(const std::string& source);
/// The y slab `rows` of a volume (.h5, .mat[:array], .mrc): (z, rows, x). Independent on each rank.
Array<float, 3> read_volume_rows(const std::string& source, Range rows);
/// The z slab `planes` of a volume: (planes, y, x). Independent on each rank.
Array<float, 3> read_volume_planes(const std::string& source, Range planes);

/// Writes a volume collectively from y slabs (z, its rows, x) under a final name that appears only when
/// complete.
void write_volume(const Communicator& comm, const std::filesystem::path& path, const VolumeInfo& info,
                  const Provenance& provenance, Range my_rows, View<const float, 3> slab,
                  const WriteOptions& options = {});

}  // namespace aetos::io
