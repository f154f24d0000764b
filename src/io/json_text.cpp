#include "aetos/io/json_text.hpp"

#include <set>
#include <sstream>

#include "aetos/io/tilt_series.hpp"

namespace aetos::io {

std::string json_file_of(const RunContext& context, nlohmann::json object) {
  const Provenance made = provenance_of(context);
  // Without their paths: copies in other folders give the same file. run.json has both.
  std::set<std::string> inputs;
  std::istringstream lines(made.inputs);
  for (std::string line; std::getline(lines, line);) inputs.insert(line.substr(0, line.find(' ')));
  object["made_by"] = {
      {"version", made.version},   {"commit", made.commit},           {"seed", made.seed},
      {"config", kResolvedConfig}, {"fingerprint", made.fingerprint}, {"inputs_sha256", inputs}};
  return json_text(object, 1) + "\n";
}

}  // namespace aetos::io
