#include "misfit.hpp"

#include <numeric>

#include "fourier_slabs.hpp"

namespace aetos::reconstruction {
namespace {

using tomography::RowSums;

std::vector<std::size_t> all_of(const Plan& plan) {
  std::vector<std::size_t> all(plan.geometry.angles.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

std::unique_ptr<tomography::ProjectorPair> projector_of(const Communicator& comm, const Problem& problem,
                                                        const std::vector<std::size_t>& projections) {
  tomography::Geometry geometry = problem.plan.geometry;
  for (std::size_t i = 0; i < projections.size(); ++i)
    geometry.angles[i] = problem.plan.geometry.angles[projections[i]];
  geometry.angles.resize(projections.size());
  // Line searches need the exact gradient.
  const bool exact = problem.plan.petsc && problem.options.projector == tomography::Projector::fourier;
  if (problem.mine.spectrum_divided())
    return make_fourier_slabs(comm, geometry, problem.options.oversampling, exact);
  return tomography::make_projector(
      geometry, exact ? tomography::Projector::fourier_adjoint : problem.options.projector,
      problem.options.oversampling);
}

template <class T>
View<T, 3> items(View<T, 3> array, std::size_t first, std::size_t count) {
  const std::size_t size = array.extent(1) * array.extent(2);
  return {array.data() + first * size, {count, array.extent(1), array.extent(2)}};
}

}  // namespace

Misfit::Misfit(const Communicator& comm, const Problem& problem, std::vector<std::size_t> projections)
    : comm_(comm),
      problem_(problem),
      projections_(std::move(projections)),
      projector_(projector_of(comm, problem, projections_)),
      residual_({projections_.size(), problem.measured.extent(1), problem.measured.extent(2)}) {}

Misfit::Misfit(const Communicator& comm, const Problem& problem)
    : Misfit(comm, problem, all_of(problem.plan)) {}

Range Misfit::own() const {
  const std::size_t count = projections_.size();
  return problem_.mine.all_images ? block_partition(count, static_cast<std::size_t>(comm_.size()),
                                                    static_cast<std::size_t>(comm_.rank()))
                                  : Range{0, count};
}

void Misfit::forward(View<const float, 3> volume) {
  const Range mine = own();
  if (!mine.empty() || problem_.mine.spectrum_divided())  // where ranks project together none may stay away
    projector_->forward(volume, mine.begin, items(residual_.view(), mine.begin, mine.size()));
}

void Misfit::share() {
  if (problem_.mine.all_images) share_items(comm_, residual_.view(), own());
}

void Misfit::apply(View<const float, 3> volume) {
  forward(volume);
  share();
}

tomography::RFactors Misfit::project(View<const float, 3> volume) {
  const std::size_t count = projections_.size(), rows = problem_.mine.image_rows.size();
  const Range mine = own();
  forward(volume);
  Array<RowSums, 2> sums({count, rows});
  for (std::size_t p = mine.begin; p < mine.end; ++p)
    tomography::subtract_measured(items(residual_.view(), p, 1), items(problem_.measured, projections_[p], 1),
                                  View<RowSums, 2>(sums.data() + p * rows, {1, rows}));
  share();
  if (problem_.mine.all_images) {
    share_items(comm_, sums.view(), mine);
    sums_ = std::move(sums);
  } else {
    sums_ = gather_rows<RowSums>(comm_, sums.view(), problem_.plan.geometry.nv);
  }
  return tomography::r_factors(sums_);
}

}  // namespace aetos::reconstruction
