#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "aetos/config/load.hpp"

namespace aetos::config::test {

/// A folder of its own with the files that a whole run needs, and configs written into it.
class ConfigCase : public ::testing::Test {
 protected:
  ConfigCase() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::temp_directory_path() /
              ("aetos-config-" + std::to_string(getpid()) + "-" + std::string(test->name()));
    std::filesystem::create_directories(folder_);
    write("atoms.xyz", "1\n\nZr 0 0 0\n");
  }
  ~ConfigCase() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) const {
    const auto path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }

  Master load_text(const std::string& text, const Sets& sets = {},
                   const std::vector<Stage>& stages = {}) const {
    return load(write("case.yaml", text), sets, stages);
  }

  /// A run of all stages with `more` keys, each a line of its own at the top level.
  static std::string whole(const std::string& more = {}) {
    return "specimen: {file: atoms.xyz}\n"
           "detectors: [{name: adf, inner_mrad: 39.4, outer_mrad: 200}]\n"
           "tilts: {theta_deg: [-10, 0, 10]}\n"
           "stages: [simulate, reconstruct, trace, compare]\n" +
           more;
  }

  /// What `load` says against a config; "no error" if nothing.
  std::string refusal(const std::string& text, const Sets& sets = {},
                      const std::vector<Stage>& stages = {}) const {
    try {
      load_text(text, sets, stages);
    } catch (const InputError& e) {
      return e.what();
    }
    return "no error";
  }

  std::filesystem::path folder_;
};

inline void expect_contains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "'" << part << "' is not in\n" << text;
}
inline void expect_lacks(const std::string& text, const std::string& part) {
  EXPECT_EQ(text.find(part), std::string::npos) << "'" << part << "' is in\n" << text;
}

}  // namespace aetos::config::test
