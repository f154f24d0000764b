#pragma once

#include <memory>

#include "solve.hpp"

namespace aetos::reconstruction {

/// A way to lower the misfit. Its state between calls is all in State.
class Method {
 public:
  virtual ~Method() = default;
  /// Goes on by one iteration, or by a few that belong together, at most to `iterations` of the state. False
  /// if nothing is left to gain. Collective.
  virtual bool advance(State& state, int iterations) = 0;
};

/// The method that the options name.
std::unique_ptr<Method> make_method(const Communicator& comm, const Problem& problem);

/// RESIRE and its accelerated form.
std::unique_ptr<Method> make_gradient_descent(const Communicator& comm, const Problem& problem);
/// RESIRE by ordered subsets (Hudson and Larkin 1994), plain or with momentum over the subsets (Kim, Ramani
/// and Fessler 2015).
std::unique_ptr<Method> make_ordered_subsets(const Communicator& comm, const Problem& problem);
/// Projections by angle, dealt out in turn: each subset spans the whole range of tilts. Subsets that follow
/// one another are about 0.38 of the round apart (the golden section), so that each brings something new.
std::vector<std::vector<std::size_t>> deal_subsets(const std::vector<EulerAngles>& angles,
                                                   std::size_t subsets);
/// PETSc TAO's solvers.
std::unique_ptr<Method> make_tao(const Communicator& comm, const Problem& problem);
/// PETSc KSP's solvers of linear least squares.
std::unique_ptr<Method> make_krylov(const Communicator& comm, const Problem& problem);
/// Simultaneous iterative reconstruction: u <- u - C P' R (P u - b), R and C the inverse sums of P's rows and
/// columns (Gregor and Benson 2008, eq. 2).
std::unique_ptr<Method> make_sirt(const Communicator& comm, const Problem& problem);
/// Simultaneous algebraic reconstruction (Andersen and Kak 1984, eq. 16), one projection after the other:
/// u <- u - step / 2 P_i' R_i (P_i u - b_i). A voxel's footprint sums to 1, so its inverse sum is left out;
/// voxels that fall on a detector's edge change by less.
std::unique_ptr<Method> make_sart(const Communicator& comm, const Problem& problem);
/// Filtered back projection (Kak and Slaney 1988, eq. 3.61), the weight of each tilt the angle that it stands
/// for.
std::unique_ptr<Method> make_filtered_back_projection(const Communicator& comm, const Problem& problem);

/// Ranks that hold everything have each stepped their own planes: now all have all.
inline void share_planes(const Communicator& comm, const Problem& problem, State& state) {
  if (!problem.mine.whole) return;
  share_items(comm, state.u.view(), problem.mine.planes);
  if (!state.point.empty()) share_items(comm, state.point.view(), problem.mine.planes);
}

}  // namespace aetos::reconstruction
