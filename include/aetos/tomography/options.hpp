#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "aetos/core/geometry.hpp"
#include "aetos/core/options.hpp"

namespace aetos::tomography {

/// The angles of a series: a list, a range, Euler angles, or a file (.mat, .rawtlt, .tlt, .txt, .csv).
struct TiltOptions {
  std::variant<std::monostate, double, std::vector<double>, NumberRange> theta_deg;
  std::vector<EulerAngles> euler_deg;
  std::string file;
  int sign = 1;                      ///< -1 turns every theta of an imported series round
  std::vector<std::size_t> exclude;  ///< projections left out, counted from 0
};

enum class Projector { fourier, real_space, fourier_adjoint };
enum class TiltAxis { y, x };
enum class Preconditioner { none, ramp };

/// The names of reconstruct.method: RESIRE, PETSc TAO's solvers, PETSc KSP's, baselines.
inline constexpr std::array kMethods{"resire",    "resire-nesterov",
                                     "os-resire", "os-resire-nesterov",
                                     "bncg",      "bqnls",
                                     "blmvm",     "bqnkls",
                                     "bqnktr",    "bqnktl",
                                     "bnls",      "bntr",
                                     "bntl",      "tron",
                                     "gpcg",      "lmvm",
                                     "cg",        "nls",
                                     "ntr",       "ntl",
                                     "cgls",      "lsqr",
                                     "sirt",      "sart",
                                     "wbp"};

struct ReconstructOptions {
  std::string input;              ///< .h5, .mat[:array], .mrc; empty = the simulate stage's
  std::string signal = "auto";    ///< e.g. adf_noisy
  std::string method = "resire";  ///< one of kMethods
  int iterations = 200;
  Auto<std::size_t> subsets;  ///< os-resire, os-resire-nesterov: groups of projections that take turns
  Auto<Preconditioner> preconditioner;  ///< of bqnls; auto = ramp there, none elsewhere
  std::vector<std::size_t> held_out;    ///< projections kept out of the fit, to judge it by (R-free)
  double tv_weight = 0;  ///< of the smoothed total variation; see docs/solvers.md for its unit; 0 = without
  double tv_epsilon = 0.01;    ///< gradients below this are smoothed, in the same unit of the volume
  double relative_change = 0;  ///< of the volume in an iteration, where to stop; 0 = never
  int patience = 0;  ///< iterations without a lower R on held-out projections, after which to stop; 0 = never
  bool fsc = false;  ///< also reconstruct both halves of the tilts and compare them
  std::string truth;  ///< volume to compare with by FSC; empty = none
  double step = 2;    ///< 1 to 3
  Projector projector = Projector::fourier;
  std::array<double, 3> oversampling{4, 4, 4};  ///< z, y, x
  bool nonnegative = true;
  std::string support = "auto";                ///< auto, none, or a file
  Auto<std::array<std::size_t, 3>> volume_px;  ///< z, y, x
  bool film = false;           ///< the object reaches beyond the images: a wider volume, its middle written
  bool refine_angles = false;  ///< and shifts, of each projection against the volume
  int refine_rounds = 12;      ///< at most
  TiltAxis tilt_axis = TiltAxis::y;
};

}  // namespace aetos::tomography
