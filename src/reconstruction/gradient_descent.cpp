#include "methods.hpp"
#include "misfit.hpp"

namespace aetos::reconstruction {
namespace {

class GradientDescent final : public Method {
 public:
  GradientDescent(const Communicator& comm, const Problem& problem)
      : comm_(comm), problem_(problem), misfit_(comm, problem) {
    // Momentum needs dt <= 1 / L, half of what plain gradient descent bears.
    const double step = problem.plan.accelerated ? problem.options.step / 2 : problem.options.step;
    dt_ = tomography::step_length(step, problem.plan.geometry.angles.size(),
                                  problem.plan.geometry.volume_px[0]);
  }

  bool advance(State& state, int) override {
    const bool accelerated = problem_.plan.accelerated;
    const auto before = misfit_.project(accelerated ? state.point : state.u);
    state.r_history.push_back(before.mean_r1);
    const double momentum = accelerated ? state.momentum.next(before.objective) : 0;
    misfit_.gradient([&](std::size_t z, View<const float, 3> gradient) {
      if (accelerated)
        tomography::accelerated_step(state.u, state.point, z, gradient, dt_, momentum, problem_.constraints);
      else
        tomography::gradient_step(state.u, z, gradient, dt_, problem_.constraints);
    });
    share_planes(comm_, problem_, state);
    ++state.iteration;
    ++state.passes;
    return true;
  }

 private:
  const Communicator& comm_;
  const Problem& problem_;
  Misfit misfit_;
  double dt_ = 0;
};

}  // namespace

std::unique_ptr<Method> make_gradient_descent(const Communicator& comm, const Problem& problem) {
  return std::make_unique<GradientDescent>(comm, problem);
}

std::unique_ptr<Method> make_method(const Communicator& comm, const Problem& problem) {
  const std::string& name = problem.options.method;
  if (name.starts_with("os-")) return make_ordered_subsets(comm, problem);
  if (name == "sirt") return make_sirt(comm, problem);
  if (name == "wbp") return make_filtered_back_projection(comm, problem);
  if (name == "sart") return make_sart(comm, problem);
  if (problem.plan.petsc)
    return problem.plan.petsc->kind == PetscMethod::Kind::linear ? make_krylov(comm, problem)
                                                                 : make_tao(comm, problem);
  return make_gradient_descent(comm, problem);
}

}  // namespace aetos::reconstruction
