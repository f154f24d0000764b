#include "checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "aetos/core/error.hpp"
#include "aetos/core/fault.hpp"
#include "aetos/core/log.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/json_text.hpp"

namespace aetos::reconstruction {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kFormat = 2;
constexpr std::size_t kHashLength = 64;
const std::string kPrefix = "checkpoint-";

fs::path manifest_path(const fs::path& folder, int iteration) {
  return folder / fmt::format("{}{}.json", kPrefix, iteration);
}

std::string part_name(int iteration, Range rows) {
  return fmt::format("{}{}-rows-{}-{}.raw", kPrefix, iteration, rows.begin, rows.end);
}

/// The arrays that a record holds, in this order; works for a State that is const and for one that is not.
auto arrays_of(auto& state) {
  std::vector<decltype(&state.u)> arrays{&state.u};
  if (!state.point.empty()) arrays.push_back(&state.point);
  return arrays;
}

std::size_t row_bytes(const Plan& plan) {
  const std::size_t arrays = plan.accelerated ? 2 : 1;
  return arrays * plan.geometry.volume_px[0] * plan.geometry.volume_px[2] * sizeof(float);
}

/// One record per row: its (z, x) plane in each array.
void write_part(const fs::path& path, const Decomposition& mine, const State& state) {
  const fs::path partial = io::partial_name(path);
  {
    std::ofstream file(partial, std::ios::binary | std::ios::trunc);
    std::vector<float> record(state.u.extent(0) * state.u.extent(1));
    for (std::size_t y = mine.owned_rows.begin; y < mine.owned_rows.end && file; ++y)
      for (const auto* array : arrays_of(state)) {
        const std::size_t stride = array->extent(2);
        const float* column = array->data() + (y - mine.held_rows.begin);
        for (std::size_t i = 0; i < record.size(); ++i) record[i] = column[i * stride];
        file.write(reinterpret_cast<const char*>(record.data()),
                   static_cast<std::streamsize>(record.size() * sizeof(float)));
      }
    file.flush();
    if (!file) {
      file.close();
      std::error_code ignored;
      fs::remove(partial, ignored);
      throw ResourceError(fmt::format("cannot write checkpoint {}: is the disk full?", path.string()));
    }
  }
  io::publish(partial, path);
}

json manifest_of(const RunContext& context, const Plan& plan, const State& state, const std::string& hashes) {
  const std::size_t ny = plan.geometry.volume_px[1], ranks = static_cast<std::size_t>(context.comm.size());
  json parts = json::array();
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    const Range rows = block_partition(ny, ranks, rank);
    if (rows.empty()) continue;
    parts.push_back({{"begin", rows.begin},
                     {"end", rows.end},
                     {"file", part_name(state.iteration, rows)},
                     {"sha256", hashes.substr(rank * kHashLength, kHashLength)}});
  }
  return {{"format", kFormat},
          {"fingerprint", context.fingerprint},
          {"iteration", state.iteration},
          {"passes", state.passes},
          {"relaxation", state.relaxation},
          {"accelerated", plan.accelerated},
          {"volume_px", plan.geometry.volume_px},
          {"momentum_t", state.momentum.t},
          {"last_objective", state.momentum.last_objective},
          {"started", state.momentum.started},
          {"r_history", state.r_history},
          {"r_free", state.r_free},
          {"parts", parts}};
}

/// Iteration in the name "checkpoint-ITERATION..."; none for other files.
std::optional<int> iteration_of(const fs::path& file) {
  const std::string name = file.filename().string();
  if (!name.starts_with(kPrefix)) return std::nullopt;
  int iteration = 0;
  if (std::sscanf(name.c_str() + kPrefix.size(), "%d", &iteration) != 1) return std::nullopt;
  return iteration;
}

/// Removes the files of all generations that are not to be kept, manifests first.
void remove_others(const fs::path& folder, const std::vector<int>& keep) {
  for (const bool manifests : {true, false})
    for (const auto& entry : fs::directory_iterator(folder)) {
      const auto iteration = iteration_of(entry.path());
      if (!iteration || (entry.path().extension() == ".json") != manifests) continue;
      std::error_code ignored;
      if (std::find(keep.begin(), keep.end(), *iteration) == keep.end()) fs::remove(entry.path(), ignored);
    }
}

std::vector<int> generations(const fs::path& folder) {
  std::vector<int> found;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".json")
      if (const auto iteration = iteration_of(entry.path())) found.push_back(*iteration);
  std::sort(found.rbegin(), found.rend());
  return found;
}

/// Why a generation cannot be used; empty if it can.
std::string flaw(const RunContext& context, const Plan& plan, const json& manifest) {
  if (manifest.at("format") != kFormat) return "it was written by another version";
  if (manifest.at("fingerprint") != context.fingerprint)
    return "it belongs to other options or another input";
  if (manifest.at("accelerated") != plan.accelerated || manifest.at("volume_px") != plan.geometry.volume_px)
    return "it belongs to another volume";
  std::size_t next = 0;
  for (const auto& part : manifest.at("parts")) {
    const auto begin = part.at("begin").get<std::size_t>(), end = part.at("end").get<std::size_t>();
    const fs::path file = context.work / part.at("file").get<std::string>();
    if (begin != next || end <= begin) return "its rows are not complete";
    next = end;
    std::error_code error;
    if (fs::file_size(file, error) != (end - begin) * row_bytes(plan) || error)
      return file.string() + " is damaged";
    if (io::sha256_hex_of_file(file) != part.at("sha256")) return file.string() + " is damaged";
  }
  return next == plan.geometry.volume_px[1] ? "" : "its rows are not complete";
}

std::string choose_manifest(const RunContext& context, const Plan& plan, int iterations) {
  for (int iteration : generations(context.work)) {
    const fs::path path = manifest_path(context.work, iteration);
    std::string why;
    try {
      const std::string text = io::read_text_file(path.string());
      why = flaw(context, plan, json::parse(text));
      if (why.empty() && iteration <= iterations) return text;
      if (why.empty())
        why = fmt::format("it has {} iterations, more than the {} asked for", iteration, iterations);
    } catch (const std::exception& error) {
      why = error.what();
    }
    log::warn("checkpoint {} is not used: {}", path.string(), why);
  }
  return {};
}

void read_part(const RunContext& context, const Plan& plan, const Decomposition& mine, const json& part,
               State& state) {
  const auto begin = part.at("begin").get<std::size_t>(), end = part.at("end").get<std::size_t>();
  const Range rows{std::max(begin, mine.held_rows.begin), std::min(end, mine.held_rows.end)};
  if (rows.empty()) return;
  const fs::path path = context.work / part.at("file").get<std::string>();
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>((rows.begin - begin) * row_bytes(plan)));
  std::vector<float> record(state.u.extent(0) * state.u.extent(1));
  for (std::size_t y = rows.begin; y < rows.end; ++y)
    for (auto* array : arrays_of(state)) {
      file.read(reinterpret_cast<char*>(record.data()),
                static_cast<std::streamsize>(record.size() * sizeof(float)));
      if (!file) throw ResourceError("cannot read checkpoint " + path.string());
      float* column = array->data() + (y - mine.held_rows.begin);
      for (std::size_t i = 0; i < record.size(); ++i) column[i * array->extent(2)] = record[i];
    }
}

}  // namespace

State first_state(const Plan& plan, const Decomposition& mine) {
  const Shape<3> shape{plan.geometry.volume_px[0], plan.geometry.volume_px[2],
                       tomography::padded_rows(mine.held_rows.size())};
  State state;
  state.u = Array<float, 3>(shape);
  if (plan.accelerated) state.point = Array<float, 3>(shape);
  return state;
}

void write_checkpoint(const RunContext& context, const Plan& plan, const Decomposition& mine,
                      const State& state, bool keep_previous) {
  const Communicator& comm = context.comm;
  std::string hash(kHashLength, '0');
  comm.agree([&] {
    if (mine.owned_rows.empty()) return;
    const fs::path path = context.work / part_name(state.iteration, mine.owned_rows);
    fault::point("checkpoint-part");
    write_part(path, mine, state);
    hash = io::sha256_hex_of_file(path);
  });
  const auto hashes = comm.all_gather(std::span<const char>(hash));
  comm.agree([&] {
    if (!comm.is_root()) return;
    std::vector<int> keep{state.iteration};
    if (keep_previous)
      for (int iteration : generations(context.work))
        if (iteration < state.iteration && keep.size() < 2) keep.push_back(iteration);
    const json manifest = manifest_of(context, plan, state, std::string(hashes.begin(), hashes.end()));
    fault::point("checkpoint-manifest");
    io::write_file_atomically(manifest_path(context.work, state.iteration), io::json_text(manifest, 1));
    remove_others(context.work, keep);
  });
}

std::optional<State> read_checkpoint(const RunContext& context, const Plan& plan, const Decomposition& mine,
                                     int iterations) {
  std::string text;
  context.comm.agree([&] {
    if (context.comm.is_root()) text = choose_manifest(context, plan, iterations);
  });
  text = context.comm.broadcast_string(text);
  if (text.empty()) return std::nullopt;
  State state = first_state(plan, mine);
  context.comm.agree([&] {
    const json manifest = json::parse(text);
    state.iteration = manifest.at("iteration");
    state.passes = manifest.at("passes");
    state.relaxation = manifest.at("relaxation");
    state.momentum.t = manifest.at("momentum_t");
    state.momentum.last_objective = manifest.at("last_objective");
    state.momentum.started = manifest.at("started");
    for (const auto& r : manifest.at("r_history"))
      state.r_history.push_back(r.is_null() ? std::numeric_limits<double>::quiet_NaN() : r.get<double>());
    state.r_free = manifest.at("r_free").get<std::vector<double>>();
    for (const auto& part : manifest.at("parts")) read_part(context, plan, mine, part, state);
  });
  return state;
}

}  // namespace aetos::reconstruction
