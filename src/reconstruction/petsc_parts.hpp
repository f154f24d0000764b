#pragma once

#include <petsctao.h>

#include <exception>
#include <functional>

#include "aetos/core/array.hpp"
#include "aetos/parallel/communicator.hpp"
#include "aetos/parallel/petsc_handle.hpp"
#include "misfit.hpp"
#include "solve.hpp"

/// Owners of PETSc's handles, and the way between a volume and a PETSc vector.
namespace aetos::reconstruction {

/// A distributed vector of doubles.
struct Vector : PetscHandle<Vec, VecDestroy> {
  Vector(const Communicator& comm, std::size_t mine) {
    check_petsc(VecCreateMPI(comm.handle(), static_cast<PetscInt>(mine), PETSC_DETERMINE, out()));
  }
};

/// A matrix known by what it does to vectors. An exception of a product is kept, since none may pass through
/// PETSc's C, and thrown by `rethrow`.
class ShellMatrix : public PetscHandle<Mat, MatDestroy> {
 public:
  using Product = std::function<void(Vec in, Vec out)>;

  /// `rows` and `columns` are this rank's.
  ShellMatrix(const Communicator& comm, std::size_t rows, std::size_t columns) {
    check_petsc(MatCreateShell(comm.handle(), static_cast<PetscInt>(rows), static_cast<PetscInt>(columns),
                               PETSC_DETERMINE, PETSC_DETERMINE, this, out()));
  }

  void set_product(Product product) {
    set(MATOP_MULT, times_, std::move(product), run<&ShellMatrix::times_>);
  }
  void set_transposed(Product product) {
    set(MATOP_MULT_TRANSPOSE, transposed_, std::move(product), run<&ShellMatrix::transposed_>);
  }
  void set_solve(Product product) { set(MATOP_SOLVE, solve_, std::move(product), run<&ShellMatrix::solve_>); }
  /// Parts of the matrix are itself between masks: the way in which bounded Newton methods see free voxels.
  void allow_parts() {
    const auto part = [](Mat matrix, IS rows, IS columns, MatReuse, Mat* out) -> PetscErrorCode {
      return MatCreateSubMatrixVirtual(matrix, rows, columns, out);
    };
    PetscErrorCode (*const function)(Mat, IS, IS, MatReuse, Mat*) = part;
    check_petsc(
        MatShellSetOperation(get(), MATOP_CREATE_SUBMATRIX, reinterpret_cast<void (*)(void)>(function)));
  }
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  using Function = PetscErrorCode (*)(Mat, Vec, Vec);
  void set(MatOperation operation, Product& place, Product product, Function function) {
    place = std::move(product);
    check_petsc(MatShellSetOperation(get(), operation, reinterpret_cast<void (*)(void)>(function)));
  }
  template <Product ShellMatrix::*Member>
  static PetscErrorCode run(Mat matrix, Vec in, Vec out) {
    ShellMatrix* self = nullptr;
    PetscCall(MatShellGetContext(matrix, &self));
    try {
      (self->*Member)(in, out);
      return 0;
    } catch (...) {
      self->failure_ = std::current_exception();
      return PETSC_ERR_USER;
    }
  }
  Product times_, transposed_, solve_;
  std::exception_ptr failure_;
};

/// Voxels (z, x, row) of this rank in a PETSc vector, where rows are not padded: some planes of u.
template <class Use>
void for_each_voxel(const Array<float, 3>& u, Range planes, std::size_t rows, const Use& use) {
  std::size_t at = 0;
  for (std::size_t column = planes.begin * u.extent(1); column < planes.end * u.extent(1); ++column)
    for (std::size_t y = 0; y < rows; ++y) use(at++, column * u.extent(2) + y);
}

/// Calls use(values) on a vector's part of this rank.
template <class Use>
void with_values(Vec vector, const Use& use) {
  double* values = nullptr;
  check_petsc(VecGetArray(vector, &values));
  use(values);
  check_petsc(VecRestoreArray(vector, &values));
}
template <class Use>
void with_const_values(Vec vector, const Use& use) {
  const double* values = nullptr;
  check_petsc(VecGetArrayRead(vector, &values));
  use(values);
  check_petsc(VecRestoreArrayRead(vector, &values));
}

/// A volume as a PETSc vector: each rank's rows, or, where all hold everything, its planes.
class VolumeVectors {
 public:
  VolumeVectors(const Communicator& comm, const Problem& problem)
      : comm_(comm),
        mine_(problem.mine),
        rows_(problem.mine.held_rows.size()),
        size_(problem.mine.planes.size() * problem.plan.geometry.volume_px[2] * rows_) {}

  std::size_t size() const { return size_; }
  std::size_t rows() const { return rows_; }

  void read(const Array<float, 3>& u, Vec to) const {
    with_values(to, [&](double* values) {
      for_each_voxel(u, mine_.planes, rows_,
                     [&](std::size_t i, std::size_t voxel) { values[i] = u.data()[voxel]; });
    });
  }
  /// Collective: all get all where all hold everything.
  void write(Vec from, Array<float, 3>& u) const {
    with_const_values(from, [&](const double* values) {
      for_each_voxel(u, mine_.planes, rows_, [&](std::size_t i, std::size_t voxel) {
        u.data()[voxel] = static_cast<float>(values[i]);
      });
    });
    if (mine_.whole) share_items(comm_, u.view(), mine_.planes);
  }
  /// Puts scale times the misfit's gradient into a vector.
  void read_gradient(const Misfit& misfit, double scale, Vec to) const {
    with_values(to, [&](double* values) {
      misfit.gradient([&](std::size_t, View<const float, 3> planes) {
        for (std::size_t column = 0; column < planes.extent(0) * planes.extent(1); ++column)
          for (std::size_t y = 0; y < rows_; ++y)
            *values++ = scale * planes.data()[column * planes.extent(2) + y];
      });
    });
  }

 private:
  const Communicator& comm_;
  const Decomposition& mine_;
  std::size_t rows_, size_;
};

}  // namespace aetos::reconstruction
