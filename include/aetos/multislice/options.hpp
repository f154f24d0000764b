#pragma once

#include <array>
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
  /// Aberrations by Krivanek's names; a direction stands beside each that has one. `kAberrations` lists them.
  double C12_A = 0, C12_deg = 0;
  double C21_A = 0, C21_deg = 0, C23_A = 0, C23_deg = 0;
  double C30_A = 0, C32_A = 0, C32_deg = 0, C34_A = 0, C34_deg = 0;
  double C41_A = 0, C41_deg = 0, C43_A = 0, C43_deg = 0, C45_A = 0, C45_deg = 0;
  double C50_A = 0, C52_A = 0, C52_deg = 0, C54_A = 0, C54_deg = 0, C56_A = 0, C56_deg = 0;
  std::array<double, 2> beam_tilt_mrad{0, 0};  ///< (x, y) of the whole cone of illumination
  double focal_spread_A = 0;                   ///< standard deviation of the focus
  double Cc_A = 0;                             ///< instead: chromatic aberration, with energy_spread_eV
  double energy_spread_eV = 0;                 ///< full width at half maximum
  Auto<int> focal_points;                      ///< of the focal series that stands for the spread
  FocusReference focus_reference = FocusReference::centre;
  double source_fwhm_A = 0;                   ///< Gaussian point spread, full width at half maximum
  std::optional<double> dose_e_per_A2;        ///< per projection
  std::optional<double> dose_total_e_per_A2;  ///< of the whole series, split evenly
  std::optional<double> screen_current_pA;
  std::optional<double> dwell_us;
};

enum class DetectorKind { annular, radial, com, segmented, pixelated, image };

/// An aberration of the phase (2 pi / lambda) C_nm a^(n+1) cos(m (phi - phi_nm)) / (n + 1), a = lambda |k|.
struct AberrationTerm {
  const char* name;
  int n, m;
  double MicroscopeOptions::*size_A;
  double MicroscopeOptions::*direction_deg;  ///< null where m = 0
  const char* meaning;
};

/// Krivanek's aberrations up to fifth order but for C10, which is -defocus_A.
inline constexpr std::array kAberrations{
    AberrationTerm{"C12", 1, 2, &MicroscopeOptions::C12_A, &MicroscopeOptions::C12_deg,
                   "twofold astigmatism"},
    AberrationTerm{"C21", 2, 1, &MicroscopeOptions::C21_A, &MicroscopeOptions::C21_deg, "axial coma"},
    AberrationTerm{"C23", 2, 3, &MicroscopeOptions::C23_A, &MicroscopeOptions::C23_deg,
                   "threefold astigmatism"},
    AberrationTerm{"C30", 3, 0, &MicroscopeOptions::C30_A, nullptr, "third-order spherical aberration"},
    AberrationTerm{"C32", 3, 2, &MicroscopeOptions::C32_A, &MicroscopeOptions::C32_deg,
                   "third-order star aberration"},
    AberrationTerm{"C34", 3, 4, &MicroscopeOptions::C34_A, &MicroscopeOptions::C34_deg,
                   "fourfold astigmatism"},
    AberrationTerm{"C41", 4, 1, &MicroscopeOptions::C41_A, &MicroscopeOptions::C41_deg,
                   "fourth-order axial coma"},
    AberrationTerm{"C43", 4, 3, &MicroscopeOptions::C43_A, &MicroscopeOptions::C43_deg,
                   "three-lobe aberration"},
    AberrationTerm{"C45", 4, 5, &MicroscopeOptions::C45_A, &MicroscopeOptions::C45_deg,
                   "fivefold astigmatism"},
    AberrationTerm{"C50", 5, 0, &MicroscopeOptions::C50_A, nullptr, "fifth-order spherical aberration"},
    AberrationTerm{"C52", 5, 2, &MicroscopeOptions::C52_A, &MicroscopeOptions::C52_deg,
                   "fifth-order star aberration"},
    AberrationTerm{"C54", 5, 4, &MicroscopeOptions::C54_A, &MicroscopeOptions::C54_deg,
                   "fifth-order rosette aberration"},
    AberrationTerm{"C56", 5, 6, &MicroscopeOptions::C56_A, &MicroscopeOptions::C56_deg,
                   "sixfold astigmatism"},
};

struct DetectorOptions {
  std::string name;
  DetectorKind kind = DetectorKind::annular;
  double inner_mrad = 0;
  double outer_mrad = 0;
  double step_mrad = 1;             ///< width of a ring of a radial detector, of a pixel of a pixelated one
  int rings = 1, segments = 4;      ///< of a segmented detector; rings are equally wide
  double rotation_deg = 0;          ///< where its first segment begins, from x towards y
  bool idpc = false;                ///< integrate its centre of mass; com and segmented
  double offset_electrons = 0;      ///< added to every pixel of noisy images
  double gain_sd = 0;               ///< relative spread of the signals of single electrons
  double read_noise_electrons = 0;  ///< standard deviation of the read-out of one pixel
  Auto<std::vector<std::size_t>> tilts = {};  ///< at which a pixelated detector is read; auto = all
  bool second_moments = false;                ///< of a com detector, beside the first: its noise needs them
};

/// A pixel of the diffraction plane cut by a detector's edge counts by its area inside, or by its centre.
enum class DetectorEdges { area, hard };
enum class Parametrization { kirkland, lobato };
enum class Slicing { projected, finite };
/// A focused probe that scans, or a parallel beam whose images a lens makes.
enum class Mode { probe, plane_wave };

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
  Mode mode = Mode::probe;
  double sampling_A = 0.1;
  double slice_A = 2.0;
  Slicing slicing = Slicing::projected;
  Parametrization parametrization = Parametrization::kirkland;
  Window window = WindowTolerance{};
  DetectorEdges detector_edges = DetectorEdges::area;
  Auto<int> ranks_per_wave;  ///< that share one plane wave; auto: as many as its memory asks for
  Auto<bool> error_budget;   ///< measure how far the images are from converged ones; auto where that is cheap
  /// 1 or 2: how much finer than sampling_A the grid is on which exp(i sigma v) is taken, before the band
  /// limit. 1 is the scheme of abTEM; 2 makes an atom's signal independent of its place in a pixel (3 % for
  /// Zr at 0.1 Å).
  std::size_t phase_oversampling = 1;
};

}  // namespace aetos::multislice
