#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// Words that stand in the config where a number could.
namespace aetos {

/// A value that the program chooses itself when the config says `auto` (empty = auto).
template <class T>
using Auto = std::optional<T>;

/// A range given as {start, stop, step}, both ends included where the step hits them.
struct NumberRange {
  double start = 0, stop = 0, step = 1;
};

}  // namespace aetos
