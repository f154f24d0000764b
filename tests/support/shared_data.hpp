#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

/// Reference data that other people made. Tests that need it skip with a message where it is absent.
namespace aetos::test {

inline std::filesystem::path shared_data(const std::string& relative) {
  return std::filesystem::path(AETOS_SHARED_DIR) / "data" / relative;
}

inline std::filesystem::path source_dir() {
  return AETOS_SOURCE_DIR;
}

}  // namespace aetos::test

/// Skips the running test unless shared data `relative` is there.
#define AETOS_NEEDS_SHARED(relative)                                  \
  if (!std::filesystem::exists(::aetos::test::shared_data(relative))) \
  GTEST_SKIP() << "reference data '" << relative << "' is not here (looked in " << AETOS_SHARED_DIR << ")"
