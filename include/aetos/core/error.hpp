#pragma once

#include <stdexcept>
#include <string>
#include <utility>

/// The few exceptions that AETOS throws. The command line turns each into one message and an exit code.
namespace aetos {

/// Something the user gave is wrong (exit code 2). `place` is a file with line, or a config key; `found` and
/// `expected` say what stood there and what would have been right.
class InputError : public std::runtime_error {
 public:
  InputError(std::string place, std::string found, std::string expected = {})
      : std::runtime_error(compose(place, found, expected)),
        place_(std::move(place)),
        found_(std::move(found)),
        expected_(std::move(expected)) {}

  const std::string& place() const noexcept { return place_; }
  const std::string& found() const noexcept { return found_; }
  const std::string& expected() const noexcept { return expected_; }

 private:
  static std::string compose(const std::string& place, const std::string& found, const std::string& expected) {
    return place + ": " + found + (expected.empty() ? std::string{} : "; expected " + expected);
  }
  std::string place_, found_, expected_;
};

/// The machine cannot give what is needed: disk, memory, a file system without locks (exit code 1).
class ResourceError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A signal or a time limit ended the work early; everything so far is safe on disk (exit code 75).
class Interrupted : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace aetos
