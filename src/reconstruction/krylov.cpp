#include <petscksp.h>

#include <algorithm>
#include <limits>

#include "methods.hpp"
#include "misfit.hpp"
#include "petsc_parts.hpp"
#include "tao.hpp"

namespace aetos::reconstruction {
namespace {

struct Solver : PetscHandle<KSP, KSPDestroy> {
  explicit Solver(const Communicator& comm) { check_petsc(KSPCreate(comm.handle(), out())); }
};

/// PETSc's solvers of linear least squares, P u = b, in a support where there is one: without bounds.
class KrylovMethod final : public Method {
 public:
  KrylovMethod(const Communicator& comm, const Problem& problem)
      : comm_(comm),
        problem_(problem),
        misfit_(comm, problem),
        vectors_(comm, problem),
        rows_(problem.mine.image_rows.size()),
        pixels_(misfit_.own().size() * problem.plan.geometry.nu * rows_),
        x_(comm, vectors_.size()),
        measured_(comm, pixels_),
        projector_(comm, pixels_, vectors_.size()),
        work_(problem.volume_shape()) {
    std::copy(problem.measured.begin(), problem.measured.end(), misfit_.residual().begin());
    read_images(measured_.get());
    projector_.set_product([this](Vec in, Vec out) {
      vectors_.write(in, work_);
      keep_inside(work_);
      misfit_.apply(work_);
      read_images(out);
    });
    projector_.set_transposed([this](Vec in, Vec out) {
      write_images(in);
      misfit_.share();
      ++state_->passes;
      vectors_.read_gradient(misfit_, 1, out);
      if (problem_.constraints.inside.empty()) return;
      with_values(out, [&](double* values) {
        for_each_voxel(work_, problem_.mine.planes, vectors_.rows(), [&](std::size_t i, std::size_t voxel) {
          if (problem_.constraints.inside.data()[voxel] == 0) values[i] = 0;
        });
      });
    });
  }

  bool advance(State& state, int iterations) override {
    state_ = &state;
    const int block = std::min(kPetscBlock, iterations - state.iteration);
    vectors_.read(state.u, x_.get());
    const Solver solver(comm_);
    KSP ksp = solver.get();
    check_petsc(KSPSetType(ksp, problem_.options.method.c_str()));
    check_petsc(KSPSetOperators(ksp, projector_.get(), projector_.get()));
    PC none = nullptr;
    check_petsc(KSPGetPC(ksp, &none));
    check_petsc(PCSetType(none, PCNONE));
    check_petsc(KSPSetInitialGuessNonzero(ksp, PETSC_TRUE));
    check_petsc(KSPSetTolerances(ksp, 1e-7, 1e-30, 1e30, block));
    check_petsc(KSPMonitorSet(ksp, monitor, this, nullptr));
    last_ = block;
    const PetscErrorCode code = KSPSolve(ksp, measured_.get(), x_.get());
    projector_.rethrow();
    if (failure_) std::rethrow_exception(failure_);
    check_petsc(code);
    PetscInt done = 0;
    check_petsc(KSPGetIterationNumber(ksp, &done));
    done = std::min<PetscInt>(done, block);
    vectors_.write(x_.get(), state.u);
    keep_inside(state.u);
    state.iteration += static_cast<int>(done);
    state.r_history.resize(static_cast<std::size_t>(state.iteration),
                           std::numeric_limits<double>::quiet_NaN());
    return done == block;
  }

 private:
  void keep_inside(Array<float, 3>& volume) const {
    const auto& inside = problem_.constraints.inside;
    for (std::size_t i = 0; i < inside.size(); ++i)
      if (inside.data()[i] == 0) volume.data()[i] = 0;
  }

  /// Calls use(index in a vector, index in the residual) for the pixels of this rank.
  template <class Use>
  void for_each_pixel(const Use& use) const {
    const std::size_t columns = problem_.plan.geometry.nu, padded = problem_.measured.extent(2);
    const Range own = misfit_.own();
    std::size_t at = 0;
    for (std::size_t line = own.begin * columns; line < own.end * columns; ++line)
      for (std::size_t v = 0; v < rows_; ++v) use(at++, line * padded + v);
  }
  void read_images(Vec to) {
    with_values(to, [&](double* values) {
      for_each_pixel([&](std::size_t i, std::size_t pixel) { values[i] = misfit_.residual().data()[pixel]; });
    });
  }
  void write_images(Vec from) {
    with_const_values(from, [&](const double* values) {
      for_each_pixel([&](std::size_t i, std::size_t pixel) {
        misfit_.residual().data()[pixel] = static_cast<float>(values[i]);
      });
    });
  }

  /// R before each update, as the other methods report it: one more forward projection.
  static PetscErrorCode monitor(KSP ksp, PetscInt iteration, PetscReal, void* context) {
    auto& self = *static_cast<KrylovMethod*>(context);
    if (iteration >= self.last_) return 0;
    try {
      Vec now = nullptr;
      check_petsc(KSPBuildSolution(ksp, nullptr, &now));
      self.vectors_.write(now, self.work_);
      self.keep_inside(self.work_);
      auto& history = self.state_->r_history;
      history.resize(static_cast<std::size_t>(self.state_->iteration + iteration),
                     std::numeric_limits<double>::quiet_NaN());
      history.push_back(self.misfit_.project(self.work_).mean_r1);
      return 0;
    } catch (...) {
      self.failure_ = std::current_exception();
      return PETSC_ERR_USER;
    }
  }

  const PetscSession petsc_;
  const Communicator& comm_;
  const Problem& problem_;
  Misfit misfit_;
  const VolumeVectors vectors_;
  std::size_t rows_, pixels_;
  Vector x_, measured_;
  ShellMatrix projector_;
  Array<float, 3> work_;
  State* state_ = nullptr;
  int last_ = 0;  ///< iterations of this block
  std::exception_ptr failure_;
};

}  // namespace

std::unique_ptr<Method> make_krylov(const Communicator& comm, const Problem& problem) {
  return std::make_unique<KrylovMethod>(comm, problem);
}

}  // namespace aetos::reconstruction
