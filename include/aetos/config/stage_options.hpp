#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "aetos/core/options.hpp"

/// Options of the drivers that stand above `config`. Those of a kernel live in the kernel's own room.
namespace aetos::config {

enum class BadPixels { error, interpolate };

/// What happens to images before anything is reconstructed from them. The steps that are `none` come later.
struct PreprocessOptions {
  std::string calibrate = "none", align = "none", background = "none", denoise = "none", normalize = "none";
  BadPixels bad_pixels = BadPixels::error;  ///< NaN, infinities and hot pixels: an error, or interpolated
};

/// Finding atoms in a volume.
struct TraceOptions {
  std::string input;   ///< volume; empty = the reconstruct stage's
  std::string images;  ///< tilt series for the refinement; empty = the series reconstructed from
  std::vector<std::string> species;  ///< lightest first; empty = the specimen's own heaviest
  double min_distance_A = 2.0;       ///< a peak nearer than this to a stronger one is dropped
  Auto<double> threshold;            ///< of the volume, in its own units; auto = Otsu
  double fit_radius_A = 0.9;         ///< sphere of the peak fit
  int interpolation = 3;             ///< finer grid about each candidate
  double integration_A = 1.0;        ///< half side of the box for the integrated intensity
  bool refine = true;                ///< refine positions against the images
};

enum class MatchRule { mutual, nearest };

struct CompareOptions {
  std::string model;                   ///< traced atoms; empty = the trace stage's
  std::string reference = "specimen";  ///< "specimen" or a file
  double match_radius_A = 1.0;
  MatchRule rule = MatchRule::mutual;
};

struct AnalyzeOptions {
  std::string input;  ///< atoms; empty = the trace stage's
  std::vector<std::string> measures;
  Auto<double> cutoff_A;  ///< neighbours; auto = first minimum of the RDF
};

}  // namespace aetos::config
