#include <cmath>
#include <numbers>
#include <numeric>

#include "methods.hpp"
#include "misfit.hpp"

namespace aetos::reconstruction {
namespace {

/// A ray or voxel that collects less than this is left as it is: next to nothing is known of it.
constexpr float kLeastSum = 1e-3F;

void invert(Array<float, 3>& sums) {
  for (float& value : sums) value = value > kLeastSum ? 1 / value : 0;
}

/// Inverse sums of the projector's rows, (projection, u, padded v).
Array<float, 3> ray_weights(const Communicator& comm, const Problem& problem) {
  Array<float, 3> ones(problem.volume_shape());
  std::fill(ones.begin(), ones.end(), 1.0F);
  Misfit misfit(comm, problem);
  misfit.apply(ones);
  invert(misfit.residual());
  return std::move(misfit.residual());
}

class Sirt final : public Method {
 public:
  Sirt(const Communicator& comm, const Problem& problem)
      : comm_(comm),
        problem_(problem),
        misfit_(comm, problem),
        rays_(ray_weights(comm, problem)),
        voxels_(problem.volume_shape()) {
    std::fill(misfit_.residual().begin(), misfit_.residual().end(), 1.0F);
    misfit_.gradient([&](std::size_t z, View<const float, 3> sums) {
      std::copy(sums.begin(), sums.end(), voxels_.data() + z * sums.extent(1) * sums.extent(2));
    });
    invert(voxels_);
  }

  bool advance(State& state, int) override {
    state.r_history.push_back(misfit_.project(state.u).mean_r1);
    for (std::size_t i = 0; i < rays_.size(); ++i) misfit_.residual().data()[i] *= rays_.data()[i];
    misfit_.gradient([&](std::size_t z, View<float, 3> gradient) {
      const float* weight = voxels_.data() + z * gradient.extent(1) * gradient.extent(2);
      for (std::size_t i = 0; i < gradient.size(); ++i) gradient.data()[i] *= weight[i];
      tomography::gradient_step(state.u, z, gradient, 1, problem_.constraints);
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
  Array<float, 3> rays_, voxels_;  ///< inverse sums
};

class Sart final : public Method {
 public:
  Sart(const Communicator& comm, const Problem& problem)
      : comm_(comm),
        problem_(problem),
        order_(deal_subsets(problem.plan.geometry.angles, problem.plan.geometry.angles.size())),
        rays_(ray_weights(comm, problem)) {}

  bool advance(State& state, int) override {
    const std::size_t projections = order_.size(), rows = problem_.plan.geometry.nv;
    Array<tomography::RowSums, 2> sums({projections, rows});
    for (const auto& one : order_) {
      Misfit misfit(comm_, problem_, one);
      misfit.project(state.u);
      std::copy_n(misfit.sums().data(), rows, sums.data() + one[0] * rows);
      const auto weights = rays_[one[0]];
      for (std::size_t i = 0; i < weights.size(); ++i) misfit.residual().data()[i] *= weights.data()[i];
      misfit.gradient([&](std::size_t z, View<float, 3> gradient) {
        tomography::gradient_step(state.u, z, gradient, problem_.options.step / 2, problem_.constraints);
      });
      share_planes(comm_, problem_, state);
    }
    state.r_history.push_back(tomography::r_factors(sums).mean_r1);
    ++state.iteration;
    ++state.passes;
    return true;
  }

 private:
  const Communicator& comm_;
  const Problem& problem_;
  std::vector<std::vector<std::size_t>> order_;
  Array<float, 3> rays_;
};

/// The angle in radians that each tilt stands for: half the way to its neighbours on both sides, at the ends
/// of the range as much beyond the last tilt as before it.
std::vector<double> angular_weights(const std::vector<EulerAngles>& angles) {
  const std::size_t n = angles.size();
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto theta = [&](std::size_t i) { return angles[order[i]].theta_deg * std::numbers::pi / 180; };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return angles[a].theta_deg < angles[b].theta_deg; });
  std::vector<double> weights(n, std::numbers::pi);
  for (std::size_t i = 0; n > 1 && i < n; ++i) {
    const double before = i > 0 ? theta(i) - theta(i - 1) : theta(1) - theta(0);
    const double after = i + 1 < n ? theta(i + 1) - theta(i) : theta(n - 1) - theta(n - 2);
    weights[order[i]] = (before + after) / 2;
  }
  return weights;
}

/// The band-limited ramp, sampled: 1/4 at 0, -1 / (pi n)^2 at odd n, 0 at even n.
double ramp(std::ptrdiff_t n) {
  if (n == 0) return 0.25;
  return n % 2 == 0 ? 0 : -1 / std::pow(std::numbers::pi * static_cast<double>(n), 2);
}

class FilteredBackProjection final : public Method {
 public:
  FilteredBackProjection(const Communicator& comm, const Problem& problem)
      : comm_(comm), problem_(problem), misfit_(comm, problem) {}

  bool advance(State& state, int) override {
    const auto weights = angular_weights(problem_.plan.geometry.angles);
    for (std::size_t p = 0; p < weights.size(); ++p)
      filter(problem_.measured[p], weights[p], misfit_.residual().view()[p]);
    misfit_.gradient([&](std::size_t z, View<const float, 3> part) {
      tomography::gradient_step(state.u, z, part, -1, problem_.constraints);
    });
    share_planes(comm_, problem_, state);
    state.r_history.push_back(1);
    ++state.iteration;
    ++state.passes;
    return false;
  }

 private:
  static void filter(View<const float, 2> image, double weight, View<float, 2> filtered) {
    const std::size_t columns = image.extent(0), rows = image.extent(1);
    std::fill(filtered.begin(), filtered.end(), 0.0F);
    for (std::size_t u = 0; u < columns; ++u)
      for (std::size_t from = 0; from < columns; ++from) {
        const auto w = static_cast<float>(
            weight * ramp(static_cast<std::ptrdiff_t>(u) - static_cast<std::ptrdiff_t>(from)));
        if (w == 0) continue;
        const float* in = image.data() + from * rows;
        float* out = filtered.data() + u * rows;
        for (std::size_t v = 0; v < rows; ++v) out[v] += w * in[v];
      }
  }

  const Communicator& comm_;
  const Problem& problem_;
  Misfit misfit_;
};

}  // namespace

std::unique_ptr<Method> make_sirt(const Communicator& comm, const Problem& problem) {
  return std::make_unique<Sirt>(comm, problem);
}

std::unique_ptr<Method> make_sart(const Communicator& comm, const Problem& problem) {
  return std::make_unique<Sart>(comm, problem);
}

std::unique_ptr<Method> make_filtered_back_projection(const Communicator& comm, const Problem& problem) {
  return std::make_unique<FilteredBackProjection>(comm, problem);
}

}  // namespace aetos::reconstruction
