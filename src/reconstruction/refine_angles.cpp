#include "refine_angles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>
#include <optional>

#include "aetos/core/fault.hpp"
#include "aetos/core/log.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/json_text.hpp"
#include "anderson.hpp"
#include "images.hpp"
#include "solve.hpp"

namespace aetos::reconstruction {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using tomography::Pose;
using tomography::PoseFit;
using tomography::PoseStep;

constexpr double kDegrees = std::numbers::pi / 180;
/// The first round moves images alone, blurred: shifts of a few pixels find home, and hide what angles do.
constexpr double kFirstBlur_px = 2;
/// Passes of a round's reconstruction, the fine ones with momentum. Few give rounds that settle faster; but a
/// volume that is far from converged bends all views together, as a stretched specimen would.
constexpr int kCoarsePasses = 4, kFinePasses = 20;
constexpr int kCoarseRounds = 4;
/// Noise moves poses by more than one step's standard error, since the volume follows: this much, as
/// variances.
constexpr double kNoiseFollows = 3;
/// What the method itself does to a series with exact angles (reconstruction_tests): smaller changes mean
/// nothing.
constexpr double kOwnError_deg = 0.15, kOwnError_px = 0.02;
/// Root mean square of the steps of a round that ends the refinement.
constexpr double kSmallTurn_deg = 0.005, kSmallShift_px = 0.002;

struct Progressed {
  int rounds = 0;
  bool settled = false;
  std::vector<Pose> poses;
  PoseStep noise{};  ///< mean variances of the last round's steps
  double first_r = 0, last_r = 0;
  Anderson acceleration;
};

json to_json(const Progressed& done, const std::string& fingerprint) {
  json poses = json::array();
  for (const Pose& p : done.poses)
    poses.push_back({p.angles.phi_deg, p.angles.theta_deg, p.angles.psi_deg, p.shift_u, p.shift_v});
  return {{"fingerprint", fingerprint},
          {"rounds", done.rounds},
          {"settled", done.settled},
          {"poses", poses},
          {"noise", done.noise},
          {"first_r", done.first_r},
          {"last_r", done.last_r},
          {"steps", done.acceleration.steps},
          {"results", done.acceleration.results}};
}

Progressed from_json(const json& kept) {
  Progressed done;
  done.rounds = kept.at("rounds");
  done.settled = kept.at("settled");
  done.noise = kept.at("noise").get<PoseStep>();
  done.first_r = kept.at("first_r");
  done.last_r = kept.at("last_r");
  done.acceleration.steps = kept.at("steps").get<std::vector<Anderson::Point>>();
  done.acceleration.results = kept.at("results").get<std::vector<Anderson::Point>>();
  for (const auto& row : kept.at("poses")) {
    const auto p = row.get<std::array<double, 5>>();
    done.poses.push_back({{p[0], p[1], p[2]}, p[3], p[4]});
  }
  return done;
}

/// Rounds that an earlier run finished; none if there are none of this fingerprint.
std::optional<Progressed> read_progress(const RunContext& context, const fs::path& file) {
  std::string text;
  context.comm.agree([&] {
    if (context.comm.is_root() && fs::exists(file)) text = io::read_text_file(file.string());
  });
  text = context.comm.broadcast_string(text);
  if (text.empty()) return std::nullopt;
  const json kept = json::parse(text, nullptr, false);
  if (kept.is_discarded() || kept.value("fingerprint", "") != context.fingerprint) return std::nullopt;
  try {
    return from_json(kept);
  } catch (const json::exception&) {
    return std::nullopt;  // the rounds are done again, on all ranks alike
  }
}

/// The quick reconstruction of a round.
Plan round_plan(const Plan& plan, const std::vector<Pose>& poses, int passes) {
  Plan round = with_poses(plan, poses);
  round.plain = false;  // every rank holds all, as later rounds need
  round.accelerated = passes == kFinePasses;
  round.fourier = false;
  round.petsc = nullptr;
  round.preconditioned = false;
  round.subsets = automatic_subsets(poses.size());
  round.iterations = passes;
  return round;
}

tomography::ReconstructOptions round_options(const Request& request) {
  tomography::ReconstructOptions options = request.options;
  options.method = "os-resire";
  options.projector = tomography::Projector::real_space;
  options.step = 2;
  options.relative_change = 0;
  options.patience = 0;
  return options;
}

class Refinement {
 public:
  Refinement(const RunContext& context, const Request& request, const Plan& plan)
      : context_(context), plan_(plan), options_(round_options(request)) {
    for (const EulerAngles& angles : plan.geometry.angles) nominal_.push_back({angles, 0, 0});
    const Plan whole = round_plan(plan, nominal_, 1);
    mine_ = decompose(context.comm, whole);
    raw_ = load_images(context.comm, request, whole, mine_).measured;
  }

  const std::vector<Pose>& nominal() const { return nominal_; }

  void one_round(Progressed& done) {
    const bool coarse = done.rounds < kCoarseRounds, first = done.rounds == 0;
    const Plan plan = round_plan(plan_, done.poses, coarse ? kCoarsePasses : kFinePasses);
    Array<float, 3> aligned = raw_.clone();
    for (std::size_t p = 0; p < done.poses.size(); ++p)
      shift_projection(aligned.view()[p], plan.geometry.nv, {done.poses[p].shift_v, done.poses[p].shift_u});
    done.last_r = reconstruct(plan, aligned, done.rounds);
    if (first) done.first_r = done.last_r;
    const std::vector<Pose> before = done.poses;
    take_steps(plan, aligned, first ? kFirstBlur_px : 0, done);
    const auto [turn, shift] = tomography::change_between(before, done.poses);
    log::info("  round {}: R {:.6f}, then poses changed by {:.4f} degrees and {:.4f} pixels (rms)",
              done.rounds + 1, done.last_r, turn, shift);
    done.settled = !coarse && turn < kSmallTurn_deg && shift < kSmallShift_px;
    if (!coarse && !done.settled) extrapolate(before, done);
    ++done.rounds;
  }

 private:
  RunContext context_of(int round) const {
    RunContext context = context_;
    context.work = context_.work / fmt::format("angles-{}", round);
    context.fingerprint = fmt::format("{}-angles-{}", context_.fingerprint, round);
    return context;
  }

  /// Fills volume_; returns R before the last pass.
  double reconstruct(const Plan& plan, View<const float, 3> aligned, int round) {
    volume_ = {};
    const RunContext context = context_of(round);
    context_.comm.agree([&] {
      if (context_.comm.is_root()) fs::create_directories(context.work);
    });
    auto resumed = read_checkpoint(context, plan, mine_, plan.iterations);
    State state = resumed ? std::move(*resumed) : first_state(plan, mine_);
    const Problem problem{plan, options_, mine_, aligned, {options_.nonnegative, {}}};
    const auto factors = solve(context, problem, state, {nullptr, true, true});
    volume_ = std::move(state.u);
    context_.comm.agree([&] {
      if (context_.comm.is_root()) fs::remove_all(context.work);
    });
    return factors.mean_r1;
  }

  /// One Gauss-Newton step of every projection against volume_; with a blur of the shifts alone.
  void take_steps(const Plan& plan, View<const float, 3> aligned, double blur_px, Progressed& done) const {
    const Communicator& comm = context_.comm;
    const Range mine = block_partition(done.poses.size(), static_cast<std::size_t>(comm.size()),
                                       static_cast<std::size_t>(comm.rank()));
    tomography::PoseFitter fitter(plan.geometry, blur_px);
    std::vector<PoseFit> my_fits;
    for (std::size_t p = mine.begin; p < mine.end; ++p)
      my_fits.push_back(fitter.fit(volume_, done.poses[p], aligned[p]));
    const auto fits = comm.all_gather(std::span<const PoseFit>(my_fits));
    done.noise = {};
    for (std::size_t p = 0; p < fits.size(); ++p) {
      PoseStep step = fits[p].step;
      if (blur_px > 0) step[0] = step[1] = step[2] = 0;
      for (std::size_t i = 0; i < step.size(); ++i)
        done.noise[i] += fits[p].sigma[i] * fits[p].sigma[i] / static_cast<double>(fits.size());
      done.poses[p] = tomography::moved(done.poses[p], step);
    }
    tomography::fix_gauge(plan_.geometry.angles, done.poses);
  }

  void extrapolate(const std::vector<Pose>& before, Progressed& done) const {
    // Rotations as what they move at half the image's radius, so that all numbers are pixels.
    const double radius = static_cast<double>(plan_.geometry.nu) / 4;
    const auto numbers = [&](const std::vector<Pose>& poses) {
      Anderson::Point x;
      for (std::size_t p = 0; p < poses.size(); ++p) {
        const PoseStep s = tomography::step_between(nominal_[p], poses[p]);
        x.insert(x.end(), {radius * s[0], radius * s[1], radius * s[2], s[3], s[4]});
      }
      return x;
    };
    const auto x = done.acceleration.next(numbers(before), numbers(done.poses));
    for (std::size_t p = 0; p < done.poses.size(); ++p) {
      const double* s = x.data() + 5 * p;
      done.poses[p] =
          tomography::moved(nominal_[p], {s[0] / radius, s[1] / radius, s[2] / radius, s[3], s[4]});
    }
    tomography::fix_gauge(plan_.geometry.angles, done.poses);
  }

  const RunContext& context_;
  const Plan& plan_;
  tomography::ReconstructOptions options_;
  std::vector<Pose> nominal_;
  Decomposition mine_;
  Array<float, 3> raw_, volume_;
};

/// Changes by what noise and the method itself do are worth nothing, larger ones nearly all (James and Stein
/// 1961): each component keeps the share of its mean square over the projections that they do not explain.
PoseStep shrink(const std::vector<Pose>& nominal, const PoseStep& noise, std::vector<Pose>& poses) {
  PoseStep square{}, kept{};
  std::vector<PoseStep> changes;
  for (std::size_t p = 0; p < poses.size(); ++p) {
    changes.push_back(tomography::step_between(nominal[p], poses[p]));
    for (std::size_t i = 0; i < square.size(); ++i)
      square[i] += changes[p][i] * changes[p][i] / static_cast<double>(poses.size());
  }
  for (std::size_t i = 0; i < square.size(); ++i) {
    const double own = i < 3 ? kOwnError_deg * kDegrees : kOwnError_px;
    kept[i] = square[i] > 0 ? std::max(0.0, 1 - (kNoiseFollows * noise[i] + own * own) / square[i]) : 0;
  }
  for (std::size_t p = 0; p < poses.size(); ++p) {
    PoseStep step = changes[p];
    for (std::size_t i = 0; i < step.size(); ++i) step[i] *= kept[i];
    poses[p] = tomography::moved(nominal[p], step);
  }
  return kept;
}

json describe(const Progressed& done, const std::vector<Pose>& nominal, const PoseStep& kept) {
  const auto [turn, shift] = tomography::change_between(nominal, done.poses);
  const PoseStep& n = done.noise;
  return {{"rounds", done.rounds},
          {"settled", done.settled},
          {"rotation_rms_deg", turn},
          {"shift_rms_px", shift},
          {"rotation_sigma_deg", std::sqrt((n[0] + n[1] + n[2]) * kNoiseFollows) / kDegrees},
          {"shift_sigma_px", std::sqrt((n[3] + n[4]) * kNoiseFollows)},
          {"kept_share", kept},
          {"r_first_round", done.first_r},
          {"r_last_round", done.last_r}};
}

}  // namespace

RefinedPoses refine_poses(const RunContext& context, const Request& request, const Plan& plan) {
  const fs::path file = context.work / "poses.json";
  Refinement refinement(context, request, plan);
  Progressed done;
  if (auto kept = read_progress(context, file)) {
    done = std::move(*kept);
    log::info("  {} rounds of refined angles were done before", done.rounds);
  } else {
    done.poses = refinement.nominal();
  }
  while (!done.settled && done.rounds < request.options.refine_rounds) {
    fault::point("refine-angles-round");
    refinement.one_round(done);
    context.comm.agree([&] {
      if (context.comm.is_root()) io::write_file_atomically(file, io::json_text(to_json(done, context.fingerprint), 1));
    });
  }
  const PoseStep kept = shrink(refinement.nominal(), done.noise, done.poses);
  json summary = describe(done, refinement.nominal(), kept);
  log::info("  angles refined in {} rounds{}: rotations {:.3f} degrees, shifts {:.3f} pixels (rms)",
            done.rounds, done.settled ? "" : ", not settled yet", summary["rotation_rms_deg"].get<double>(),
            summary["shift_rms_px"].get<double>());
  return {std::move(done.poses), std::move(summary)};
}

int most_refinement_passes(int rounds) {
  // One pass more in each round, for R and the steps.
  return std::min(rounds, kCoarseRounds) * (kCoarsePasses + 1) +
         std::max(rounds - kCoarseRounds, 0) * (kFinePasses + 1);
}

Plan with_poses(const Plan& plan, const std::vector<Pose>& poses) {
  Plan refined = plan;
  refined.shifts.assign(plan.images_in_file, {});
  for (std::size_t p = 0; p < poses.size(); ++p) {
    refined.geometry.angles[p] = poses[p].angles;
    refined.shifts[plan.kept[p]] = {poses[p].shift_v, poses[p].shift_u};
  }
  const auto still = [](const imaging::Shift& shift) { return shift == imaging::Shift{}; };
  refined.plain = tomography::is_plain_tilt_series(refined.geometry.angles) &&
                  std::all_of(refined.shifts.begin(), refined.shifts.end(), still);
  return refined;
}

void write_refined_series(const RunContext& context, const Request& request, const Plan& plan,
                          const std::vector<Pose>& poses, const fs::path& series, const fs::path& table) {
  const Communicator& comm = context.comm;
  Plan whole = with_poses(plan, poses);
  whole.plain = false;
  const Decomposition mine = decompose(comm, whole);
  const Images images = load_images(comm, request, whole, mine);
  io::TiltSeriesInfo info;
  comm.agree([&] { info = io::read_tilt_series_info(request.source); });
  info.tilts = poses.size();
  info.ny = plan.geometry.nv;
  info.nx = plan.geometry.nu;
  info.pixel_A = plan.pixel_A;
  info.angles = whole.geometry.angles;
  info.signals = {plan.signal.empty() ? "images" : plan.signal};
  io::TiltSeriesWriter writer(comm, series, info, io::provenance_of(context));
  std::vector<std::size_t> numbers;
  for (std::size_t p = mine.projections.begin; p < mine.projections.end; ++p) numbers.push_back(p);
  Array<float, 3> own({numbers.size(), info.ny, info.nx});
  for (std::size_t p = 0; p < numbers.size(); ++p)
    for (std::size_t v = 0; v < info.ny; ++v)
      for (std::size_t u = 0; u < info.nx; ++u) own(p, v, u) = images.measured(numbers[p], u, v);
  writer.write(info.signals[0], numbers, own);
  writer.commit();
  comm.agree([&] {
    if (comm.is_root()) io::write_file_atomically(table, tomography::pose_table(plan.kept, poses));
  });
}

}  // namespace aetos::reconstruction
