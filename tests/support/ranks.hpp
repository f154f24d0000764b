#pragma once

#include <gtest/gtest.h>

#include <mpi.h>

#include <optional>
#include <utility>

#include "aetos/parallel/communicator.hpp"

/// Tests that name the number of ranks they need, in their first line:
///
///     TEST(Slabs, MeetAtTheirBorders) {
///       AETOS_RANKS(comm, 3);          // `comm` is an aetos::Communicator of exactly 3 ranks
///       ...
///     }
///
/// The first ranks of the launch run the test on a communicator of their own, the others leave it at once and
/// meet them again in the next. A launch with too few ranks skips the test, so one launch with 4 ranks runs
/// them all. Inside, use EXPECT_ rather than ASSERT_ where a rank that returns early would leave others
/// waiting.
namespace aetos::test {

inline int launched_ranks() {
  int size = 1;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  return size;
}

/// Collective over the launch: a communicator of the first `ranks` ranks; nothing on the others.
inline std::optional<Communicator> first_ranks(int ranks) {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm part = MPI_COMM_NULL;
  MPI_Comm_split(MPI_COMM_WORLD, rank < ranks ? 0 : MPI_UNDEFINED, rank, &part);
  if (part == MPI_COMM_NULL) return std::nullopt;
  std::optional<Communicator> comm(std::in_place, part);
  MPI_Comm_free(&part);
  return comm;
}

}  // namespace aetos::test

/// Declares `comm`, a communicator of `ranks` ranks, for the rest of the test; see above.
#define AETOS_RANKS(comm, ranks)                                                                            \
  if (::aetos::test::launched_ranks() < (ranks))                                                            \
    GTEST_SKIP() << "needs " << (ranks) << " ranks, was launched with " << ::aetos::test::launched_ranks(); \
  const auto aetos_group_of_##comm = ::aetos::test::first_ranks(ranks);                                     \
  if (!aetos_group_of_##comm) return;                                                                       \
  const ::aetos::Communicator& comm = *aetos_group_of_##comm
