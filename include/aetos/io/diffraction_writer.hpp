#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/io/tilt_series.hpp"
#include "aetos/parallel/communicator.hpp"

/// Diffraction patterns of a scan (4D-STEM) on disk: arrays (y, x, qy, qx) of one EMD 0.2 file.
namespace aetos::io {

/// One array: the patterns of one detector at one tilt. A pattern has side x side pixels, the middle one on
/// the optic axis.
struct DiffractionSet {
  std::string name;
  std::size_t ny = 0, nx = 0, side = 0;
  double pixel_A = 1, step_mrad = 1, theta_deg = 0;

  std::size_t bytes() const { return ny * nx * side * side * sizeof(float); }
};

/// Writes patterns collectively, in chunks of neighbouring probes, under a temporary name; `commit` makes it
/// final. Values are fractions of the beam.
class DiffractionWriter {
 public:
  DiffractionWriter(const Communicator& comm, const std::filesystem::path& path,
                    const std::vector<DiffractionSet>& sets, const Metadata& microscope,
                    const Metadata& sample, const Provenance& provenance);
  ~DiffractionWriter();
  DiffractionWriter(const DiffractionWriter&) = delete;
  DiffractionWriter& operator=(const DiffractionWriter&) = delete;

  /// Collective: every rank calls it the same number of times for each set, with the block of patterns (y, x,
  /// qy, qx) that it holds now, which starts at pixel (y, x); an empty block for none.
  void write(std::size_t set, std::size_t y, std::size_t x, View<const float, 4> patterns);
  /// Flushes, fsyncs and renames. Collective. Without it the partial file is removed.
  void commit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace aetos::io
