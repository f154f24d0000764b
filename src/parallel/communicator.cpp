#include "aetos/parallel/communicator.hpp"

#include <sched.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <exception>
#include <new>
#include <utility>

#include "aetos/core/error.hpp"

namespace aetos {
namespace {

enum class Failure : int { none, input, resource, interrupted, other };

/// What went wrong on one rank, in a form that can be sent to the others.
struct Outcome {
  Failure kind = Failure::none;
  std::string text, found, expected;  ///< `text` is the place of an InputError, else the whole message
};

Outcome outcome_of(const std::function<void()>& work) {
  try {
    work();
    return {};
  } catch (const InputError& e) {
    return {Failure::input, e.place(), e.found(), e.expected()};
  } catch (const ResourceError& e) {
    return {Failure::resource, e.what(), {}, {}};
  } catch (const Interrupted& e) {
    return {Failure::interrupted, e.what(), {}, {}};
  } catch (const std::bad_alloc&) {
    return {Failure::resource,
            "out of memory: more ranks on more nodes, or a smaller problem, are needed",
            {},
            {}};
  } catch (const std::exception& e) {
    return {Failure::other, e.what(), {}, {}};
  } catch (...) {
    return {Failure::other, "an error of unknown kind", {}, {}};
  }
}

[[noreturn]] void raise_failure(const Outcome& outcome) {
  switch (outcome.kind) {
    case Failure::input:
      throw InputError(outcome.text, outcome.found, outcome.expected);
    case Failure::resource:
      throw ResourceError(outcome.text);
    case Failure::interrupted:
      throw Interrupted(outcome.text);
    case Failure::none:
    case Failure::other:
      break;
  }
  throw std::runtime_error(outcome.text);
}

}  // namespace

Communicator::Communicator(MPI_Comm parent) {
  MPI_Comm_rank(parent, &rank_);
  // A split, not a duplicate: MPI_Comm_dup would carry a Cartesian topology over.
  MPI_Comm_split(parent, 0, rank_, &comm_);
  MPI_Comm_size(comm_, &size_);
}

Communicator::~Communicator() {
  if (comm_ == MPI_COMM_NULL) return;
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (!finalized) MPI_Comm_free(&comm_);
}

Communicator::Communicator(Communicator&& other) noexcept
    : comm_(std::exchange(other.comm_, MPI_COMM_NULL)),
      rank_(other.rank_),
      size_(other.size_),
      message_limit_(other.message_limit_),
      file_hints_(std::move(other.file_hints_)) {}

void Communicator::barrier() const {
  MPI_Barrier(comm_);
}

Communicator Communicator::on_this_machine() const {
  MPI_Comm part = MPI_COMM_NULL;
  MPI_Comm_split_type(comm_, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &part);
  return part_of_this(part);
}

Communicator Communicator::split(int colour) const {
  MPI_Comm part = MPI_COMM_NULL;
  MPI_Comm_split(comm_, colour, rank_, &part);
  return part_of_this(part);
}

Communicator Communicator::part_of_this(MPI_Comm part) const {
  Communicator group(part);
  MPI_Comm_free(&part);
  group.message_limit_ = message_limit_;
  group.file_hints_ = file_hints_;
  return group;
}

Communicator Communicator::with_file_hints(FileHints hints) const {
  Communicator group = split(0);
  group.file_hints_ = std::move(hints);
  return group;
}

void Communicator::broadcast_bytes(void* data, std::size_t bytes, int root) const {
  auto* at = static_cast<std::byte*>(data);
  for (std::size_t done = 0; done < bytes;) {
    const std::size_t piece = std::min(message_limit_, bytes - done);
    MPI_Bcast(at + done, static_cast<int>(piece), MPI_BYTE, root, comm_);
    done += piece;
  }
}

std::string Communicator::broadcast_string(std::string text, int root) const {
  text.resize(broadcast_value(text.size(), root));
  broadcast(std::span<char>(text.data(), text.size()), root);
  return text;
}

std::vector<std::size_t> Communicator::all_gather_sizes(std::size_t mine) const {
  static_assert(sizeof(std::size_t) == sizeof(std::uint64_t));
  std::vector<std::size_t> sizes(static_cast<std::size_t>(size_));
  MPI_Allgather(&mine, 1, MPI_UINT64_T, sizes.data(), 1, MPI_UINT64_T, comm_);
  return sizes;
}

void Communicator::all_gather_bytes(const void* mine, const std::vector<std::size_t>& bytes_of,
                                    void* all) const {
  std::vector<std::size_t> begin(bytes_of.size() + 1, 0);
  std::partial_sum(bytes_of.begin(), bytes_of.end(), begin.begin() + 1);
  auto* out = static_cast<std::byte*>(all);
  if (begin.back() <= message_limit_) {
    const std::vector<int> counts(bytes_of.begin(), bytes_of.end()), offsets(begin.begin(), begin.end() - 1);
    MPI_Allgatherv(mine, counts[static_cast<std::size_t>(rank_)], MPI_BYTE, out, counts.data(),
                   offsets.data(), MPI_BYTE, comm_);
    return;
  }
  const auto* own = static_cast<const std::byte*>(mine);
  std::copy_n(own, bytes_of[static_cast<std::size_t>(rank_)], out + begin[static_cast<std::size_t>(rank_)]);
  for (std::size_t r = 0; r < bytes_of.size(); ++r)
    broadcast_bytes(out + begin[r], bytes_of[r], static_cast<int>(r));
}

std::vector<std::size_t> Communicator::exchanged_sizes(const std::vector<Piece>& out) const {
  std::vector<std::size_t> sent, received(out.size());
  for (const Piece& piece : out) sent.push_back(piece.bytes);
  MPI_Alltoall(sent.data(), 1, MPI_UINT64_T, received.data(), 1, MPI_UINT64_T, comm_);
  return received;
}

void Communicator::exchange_bytes(const std::vector<Piece>& out, const std::vector<Piece>& in) const {
  std::vector<MPI_Request> requests;
  const auto for_each_message = [&](const Piece& piece, const auto& post) {
    for (std::size_t done = 0; done < piece.bytes; done += message_limit_)
      post(static_cast<std::byte*>(piece.data) + done,
           static_cast<int>(std::min(message_limit_, piece.bytes - done)), &requests.emplace_back());
  };
  for (int rank = 0; rank < size_; ++rank)
    for_each_message(in[static_cast<std::size_t>(rank)], [&](std::byte* at, int bytes, MPI_Request* request) {
      MPI_Irecv(at, bytes, MPI_BYTE, rank, 0, comm_, request);
    });
  for (int rank = 0; rank < size_; ++rank)
    for_each_message(out[static_cast<std::size_t>(rank)],
                     [&](std::byte* at, int bytes, MPI_Request* request) {
                       MPI_Isend(at, bytes, MPI_BYTE, rank, 0, comm_, request);
                     });
  MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE);
}

bool Communicator::any(bool mine) const {
  int flag = mine ? 1 : 0;
  MPI_Allreduce(MPI_IN_PLACE, &flag, 1, MPI_INT, MPI_MAX, comm_);
  return flag != 0;
}

std::int64_t Communicator::sum(std::int64_t mine) const {
  MPI_Allreduce(MPI_IN_PLACE, &mine, 1, MPI_INT64_T, MPI_SUM, comm_);
  return mine;
}

double Communicator::max(double mine) const {
  MPI_Allreduce(MPI_IN_PLACE, &mine, 1, MPI_DOUBLE, MPI_MAX, comm_);
  return mine;
}

double Communicator::ordered_sum(std::span<const double> mine) const {
  const auto all_values = all_gather(mine);
  return std::accumulate(all_values.begin(), all_values.end(), 0.0);
}

void Communicator::ordered_sum(std::span<const double> mine, std::span<double> sum) const {
  // In pieces: while one rank adds to a piece, the next adds to the one before.
  constexpr std::size_t kPiece = 8192;
  std::fill(sum.begin(), sum.end(), 0.0);
  int before = -1, after = -1, last = -1;
  const auto sizes = all_gather_sizes(mine.size());
  for (int r = 0; r < size_; ++r) {
    if (sizes[static_cast<std::size_t>(r)] == 0) continue;
    if (r < rank_) before = r;
    if (r > rank_ && after < 0) after = r;
    last = r;
  }
  if (last < 0) return;
  for (std::size_t begin = 0; begin < sum.size() && !mine.empty(); begin += kPiece) {
    const auto piece = sum.subspan(begin, std::min(kPiece, sum.size() - begin));
    const int n = static_cast<int>(piece.size());
    if (before >= 0) MPI_Recv(piece.data(), n, MPI_DOUBLE, before, 0, comm_, MPI_STATUS_IGNORE);
    for (std::size_t record = begin; record < mine.size(); record += sum.size())
      for (std::size_t i = 0; i < piece.size(); ++i) piece[i] += mine[record + i];
    if (after >= 0) MPI_Send(piece.data(), n, MPI_DOUBLE, after, 0, comm_);
  }
  broadcast(sum, last);
}

void Communicator::agree(const std::function<void()>& work) const {
  Outcome outcome = outcome_of(work);
  int first = outcome.kind == Failure::none ? size_ : rank_;
  MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, comm_);
  if (first == size_) return;
  outcome.kind = broadcast_value(outcome.kind, first);
  outcome.text = broadcast_string(std::move(outcome.text), first);
  outcome.found = broadcast_string(std::move(outcome.found), first);
  outcome.expected = broadcast_string(std::move(outcome.expected), first);
  raise_failure(outcome);
}

std::size_t processors_allowed(const Communicator& on_one_machine) {
  // Rank by rank a launcher may have bound them to processors of their own, or all to the same.
  std::array<cpu_set_t, 8> mine{};  // 8192 processors: the kernel refuses a mask shorter than its own
  const bool told = sched_getaffinity(0, sizeof(mine), mine.data()) == 0;
  if (on_one_machine.any(!told)) return 0;
  std::bitset<8 * sizeof(mine)> together;
  const auto masks = on_one_machine.all_gather_value(mine);
  for (const auto& mask : masks)
    for (std::size_t i = 0; i < together.size(); ++i)
      if (CPU_ISSET_S(i, sizeof(mask), mask.data())) together.set(i);
  return together.count();
}

}  // namespace aetos
