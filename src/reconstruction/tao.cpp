#include <petscksp.h>
#include <petsctao.h>

#include <algorithm>
#include <exception>
#include <limits>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "aetos/parallel/petsc_session.hpp"
#include "aetos/tomography/normal_filter.hpp"
#include "methods.hpp"
#include "misfit.hpp"
#include "tao.hpp"

namespace aetos::reconstruction {
namespace {

/// A distributed vector of doubles.
class Vector {
 public:
  Vector(const Communicator& comm, std::size_t mine) {
    check_petsc(VecCreateMPI(comm.handle(), static_cast<PetscInt>(mine), PETSC_DETERMINE, &vec_));
  }
  ~Vector() { VecDestroy(&vec_); }
  Vector(const Vector&) = delete;
  Vector& operator=(const Vector&) = delete;
  Vec get() const { return vec_; }

 private:
  Vec vec_ = nullptr;
};

/// The misfit's Hessian at the start, nearly: a matrix that PETSc can only solve with.
class InitialHessian {
 public:
  InitialHessian(const Communicator& comm, const tomography::Geometry& geometry, std::size_t rows,
                 double scale)
      : filter_(geometry, kRegularisation), rows_(rows), scale_(scale) {
    const auto mine = static_cast<PetscInt>(geometry.volume_px[0] * geometry.volume_px[2] * rows);
    check_petsc(MatCreateShell(comm.handle(), mine, mine, PETSC_DETERMINE, PETSC_DETERMINE, this, &matrix_));
    check_petsc(MatShellSetOperation(matrix_, MATOP_SOLVE, reinterpret_cast<void (*)(void)>(solve)));
    check_petsc(MatSetOption(matrix_, MAT_SPD, PETSC_TRUE));
  }
  ~InitialHessian() { MatDestroy(&matrix_); }
  InitialHessian(const InitialHessian&) = delete;
  InitialHessian& operator=(const InitialHessian&) = delete;
  Mat get() const { return matrix_; }

 private:
  /// Of 0.01, 0.03, 0.05, 0.08 and 0.2 the one that took fewest passes on the RESIRE package's sample.
  static constexpr double kRegularisation = 0.05;
  static PetscErrorCode solve(Mat matrix, Vec in, Vec out) {
    InitialHessian* self = nullptr;
    const double* from = nullptr;
    double* to = nullptr;
    PetscCall(MatShellGetContext(matrix, &self));
    PetscCall(VecGetArrayRead(in, &from));
    PetscCall(VecGetArray(out, &to));
    self->filter_.apply(from, to, self->rows_, 1 / self->scale_);
    PetscCall(VecRestoreArray(out, &to));
    PetscCall(VecRestoreArrayRead(in, &from));
    return 0;
  }
  tomography::NormalFilter filter_;
  std::size_t rows_;
  double scale_;
  Mat matrix_ = nullptr;
};

struct Solver {
  explicit Solver(const Communicator& comm) { check_petsc(TaoCreate(comm.handle(), &tao)); }
  ~Solver() { TaoDestroy(&tao); }
  Solver(const Solver&) = delete;
  Solver& operator=(const Solver&) = delete;
  Tao tao = nullptr;
};

/// Voxels (z, x, row) of this rank in a PETSc vector, where rows are not padded: some planes of u.
template <class Use>
void for_each_voxel(const Array<float, 3>& u, Range planes, std::size_t rows, const Use& use) {
  std::size_t at = 0;
  for (std::size_t column = planes.begin * u.extent(1); column < planes.end * u.extent(1); ++column)
    for (std::size_t y = 0; y < rows; ++y) use(at++, column * u.extent(2) + y);
}

class TaoMethod final : public Method {
 public:
  TaoMethod(const Communicator& comm, const Problem& problem)
      : comm_(comm),
        problem_(problem),
        misfit_(comm, problem),
        rows_(problem.mine.held_rows.size()),
        unknowns_(problem.mine.planes.size() * problem.plan.geometry.volume_px[2] * rows_),
        x_(comm, unknowns_),
        lower_(comm, unknowns_),
        upper_(comm, unknowns_),
        // Makes a step of length 1 along the gradient about right.
        scale_(tomography::step_length(1, problem.plan.geometry.angles.size(),
                                       problem.plan.geometry.volume_px[0])) {}

  bool advance(State& state, int iterations) override {
    state_ = &state;
    set_bounds();
    read(state.u, x_.get());
    const Solver solver(comm_);
    Tao tao = solver.tao;
    check_petsc(TaoSetType(tao, problem_.options.method.c_str()));
    check_petsc(TaoSetSolution(tao, x_.get()));
    check_petsc(TaoSetVariableBounds(tao, lower_.get(), upper_.get()));
    check_petsc(TaoSetObjectiveAndGradient(tao, nullptr, evaluate, this));
    check_petsc(TaoSetMonitor(tao, monitor, this, nullptr));
    check_petsc(TaoSetTolerances(tao, 0, 0, 0));
    check_petsc(TaoSetMaximumIterations(tao, std::min(kTaoBlock, iterations - state.iteration)));
    seen_.clear();
    if (problem_.plan.preconditioned) precondition(tao);
    if (problem_.options.method == "bncg" && state.iteration == 0) leave_the_corner();
    const PetscErrorCode code = TaoSolve(tao);
    if (failure_) std::rethrow_exception(failure_);
    check_petsc(code);
    PetscInt done = 0;
    check_petsc(TaoGetIterationNumber(tao, &done));
    write(x_.get(), state.u);
    state.iteration += static_cast<int>(done);
    state.r_history.resize(static_cast<std::size_t>(state.iteration));
    if (done == 0) log::info("  {} finds no lower misfit", problem_.options.method);
    return done > 0;
  }

 private:
  void set_bounds() {
    double *low = nullptr, *high = nullptr;
    const auto& inside = problem_.constraints.inside;
    check_petsc(VecGetArray(lower_.get(), &low));
    check_petsc(VecGetArray(upper_.get(), &high));
    for_each_voxel(state_->u, problem_.mine.planes, rows_, [&](std::size_t i, std::size_t voxel) {
      const bool fixed = !inside.empty() && inside.data()[voxel] == 0;
      low[i] = fixed || problem_.constraints.nonnegative ? 0 : PETSC_NINFINITY;
      high[i] = fixed ? 0 : PETSC_INFINITY;
    });
    check_petsc(VecRestoreArray(lower_.get(), &low));
    check_petsc(VecRestoreArray(upper_.get(), &high));
  }

  /// At zero every voxel lies on its bound, where bncg's first line search takes some twenty passes to find a
  /// step. One step down the gradient, made here, brings it inside.
  void leave_the_corner() {
    const Vector gradient(comm_, unknowns_);
    pass(x_.get(), gradient.get());
    check_petsc(VecAXPY(x_.get(), -1, gradient.get()));
    check_petsc(VecMedian(lower_.get(), x_.get(), upper_.get(), x_.get()));
  }

  void precondition(Tao tao) {
    if (!hessian_) hessian_.emplace(comm_, problem_.plan.geometry, rows_, scale_);
    if (problem_.options.method == "blmvm") {
      check_petsc(TaoLMVMSetH0(tao, hessian_->get()));
      return;
    }
    Mat history = nullptr;
    check_petsc(TaoSetUp(tao));
    check_petsc(TaoGetLMVMMatrix(tao, &history));
    check_petsc(MatLMVMSetJ0(history, hessian_->get()));
  }

  void read(const Array<float, 3>& u, Vec to) const {
    double* values = nullptr;
    check_petsc(VecGetArray(to, &values));
    for_each_voxel(u, problem_.mine.planes, rows_,
                   [&](std::size_t i, std::size_t voxel) { values[i] = u.data()[voxel]; });
    check_petsc(VecRestoreArray(to, &values));
  }

  void write(Vec from, Array<float, 3>& u) const {
    const double* values = nullptr;
    check_petsc(VecGetArrayRead(from, &values));
    for_each_voxel(u, problem_.mine.planes, rows_, [&](std::size_t i, std::size_t voxel) {
      u.data()[voxel] = static_cast<float>(values[i]);
    });
    check_petsc(VecRestoreArrayRead(from, &values));
    if (problem_.mine.whole) share_items(comm_, u.view(), problem_.mine.planes);
  }

  /// Misfit and gradient of x: one pass.
  double pass(Vec x, Vec gradient) {
    State& state = *state_;
    write(x, state.u);
    const auto factors = misfit_.project(state.u);
    ++state.passes;
    const double value = scale_ * factors.objective;
    seen_[value] = factors.mean_r1;
    double* to = nullptr;
    check_petsc(VecGetArray(gradient, &to));
    std::size_t at = 0;
    misfit_.gradient([&](std::size_t, View<const float, 3> planes) {
      for (std::size_t column = 0; column < planes.extent(0) * planes.extent(1); ++column)
        for (std::size_t y = 0; y < rows_; ++y)
          to[at++] = scale_ * planes.data()[column * planes.extent(2) + y];
    });
    check_petsc(VecRestoreArray(gradient, &to));
    return value;
  }

  static PetscErrorCode evaluate(Tao, Vec x, PetscReal* value, Vec gradient, void* context) {
    auto& self = *static_cast<TaoMethod*>(context);
    try {
      *value = self.pass(x, gradient);
      return 0;
    } catch (...) {  // no exception may pass through PETSc's C
      self.failure_ = std::current_exception();
      return PETSC_ERR_USER;
    }
  }

  /// R before each update, as the other methods report it.
  static PetscErrorCode monitor(Tao tao, void* context) {
    auto& self = *static_cast<TaoMethod*>(context);
    PetscInt iteration = 0;
    PetscReal value = 0;
    TaoGetSolutionStatus(tao, &iteration, &value, nullptr, nullptr, nullptr, nullptr);
    const auto found = self.seen_.find(value);
    auto& history = self.state_->r_history;
    // Some solvers report an iteration again when they have changed their mind about the direction.
    history.resize(static_cast<std::size_t>(self.state_->iteration + iteration));
    history.push_back(found != self.seen_.end() ? found->second : std::numeric_limits<double>::quiet_NaN());
    return 0;
  }

  const PetscSession petsc_;
  const Communicator& comm_;
  const Problem& problem_;
  Misfit misfit_;
  std::size_t rows_, unknowns_;
  Vector x_, lower_, upper_;
  double scale_;
  std::optional<InitialHessian> hessian_;
  State* state_ = nullptr;
  std::map<double, double> seen_;  ///< R1 by misfit, of the points that this block tried
  std::exception_ptr failure_;
};

}  // namespace

void refuse_too_many_unknowns(const std::array<std::size_t, 3>& volume_px) {
  constexpr auto most = static_cast<std::size_t>(std::numeric_limits<PetscInt>::max());
  const std::size_t unknowns = element_count(volume_px);
  if (unknowns > most)
    throw InputError(
        "reconstruct.method", fmt::format("a solver of PETSc for {} voxels", unknowns),
        fmt::format("os-resire or another method, or at most {} voxels: the PETSc in use counts in {} bits",
                    most, 8 * sizeof(PetscInt)));
}

std::unique_ptr<Method> make_tao(const Communicator& comm, const Problem& problem) {
  return std::make_unique<TaoMethod>(comm, problem);
}

}  // namespace aetos::reconstruction
