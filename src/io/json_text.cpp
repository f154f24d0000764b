#include "aetos/io/json_text.hpp"

#include <sstream>

#include "aetos/io/tilt_series.hpp"

namespace aetos::io {

std::string json_file_of(const RunContext& context, nlohmann::json object) {
  const Provenance made = provenance_of(context);
  auto inputs = nlohmann::json::array();
  std::istringstream lines(made.inputs);
  for (std::string line; std::getline(lines, line);) inputs.push_back(line);
  object["made_by"] = {{"version", made.version},   {"commit", made.commit},           {"seed", made.seed},
                          {"config", kResolvedConfig}, {"fingerprint", made.fingerprint}, {"inputs", inputs}};
  return json_text(object, 1) + "\n";
}

}  // namespace aetos::io
