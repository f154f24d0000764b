#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "aetos/imaging/denoise.hpp"

namespace aetos::imaging {
namespace {

// The normal profile of Dabov et al. (2007), table 1, in units of the noise's variance where it gives
// distances for a noise of 25.
constexpr std::size_t kSide = 8;      ///< of a block
constexpr std::size_t kStep = 3;      ///< from one reference block to the next
constexpr std::size_t kReach = 16;    ///< how far off alike blocks are looked for
constexpr std::size_t kMost = 16;     ///< blocks of a group
constexpr float kAlikeNoisy = 4;      ///< largest mean square difference of alike blocks of the noisy image
constexpr float kAlikeBasic = 0.64F;  ///< and of the first estimate
constexpr float kThreshold = 2.7F;    ///< of coefficients, standard deviations

using Block = std::array<float, kSide * kSide>;
struct Place {
  std::size_t y, x;
};

/// Orthonormal discrete cosine transform of a block along both axes, and back.
class Cosines {
 public:
  Cosines() {
    for (std::size_t k = 0; k < kSide; ++k)
      for (std::size_t i = 0; i < kSide; ++i)
        basis_[k][i] = static_cast<float>(std::sqrt((k == 0 ? 1.0 : 2.0) / kSide) *
                                          std::cos(std::numbers::pi * (2 * static_cast<double>(i) + 1) *
                                                   static_cast<double>(k) / (2 * kSide)));
  }
  Block forward(const Block& block) const {
    return along_both(block, [this](std::size_t k, std::size_t i) { return basis_[k][i]; });
  }
  Block back(const Block& block) const {
    return along_both(block, [this](std::size_t k, std::size_t i) { return basis_[i][k]; });
  }

 private:
  template <class Element>
  static Block along_both(const Block& block, const Element& element) {
    Block rows{}, both{};
    for (std::size_t y = 0; y < kSide; ++y)
      for (std::size_t k = 0; k < kSide; ++k)
        for (std::size_t i = 0; i < kSide; ++i) rows[y * kSide + k] += element(k, i) * block[y * kSide + i];
    for (std::size_t k = 0; k < kSide; ++k)
      for (std::size_t i = 0; i < kSide; ++i)
        for (std::size_t x = 0; x < kSide; ++x) both[k * kSide + x] += element(k, i) * rows[i * kSide + x];
    return both;
  }
  std::array<std::array<float, kSide>, kSide> basis_{};
};

/// Orthonormal Walsh-Hadamard transform across a group of 2^n blocks; its own inverse.
void across(std::vector<Block>& group) {
  for (std::size_t half = 1; half < group.size(); half *= 2)
    for (std::size_t first = 0; first < group.size(); first += 2 * half)
      for (std::size_t k = first; k < first + half; ++k)
        for (std::size_t i = 0; i < group[k].size(); ++i) {
          const float a = group[k][i], b = group[k + half][i];
          group[k][i] = (a + b) / std::numbers::sqrt2_v<float>;
          group[k + half][i] = (a - b) / std::numbers::sqrt2_v<float>;
        }
}

Block block_at(View<const float, 2> image, Place at) {
  Block block;
  for (std::size_t y = 0; y < kSide; ++y)
    std::copy_n(&image(at.y + y, at.x), kSide, block.begin() + y * kSide);
  return block;
}

/// The blocks most like the one at `reference`, that one first; their number is a power of two.
std::vector<Place> alike(View<const float, 2> image, Place reference, float largest) {
  struct Found {
    float distance;
    Place at;
  };
  std::vector<Found> found;
  const Block block = block_at(image, reference);
  const auto low = [](std::size_t i) { return i - std::min(i, kReach); };
  const auto high = [](std::size_t i, std::size_t n) { return std::min(i + kReach, n - kSide); };
  for (std::size_t y = low(reference.y); y <= high(reference.y, image.extent(0)); ++y)
    for (std::size_t x = low(reference.x); x <= high(reference.x, image.extent(1)); ++x) {
      float sum = 0;
      for (std::size_t v = 0; v < kSide; ++v)
        for (std::size_t u = 0; u < kSide; ++u) {
          const float d = image(y + v, x + u) - block[v * kSide + u];
          sum += d * d;
        }
      const bool itself = y == reference.y && x == reference.x;
      const float distance = itself ? -1 : sum / static_cast<float>(kSide * kSide);
      if (distance <= largest) found.push_back({distance, {y, x}});
    }
  std::stable_sort(found.begin(), found.end(),
                   [](const Found& a, const Found& b) { return a.distance < b.distance; });
  std::size_t count = 1;
  while (2 * count <= std::min(found.size(), kMost)) count *= 2;
  std::vector<Place> places;
  for (std::size_t i = 0; i < count; ++i) places.push_back(found[i].at);
  return places;
}

/// Coefficients of a group of blocks.
std::vector<Block> spectrum(const Cosines& cosines, View<const float, 2> image,
                            const std::vector<Place>& places) {
  std::vector<Block> group;
  for (const Place& at : places) group.push_back(cosines.forward(block_at(image, at)));
  across(group);
  return group;
}

/// Every third position, and the last.
std::vector<std::size_t> references(std::size_t n) {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i + kSide < n; i += kStep) all.push_back(i);
  all.push_back(n - kSide);
  return all;
}

/// One of the two steps: groups alike blocks of `guide`, filters the coefficients of the noisy group
/// (`filter` returns the weight that the group then has), and averages what each pixel gets.
template <class Filter>
Array<float, 2> collaborate(View<const float, 2> noisy, View<const float, 2> guide, float largest,
                            const Filter& filter) {
  const Cosines cosines;
  Array<float, 2> sum(noisy.shape()), weights(noisy.shape());
  for (std::size_t y : references(noisy.extent(0)))
    for (std::size_t x : references(noisy.extent(1))) {
      const auto places = alike(guide, {y, x}, largest);
      auto group = spectrum(cosines, noisy, places);
      const float weight = filter(group, spectrum(cosines, guide, places));
      across(group);
      for (std::size_t k = 0; k < places.size(); ++k) {
        const Block block = cosines.back(group[k]);
        for (std::size_t v = 0; v < kSide; ++v)
          for (std::size_t u = 0; u < kSide; ++u) {
            sum(places[k].y + v, places[k].x + u) += weight * block[v * kSide + u];
            weights(places[k].y + v, places[k].x + u) += weight;
          }
      }
    }
  for (std::size_t i = 0; i < sum.size(); ++i) sum.data()[i] /= weights.data()[i];
  return sum;
}

float hard_threshold(std::vector<Block>& group, const std::vector<Block>&) {
  float kept = 0;
  for (Block& block : group)
    for (float& value : block) {
      if (std::abs(value) < kThreshold) value = 0;
      kept += value != 0 ? 1 : 0;
    }
  return 1 / std::max(kept, 1.0F);
}

float wiener(std::vector<Block>& group, const std::vector<Block>& basic) {
  float square = 0;
  for (std::size_t k = 0; k < group.size(); ++k)
    for (std::size_t i = 0; i < group[k].size(); ++i) {
      const float energy = basic[k][i] * basic[k][i], share = energy / (energy + 1);
      group[k][i] *= share;
      square += share * share;
    }
  return 1 / std::max(square, 1e-6F);
}

}  // namespace

Array<float, 2> bm3d(View<const float, 2> image) {
  if (image.extent(0) < kSide || image.extent(1) < kSide) {
    Array<float, 2> same(image.shape());
    std::copy(image.begin(), image.end(), same.begin());
    return same;
  }
  const auto basic = collaborate(image, image, kAlikeNoisy, hard_threshold);
  return collaborate(image, basic, kAlikeBasic, wiener);
}

}  // namespace aetos::imaging
