#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aetos/core/options.hpp"

/// Options of the drivers that stand above `config`. Those of a kernel live in the kernel's own room.
namespace aetos::config {

enum class BadPixels { error, interpolate };

/// How projections are brought to one place: not at all; their centres of mass on the rotation centre; that
/// across the tilt axis and the common line along it; or each onto its neighbour in angle.
enum class Align { none, centre_of_mass, common_line, cross_correlation };
/// What is taken off: nothing; a plane fitted beside the object; or all that lies outside the object's mask.
enum class Background { none, plane, mask };
enum class Denoise { none, bm3d, non_local_means, wavelet };
enum class Normalize { none, total };

/// The config's words for these, which outputs use as well.
template <class E>
using Words = std::vector<std::pair<std::string, E>>;
inline const Words<BadPixels> kBadPixelsWords{{"error", BadPixels::error},
                                              {"interpolate", BadPixels::interpolate}};
inline const Words<Align> kAlignWords{{"none", Align::none},
                                      {"centre-of-mass", Align::centre_of_mass},
                                      {"common-line", Align::common_line},
                                      {"cross-correlation", Align::cross_correlation}};
inline const Words<Background> kBackgroundWords{
    {"none", Background::none}, {"plane", Background::plane}, {"mask", Background::mask}};
inline const Words<Denoise> kDenoiseWords{{"none", Denoise::none},
                                          {"bm3d", Denoise::bm3d},
                                          {"non-local-means", Denoise::non_local_means},
                                          {"wavelet", Denoise::wavelet}};
inline const Words<Normalize> kNormalizeWords{{"none", Normalize::none}, {"total", Normalize::total}};

template <class E>
std::string word_of(const Words<E>& words, E value) {
  for (const auto& [word, meaning] : words)
    if (meaning == value) return word;
  return {};
}

/// What happens to images before anything is reconstructed from them, in this order: bad pixels, background,
/// alignment, normalisation.
struct PreprocessOptions {
  std::string input;                        ///< tilt series; empty = the simulate stage's
  std::string signal = "auto";              ///< which images of the file; the others are left out
  BadPixels bad_pixels = BadPixels::error;  ///< NaN, infinities and hot pixels: an error, or interpolated
  std::string calibrate = "none";
  Denoise denoise = Denoise::none;
  Background background = Background::none;
  Align align = Align::none;
  std::string shifts;  ///< file of shifts to apply instead of finding them; empty = none
  Normalize normalize = Normalize::none;
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
  bool rotate = false;  ///< also remove the small rotation that refined angles leave between the models
};

/// The structure measures there are, in the order in which they are done.
inline constexpr std::array kMeasures{"bonds",  "coordination", "order",     "tetrahedra", "voronoi",
                                      "phases", "oxidation",    "vacancies", "interfaces", "facets",
                                      "sigma",  "slices",       "sro",       "intensity",  "columns"};

/// What happens to crystalline atoms far from others: nothing, or the published clean-up (Yuan et al. 2022).
enum class Isolated { keep, published };

struct AnalyzeOptions {
  std::string input;  ///< atoms, or "specimen"; empty = the trace stage's
  std::vector<std::string> measures{"bonds", "coordination", "phases", "oxidation",
                                    "vacancies"};  ///< of kMeasures
  Auto<double> cutoff_A;                           ///< neighbours; auto = first minimum of the RDF
  double alpha_A = 4;  ///< Delaunay tetrahedra of a smaller circumradius are the sample
  Isolated isolated = Isolated::keep;
  double layer_A = 5.3;  ///< thickness of the layers of `slices`
  std::string volume;    ///< of `intensity`; empty = the reconstruct stage's
  std::string images;    ///< of `columns`; empty = the simulate stage's
  double radius_A = 1;   ///< of the spheres of `intensity`

  bool asks_for(std::string_view measure) const {
    return std::find(measures.begin(), measures.end(), measure) != measures.end();
  }
};

/// What one member of a campaign asks of SLURM.
struct SlurmOptions {
  std::optional<std::string> account, partition;  ///< none = the cluster's default
  int nodes = 1;
  int ranks = 1;                     ///< of each member, over all its nodes
  std::string time = "24:00:00";     ///< limit of one job; a member that needs longer goes on in the next
  std::string launcher = "mpirun";   ///< or srun, which then uses --mpi=pmix
  std::vector<std::string> setup;    ///< lines of shell before the program starts: modules
  std::vector<std::string> options;  ///< further options of sbatch
};

/// A key that varies over the members of a campaign; values as YAML text.
struct SweepAxis {
  std::string key;
  std::vector<std::string> values;
};

/// Many runs from one config: every particle with every combination of the swept values.
struct CampaignOptions {
  std::vector<std::string> particles;  ///< files or patterns with * and ?
  std::vector<SweepAxis> sweep;        ///< in the order of the config; the last varies fastest
  SlurmOptions slurm;
  int max_retries = 1;  ///< new starts of a member that failed other than by bad input
};

}  // namespace aetos::config
