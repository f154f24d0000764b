#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "aetos/core/options.hpp"

namespace aetos::multislice {

/// The plane that defocus is counted from: z' = 0 of the specimen at every tilt, or the top face of slice 0.
enum class FocusReference { centre, entrance };

/// Beam, lens and exposure. Positive defocus is underfocus: the crossover lies after the reference plane.
struct MicroscopeOptions {
  double voltage_kV = 300;
  double convergence_mrad = 21.4;
  double defocus_A = 0;
  double C30_A = 0;    ///< third-order spherical aberration
  double C12_A = 0;    ///< twofold astigmatism
  double C12_deg = 0;  ///< its direction
  FocusReference focus_reference = FocusReference::centre;
  double source_fwhm_A = 0;                   ///< Gaussian point spread, full width at half maximum
  std::optional<double> dose_e_per_A2;        ///< per projection
  std::optional<double> dose_total_e_per_A2;  ///< of the whole series, split evenly
  std::optional<double> screen_current_pA;
  std::optional<double> dwell_us;
};

enum class DetectorKind { annular, radial, com };

struct DetectorOptions {
  std::string name;
  DetectorKind kind = DetectorKind::annular;
  double inner_mrad = 0;
  double outer_mrad = 0;
  double step_mrad = 1;  ///< width of a ring of a radial detector
};

/// A pixel of the diffraction plane cut by a detector's edge counts by its area inside, or by its centre.
enum class DetectorEdges { area, hard };
enum class Parametrization { kirkland, lobato };
enum class Slicing { projected, finite };

/// Image grid. `field_A` is the side of the image, one number or [y, x]; auto holds the particle at every
/// tilt.
struct ScanOptions {
  double pixel_A = 0.3434;
  Auto<std::array<double, 2>> field_A;  ///< (y, x)
  /// Distance of probes: the image's pixel, a number, or auto: pixel / m with the smallest m that meets
  /// Nyquist.
  struct Pixel {};
  struct Nyquist {};
  std::variant<Pixel, Nyquist, double> probe_step_A = Pixel{};
};

/// The region of specimen that a probe is propagated on.
struct WindowTolerance {
  double tolerance = 0.005;
};  ///< smallest window whose relative RMS error stays below
struct WindowWidth {
  double width_A = 25.6;
};
struct WindowFull {};  ///< the whole cell, for every probe
using Window = std::variant<WindowTolerance, WindowWidth, WindowFull>;

struct MultisliceOptions {
  double sampling_A = 0.1;
  double slice_A = 2.0;
  Slicing slicing = Slicing::projected;
  Parametrization parametrization = Parametrization::kirkland;
  Window window = WindowTolerance{};
  DetectorEdges detector_edges = DetectorEdges::area;
  /// 1 or 2: how much finer than sampling_A the grid is on which exp(i sigma v) is taken, before the band
  /// limit. 1 is the scheme of abTEM; 2 makes an atom's signal independent of its place in a pixel (3 % for
  /// Zr at 0.1 Å).
  std::size_t phase_oversampling = 1;
};

}  // namespace aetos::multislice
