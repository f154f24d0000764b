#include "aetos/tracing/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <tuple>

#include "aetos/core/error.hpp"
#include "aetos/core/fault.hpp"
#include "aetos/core/log.hpp"
#include "aetos/core/median.hpp"
#include "aetos/core/program_memory.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/structure_files.hpp"
#include "aetos/tracing/classify.hpp"
#include "evaluation_journal.hpp"
#include "find_peaks.hpp"
#include "measured_images.hpp"
#include "refinement.hpp"

namespace aetos::tracing {
namespace {

using nlohmann::json;

/// An atom as it goes through the stage.
struct Atom {
  Vec3 position;
  std::size_t species = 0;
  double smoothed = 0, height = 0, sigma_A = 0, integrated = 0, residual = 0;
  bool fitted = false;
  double refined_intensity = 0, crlb_A = 0, probability = 1;
  Vec3 error_A = Vec3::Zero();
};

Vec3 place_of(const std::array<double, 3>& centre, const std::array<std::size_t, 3>& volume, double voxel_A) {
  Vec3 place;
  for (std::size_t a = 0; a < 3; ++a)
    place(static_cast<Eigen::Index>(2 - a)) =
        (centre[a] - static_cast<double>(centre_index(volume[a]))) * voxel_A;
  return place;
}

std::vector<Atom> atoms_of(const PeakSearch& search, const std::array<std::size_t, 3>& volume,
                           double voxel_A) {
  std::vector<Atom> atoms;
  for (const Peak& p : search.peaks) {
    Atom atom;
    atom.position = place_of(p.centre, volume, voxel_A);
    atom.smoothed = p.smoothed;
    atom.height = p.height;
    atom.sigma_A = p.sigma * voxel_A;
    atom.integrated = p.integrated * voxel_A * voxel_A * voxel_A;
    atom.residual = p.residual;
    atom.fitted = p.fit == PeakFit::gaussian;
    atoms.push_back(atom);
  }
  return atoms;
}

/// Of atoms or peaks, by z, y, x.
template <class Placed>
void sort_by_place(std::vector<Placed>& placed) {
  std::sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
    return std::tuple(a.position.z(), a.position.y(), a.position.x()) <
           std::tuple(b.position.z(), b.position.y(), b.position.x());
  });
}

/// Gives every atom its species by its peak's intensity; false if the classes cannot be told apart.
bool classify_atoms(std::vector<Atom>& atoms, std::size_t species, std::uint64_t seed) {
  std::vector<Vec3> position;
  std::vector<double> intensity;
  for (const Atom& a : atoms) {
    position.push_back(a.position);
    intensity.push_back(a.integrated);
  }
  const Classes classes = classify_locally(position, intensity, species, seed);
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    atoms[i].species = classes.of[i];
    atoms[i].probability = classes.probability[i];
  }
  return classes.told_apart;
}

double median_sigma(const std::vector<Atom>& atoms, double otherwise) {
  std::vector<double> sigma;
  for (const Atom& a : atoms)
    if (a.fitted) sigma.push_back(a.sigma_A);
  return sigma.empty() ? otherwise : upper_median(sigma);
}

/// A peak that is no atom, and why.
struct Rejected {
  const char* reason;
  Vec3 position;
  double smoothed = 0;
};

const char* word_of(RejectedPeak::Reason reason) {
  switch (reason) {
    case RejectedPeak::Reason::below_threshold:
      return "below_threshold";
    case RejectedPeak::Reason::at_border:
      return "at_border";
    case RejectedPeak::Reason::too_close:
      return "too_close";
  }
  return "";
}

std::string table_of(std::vector<Rejected> rejected) {
  sort_by_place(rejected);
  std::string csv = "reason,x_A,y_A,z_A,height\n";
  for (const auto& r : rejected)
    csv += fmt::format("{},{:.4f},{:.4f},{:.4f},{:.6g}\n", r.reason, r.position.x(), r.position.y(),
                       r.position.z(), r.smoothed);
  return csv;
}

/// Refines the atoms in place, adds those dropped to `rejected`, and returns what the summary says about it.
json refine_atoms(const RunContext& context, const Request& request, std::size_t species,
                  std::vector<Atom>& atoms, std::vector<Rejected>& rejected, bool& told_apart,
                  const std::filesystem::path& angles_file) {
  MeasuredImages images = read_telling_images(context.comm, request);
  std::vector<Vec3> position;
  std::vector<double> intensity;
  std::vector<std::size_t> species_of;
  for (const Atom& a : atoms) {
    position.push_back(a.position);
    intensity.push_back(a.integrated);
    species_of.push_back(a.species);
  }
  RefineOptions options;
  options.maximum_move_A = request.options.min_distance_A / 2;
  options.apart_A = request.options.min_distance_A;
  options.shape = request.options.peak_shape;
  options.microscope = request.microscope;
  options.seed = context.seed;
  options.refine_poses = request.options.refine_angles;
  options.start_sigma_A = std::clamp(median_sigma(atoms, 0.4), 0.2, 1.0);
  if (request.options.refine_model == config::RefineModel::multislice)
    options.images_of = [&](const std::vector<Vec3>& places, const std::vector<std::size_t>& species_at) {
      Structure model;
      model.position = places;
      for (const std::size_t k : species_at)
        model.atomic_number.push_back(atomic_number(request.options.species[k]));
      std::vector<EulerAngles> angles;
      for (const auto& pose : images.poses) angles.push_back(pose.angles);
      auto made = request.simulate(context, {model, angles, {images.ny, images.nx}, images.pixel_A});
      Request simulated = request;
      simulated.images = made.series;
      simulated.signal = "auto";
      simulated.angles.clear();
      simulated.exclude.clear();
      return ImagesOfAtoms{read_measured_images(context.comm, simulated), std::move(made.displacement)};
    };
  std::optional<EvaluationJournal> journal;
  context.comm.agree([&] {
    if (!context.comm.is_root()) return;
    journal.emplace(context.work, context.fingerprint, context.checkpoint_interval_s);
    options.journal = &*journal;
    if (journal->found() > 0) log::info("trace: {} evaluations were done before", journal->found());
  });
  const auto given = images.poses;
  const Refinement refined =
      refine(context.comm, context.stop, images, position, intensity, species_of, species, options);

  json poses = nullptr;
  if (options.refine_poses) {
    const auto [turn, shift] = tomography::change_between(given, images.poses);
    log::info("trace: angles changed by {:.3f} degrees, images moved by {:.3f} pixels (rms)", turn, shift);
    poses = {{"rotation_rms_deg", turn}, {"shift_rms_px", shift}};
    context.comm.agree([&] {
      if (context.comm.is_root())
        io::write_file_atomically(angles_file, tomography::pose_table(images.numbers, images.poses));
    });
  }
  std::vector<Atom> stay;
  double moved = 0, bound = 0;
  std::size_t added = 0;
  Vec3 errors = Vec3::Zero();
  json sigma = json::object();
  for (std::size_t i = 0; i < refined.kept.size(); ++i) {
    const bool is_new = refined.kept[i] == Refinement::kNew;
    Atom atom = is_new ? Atom{} : atoms[refined.kept[i]];
    if (is_new)
      ++added;
    else
      moved += (refined.position[i] - atom.position).squaredNorm();
    bound += refined.crlb_A[i] * refined.crlb_A[i];
    atom.position = refined.position[i];
    atom.species = refined.species_of[i];
    atom.probability = refined.species_probability[i];
    atom.refined_intensity = refined.intensity[i];
    atom.crlb_A = refined.crlb_A[i];
    atom.error_A = refined.error_A[i];
    errors += atom.error_A.cwiseAbs2();
    sigma[request.options.species.empty() ? "X" : request.options.species[atom.species]] = refined.sigma_A[i];
    stay.push_back(atom);
  }
  for (const std::size_t i : refined.weak)
    rejected.push_back({"weak_in_images", atoms[i].position, atoms[i].smoothed});
  for (const std::size_t i : refined.too_close)
    rejected.push_back({"too_close_in_images", atoms[i].position, atoms[i].smoothed});
  told_apart = refined.told_apart;
  const auto n = static_cast<double>(stay.size());
  atoms = std::move(stay);
  const auto per_atom = [&](double sum) { return n > 0 ? json(std::sqrt(sum / n)) : json(nullptr); };
  const bool known = n > 0 && refined.error_over_bound.minCoeff() > 0;
  const auto three = [](const Vec3& v) { return std::array{v.x(), v.y(), v.z()}; };
  json rounds = json::array();
  for (const RefineRound& r : refined.rounds)
    rounds.push_back({{"iterations", r.iterations},
                      {"misfit", r.misfit},
                      {"dropped", r.dropped},
                      {"added", r.added},
                      {"reclassified", r.reclassified},
                      {"atoms", r.atoms}});
  return {{"iterations", refined.iterations},
          {"rounds", rounds},
          {"misfit_before", refined.misfit_before},
          {"misfit_after", refined.misfit_after},
          {"sigma_A", sigma},
          {"peak_shape", refined.of_probe ? "probe" : "gaussian"},
          {"growth_with_depth", refined.growth},
          {"fading_with_depth", refined.fading},
          {"chi_square", refined.chi_square},
          {"refine_angles", poses},
          {"bias_removed_pm", options.images_of ? json(100 * refined.bias_A) : json(nullptr)},
          {"added_from_residuals", added},
          {"moved_rms_A", per_atom(moved)},
          {"lowest_intensity_share", options.lowest_share},
          {"error_axis_pm", known ? json(three(100 * (errors / n).cwiseSqrt())) : json(nullptr)},
          {"error_over_bound", known ? json(three(refined.error_over_bound)) : json(nullptr)},
          {"crlb_pm", n > 0 ? json(100 * std::sqrt(bound / n)) : json(nullptr)}};
}

template <class T, class Pick>
Column column(const std::vector<Atom>& atoms, Pick of) {
  std::vector<T> values;
  for (const Atom& a : atoms) values.push_back(static_cast<T>(of(a)));
  return {std::move(values), 1};
}

Structure structure_of(const std::vector<Atom>& atoms, const std::vector<std::string>& species,
                       bool refined) {
  Structure s;
  for (const Atom& a : atoms) {
    s.position.push_back(a.position);
    s.atomic_number.push_back(species.empty() ? std::uint8_t{0} : atomic_number(species[a.species]));
  }
  s.columns["height"] = column<double>(atoms, [](const Atom& a) { return a.height; });
  s.columns["sigma_a"] = column<double>(atoms, [](const Atom& a) { return a.sigma_A; });
  s.columns["integrated_intensity"] = column<double>(atoms, [](const Atom& a) { return a.integrated; });
  s.columns["fit_residual"] = column<double>(atoms, [](const Atom& a) { return a.residual; });
  s.columns["fitted"] = column<std::uint8_t>(atoms, [](const Atom& a) { return a.fitted; });
  if (species.size() > 1)
    s.columns["species_probability"] = column<double>(atoms, [](const Atom& a) { return a.probability; });
  if (refined) {
    s.columns["refined_intensity"] = column<double>(atoms, [](const Atom& a) { return a.refined_intensity; });
    s.columns["crlb_a"] = column<double>(atoms, [](const Atom& a) { return a.crlb_A; });
    s.columns["error_x_a"] = column<double>(atoms, [](const Atom& a) { return a.error_A.x(); });
    s.columns["error_y_a"] = column<double>(atoms, [](const Atom& a) { return a.error_A.y(); });
    s.columns["error_z_a"] = column<double>(atoms, [](const Atom& a) { return a.error_A.z(); });
  }
  s.comments["units"] = "Angstrom";
  return s;
}

double voxel_size(const Request& request, const io::VolumeInfo& info) {
  if (request.pixel_A) {
    if (info.voxel_A && std::abs(*info.voxel_A / *request.pixel_A - 1) > 1e-6)
      log::info("trace: voxels of {} Å as configured; the volume's file says {} Å", *request.pixel_A,
                *info.voxel_A);
    return *request.pixel_A;
  }
  if (!info.voxel_A)
    throw InputError("scan.pixel_A", "nothing, and " + request.volume + " has no voxel size",
                     "a length in Å");
  return *info.voxel_A;
}

json count_by_species(const std::vector<Atom>& atoms, const std::vector<std::string>& species) {
  json counts = json::object();
  for (const auto& symbol : species) counts[symbol] = 0;
  for (const Atom& a : atoms) {
    const std::string symbol = species.empty() ? "X" : species[a.species];
    counts[symbol] = counts.value(symbol, 0) + 1;
  }
  return counts;
}

}  // namespace

json trace(const RunContext& context, const Request& request, const Outputs& outputs) {
  const auto& species = request.options.species;
  const std::size_t classes = std::max<std::size_t>(1, species.size());
  io::VolumeInfo info;
  double voxel_A = 0;
  context.comm.agree([&] {
    for (const auto& symbol : species)
      if (atomic_number(symbol) == 0)
        throw InputError("trace.species", "'" + symbol + "'", "the symbol of an element");
    info = io::read_volume_info(request.volume);
    voxel_A = voxel_size(request, info);
  });
  json notes = json::array();
  const auto note = [&](const std::string& text) {
    log::info("trace: {}", text);
    notes.push_back(text);
  };

  fault::point("trace-peaks");
  PeakSearch search = find_peaks(context.comm, request.volume, info, voxel_A, request.options);
  return_freed_memory();
  log::info("trace: {} peaks above {:.5g} ({})", search.peaks.size(), search.threshold.value,
            request.options.threshold ? "as configured" : "found in the heights of all maxima");
  std::vector<Atom> atoms = atoms_of(search, info.shape, voxel_A);
  sort_by_place(atoms);
  if (!search.threshold.separates && !request.options.threshold && !atoms.empty())
    note("no class of weaker maxima lies below the atoms: every maximum was taken for one");
  const auto kept = std::count_if(atoms.begin(), atoms.end(), [](const Atom& a) { return !a.fitted; });
  bool told_apart = classify_atoms(atoms, classes, context.seed);

  std::vector<Rejected> rejected;
  for (const RejectedPeak& p : search.rejected_peaks)
    rejected.push_back({word_of(p.reason), place_of(p.centre, info.shape, voxel_A), p.height});
  json refinement = nullptr;
  const bool refine_now = request.options.refine && !request.images.empty() && !atoms.empty();
  if (request.options.refine && request.images.empty())
    note("no images at hand: positions are those of the volume's peaks, not refined");
  if (refine_now) {
    const std::size_t before = rejected.size();
    refinement = refine_atoms(context, request, classes, atoms, rejected, told_apart, outputs.angles);
    for (const char* reason : {"weak_in_images", "too_close_in_images"})
      search.rejected[reason] = static_cast<std::size_t>(
          std::count_if(rejected.begin() + static_cast<std::ptrdiff_t>(before), rejected.end(),
                        [&](const Rejected& r) { return r.reason == std::string_view(reason); }));
    sort_by_place(atoms);
  }
  if (!told_apart)
    note("the intensities do not tell the species apart; which atom is which is not to be trusted");

  context.comm.agree([&] {
    if (!context.comm.is_root()) return;
    io::write_file_atomically(outputs.rejected, table_of(rejected));
    io::write_extxyz(context, outputs.atoms, structure_of(atoms, species, refine_now));
  });
  json summary{{"atoms", atoms.size()},
               {"by_species", count_by_species(atoms, species)},
               {"threshold", search.threshold.value},
               {"background", search.background},
               {"smoothing_A", search.smoothing_A},
               {"voxel_A", voxel_A},
               {"rejected", search.rejected},
               {"maxima_kept_without_fit", kept},
               {"refined", refine_now},
               {"refinement", refinement},
               {"crlb_pm", refine_now ? refinement["crlb_pm"] : json(nullptr)},
               {"notes", notes}};
  if (refine_now) summary["refinement"].erase("crlb_pm");
  return summary;
}

}  // namespace aetos::tracing
