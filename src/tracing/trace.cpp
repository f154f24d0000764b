#include "aetos/tracing/trace.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "aetos/core/error.hpp"
#include "aetos/core/fault.hpp"
#include "aetos/core/log.hpp"
#include "aetos/core/median.hpp"
#include "aetos/core/version.hpp"
#include "aetos/io/structure_files.hpp"
#include "aetos/tracing/classify.hpp"
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
  double height = 0, sigma_A = 0, integrated = 0, residual = 0;
  bool fitted = false;
  double refined_intensity = 0, crlb_A = 0;
};

std::vector<Atom> atoms_of(const PeakSearch& search, const std::array<std::size_t, 3>& volume,
                           double voxel_A) {
  std::vector<Atom> atoms;
  for (const Peak& p : search.peaks) {
    Atom atom;
    for (std::size_t a = 0; a < 3; ++a)
      atom.position(static_cast<Eigen::Index>(2 - a)) =
          (p.centre[a] - static_cast<double>(centre_index(volume[a]))) * voxel_A;
    atom.height = p.height;
    atom.sigma_A = p.sigma * voxel_A;
    atom.integrated = p.integrated * voxel_A * voxel_A * voxel_A;
    atom.residual = p.residual;
    atom.fitted = p.fit == PeakFit::gaussian;
    atoms.push_back(atom);
  }
  return atoms;
}

void sort_by_place(std::vector<Atom>& atoms) {
  std::sort(atoms.begin(), atoms.end(), [](const Atom& a, const Atom& b) {
    return std::tuple(a.position.z(), a.position.y(), a.position.x()) <
           std::tuple(b.position.z(), b.position.y(), b.position.x());
  });
}

/// Gives every atom its species by the intensity that `of` picks; false if the classes cannot be told apart.
template <class Pick>
bool classify_atoms(std::vector<Atom>& atoms, std::size_t species, std::uint64_t seed, Pick of) {
  std::vector<double> intensity;
  for (const Atom& a : atoms) intensity.push_back(of(a));
  const Classes classes = classify(intensity, species, seed);
  for (std::size_t i = 0; i < atoms.size(); ++i) atoms[i].species = classes.of[i];
  return classes.told_apart;
}

double median_sigma(const std::vector<Atom>& atoms, double otherwise) {
  std::vector<double> sigma;
  for (const Atom& a : atoms)
    if (a.fitted) sigma.push_back(a.sigma_A);
  return sigma.empty() ? otherwise : upper_median(sigma);
}

/// Refines the atoms in place and returns what the summary says about it.
json refine_atoms(const RunContext& context, const Request& request, std::size_t species,
                  std::vector<Atom>& atoms, std::map<std::string, std::size_t>& rejected) {
  const MeasuredImages images = read_measured_images(context.comm, request);
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
  options.start_sigma_A = std::clamp(median_sigma(atoms, 0.4), 0.2, 1.0);
  const Refinement refined =
      refine(context.comm, context.stop, images, position, intensity, species_of, species, options);

  std::vector<Atom> stay;
  double moved = 0, bound = 0;
  json sigma = json::object();
  for (std::size_t i = 0; i < refined.kept.size(); ++i) {
    Atom atom = atoms[refined.kept[i]];
    moved += (refined.position[i] - atom.position).squaredNorm();
    bound += refined.crlb_A[i] * refined.crlb_A[i];
    atom.position = refined.position[i];
    atom.refined_intensity = refined.intensity[i];
    atom.crlb_A = refined.crlb_A[i];
    sigma[request.options.species.empty() ? "X" : request.options.species[atom.species]] = refined.sigma_A[i];
    stay.push_back(atom);
  }
  rejected["weak_in_images"] = atoms.size() - stay.size();
  const auto n = static_cast<double>(stay.size());
  atoms = std::move(stay);
  const auto per_atom = [&](double sum) { return n > 0 ? json(std::sqrt(sum / n)) : json(nullptr); };
  return {{"iterations", refined.iterations},
          {"misfit_before", refined.misfit_before},
          {"misfit_after", refined.misfit_after},
          {"sigma_A", sigma},
          {"growth_with_depth", refined.growth},
          {"moved_rms_A", per_atom(moved)},
          {"lowest_intensity_share", options.lowest_share},
          {"crlb_pm", n > 0 ? json(100 * std::sqrt(bound / n)) : json(nullptr)}};
}

template <class T, class Pick>
Column column(const std::vector<Atom>& atoms, Pick of) {
  std::vector<T> values;
  for (const Atom& a : atoms) values.push_back(static_cast<T>(of(a)));
  return {std::move(values), 1};
}

Structure structure_of(const std::vector<Atom>& atoms, const std::vector<std::string>& species, bool refined,
                       const RunContext& context) {
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
  if (refined) {
    s.columns["refined_intensity"] = column<double>(atoms, [](const Atom& a) { return a.refined_intensity; });
    s.columns["crlb_a"] = column<double>(atoms, [](const Atom& a) { return a.crlb_A; });
  }
  s.comments["units"] = "Angstrom";
  s.comments["aetos_version"] = kVersion;
  s.comments["seed"] = std::to_string(context.seed);
  s.comments["fingerprint"] = context.fingerprint;
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

json trace(const RunContext& context, const Request& request, const std::filesystem::path& file) {
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
  log::info("trace: {} peaks above {:.5g} ({})", search.peaks.size(), search.threshold.value,
            request.options.threshold ? "as configured" : "found in the heights of all maxima");
  std::vector<Atom> atoms = atoms_of(search, info.shape, voxel_A);
  sort_by_place(atoms);
  if (!search.threshold.separates && !request.options.threshold && !atoms.empty())
    note("no class of weaker maxima lies below the atoms: every maximum was taken for one");
  const auto kept = std::count_if(atoms.begin(), atoms.end(), [](const Atom& a) { return !a.fitted; });
  bool told_apart = classify_atoms(atoms, classes, context.seed, [](const Atom& a) { return a.integrated; });

  json refinement = nullptr;
  const bool refine_now = request.options.refine && !request.images.empty() && !atoms.empty();
  if (request.options.refine && request.images.empty())
    note("no images at hand: positions are those of the volume's peaks, not refined");
  if (refine_now) {
    refinement = refine_atoms(context, request, classes, atoms, search.rejected);
    told_apart =
        classify_atoms(atoms, classes, context.seed, [](const Atom& a) { return a.refined_intensity; });
    sort_by_place(atoms);
  }
  if (!told_apart)
    note("the intensities do not tell the species apart; which atom is which is not to be trusted");

  context.comm.agree([&] {
    if (context.comm.is_root()) io::write_extxyz(file, structure_of(atoms, species, refine_now, context));
  });
  json summary{{"atoms", atoms.size()},
               {"by_species", count_by_species(atoms, species)},
               {"threshold", search.threshold.value},
               {"background", search.background},
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
