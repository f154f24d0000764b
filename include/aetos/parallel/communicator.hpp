#pragma once

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace aetos {

/// Advice for MPI-IO ("cb_nodes", "8"), as MPI_Info takes it.
using FileHints = std::vector<std::pair<std::string, std::string>>;

/// A group of ranks. Owns a duplicate of the communicator that it was made from, always a plain one (files on
/// a Cartesian communicator are written wrongly by Open MPI 4.1). Passed in everywhere, never reached for.
/// All collective calls split messages below 2^31 bytes.
class Communicator {
 public:
  explicit Communicator(MPI_Comm parent);
  ~Communicator();
  Communicator(Communicator&& other) noexcept;
  Communicator& operator=(Communicator&&) = delete;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  bool is_root() const { return rank_ == 0; }
  MPI_Comm handle() const { return comm_; }

  void barrier() const;
  /// The ranks that share this one's machine, with it, as a group of its own. Collective.
  Communicator on_this_machine() const;
  /// Ranks of one colour form a new group, in the order of their ranks here.
  Communicator split(int colour) const;
  /// The same ranks as a group of its own, whose files, and those of groups split from it, are opened with
  /// these hints. They change how bytes reach the disk, never which.
  Communicator with_file_hints(FileHints hints) const;
  const FileHints& file_hints() const { return file_hints_; }

  template <class T>
  void broadcast(std::span<T> data, int root = 0) const {
    static_assert(std::is_trivially_copyable_v<T>);
    broadcast_bytes(data.data(), data.size_bytes(), root);
  }
  template <class T>
  T broadcast_value(T value, int root = 0) const {
    broadcast(std::span<T>(&value, 1), root);
    return value;
  }
  std::string broadcast_string(std::string text, int root = 0) const;

  /// Every rank's data joined in the order of ranks, on every rank. Ranks may give different numbers, also
  /// none.
  template <class T>
  std::vector<T> all_gather(std::span<const T> mine) const {
    static_assert(std::is_trivially_copyable_v<T>);
    const auto bytes_of = all_gather_sizes(mine.size_bytes());
    std::vector<T> all(std::accumulate(bytes_of.begin(), bytes_of.end(), std::size_t{0}) / sizeof(T));
    all_gather_bytes(mine.data(), bytes_of, all.data());
    return all;
  }
  /// One value of each rank, in the order of ranks, on every rank.
  template <class T>
  std::vector<T> all_gather_value(const T& mine) const {
    return all_gather(std::span<const T>(&mine, 1));
  }

  /// Gives item r of `to_each` to rank r; item r of what comes back is what rank r gave to this one. Lengths
  /// may differ, and be zero.
  template <class T>
  std::vector<std::vector<T>> exchange(const std::vector<std::vector<T>>& to_each) const {
    static_assert(std::is_trivially_copyable_v<T>);
    std::vector<Piece> out, in;
    for (const auto& item : to_each) out.push_back({const_cast<T*>(item.data()), item.size() * sizeof(T)});
    std::vector<std::vector<T>> from_each;
    for (std::size_t bytes : exchanged_sizes(out)) {
      from_each.emplace_back(bytes / sizeof(T));
      in.push_back({from_each.back().data(), bytes});
    }
    exchange_bytes(out, in);
    return from_each;
  }

  bool any(bool mine) const;
  bool all(bool mine) const { return !any(!mine); }
  std::int64_t sum(std::int64_t mine) const;
  double max(double mine) const;
  double min(double mine) const { return -max(-mine); }
  /// Sum of every rank's values, one after the other in the order of ranks. Where ranks hold consecutive
  /// blocks of one list (`block_partition`) this is the sum in the list's order: the same bits on any number
  /// of ranks.
  double ordered_sum(std::span<const double> mine) const;
  /// The same of records: `mine` holds whole ones of the length of `sum`, which becomes their sum, element by
  /// element, on every rank. It passes from rank to rank, so that none holds other records than its own.
  void ordered_sum(std::span<const double> mine, std::span<double> sum) const;

  /// Runs `work` on every rank. If it throws on any, every rank throws what the lowest failing rank threw:
  /// InputError (place, found, expected kept), ResourceError, Interrupted, or std::runtime_error with the
  /// text of any other. Lack of memory becomes a ResourceError. So all end in good order and nobody waits for
  /// ever. `work` must not communicate after the point where it can fail on one rank alone.
  void agree(const std::function<void()>& work) const;

  /// Largest message in bytes (default 1 GiB, below MPI's 2^31 - 1); the same on all ranks. Tests lower it.
  void limit_messages(std::size_t bytes) { message_limit_ = bytes; }

 private:
  /// Takes over what was split off this group, with the same limits and hints.
  Communicator part_of_this(MPI_Comm part) const;
  void broadcast_bytes(void* data, std::size_t bytes, int root) const;
  std::vector<std::size_t> all_gather_sizes(std::size_t mine) const;
  struct Piece {
    void* data;
    std::size_t bytes;
  };
  std::vector<std::size_t> exchanged_sizes(const std::vector<Piece>& out) const;
  void exchange_bytes(const std::vector<Piece>& out, const std::vector<Piece>& in) const;
  void all_gather_bytes(const void* mine, const std::vector<std::size_t>& bytes_of, void* all) const;
  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
  std::size_t message_limit_ = std::size_t{1} << 30;
  FileHints file_hints_;
};

/// How many processors (hardware threads) the ranks of one machine may use between them; 0 where the system
/// does not tell. Collective.
std::size_t processors_allowed(const Communicator& on_one_machine);

}  // namespace aetos
