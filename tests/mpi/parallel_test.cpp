#include <gtest/gtest.h>

#include <mpi.h>
#include <sched.h>
#include <signal.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <new>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "aetos/core/error.hpp"
#include "aetos/core/random.hpp"
#include "aetos/parallel/communicator.hpp"
#include "aetos/parallel/journal.hpp"
#include "aetos/parallel/partition.hpp"
#include "aetos/parallel/run_lock.hpp"
#include "aetos/parallel/stop.hpp"
#include "support/ranks.hpp"
#include "support/shared_folder.hpp"

namespace aetos {
namespace {

using test::SharedFolder;

std::vector<std::int64_t> counted(Range range) {
  std::vector<std::int64_t> values(range.size());
  std::iota(values.begin(), values.end(), static_cast<std::int64_t>(range.begin));
  return values;
}

Range own_block(const Communicator& comm, std::size_t n) {
  return block_partition(n, static_cast<std::size_t>(comm.size()), static_cast<std::size_t>(comm.rank()));
}

TEST(CommunicatorTest, CountsTheProcessorsThatRanksOfOneMachineMayUse) {
  AETOS_RANKS(comm, 3);
  std::array<cpu_set_t, 8> before{};
  EXPECT_EQ(sched_getaffinity(0, sizeof(before), before.data()), 0);
  std::vector<std::size_t> allowed;
  for (std::size_t i = 0; i < 8 * sizeof(before); ++i)
    if (CPU_ISSET_S(i, sizeof(before), before.data())) allowed.push_back(i);
  // The root's own, since a launcher may have bound the ranks apart.
  const auto first = comm.broadcast_value(allowed.front()), last = comm.broadcast_value(allowed.back());
  bool bound = true;
  const auto counted_when_bound_to = [&](std::size_t processor) {
    std::array<cpu_set_t, 8> one{};
    CPU_SET_S(processor, sizeof(one), one.data());
    bound = comm.all(sched_setaffinity(0, sizeof(one), one.data()) == 0) && bound;
    return processors_allowed(comm.on_this_machine());
  };
  const auto all_on_one = counted_when_bound_to(first);
  const auto root_apart = counted_when_bound_to(comm.is_root() ? first : last);
  EXPECT_EQ(sched_setaffinity(0, sizeof(before), before.data()), 0);
  if (!bound) GTEST_SKIP() << "the ranks may not be bound to the root's processors";
  EXPECT_EQ(all_on_one, 1u);
  EXPECT_EQ(root_apart, first == last ? 1u : 2u);
}

TEST(CommunicatorTest, NeverCarriesATopology) {
  AETOS_RANKS(comm, 4);
  const int dimensions[2] = {2, 2}, periodic[2] = {0, 0};
  MPI_Comm grid = MPI_COMM_NULL;
  MPI_Cart_create(comm.handle(), 2, dimensions, periodic, 0, &grid);
  int topology = 0;
  MPI_Topo_test(grid, &topology);
  EXPECT_EQ(topology, MPI_CART);
  const Communicator plain(grid);
  MPI_Topo_test(plain.handle(), &topology);
  EXPECT_EQ(topology, MPI_UNDEFINED);
  EXPECT_EQ(plain.rank(), comm.rank());
  EXPECT_EQ(plain.size(), 4);
  MPI_Comm_free(&grid);
}

TEST(CommunicatorTest, MovesAndSplits) {
  AETOS_RANKS(comm, 3);
  const Communicator part = comm.split(comm.rank() == 1 ? 1 : 0);
  EXPECT_EQ(part.size(), comm.rank() == 1 ? 1 : 2);
  EXPECT_EQ(part.rank(), comm.rank() == 2 ? 1 : 0);
  EXPECT_EQ(part.sum(comm.rank()), comm.rank() == 1 ? 1 : 2);
}

TEST(CommunicatorTest, ReducesAndBroadcasts) {
  AETOS_RANKS(comm, 4);
  EXPECT_TRUE(comm.any(comm.rank() == 2));
  EXPECT_FALSE(comm.any(false));
  EXPECT_FALSE(comm.all(comm.rank() != 3));
  EXPECT_TRUE(comm.all(true));
  EXPECT_EQ(comm.sum((std::int64_t{1} << 40) + comm.rank()), (std::int64_t{1} << 42) + 6);
  EXPECT_EQ(comm.max(-1.5 * comm.rank()), 0);
  EXPECT_EQ(comm.min(-1.5 * comm.rank()), -4.5);
  EXPECT_EQ(comm.broadcast_value(comm.rank() * 7, 3), 21);
  EXPECT_EQ(comm.broadcast_string(comm.rank() == 1 ? "Å and\nmore" : "something else that is longer", 1),
            "Å and\nmore");
  EXPECT_EQ(comm.broadcast_string(comm.is_root() ? "" : "not empty"), "");
}

TEST(CommunicatorTest, SplitsMessages) {
  AETOS_RANKS(comm, 3);
  Communicator small(comm.handle());
  for (std::size_t limit : {std::size_t{7}, std::size_t{1000}, std::size_t{1} << 20}) {
    small.limit_messages(limit);
    std::vector<std::int64_t> values(1000, -1);
    if (small.rank() == 2) values = counted({0, 1000});
    small.broadcast(std::span(values), 2);
    EXPECT_EQ(values, counted({0, 1000}));
    const auto mine = counted(own_block(small, 1001));
    EXPECT_EQ(small.all_gather(std::span<const std::int64_t>(mine)), counted({0, 1001}));
  }
}

TEST(CommunicatorTest, ExchangesUnevenMessages) {
  AETOS_RANKS(comm, 4);
  Communicator small(comm.handle());
  for (std::size_t limit : {std::size_t{7}, std::size_t{1000}, std::size_t{1} << 20}) {
    small.limit_messages(limit);
    const auto me = static_cast<std::size_t>(small.rank());
    const auto length = [](std::size_t from, std::size_t to) { return (from + 2 * to) % 5 * 31; };
    std::vector<std::vector<std::int64_t>> to_each(4);
    for (std::size_t to = 0; to < 4; ++to)
      to_each[to].assign(length(me, to), static_cast<std::int64_t>(10 * me + to));
    const auto from_each = small.exchange(to_each);
    for (std::size_t from = 0; from < 4; ++from)
      EXPECT_EQ(from_each[from],
                std::vector<std::int64_t>(length(from, me), static_cast<std::int64_t>(10 * from + me)));
  }
}

/// Gathers n values over the communicator in blocks and checks every one.
void gather_in_blocks(const Communicator& comm, std::size_t n) {
  const auto mine = counted(own_block(comm, n));
  const auto all = comm.all_gather(std::span<const std::int64_t>(mine));
  EXPECT_EQ(all, counted({0, n})) << n << " values on " << comm.size() << " ranks";
}

TEST(CommunicatorTest, GathersUnevenSizes) {
  // 255,905 values and n + 1 items on n ranks: sizes that hung or went wrong elsewhere (Open MPI #7809).
  const Communicator launch(MPI_COMM_WORLD);
  const auto ranks = static_cast<std::size_t>(launch.size());
  for (std::size_t n : {std::size_t{0}, std::size_t{1}, ranks - 1, ranks, ranks + 1, std::size_t{255905}})
    gather_in_blocks(launch, n);
}

TEST(CommunicatorTest, GathersWhereSomeHaveNothing) {
  AETOS_RANKS(comm, 4);
  std::vector<double> mine;
  if (comm.rank() == 1) mine = {1, 2, 3};
  if (comm.rank() == 3) mine = {4};
  EXPECT_EQ(comm.all_gather(std::span<const double>(mine)), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(comm.all_gather_value(static_cast<char>('a' + comm.rank())),
            (std::vector<char>{'a', 'b', 'c', 'd'}));
}

/// A value whose sum depends on the order: sizes from 1e-8 to 1e8.
double awkward(std::size_t i) {
  const auto u = random::uniform4(1, random::Domain::test, {0, 0, i});
  return (u[0] - 0.5) * std::pow(10.0, 16 * u[1] - 8);
}

TEST(CommunicatorTest, OrderedSumsHaveTheSameBitsOnAnyNumberOfRanks) {
  const Communicator launch(MPI_COMM_WORLD);
  const std::size_t n = 1003;
  // Stored first: the compiler may fuse the last product of `awkward` with the addition and round once less.
  std::vector<double> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = awkward(i);
  const double serial = std::accumulate(values.begin(), values.end(), 0.0);
  for (int ranks = 1; ranks <= launch.size(); ++ranks) {
    const Communicator part = launch.split(launch.rank() < ranks ? 0 : 1);
    if (launch.rank() >= ranks) continue;
    std::vector<double> mine;
    const Range range = own_block(part, n);
    for (std::size_t i = range.begin; i < range.end; ++i) mine.push_back(awkward(i));
    EXPECT_EQ(part.ordered_sum(mine), serial) << ranks << " ranks";
  }
}

TEST(CommunicatorTest, OrderedSumsOfRecordsToo) {
  const Communicator launch(MPI_COMM_WORLD);
  constexpr std::size_t kLength = 20000;
  for (const std::size_t records : {std::size_t{0}, std::size_t{1}, std::size_t{3}, std::size_t{10}}) {
    std::vector<double> values(records * kLength), serial(kLength);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = awkward(i), serial[i % kLength] += values[i];
    for (int ranks = 1; ranks <= launch.size(); ++ranks) {
      const Communicator part = launch.split(launch.rank() < ranks ? 0 : 1);
      if (launch.rank() >= ranks) continue;
      const Range range = own_block(part, records);
      const std::span<const double> mine(values.data() + range.begin * kLength, range.size() * kLength);
      std::vector<double> sum(kLength, 7);
      part.ordered_sum(mine, sum);
      EXPECT_EQ(sum, serial) << records << " records on " << ranks << " ranks";
    }
  }
}

/// What every rank sees when `failure` is thrown on the ranks from `first` on.
template <class Error, class Throw>
std::string agreed_text(const Communicator& comm, int first, Throw failure) {
  try {
    comm.agree([&] {
      if (comm.rank() >= first) failure(comm.rank());
    });
  } catch (const Error& e) {
    EXPECT_EQ(typeid(e), typeid(Error)) << "another type: " << e.what();
    return e.what();
  }
  return "nothing thrown";
}

TEST(Agree, EveryRankThrowsWhatTheLowestFailingRankThrew) {
  AETOS_RANKS(comm, 4);
  const auto number = [](int rank) { return std::to_string(rank); };
  EXPECT_EQ(agreed_text<InputError>(comm, 2,
                                    [&](int r) { throw InputError("key " + number(r), "abc", "a number"); }),
            "key 2: abc; expected a number");
  EXPECT_EQ(agreed_text<ResourceError>(comm, 3, [&](int r) { throw ResourceError("disk " + number(r)); }),
            "disk 3");
  EXPECT_EQ(agreed_text<Interrupted>(comm, 0, [&](int r) { throw Interrupted("SIGTERM " + number(r)); }),
            "SIGTERM 0");
  EXPECT_EQ(
      agreed_text<std::runtime_error>(comm, 1, [&](int r) { throw std::out_of_range("at " + number(r)); }),
      "at 1");
  EXPECT_EQ(agreed_text<std::runtime_error>(comm, 1, [](int r) { throw r; }), "an error of unknown kind");
  EXPECT_NE(agreed_text<ResourceError>(comm, 2, [](int) { throw std::bad_alloc(); }).find("memory"),
            std::string::npos);
  EXPECT_TRUE(comm.all(true)) << "the ranks are still in step";
}

TEST(Agree, KeepsTheFieldsOfAnInputError) {
  AETOS_RANKS(comm, 3);
  try {
    comm.agree([&] {
      if (comm.rank() == 1) throw InputError("run.yaml:7", "voltage_kV: 300kV", "");
    });
    ADD_FAILURE() << "nothing thrown";
  } catch (const InputError& e) {
    EXPECT_EQ(e.place(), "run.yaml:7");
    EXPECT_EQ(e.found(), "voltage_kV: 300kV");
    EXPECT_EQ(e.expected(), "");
  }
}

TEST(Agree, PassesWhenAllRanksDo) {
  AETOS_RANKS(comm, 2);
  int calls = 0;
  EXPECT_NO_THROW(comm.agree([&] { ++calls; }));
  EXPECT_EQ(calls, 1);
}

std::vector<std::byte> payload_of(Journal::Key key) {
  return std::vector<std::byte>(key + 1, std::byte{0x5a});
}

TEST(JournalOnRanks, AnyNumberOfRanksReadsWhatAnyNumberWrote) {
  AETOS_RANKS(comm, 4);
  const SharedFolder folder(comm);
  const std::size_t n = 23;
  {
    Journal journal(folder.path(), "config", comm.rank(), 0);
    for (Journal::Key key = 0; key < n; ++key)
      if (key % 4 == static_cast<Journal::Key>(comm.rank())) journal.append(key, payload_of(key));
    comm.barrier();
  }
  comm.barrier();
  const auto places = Journal::scan(comm, folder.path(), "config");
  EXPECT_EQ(places.size(), n);
  for (const auto& [key, place] : places) EXPECT_EQ(Journal::read(place), payload_of(key));
  EXPECT_TRUE(Journal::scan(comm, folder.path(), "another").empty());
  EXPECT_TRUE(Journal::scan(comm, folder.path() / "absent", "config").empty());
}

TEST(JournalOnRanks, RanksOfANodeShareAFileInLargeRuns) {
  AETOS_RANKS(comm, 4);
  const SharedFolder folder(comm);
  const Journal::Key n = 400;
  {
    Journal journal(comm, folder.path(), "config", 0.01, 3);  // 4 ranks are many here
    EXPECT_EQ(journal.path().filename(), "journal-00000-0001.aj");
    for (Journal::Key key = 0; key < n; ++key)
      if (key % 4 == static_cast<Journal::Key>(comm.rank())) journal.append(key, payload_of(key));
    comm.barrier();
  }
  comm.barrier();
  const auto places = Journal::scan(comm, folder.path(), "config");
  EXPECT_EQ(places.size(), n);
  for (const auto& [key, place] : places) EXPECT_EQ(Journal::read(place), payload_of(key));
}

TEST(JournalOnRanks, EachRankHasItsFileInSmallRuns) {
  AETOS_RANKS(comm, 3);
  const SharedFolder folder(comm);
  const Journal journal(comm, folder.path(), "config");
  EXPECT_EQ(journal.path().filename(), "journal-0000" + std::to_string(comm.rank()) + "-0001.aj");
  EXPECT_THROW(Journal(comm, folder.path() / "absent", "config"), ResourceError);
  EXPECT_TRUE(comm.all(true)) << "the ranks are still in step";
}

TEST(StopOnRanks, ASignalToOneIsKnownToAll) {
  AETOS_RANKS(comm, 3);
  Stop::install_signal_handlers();
  const Stop stop;
  EXPECT_FALSE(stop.agreed(comm));
  if (comm.rank() == 1) raise(SIGUSR1);
  EXPECT_TRUE(stop.agreed(comm));
  EXPECT_EQ(stop.requested(), comm.rank() == 1);
  EXPECT_STREQ(stop.reason(), comm.rank() == 1 ? "SIGUSR1" : "a request to another rank");
  Stop::forget_signals();
}

TEST(RunLockOnRanks, RootTakesItAndAllAgree) {
  AETOS_RANKS(comm, 3);
  const SharedFolder folder(comm);
  std::optional<RunLock> lock;
  EXPECT_NO_THROW(comm.agree([&] {
    if (comm.is_root()) lock.emplace(folder.path());
  }));
  EXPECT_THROW(comm.agree([&] {
    if (comm.is_root()) RunLock second(folder.path());
  }),
               ResourceError);
}

}  // namespace
}  // namespace aetos
