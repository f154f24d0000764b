#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace aetos::test {

/// Runs a Python script with the system's interpreter (which sees Debian's python3-* packages). Returns its
/// exit status; what it prints goes to the test's own output.
inline int run_python(const std::filesystem::path& script, const std::string& arguments) {
  return std::system(("/usr/bin/python3 " + script.string() + " " + arguments).c_str());
}

/// Whether a Python module can be imported by the system's interpreter.
inline bool python_has(const std::string& module) {
  return std::system(("/usr/bin/python3 -c 'import " + module + "' > /dev/null 2>&1").c_str()) == 0;
}

}  // namespace aetos::test
