#pragma once

#include <optional>
#include <span>
#include <string>

/// What height of a local maximum makes it an atom, from the heights themselves.
namespace aetos::tracing {

struct Threshold {
  double value = 0;
  bool separates = false;  ///< whether there is a class of lower, non-atomic maxima below it
  bool noisy = false;      ///< whether those outnumber the atoms and come near them in height
};

/// Otsu's (1979) threshold over the heights of all local maxima, generalised to `species` + 1 classes (the
/// split of the histogram with the least variance within classes), moved to the emptiest part of the
/// histogram between its two lowest classes. Heights count from `background`. Where the lowest class is no
/// weak noise beside the next (its mean above 0.3 of the next one's, or above 0.6 where it outnumbers all
/// others) every maximum is an atom, and the threshold is half the lowest.
Threshold find_threshold(std::span<const float> heights, double background, std::size_t species);

}  // namespace aetos::tracing
