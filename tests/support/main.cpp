#include <gtest/gtest.h>

#include <mpi.h>

#include <cstdio>
#include <cstdlib>

namespace {

/// On ranks other than 0: silent, but for failures.
class FailurePrinter : public ::testing::EmptyTestEventListener {
 public:
  explicit FailurePrinter(int rank) : rank_(rank) {}
  void OnTestPartResult(const ::testing::TestPartResult& result) override {
    if (result.failed())
      std::fprintf(stderr, "rank %d: %s:%d: %s\n", rank_, result.file_name() ? result.file_name() : "?",
                   result.line_number(), result.message());
  }

 private:
  int rank_;
};

}  // namespace

/// One main for all tests: MPI is up, rank 0 prints, the others only their failures, and a failure on any
/// rank fails the launch.
int main(int argc, char** argv) {
  // Collective reads of Open MPI 4.1's OMPIO are wrong for uneven selections (docs/reliability.md).
  setenv("OMPI_MCA_fbtl_posix_read_datasieving", "0", 1);
  MPI_Init(&argc, &argv);
  ::testing::InitGoogleTest(&argc, argv);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  auto& listeners = ::testing::UnitTest::GetInstance()->listeners();
  if (rank != 0) {
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new FailurePrinter(rank));  // owned by the list
  }
  int failed = RUN_ALL_TESTS();
  MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  MPI_Finalize();
  return failed;
}
