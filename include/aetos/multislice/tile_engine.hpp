#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/core/geometry.hpp"
#include "aetos/multislice/options.hpp"

/// The windowed multislice of a handful of neighbouring probes (docs/physics.md, "Multislice"). Serial and
/// pure: the values of a tile depend on its arguments alone, so that any rank computes the same bits for it.
namespace aetos::multislice {

/// Atoms in the beam frame of one tilt and configuration, displaced, in Å about the rotation centre.
struct BeamAtoms {
  std::vector<std::uint8_t> atomic_number;
  std::vector<Vec3> position;
  std::vector<float> weight;  ///< scales an atom's potential: 1, or its mean occupancy
  std::size_t size() const { return position.size(); }
};

/// Slices with faces at z' = i * thickness for i = first .. first + count. Atoms outside go to the end
/// slices.
struct SliceGrid {
  double thickness_A = 2;
  long first = 0;
  std::size_t count = 0;

  /// Covers z_min..z_max (the undisplaced atoms, and three rms displacements more).
  static SliceGrid covering(double z_min_A, double z_max_A, double thickness_A);
  std::size_t slice_of(double z_A) const;
};

/// The lateral potential grid. Pixel (0, 0) lies at `corner_A`; a periodic axis has a whole number of pixels.
struct LateralGrid {
  double sampling_x_A = 0.1, sampling_y_A = 0.1;
  std::size_t cell_x_px = 0, cell_y_px = 0;  ///< period in pixels; 0 where the axis does not repeat
  Vec2 corner_A{0, 0};
};

/// Column names of the engine's output: for an annular detector its name; for a radial one name[0],
/// name[1]...; for a centre of mass name.x and name.y (mrad); last `transmitted`, all intensity that is left
/// of 1.
struct ChannelLayout {
  std::vector<std::string> names;
  std::vector<std::size_t> first_of_detector;  ///< per detector, in the order given
  std::size_t count = 0;                       ///< including `transmitted`
};

struct EngineSettings {
  MicroscopeOptions microscope;
  std::vector<DetectorOptions> detectors;
  MultisliceOptions multislice;  ///< `window` is not read here: sizes below are
  LateralGrid grid;
  std::size_t window_x_px = 128, window_y_px = 128;  ///< equal to the cell's on axes that are simulated whole
  /// Side in Å of the cell whose probe is cut to the windows: the aperture's edge is one reciprocal pixel of
  /// it wide, so that windows compare with `full` on that cell. 0: four windows, and at least 40 Å.
  double probe_cell_A = 0;
};

/// What a tile cost, for summaries and for weighing work.
struct TileCost {
  std::uint64_t wave_slices = 0;        ///< wave-slice propagations really done
  std::uint64_t vacuum_probes = 0;      ///< probes that saw no atom and were not propagated
  double potential_s = 0, waves_s = 0;  ///< processor time
};

class TileEngine {
 public:
  explicit TileEngine(EngineSettings settings);
  ~TileEngine();
  TileEngine(TileEngine&&) noexcept;

  const EngineSettings& settings() const;
  const ChannelLayout& channels() const;
  /// Largest distance of an atom from a probe (along x or y) that this engine looks at: callers may leave out
  /// atoms farther than this from every probe of a tile. Infinite for axes simulated whole.
  double reach_A() const;

  /// Detector values of each probe as fractions of the beam. `probes`: (x, y) in Å about the rotation centre,
  /// near to each other (a tile); out: (probe, channel).
  TileCost simulate(const BeamAtoms& atoms, const SliceGrid& slices, std::span<const Vec2> probes,
                    View<float, 2> out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Largest angle the grid carries, in mrad: lambda (2/3) / (2 sampling).
double angle_limit_mrad(double voltage_kV, double sampling_A);

}  // namespace aetos::multislice
