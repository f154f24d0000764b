#include "tao.hpp"

#include <petscksp.h>
#include <petsctao.h>

#include <algorithm>
#include <limits>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "aetos/tomography/normal_filter.hpp"
#include "methods.hpp"
#include "misfit.hpp"
#include "petsc_parts.hpp"
#include "smooth_volume.hpp"

namespace aetos::reconstruction {
namespace {

/// Of 0.01, 0.03, 0.05, 0.08 and 0.2 the one that took fewest passes on the RESIRE package's sample.
constexpr double kRegularisation = 0.05;
/// Of a Newton step: products with the Hessian at most, and the residual at which they end sooner. With 3, 4,
/// 6, 8 and 16 products bnls took 37, 31, 29, 36 and 60 passes to RESIRE-100's R on the RESIRE package's
/// sample.
constexpr int kProducts = 6;
constexpr double kInnerTolerance = 0.01;
/// The model of a Newton step is the misfit itself: it can be trusted everywhere. PETSc's 1 took tron 67
/// passes.
constexpr double kTrustRadius = 1e10;

struct Solver : PetscHandle<Tao, TaoDestroy> {
  explicit Solver(const Communicator& comm) { check_petsc(TaoCreate(comm.handle(), out())); }
};

class TaoMethod final : public Method {
 public:
  TaoMethod(const Communicator& comm, const Problem& problem)
      : comm_(comm),
        problem_(problem),
        traits_(*problem.plan.petsc),
        misfit_(comm, problem),
        vectors_(comm, problem),
        x_(comm, vectors_.size()),
        lower_(comm, vectors_.size()),
        upper_(comm, vectors_.size()),
        // Makes a step of length 1 along the gradient about right.
        scale_(tomography::step_length(1, problem.plan.geometry.angles.size(),
                                       problem.plan.geometry.volume_px[0])) {
    if (problem.options.tv_weight > 0) smooth_.emplace(comm, problem);
    if (traits_.kind == PetscMethod::Kind::newton) make_hessian();
  }

  bool advance(State& state, int iterations) override {
    state_ = &state;
    vectors_.read(state.u, x_.get());
    const Solver solver(comm_);
    Tao tao = solver.get();
    check_petsc(TaoSetType(tao, problem_.options.method.c_str()));
    if (problem_.options.method.starts_with("bqnk")) use_bfgs(tao);
    check_petsc(TaoSetSolution(tao, x_.get()));
    if (traits_.bounded) {
      set_bounds();
      check_petsc(TaoSetVariableBounds(tao, lower_.get(), upper_.get()));
    }
    check_petsc(TaoSetObjectiveAndGradient(tao, nullptr, evaluate, this));
    check_petsc(TaoSetMonitor(tao, monitor, this, nullptr));
    check_petsc(TaoSetTolerances(tao, 0, 0, 0));
    check_petsc(TaoSetMaximumIterations(tao, std::min(kPetscBlock, iterations - state.iteration)));
    seen_.clear();
    if (hessian_) use_hessian(tao);
    if (problem_.plan.preconditioned) precondition(tao);
    if (problem_.options.method == "bncg" && state.iteration == 0) leave_the_corner();
    const PetscErrorCode code = TaoSolve(tao);
    if (failure_) std::rethrow_exception(failure_);
    if (hessian_) hessian_->rethrow();
    if (initial_) initial_->rethrow();
    check_petsc(code);
    PetscInt done = 0;
    check_petsc(TaoGetIterationNumber(tao, &done));
    vectors_.write(x_.get(), state.u);
    state.iteration += static_cast<int>(done);
    state.r_history.resize(static_cast<std::size_t>(state.iteration));
    if (done == 0) log::info("  {} finds no lower misfit", problem_.options.method);
    return done > 0;
  }

 private:
  void set_bounds() {
    const auto& inside = problem_.constraints.inside;
    with_values(lower_.get(), [&](double* low) {
      with_values(upper_.get(), [&](double* high) {
        for_each_voxel(state_->u, problem_.mine.planes, vectors_.rows(),
                       [&](std::size_t i, std::size_t voxel) {
                         const bool fixed = !inside.empty() && inside.data()[voxel] == 0;
                         low[i] = fixed || problem_.constraints.nonnegative ? 0 : PETSC_NINFINITY;
                         high[i] = fixed ? 0 : PETSC_INFINITY;
                       });
      });
    });
  }

  /// At zero every voxel lies on its bound, where bncg's first line search takes some twenty passes to find a
  /// step. One step down the gradient, made here, brings it inside.
  void leave_the_corner() {
    const Vector gradient(comm_, vectors_.size());
    pass(x_.get(), gradient.get());
    check_petsc(VecAXPY(x_.get(), -1, gradient.get()));
    check_petsc(VecMedian(lower_.get(), x_.get(), upper_.get(), x_.get()));
  }

  /// PETSc's own choice for bqnkls, bqnktr and bqnktl, SR1, fails when they start their history afresh
  /// (PETSc 3.18: the scaling that it asks for is not SR1's).
  static void use_bfgs(Tao tao) {
    Mat history = nullptr;
    check_petsc(TaoGetLMVMMatrix(tao, &history));
    check_petsc(MatSetType(history, MATLMVMBFGS));
  }

  /// P'P, scaled: each product is a pass.
  void make_hessian() {
    hessian_.emplace(comm_, vectors_.size(), vectors_.size());
    check_petsc(MatSetOption(hessian_->get(), MAT_SPD, PETSC_TRUE));
    direction_ = Array<float, 3>(problem_.volume_shape());
    const auto product = [this](Vec in, Vec out) {
      vectors_.write(in, direction_);
      misfit_.apply(direction_);
      ++state_->passes;
      vectors_.read_gradient(misfit_, scale_, out);
    };
    hessian_->set_product(product);
    hessian_->set_transposed(product);
    hessian_->allow_parts();
  }

  void use_hessian(Tao tao) {
    const auto as_it_is = [](Tao, Vec, Mat, Mat, void*) -> PetscErrorCode { return 0; };
    check_petsc(TaoSetHessian(tao, hessian_->get(), hessian_->get(), as_it_is, nullptr));
    KSP inner = nullptr;
    check_petsc(TaoSetInitialTrustRegionRadius(tao, kTrustRadius));
    // Otherwise bntr and bntl spend some passes to find a radius.
    check_petsc(PetscOptionsSetValue(nullptr, "-tao_bnk_init_type", "constant"));
    check_petsc(TaoSetFromOptions(tao));
    check_petsc(PetscOptionsClearValue(nullptr, "-tao_bnk_init_type"));
    check_petsc(TaoGetKSP(tao, &inner));
    if (!inner) return;
    PC none = nullptr;
    check_petsc(KSPGetPC(inner, &none));
    check_petsc(PCSetType(none, PCNONE));
    check_petsc(KSPSetTolerances(inner, kInnerTolerance, PETSC_DEFAULT, PETSC_DEFAULT, kProducts));
  }

  /// The misfit's Hessian at the start, nearly: a matrix that PETSc can only solve with.
  void precondition(Tao tao) {
    if (!initial_) {
      filter_.emplace(problem_.plan.geometry, kRegularisation);
      initial_.emplace(comm_, vectors_.size(), vectors_.size());
      check_petsc(MatSetOption(initial_->get(), MAT_SPD, PETSC_TRUE));
      initial_->set_solve([this](Vec in, Vec out) {
        with_const_values(in, [&](const double* from) {
          with_values(out, [&](double* to) { filter_->apply(from, to, vectors_.rows(), 1 / scale_); });
        });
      });
    }
    Mat history = nullptr;
    check_petsc(TaoSetUp(tao));
    check_petsc(TaoGetLMVMMatrix(tao, &history));
    check_petsc(MatLMVMSetJ0(history, initial_->get()));
  }

  /// Misfit and gradient of x: one pass.
  double pass(Vec x, Vec gradient) {
    State& state = *state_;
    vectors_.write(x, state.u);
    const auto factors = misfit_.project(state.u);
    ++state.passes;
    double value = scale_ * factors.objective;
    vectors_.read_gradient(misfit_, scale_, gradient);
    if (smooth_) value += smooth_->add(state.u, gradient);
    seen_[value] = factors.mean_r1;
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
  const PetscMethod& traits_;
  Misfit misfit_;
  const VolumeVectors vectors_;
  Vector x_, lower_, upper_;
  double scale_;
  std::optional<SmoothVolume> smooth_;
  std::optional<ShellMatrix> hessian_, initial_;
  std::optional<tomography::NormalFilter> filter_;
  Array<float, 3> direction_;  ///< what the Hessian multiplies
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
