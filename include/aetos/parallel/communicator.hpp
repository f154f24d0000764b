#pragma once

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace aetos {

/// A group of ranks. Owns a duplicate of the communicator that it was made from, always a plain one (files on a
/// Cartesian communicator are written wrongly by Open MPI 4.1). Passed in everywhere, never reached for.
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
  /// Ranks of one colour form a new group, in the order of their ranks here.
  Communicator split(int colour) const;

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

  /// Every rank's data joined in the order of ranks, on every rank.
  template <class T>
  std::vector<T> all_gather(std::span<const T> mine) const {
    static_assert(std::is_trivially_copyable_v<T>);
    const auto bytes = all_gather_bytes(mine.data(), mine.size_bytes());
    std::vector<T> all(bytes.size() / sizeof(T));
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::byte*>(all.data()));
    return all;
  }

  bool any(bool mine) const;
  bool all(bool mine) const { return !any(!mine); }
  std::int64_t sum(std::int64_t mine) const;
  double max(double mine) const;
  double min(double mine) const { return -max(-mine); }

  /// Runs `work` on every rank. If it throws on any, every rank throws: the rank that failed its own exception, the
  /// others the same kind with the same text (of the lowest rank that failed), so that all end in good order and
  /// nobody waits for ever. `work` must not communicate after the point where it can fail on one rank alone.
  void agree(const std::function<void()>& work) const;

 private:
  void broadcast_bytes(void* data, std::size_t bytes, int root) const;
  std::vector<std::byte> all_gather_bytes(const void* data, std::size_t bytes) const;
  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
};

}  // namespace aetos
