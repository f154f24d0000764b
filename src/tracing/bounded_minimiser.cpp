#include "bounded_minimiser.hpp"

#include <petsctao.h>

#include <deque>
#include <exception>
#include <string>

#include "aetos/parallel/petsc_handle.hpp"

namespace aetos::tracing {
namespace {

/// A vector of this process.
class Vector : public PetscHandle<Vec, VecDestroy> {
 public:
  explicit Vector(const std::vector<double>& values) {
    check_petsc(VecCreateSeq(PETSC_COMM_SELF, static_cast<PetscInt>(values.size()), out()));
    double* data = nullptr;
    check_petsc(VecGetArray(get(), &data));
    std::copy(values.begin(), values.end(), data);
    check_petsc(VecRestoreArray(get(), &data));
  }
};

struct Solver : PetscHandle<Tao, TaoDestroy> {
  Solver() { check_petsc(TaoCreate(PETSC_COMM_SELF, out())); }
};

/// What the C callbacks need.
struct Call {
  const Objective& objective;
  const MinimiserOptions& options;
  std::exception_ptr failure;
  std::deque<double> recent;
  double first = 0;
};

PetscErrorCode evaluate(Tao, Vec x, PetscReal* value, Vec gradient, void* context) {
  auto& call = *static_cast<Call*>(context);
  PetscInt n = 0;
  const double* from = nullptr;
  double* to = nullptr;
  VecGetLocalSize(x, &n);
  VecGetArrayRead(x, &from);
  VecGetArray(gradient, &to);
  PetscErrorCode code = 0;
  try {
    const auto size = static_cast<std::size_t>(n);
    *value = call.objective({from, size}, {to, size});
  } catch (...) {  // no exception may pass through PETSc's C
    call.failure = std::current_exception();
    code = PETSC_ERR_USER;
  }
  VecRestoreArrayRead(x, &from);
  VecRestoreArray(gradient, &to);
  return code;
}

PetscErrorCode converged(Tao tao, void* context) {
  auto& call = *static_cast<Call*>(context);
  PetscInt iteration = 0;
  PetscReal value = 0;
  TaoGetSolutionStatus(tao, &iteration, &value, nullptr, nullptr, nullptr, nullptr);
  if (call.recent.empty()) call.first = value;
  call.recent.push_back(value);
  if (call.recent.size() > 6) call.recent.pop_front();
  const bool settled =
      call.recent.size() == 6 && call.recent.front() - value <= call.options.tolerance * call.first;
  TaoConvergedReason reason = TAO_CONTINUE_ITERATING;
  if (settled || value <= 0)
    reason = TAO_CONVERGED_USER;
  else if (iteration >= call.options.iterations)
    reason = TAO_DIVERGED_MAXITS;
  return TaoSetConvergedReason(tao, reason);
}

void copy_out(Vec from, std::vector<double>& to) {
  const double* data = nullptr;
  check_petsc(VecGetArrayRead(from, &data));
  std::copy(data, data + to.size(), to.begin());
  check_petsc(VecRestoreArrayRead(from, &data));
}

}  // namespace

MinimiserResult minimise_bounded(const Objective& objective, std::vector<double>& x,
                                 const std::vector<double>& lower, const std::vector<double>& upper,
                                 const MinimiserOptions& options) {
  const PetscSession petsc;
  Call call{objective, options, {}, {}, 0};
  const Vector solution(x), low(lower), high(upper);
  const Solver solver;
  check_petsc(TaoSetType(solver.get(), TAOBLMVM));
  check_petsc(TaoSetSolution(solver.get(), solution.get()));
  check_petsc(TaoSetVariableBounds(solver.get(), low.get(), high.get()));
  check_petsc(TaoSetObjectiveAndGradient(solver.get(), nullptr, evaluate, &call));
  check_petsc(TaoSetConvergenceTest(solver.get(), converged, &call));
  check_petsc(TaoSetMaximumIterations(solver.get(), options.iterations));
  const PetscErrorCode code = TaoSolve(solver.get());
  if (call.failure) std::rethrow_exception(call.failure);
  check_petsc(code);
  MinimiserResult result;
  PetscInt iterations = 0;
  check_petsc(
      TaoGetSolutionStatus(solver.get(), &iterations, &result.last, nullptr, nullptr, nullptr, nullptr));
  copy_out(solution.get(), x);
  result.first = call.first;
  result.iterations = static_cast<int>(iterations);
  return result;
}

}  // namespace aetos::tracing
