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

/// Crystals whose spacings are known, by the direction in which they are seen.
enum class Crystal { silicon_110, gold_100, gold_110, strontium_titanate_100 };
inline const Words<Crystal> kCrystalWords{{"si-110", Crystal::silicon_110},
                                          {"au-100", Crystal::gold_100},
                                          {"au-110", Crystal::gold_110},
                                          {"srtio3-100", Crystal::strontium_titanate_100}};
/// What becomes of a calibration: nothing but its report; the pixel size; that and the scan's distortion.
enum class ApplyCalibration { none, pixel, affine };
inline const Words<ApplyCalibration> kApplyCalibrationWords{{"none", ApplyCalibration::none},
                                                            {"pixel", ApplyCalibration::pixel},
                                                            {"affine", ApplyCalibration::affine}};

/// Pixel size and scan distortion from images of a known crystal, recorded as the tilt series was.
struct CalibrateOptions {
  std::string file;             ///< image, or series of images of one place
  std::string signal = "auto";  ///< which images of the file
  Crystal crystal = Crystal::silicon_110;
  std::vector<double> spacings_A;  ///< instead of `crystal`: of two sets of planes; empty = the crystal's
  double angle_deg = 90;           ///< between their normals
  std::optional<double> pixel_A;   ///< nominal; none = the file's, else that of the series
  double tolerance = 0.1;          ///< by which the nominal pixel and right angles may be off
  ApplyCalibration apply = ApplyCalibration::affine;
};

/// What happens to images before anything is reconstructed from them, in this order: bad pixels, denoising,
/// distortion, background, alignment, normalisation.
struct PreprocessOptions {
  std::string input;                        ///< tilt series; empty = the simulate stage's
  std::string signal = "auto";              ///< which images of the file; the others are left out
  BadPixels bad_pixels = BadPixels::error;  ///< NaN, infinities and hot pixels: an error, or interpolated
  std::optional<CalibrateOptions> calibrate;
  Denoise denoise = Denoise::none;
  Background background = Background::none;
  Align align = Align::none;
  std::string shifts;  ///< file of shifts to apply instead of finding them; empty = none
  Normalize normalize = Normalize::none;
};

/// The peaks that atoms make in an image: Gaussians, alone or convolved with the probe; automatic: what fits
/// better.
enum class PeakShapeChoice { automatic, gaussian, probe };

/// What predicts the images that atoms are refined against: a sum of peaks; or that, freed of the errors that
/// it makes on multislice images of the same atoms.
enum class RefineModel { linear, multislice };

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
  PeakShapeChoice peak_shape = PeakShapeChoice::automatic;  ///< in the images, for the refinement
  RefineModel refine_model = RefineModel::linear;
  bool refine_angles = false;  ///< also angles and shifts of the images, with the atoms
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
inline constexpr std::array kMeasures{"bonds",        "coordination", "order",     "tetrahedra", "voronoi",
                                      "phases",       "oxidation",    "vacancies", "interfaces", "facets",
                                      "dislocations", "sigma",        "slices",    "sro",        "intensity",
                                      "columns",      "sections",     "profiles"};

/// A slab of the volume with its atoms: in the plane through a point, at right angles to a direction.
struct SectionOptions {
  std::array<double, 3> normal{0, 0, 1};     ///< x, y, z; of any length
  std::array<double, 3> through_A{0, 0, 0};  ///< its middle
  double thickness_A = 2.5;
  Auto<double> width_A;  ///< side of the square shown; auto = the volume's longest
};

/// Intensity along a line of an image.
struct ProfileOptions {
  std::string image;  ///< tilt series; empty = that of `analyze.images`
  std::string signal = "auto";
  std::size_t projection = 0;
  std::array<double, 2> from_A{0, 0}, to_A{0, 0};  ///< x, y about the rotation centre
  double width_A = 1;                              ///< across the line, over which the mean is taken
};

/// What happens to crystalline atoms far from others: nothing, or the published clean-up (Yuan et al. 2022).
enum class Isolated { keep, published };

struct AnalyzeOptions {
  std::string input;  ///< atoms, or "specimen"; empty = the trace stage's
  std::vector<std::string> measures{"bonds", "coordination", "phases", "oxidation",
                                    "vacancies"};  ///< of kMeasures
  Auto<double> cutoff_A;                           ///< neighbours; auto = first minimum of the RDF
  double alpha_A = 4;  ///< Delaunay tetrahedra of a smaller circumradius are the sample
  Isolated isolated = Isolated::keep;
  double layer_A = 5.3;                  ///< thickness of the layers of `slices`
  std::string volume;                    ///< of `intensity`; empty = the reconstruct stage's
  std::string images;                    ///< of `columns`; empty = the simulate stage's
  double radius_A = 1;                   ///< of the spheres of `intensity`
  std::vector<SectionOptions> sections;  ///< of `sections`; empty = those that show the phases' oxygen
  std::vector<ProfileOptions> profiles;  ///< of `profiles`

  bool asks_for(std::string_view measure) const {
    return std::find(measures.begin(), measures.end(), measure) != measures.end();
  }
  bool needs_volume() const { return asks_for("intensity") || asks_for("sections"); }
  /// Whether a measure reads the images of `images`.
  bool needs_images() const {
    return asks_for("columns") ||
           (asks_for("profiles") &&
            std::any_of(profiles.begin(), profiles.end(), [](const auto& p) { return p.image.empty(); }));
  }
};

/// How the ranks of a large run write one file together: advice to MPI-IO, which changes no result.
struct FileOptions {
  Auto<int> aggregators;           ///< ranks that gather what the others have and write it
  Auto<int> buffer_MiB;            ///< that each of them gathers before it writes
  Auto<int> stripes;               ///< storage targets that a new file is spread over (Lustre)
  Auto<int> stripe_MiB;            ///< on one target before the next
  std::vector<std::string> hints;  ///< further ones, NAME=VALUE

  /// As MPI knows them: cb_nodes, cb_buffer_size, striping_factor, striping_unit, and `hints`.
  std::vector<std::pair<std::string, std::string>> for_mpi() const;
};

/// What one member of a campaign asks of SLURM.
struct SlurmOptions {
  std::optional<std::string> account, partition;  ///< none = the cluster's default
  int nodes = 1;
  int ranks = 1;                     ///< of each member, over all its nodes
  std::string time = "24:00:00";     ///< limit of one job; a member that needs longer goes on in the next
  Auto<int> at_once;                 ///< members that run at the same time; none = as many as SLURM starts
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
