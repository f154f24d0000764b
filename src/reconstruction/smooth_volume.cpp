#include "smooth_volume.hpp"

#include <algorithm>

#include "aetos/tomography/total_variation.hpp"
#include "petsc_parts.hpp"

namespace aetos::reconstruction {
namespace {

/// Row `y` of a volume, (z, x).
std::vector<float> row_of(const Array<float, 3>& u, std::size_t y) {
  std::vector<float> row(u.extent(0) * u.extent(1));
  for (std::size_t i = 0; i < row.size(); ++i) row[i] = u.data()[i * u.extent(2) + y];
  return row;
}

/// What a volume's values are like: the largest pixel of all ranks over the depth.
double unit_of(const Communicator& comm, const Problem& problem) {
  float largest = 0;
  for (float pixel : problem.measured) largest = std::max(largest, pixel);
  return comm.max(largest) / static_cast<double>(problem.plan.geometry.volume_px[0]);
}

}  // namespace

SmoothVolume::SmoothVolume(const Communicator& comm, const Problem& problem)
    : comm_(comm), problem_(problem) {
  const double unit = unit_of(comm, problem);
  weight_ = problem.options.tv_weight * unit;
  epsilon_ = problem.options.tv_epsilon * (unit > 0 ? unit : 1);
}

double SmoothVolume::add(const Array<float, 3>& u, Vec gradient) const {
  const Decomposition& mine = problem_.mine;
  const std::size_t rows = mine.held_rows.size();
  tomography::VolumePart part{u.view(), rows, mine.planes.begin, mine.planes.end, {}, {}};
  std::vector<float> before, after;
  if (!mine.whole && comm_.size() > 1) {
    const auto rank = static_cast<std::size_t>(comm_.rank()), ranks = static_cast<std::size_t>(comm_.size());
    std::vector<std::vector<float>> to_each(ranks);
    if (rank > 0 && rows > 0) to_each[rank - 1] = row_of(u, 0);
    if (rank + 1 < ranks && rows > 0) to_each[rank + 1] = row_of(u, rows - 1);
    auto from_each = comm_.exchange(to_each);
    if (rank > 0) before = std::move(from_each[rank - 1]);
    if (rank + 1 < ranks) after = std::move(from_each[rank + 1]);
    part.before = before;
    part.after = after;
  }
  double value = 0;
  with_values(gradient, [&](double* values) {
    value = comm_.ordered_sum(tomography::add_total_variation(part, weight_, epsilon_, mine.whole, values));
  });
  return value;
}

}  // namespace aetos::reconstruction
