#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "aetos/io/atomic_file.hpp"
#include "aetos/pipeline/report.hpp"

/// What tests of the report share: a folder for a run, and a browser.
namespace aetos {

namespace fs = std::filesystem;

class Report : public ::testing::Test {
 protected:
  fs::path folder =
      fs::temp_directory_path() / ("aetos report " + std::to_string(getpid()) + " " +
                                   ::testing::UnitTest::GetInstance()->current_test_info()->name());
  void SetUp() override { fs::create_directories(folder); }
  void TearDown() override {
    if (std::getenv("AETOS_KEEP_REPORT") == nullptr) fs::remove_all(folder);
  }
  std::string write_and_read() const {
    pipeline::write_report(folder);
    return io::read_text_file((folder / "report.html").string());
  }
};

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

inline std::string quoted(const fs::path& p) {
  return "'" + p.string() + "'";
}

/// Chromium without a screen, in light (1) or dark (0) colours.
inline int browse(const fs::path& folder, const std::string& options, int colours) {
  const std::string command =
      "timeout 120 chromium --headless --no-sandbox --disable-gpu --enable-unsafe-swiftshader "
      "--disable-dev-shm-usage --hide-scrollbars "
      "--blink-settings=preferredColorScheme=" +
      std::to_string(colours) + " --user-data-dir=" + quoted(folder / "profile") + " " + options +
      " 2>/dev/null";
  return std::system(command.c_str());
}

inline bool no_browser() {
  return std::system("command -v chromium >/dev/null 2>&1") != 0;
}

}  // namespace aetos
