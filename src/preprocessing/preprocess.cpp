#include "aetos/preprocessing/preprocess.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "aetos/core/error.hpp"
#include "aetos/core/fault.hpp"
#include "aetos/core/log.hpp"
#include "aetos/core/progress.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/disk_space.hpp"
#include "aetos/io/json_text.hpp"
#include "aetos/parallel/journal.hpp"
#include "calibrate.hpp"
#include "find_shifts.hpp"

namespace aetos::preprocessing {
namespace {

using imaging::Shift;
using nlohmann::json;
using Finished = std::map<Journal::Key, Journal::Place>;

/// Cleans what no journal holds yet, a projection of each rank in turn. Throws Interrupted when it is time to
/// stop, with everything done on disk.
void clean_all(const RunContext& context, const Request& request, const Plan& plan) {
  const Communicator& comm = context.comm;
  const Finished before = Journal::scan(comm, context.work, context.fingerprint);
  std::vector<std::size_t> left;
  for (std::size_t i = 0; i < plan.kept.size(); ++i)
    if (!before.contains(i)) left.push_back(i);
  if (!before.empty())
    log::info("{} of {} projections were done before", plan.kept.size() - left.size(), plan.kept.size());
  Journal journal(comm, context.work, context.fingerprint, context.checkpoint_interval_s);
  const auto ranks = static_cast<std::size_t>(comm.size());
  Progress progress("projections", static_cast<double>(plan.kept.size()),
                    static_cast<double>(plan.kept.size() - left.size()));
  for (std::size_t first = 0; first < left.size(); first += ranks) {
    const bool stop = context.stop.agreed(comm);
    comm.agree([&] {
      const std::size_t mine = first + static_cast<std::size_t>(comm.rank());
      if (!stop && mine < left.size()) {
        fault::point("preprocess-item");
        journal.append(left[mine], pack(clean_projection(request, plan, left[mine])));
      }
      if (stop || first + ranks >= left.size()) journal.flush();
    });
    if (stop) throw Interrupted(fmt::format("preprocessing stopped by {}", context.stop.reason()));
    progress.update(
        static_cast<double>(plan.kept.size() - left.size() + std::min(first + ranks, left.size())));
  }
  progress.finish();
}

Cleaned read_back(const Finished& finished, const Plan& plan, std::size_t index) {
  const auto place = finished.find(index);
  if (place == finished.end())
    throw ResourceError(
        fmt::format("the journal lacks projection {}; run again with --resume", plan.kept[index]));
  return unpack(Journal::read(place->second), plan.info.ny, plan.info.nx);
}

/// Everything about a projection but its image.
struct Findings {
  std::size_t replaced_pixels = 0;
  double counts_per_unit = 0;
  imaging::Plane background;
  double object_share = 0, total = 0, place_total = 0, y = 0, x = 0;
};

/// What the journal says of all projections, on every rank; `places` gets where their objects are.
std::vector<Findings> collect(const Communicator& comm, const Plan& plan, const Finished& finished,
                              std::vector<imaging::ObjectPlace>& places) {
  const Range mine = block_partition(plan.kept.size(), static_cast<std::size_t>(comm.size()),
                                     static_cast<std::size_t>(comm.rank()));
  std::vector<Findings> my_findings;
  std::vector<double> my_curves;
  comm.agree([&] {
    for (std::size_t i = mine.begin; i < mine.end; ++i) {
      const Cleaned c = read_back(finished, plan, i);
      my_findings.push_back({c.replaced_pixels, c.counts_per_unit, c.background, c.object_share, c.total,
                             c.place.total, c.place.y, c.place.x});
      my_curves.insert(my_curves.end(), c.place.along_y.begin(), c.place.along_y.end());
    }
  });
  const auto findings = comm.all_gather(std::span<const Findings>(my_findings));
  const auto curves = comm.all_gather(std::span<const double>(my_curves));
  const std::size_t length = curves.size() / findings.size();
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const auto from = curves.begin() + static_cast<std::ptrdiff_t>(i * length);
    places.push_back({findings[i].place_total,
                      findings[i].y,
                      findings[i].x,
                      {from, from + static_cast<std::ptrdiff_t>(length)}});
  }
  return findings;
}

/// What each projection is multiplied by: to the mean total of those that have one.
std::vector<double> scale_factors(const Request& request, const std::vector<double>& totals,
                                  const Plan& plan) {
  std::vector<double> factors(totals.size(), 1.0);
  if (request.options.normalize == config::Normalize::none) return factors;
  double sum = 0, count = 0;
  for (double total : totals)
    if (total > 0) {
      sum += total;
      count += 1;
    }
  for (std::size_t i = 0; i < totals.size(); ++i) {
    if (totals[i] > 0)
      factors[i] = sum / count / totals[i];
    else
      log::warn("projection {} has no intensity: it is not normalised", plan.kept[i]);
  }
  return factors;
}

bool counts_stay(const Request& request, const Plan& plan) {
  return !plan.to_recorded && request.options.normalize == config::Normalize::none &&
         request.options.denoise == config::Denoise::none &&
         request.options.background == config::Background::none;
}

std::string output_signal(const Plan& plan) {
  return plan.signal.empty() ? "images" : plan.signal;
}

Array<float, 2> shifted_image(const Finished& finished, const Plan& plan, std::size_t index,
                              const Shift& shift) {
  Cleaned c = read_back(finished, plan, index);
  return shift == Shift{} ? std::move(c.image) : imaging::shift_image(c.image, shift);
}

void write_series(const RunContext& context, const Request& request, const Plan& plan,
                  const Finished& finished, const std::vector<Shift>& shifts,
                  const std::vector<double>& factors, const std::filesystem::path& file) {
  io::TiltSeriesInfo info = plan.info;
  info.tilts = plan.kept.size();
  info.angles = plan.angles;
  info.pixel_A = plan.pixel_A;
  info.signals = {output_signal(plan)};
  if (!counts_stay(request, plan)) {
    info.is_counts = false;
    info.electrons_per_pixel.reset();
  }
  io::TiltSeriesWriter writer(context.comm, file, info, io::provenance_of(context));
  const auto ranks = static_cast<std::size_t>(context.comm.size());
  for (std::size_t first = 0; first < info.tilts; first += ranks) {
    const std::size_t index = first + static_cast<std::size_t>(context.comm.rank());
    const bool have = index < info.tilts;
    Array<float, 3> one({have ? std::size_t{1} : 0, info.ny, info.nx});
    context.comm.agree([&] {
      if (!have) return;
      const auto image = shifted_image(finished, plan, index, shifts[index]);
      const auto factor = static_cast<float>(factors[index]);
      std::transform(image.begin(), image.end(), one.begin(), [factor](float v) { return factor * v; });
    });
    writer.write(info.signals[0], have ? std::vector<std::size_t>{index} : std::vector<std::size_t>{}, one);
  }
  writer.commit();
}

/// Everything that was done, projection by projection.
json details(const Request& request, const Plan& plan, const std::vector<Findings>& findings,
             const std::vector<Shift>& shifts, const std::vector<double>& factors) {
  json rows = json::array();
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const Findings& f = findings[i];
    json row{{"projection", plan.kept[i]},
             {"euler_deg", {plan.angles[i].phi_deg, plan.angles[i].theta_deg, plan.angles[i].psi_deg}},
             {"replaced_pixels", f.replaced_pixels},
             {"shift_px", {{"y", shifts[i].y}, {"x", shifts[i].x}}},
             {"factor", factors[i]},
             {"total", f.total}};
    if (request.options.background != config::Background::none) {
      row["background"] = {
          {"constant", f.background.a}, {"per_px_y", f.background.b}, {"per_px_x", f.background.c}};
      row["object_share"] = f.object_share;
    }
    if (f.counts_per_unit > 0) row["counts_per_unit"] = f.counts_per_unit;
    rows.push_back(row);
  }
  const auto& o = request.options;
  return {{"input", request.source},
          {"signal", output_signal(plan)},
          {"steps",
           {{"bad_pixels", word_of(config::kBadPixelsWords, o.bad_pixels)},
            {"denoise", word_of(config::kDenoiseWords, o.denoise)},
            {"calibrate", o.calibrate ? word_of(config::kApplyCalibrationWords, o.calibrate->apply) : "none"},
            {"background", word_of(config::kBackgroundWords, o.background)},
            {"align", word_of(config::kAlignWords, o.align)},
            {"shifts", o.shifts.empty() ? json(nullptr) : json(o.shifts)},
            {"normalize", word_of(config::kNormalizeWords, o.normalize)}}},
          {"projections", rows}};
}

json summary(const Plan& plan, const json& done) {
  double replaced = 0, largest = 0, square = 0, low = 1e300, high = 0;
  for (const auto& row : done["projections"]) {
    replaced += row["replaced_pixels"].get<double>();
    const double y = row["shift_px"]["y"], x = row["shift_px"]["x"], factor = row["factor"];
    largest = std::max({largest, std::abs(y), std::abs(x)});
    square += y * y + x * x;
    low = std::min(low, factor);
    high = std::max(high, factor);
  }
  const double rms = std::sqrt(square / static_cast<double>(plan.kept.size()));
  return {{"projections", plan.kept.size()},
          {"signal", output_signal(plan)},
          {"pixel_A", plan.pixel_A ? json(*plan.pixel_A) : json(nullptr)},
          {"steps", done["steps"]},
          {"replaced_pixels", static_cast<std::size_t>(replaced)},
          {"shift_rms_px", rms},
          {"shift_largest_px", largest},
          {"factor_lowest", low},
          {"factor_highest", high}};
}

/// The averaged image of the crystal, as a series of one image with the pixel that was found.
void write_crystal(const RunContext& context, const Calibration& calibration,
                   const std::filesystem::path& file) {
  const auto& image = calibration.average;
  io::TiltSeriesInfo info;
  info.tilts = 1;
  info.ny = image.extent(0);
  info.nx = image.extent(1);
  info.pixel_A = calibration.fit.geometry.pixel_A();
  info.angles = {EulerAngles{}};
  info.signals = {"average"};
  io::TiltSeriesWriter writer(context.comm, file, info, io::provenance_of(context));
  const bool root = context.comm.is_root();
  Array<float, 3> one({root ? std::size_t{1} : 0, info.ny, info.nx});
  if (root) std::copy(image.begin(), image.end(), one.begin());
  writer.write("average", root ? std::vector<std::size_t>{0} : std::vector<std::size_t>{}, one);
  writer.commit();
}

/// Measures the crystal, and plans what follows for the series.
json settle_calibration(const RunContext& context, const Request& request, const Outputs& outputs,
                        Plan& plan) {
  const auto calibration = calibrate(context.comm, request, plan);
  if (calibration.series_pixel_A) plan.pixel_A = calibration.series_pixel_A;
  plan.to_recorded = calibration.to_recorded;
  write_crystal(context, calibration, outputs.crystal);
  context.comm.agree([&] {
    if (context.comm.is_root())
      io::write_file_atomically(outputs.calibration, io::json_file_of(context, calibration.details));
  });
  json summary = calibration.details;
  for (const char* list : {"spots", "displacements_px"}) summary.erase(list);
  summary["spots"] = calibration.fit.spots.size();
  return summary;
}

}  // namespace

json preprocess(const RunContext& context, const Request& request, const Outputs& outputs) {
  const Communicator& comm = context.comm;
  Plan plan;
  std::vector<Shift> shifts;
  comm.agree([&] {
    plan = make_plan(request);
    if (!request.options.shifts.empty()) shifts = read_shifts(request.options.shifts, plan);
    if (comm.is_root())
      io::require_space(context, {.results = {{outputs.series, bytes_of_images(plan)}},
                                  .work_bytes = bytes_of_images(plan)});
  });
  for (const auto& note : plan.notes) log::info("note: {}", note);
  log::info("preprocessing {} of {}: {} projections of {} x {} pixels (y, x)", output_signal(plan),
            request.source, plan.kept.size(), plan.info.ny, plan.info.nx);
  json calibration;
  if (request.options.calibrate) calibration = settle_calibration(context, request, outputs, plan);
  clean_all(context, request, plan);

  const Finished finished = Journal::scan(comm, context.work, context.fingerprint);
  std::vector<imaging::ObjectPlace> places;
  const auto findings = collect(comm, plan, finished, places);
  if (shifts.empty())
    shifts = find_shifts(comm, request, plan, places,
                         [&](std::size_t i) { return read_back(finished, plan, i).image; });
  std::vector<double> totals;
  for (const auto& f : findings) totals.push_back(f.total);
  const auto factors = scale_factors(request, totals, plan);
  write_series(context, request, plan, finished, shifts, factors, outputs.series);
  const json done = details(request, plan, findings, shifts, factors);
  comm.agree([&] {
    if (!comm.is_root()) return;
    io::write_file_atomically(outputs.details, io::json_file_of(context, done));
    io::write_file_atomically(outputs.shifts, shifts_csv(plan, shifts));
  });
  json result = summary(plan, done);
  if (!calibration.is_null()) result["calibration"] = std::move(calibration);
  log::info("  {} pixels replaced, shifts {:.3f} px rms, factors {:.4f} to {:.4f}",
            result["replaced_pixels"].get<std::size_t>(), result["shift_rms_px"].get<double>(),
            result["factor_lowest"].get<double>(), result["factor_highest"].get<double>());
  return result;
}

}  // namespace aetos::preprocessing
