#include "aetos/pipeline/run.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>

#include "aetos/analysis/analyze.hpp"
#include "aetos/atoms/film.hpp"
#include "aetos/config/load.hpp"
#include "aetos/core/error.hpp"
#include "aetos/core/fault.hpp"
#include "aetos/core/log.hpp"
#include "aetos/core/progress.hpp"
#include "aetos/core/version.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/structure_files.hpp"
#include "aetos/parallel/run_lock.hpp"
#include "aetos/pipeline/check.hpp"
#include "aetos/pipeline/compare_stage.hpp"
#include "aetos/pipeline/model_images.hpp"
#include "aetos/pipeline/plan.hpp"
#include "aetos/pipeline/report.hpp"
#include "aetos/pipeline/run_summary.hpp"
#include "aetos/pipeline/stage_meter.hpp"
#include "aetos/pipeline/xdmf.hpp"

namespace aetos::pipeline {
namespace {

namespace fs = std::filesystem;
using config::Stage;
using Json = nlohmann::json;

/// The stages of one run, with what they share.
class Run {
 public:
  Run(const Communicator& comm, const Stop& stop, Plan plan, std::map<std::string, StageRecord> wanted,
      RunRecord record)
      : comm_(comm),
        stop_(stop),
        plan_(std::move(plan)),
        wanted_(std::move(wanted)),
        record_(std::move(record)) {
    // The cost of the files is agreed once: every rank must go the same way through the stages.
    config_text_ = config::resolved_yaml(plan_.config);
  }

  void all_stages() {
    write_resolved_config();
    Json summary = read_summary(comm_, plan_.output);
    summary["project"] = plan_.config.project;
    summary["version"] = kVersion;
    summary["commit"] = kCommit;
    summary["seed"] = plan_.config.seed;
    for (Stage stage : plan_.config.stages) {
      if (is_done(stage)) {
        log::info("{}: already done", config::stage_name(stage));
        continue;
      }
      if (stop_.agreed(comm_)) throw Interrupted(std::string("stopped by ") + stop_.reason());
      one_stage(stage, summary);
    }
    finish(summary);
  }

 private:
  bool is_done(Stage stage) const {
    // Files may differ in what each node sees for a moment, so one rank looks for all.
    bool done = false;
    if (comm_.is_root()) {
      const auto& kept = record_.stages.at(config::stage_name(stage));
      done = kept.done;
      for (const auto& file : outputs_of(plan_, stage)) done = done && fs::exists(plan_.output / file);
    }
    return comm_.broadcast_value(done);
  }

  void write_resolved_config() const {
    comm_.agree([&] {
      if (comm_.is_root()) io::write_file_atomically(plan_.output / files::resolved_config, config_text_);
    });
  }

  RunContext context(Stage stage) const {
    const std::string name = config::stage_name(stage);
    std::string inputs;
    for (const auto& [file, digest] : wanted_.at(name).inputs) inputs += digest + "  " + file + "\n";
    return {.comm = comm_,
            .stop = stop_,
            .output = plan_.output,
            .work = plan_.output / files::work / name,
            .fingerprint = wanted_.at(name).fingerprint,
            .config_text = config_text_,
            .seed = plan_.config.seed,
            .checkpoint_interval_s = plan_.config.checkpoint_interval_s,
            .inputs = inputs};
  }

  void one_stage(Stage stage, Json& summary) {
    const std::string name = config::stage_name(stage);
    log::info("{}", name);
    const StageMeter meter(name);
    Json result = perform(stage);
    meter.finish(comm_, result);
    log::info("{}: {} on {} rank(s), {:.0f} MiB at most", name, format_duration(result["wall_s"]),
              comm_.size(), result["peak_memory_MiB"].get<double>());
    summary[name] = result;
    fault::point("stage-done");
    comm_.agree([&] {
      if (!comm_.is_root()) return;
      for (const auto& file : all_outputs_of(stage))
        if (fs::exists(plan_.output / file))
          record_.checksums[file] = io::sha256_hex_of_file(plan_.output / file);
      record_.stages[name].done = true;
      write_summary(plan_.output, summary);
      record_.write(plan_.output);
      fault::point("stage-recorded");
      // The reconstruction's last checkpoint stays: more iterations go on from it.
      if (stage != Stage::reconstruct) fs::remove_all(plan_.output / files::work / name);
    });
  }

  Json trace_stage(const RunContext& ctx) const {
    auto request = plan_.tracing_request();
    request.simulate = [this](const RunContext& inside, const tracing::ImagesOfModel& images) {
      return simulate_model(inside, plan_.config, images);
    };
    return tracing::trace(ctx, request,
                          {plan_.output / files::atoms, plan_.output / files::rejected_peaks,
                           plan_.output / files::traced_angles});
  }

  Json analyze_stage(const RunContext& ctx) const {
    const auto& options = plan_.config.analyze;
    Structure model;
    comm_.agree([&] {
      model = options.input == "specimen" ? atoms::without_film(*plan_.specimen)
                                          : io::read_structure(plan_.analyze_input());
    });
    return analysis::analyze(ctx,
                             {.atoms = model,
                              .measures = options.measures,
                              .cutoff_A = options.cutoff_A,
                              .alpha_A = options.alpha_A,
                              .isolated = options.isolated,
                              .layer_A = options.layer_A,
                              .inputs = {.volume = plan_.analyze_volume(),
                                         .images = plan_.analyze_images(),
                                         .radius_A = options.radius_A,
                                         .sections = options.sections,
                                         .profiles = options.profiles}},
                             plan_.output);
  }

  Json perform(Stage stage) {
    const auto ctx = context(stage);
    switch (stage) {
      case Stage::simulate:
        return simulation::simulate(ctx, plan_.simulation_request(), plan_.output / files::tilt_series);
      case Stage::reconstruct:
        return reconstruction::reconstruct(ctx, plan_.reconstruction_request(), plan_.output / files::volume);
      case Stage::trace:
        return trace_stage(ctx);
      case Stage::compare:
        return compare_stage(ctx, plan_);
      case Stage::analyze:
        return analyze_stage(ctx);
      case Stage::preprocess:
        return preprocessing::preprocess(ctx, plan_.preprocessing_request(),
                                         {.series = plan_.output / files::preprocessed,
                                          .details = plan_.output / files::preprocessing,
                                          .shifts = plan_.output / files::shifts,
                                          .calibration = plan_.output / files::calibration,
                                          .crystal = plan_.output / files::crystal});
    }
    throw InputError("stages", config::stage_name(stage), "a stage that this version has");
  }

  void finish(Json& summary) {
    comm_.agree([&] {
      if (!comm_.is_root()) return;
      summary["warnings"] = log::warnings();
      write_summary(plan_.output, summary);
      record_.checksums[files::summary] = io::sha256_hex_of_file(plan_.output / files::summary);
      record_.checksums[files::resolved_config] =
          io::sha256_hex_of_file(plan_.output / files::resolved_config);
      log::info("{}", performance_table(summary));
      try {
        if (write_xdmf(plan_.output))
          record_.checksums[files::xdmf] = io::sha256_hex_of_file(plan_.output / files::xdmf);
      } catch (const InputError& error) {
        log::warn("no {}: {}", files::xdmf, error.what());
      }
      write_report(plan_.output);
      record_.checksums[files::report] = io::sha256_hex_of_file(plan_.output / files::report);
      record_.write(plan_.output);
      std::error_code ignored;
      fs::remove(plan_.output / files::work, ignored);  // only if empty
    });
    log::info("{}", result_lines(summary, plan_.output));
  }

  const Communicator& comm_;
  const Stop& stop_;
  Plan plan_;
  std::map<std::string, StageRecord> wanted_;
  RunRecord record_;
  std::string config_text_;
};

/// The record of the folder; a broken one is no reason to refuse what is going to be replaced.
RunRecord existing_record(const fs::path& folder, IfPresent if_present) {
  try {
    return RunRecord::read(folder).value_or(RunRecord{});
  } catch (const InputError&) {
    if (if_present != IfPresent::overwrite) throw;
    return {};
  }
}

/// What a launcher has given to the ranks of this machine: all bound to one core is a mistake often made.
std::string machine_words(std::size_t ranks, std::size_t processors) {
  const char* threads = std::getenv("OMP_NUM_THREADS");
  const auto words = fmt::format("on this machine: {} rank(s), OMP_NUM_THREADS {}", ranks,
                                 threads != nullptr ? threads : "not set");
  if (processors == 0) return words;
  return fmt::format("{}, {} processor(s) allowed{}", words, processors,
                     ranks > processors ? ", which ranks share" : "");
}

}  // namespace

void run(const Communicator& comm, const Stop& stop, config::Master master, IfPresent if_present) {
  Plan plan;
  std::map<std::string, StageRecord> wanted;
  RunRecord record;
  std::optional<RunLock> lock;
  const Communicator neighbours = comm.on_this_machine();
  const int here = neighbours.size();
  const std::size_t processors = processors_allowed(neighbours);
  comm.agree([&] {
    plan = make_plan(std::move(master));
    check(plan, comm.size(), here);  // refuses what cannot run, before anything is written
  });
  comm.agree([&] {
    // Inputs are hashed once, by one rank; the others learn the digests below.
    if (comm.is_root()) {
      record = existing_record(plan.output, if_present);
      wanted = stage_records(plan, record);
      admit(plan, wanted, record, if_present);
    }
  });
  share_fingerprints(comm, wanted);
  const Communicator writers = comm.with_file_hints(plan.config.files.for_mpi());
  comm.agree([&] {
    if (!comm.is_root()) return;
    std::error_code error;
    fs::create_directories(plan.output, error);
    if (error)
      throw InputError(plan.output.string(), "cannot be created (" + error.message() + ")",
                       "a folder that may be written");
    lock.emplace(plan.output);
    prepare_folder(plan, wanted, record, if_present);
    log::open_file((plan.output / files::log).string());
    log::info("AETOS {} ({}), {} rank(s), output in {}", kVersion, kCommit, comm.size(),
              plan.output.string());
    log::info("{}", machine_words(static_cast<std::size_t>(here), processors));
  });
  Run(writers, stop, std::move(plan), std::move(wanted), std::move(record)).all_stages();
  log::close_file();
}

}  // namespace aetos::pipeline
