#include "aetos/cli/command_line.hpp"

#include <boost/program_options.hpp>
#include <regex>
#include <sstream>

#include "aetos/core/error.hpp"

namespace aetos::cli {
namespace {

namespace po = boost::program_options;

po::options_description described_options() {
  po::options_description options("Options");
  options.add_options()                                                                                       //
      ("set", po::value<std::vector<std::string>>()->composing(),                                             //
       "KEY=VALUE: set a key of the config, dotted (microscope.voltage_kV=200); may be repeated")             //
      ("output", po::value<std::string>(), "DIR: folder of the run, instead of the config's `output`")        //
      ("resume", po::bool_switch(), "go on with the run that the folder holds")                               //
      ("overwrite", po::bool_switch(), "replace the run that the folder holds")                               //
      ("time-limit", po::value<std::string>(), "stop in good order after this time (SLURM's notation; 30 = minutes)")  //
      ("log-level", po::value<std::string>()->default_value("info"), "debug, info, warning, error or off")    //
      ("json", po::bool_switch(), "machine-readable output (check, info, campaign)")                          //
      ("local", po::value<int>(), "N: campaign submit without SLURM, on this machine, N ranks per member")    //
      ("convergence", po::bool_switch(), "check: simulate sample probes with other settings, and print the error of each")  //
      ("strict", po::bool_switch(), "campaign status, collect: exit code 1 if a member failed")               //
      ("version", po::bool_switch(), "print the version and end")                                             //
      ("help", po::bool_switch(), "print this and end");
  return options;
}

std::pair<std::string, std::string> split_set(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    throw InputError("--set", "'" + text + "'", "KEY=VALUE, for example --set microscope.voltage_kV=200");
  return {text.substr(0, equals), text.substr(equals + 1)};
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
  po::options_description all = described_options();
  po::options_description hidden;
  hidden.add_options()("words", po::value<std::vector<std::string>>());
  po::options_description everything;
  everything.add(all).add(hidden);
  po::positional_options_description positional;
  positional.add("words", -1);
  po::variables_map values;
  try {
    // No guessing of shortened names: a typing error should be an error.
    const auto style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(arguments).options(everything).positional(positional).style(style).run(), values);
    po::notify(values);
  } catch (const po::error& e) {
    throw InputError("command line", e.what(), "see aetos --help");
  }
  CommandLine line;
  if (values.count("words")) {
    line.arguments = values["words"].as<std::vector<std::string>>();
    line.command = line.arguments.front();
    line.arguments.erase(line.arguments.begin());
  }
  if (values.count("set"))
    for (const auto& text : values["set"].as<std::vector<std::string>>()) line.sets.push_back(split_set(text));
  if (values.count("output")) line.output = values["output"].as<std::string>();
  line.resume = values["resume"].as<bool>();
  line.overwrite = values["overwrite"].as<bool>();
  line.json = values["json"].as<bool>();
  line.convergence = values["convergence"].as<bool>();
  line.strict = values["strict"].as<bool>();
  if (values.count("local")) {
    line.local = values["local"].as<int>();
    if (*line.local < 1)
      throw InputError("--local", std::to_string(*line.local), "the number of ranks of each member, 1 or more");
  }
  line.help = values["help"].as<bool>();
  line.version = values["version"].as<bool>();
  line.log_level = values["log-level"].as<std::string>();
  if (values.count("time-limit")) line.time_limit = parse_time_limit(values["time-limit"].as<std::string>());
  if (line.resume && line.overwrite)
    throw InputError("command line", "both --resume and --overwrite", "one of them");
  return line;
}

std::chrono::duration<double> parse_time_limit(const std::string& text) {
  static const std::regex with_days(R"((\d{1,6})-(\d{1,6})(?::(\d{1,6})(?::(\d{1,6}))?)?)");
  static const std::regex plain(R"((\d{1,6})(?::(\d{1,6})(?::(\d{1,6}))?)?)");
  const auto number = [](const std::ssub_match& m) { return m.matched ? std::stod(m.str()) : 0.0; };
  std::smatch m;
  double seconds = -1;
  if (std::regex_match(text, m, with_days))
    seconds = 86400 * number(m[1]) + 3600 * number(m[2]) + 60 * number(m[3]) + number(m[4]);
  else if (std::regex_match(text, m, plain))
    seconds = m[3].matched ? 3600 * number(m[1]) + 60 * number(m[2]) + number(m[3]) : 60 * number(m[1]) + number(m[2]);
  if (seconds <= 0)
    throw InputError("--time-limit", "'" + text + "'",
                     "SLURM's notation: minutes, minutes:seconds, hours:minutes:seconds, days-hours[:minutes[:seconds]]");
  return std::chrono::duration<double>(seconds);
}

std::string help_text(const std::string&) {
  std::ostringstream text;
  text << "AETOS: Atomic Electron Tomography On Supercomputers\n\n"
          "  aetos run CONFIG              every stage that CONFIG names, in order\n"
          "  aetos simulate CONFIG         one stage alone; likewise preprocess, reconstruct, trace, compare, analyze\n"
          "  aetos check CONFIG            validate only: the plan, its cost and warnings; --json\n"
          "  aetos check CONFIG --convergence  simulate sample probes with other settings, and print the error of each\n"
          "  aetos campaign ACTION CONFIG  many particles or a sweep; plan, submit (SLURM, or --local N), status, collect\n"
          "  aetos convert IN OUT          between the formats that AETOS reads and writes\n"
          "  aetos info FILE               what a file holds; --json\n"
          "  aetos verify DIR              re-hash a run's files against what it recorded\n"
          "  aetos report DIR              write the report of a run again\n\n"
       << described_options()
       << "\nExit codes: 0 done; 2 bad usage or input, nothing written; 75 stopped early, --resume goes on; 1 other "
          "failure.\nOn several ranks: mpirun -n 8 aetos run CONFIG. Every key: docs/config.md.\n";
  return text.str();
}

}  // namespace aetos::cli
