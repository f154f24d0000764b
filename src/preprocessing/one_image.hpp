#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "aetos/imaging/alignment.hpp"
#include "aetos/imaging/background.hpp"
#include "plan.hpp"

namespace aetos::preprocessing {

/// A projection after all steps that concern it alone.
struct Cleaned {
  Array<float, 2> image;
  std::size_t replaced_pixels = 0;
  double counts_per_unit = 0;  ///< that denoising went by; 0 without it
  imaging::Plane background;   ///< that was subtracted
  double object_share = 0;     ///< of the image, where the background was found beside it
  double total = 0;            ///< sum of the image
  imaging::ObjectPlace place;  ///< where align asks for it
};

/// Reads and cleans projection `kept[index]`. Throws InputError with projection and pixel where a value is
/// not finite, unless bad pixels are to be interpolated.
Cleaned clean_projection(const Request& request, const Plan& plan, std::size_t index);

/// As bytes for the journal, and back.
std::vector<std::byte> pack(const Cleaned& cleaned);
Cleaned unpack(const std::vector<std::byte>& bytes, std::size_t ny, std::size_t nx);

}  // namespace aetos::preprocessing
