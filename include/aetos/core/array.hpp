#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

/// Dense C-order arrays and views on them. The last index runs fastest; sizes are 64-bit throughout.
namespace aetos {

template <std::size_t N>
using Shape = std::array<std::size_t, N>;

template <std::size_t N>
constexpr std::size_t element_count(const Shape<N>& shape) {
  std::size_t n = 1;
  for (std::size_t s : shape) n *= s;
  return n;
}

/// A view on contiguous C-order data that somebody else owns.
template <class T, std::size_t N>
class View {
 public:
  View() = default;
  View(T* data, const Shape<N>& shape) : data_(data), shape_(shape) {}
  /// A view of const from a view of mutable.
  template <class U>
    requires(std::is_same_v<const U, T> && !std::is_const_v<U>)
  View(const View<U, N>& other) : data_(other.data()), shape_(other.shape()) {}

  T* data() const { return data_; }
  const Shape<N>& shape() const { return shape_; }
  std::size_t extent(std::size_t axis) const { return shape_[axis]; }
  std::size_t size() const { return element_count(shape_); }
  bool empty() const { return size() == 0; }
  std::span<T> flat() const { return {data_, size()}; }
  T* begin() const { return data_; }
  T* end() const { return data_ + size(); }

  template <class... I>
    requires(sizeof...(I) == N)
  T& operator()(I... i) const {
    return data_[offset(static_cast<std::size_t>(i)...)];
  }
  /// The sub-array at index i of the first axis.
  View<T, N - 1> operator[](std::size_t i) const
    requires(N > 1)
  {
    assert(i < shape_[0]);
    Shape<N - 1> inner;
    std::copy(shape_.begin() + 1, shape_.end(), inner.begin());
    return {data_ + i * element_count(inner), inner};
  }

 private:
  template <class... I>
  std::size_t offset(I... i) const {
    const std::array<std::size_t, N> index{i...};
    std::size_t at = 0;
    for (std::size_t a = 0; a < N; ++a) {
      assert(index[a] < shape_[a]);
      at = at * shape_[a] + index[a];
    }
    return at;
  }
  T* data_ = nullptr;
  Shape<N> shape_{};
};

/// An array that owns its memory, aligned to 64 bytes (a cache line, and more than FFTW's SIMD needs), filled
/// with zeros. Copies are explicit (`clone`), since volumes are large.
template <class T, std::size_t N>
class Array {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Array() = default;
  explicit Array(const Shape<N>& shape) : shape_(shape) {
    const std::size_t n = element_count(shape);
    // Sizes may come from a file: a product that overflows must not pass for a small one.
    std::size_t room = static_cast<std::size_t>(-1) / sizeof(T) / 2;
    for (std::size_t s : shape) room = s > 0 ? room / s : room;
    if (room == 0 && std::find(shape.begin(), shape.end(), 0u) == shape.end()) throw std::bad_alloc();
    if (n == 0) return;
    const std::size_t bytes = (n * sizeof(T) + 63) / 64 * 64;
    data_.reset(static_cast<T*>(std::aligned_alloc(64, bytes)));
    if (!data_) throw std::bad_alloc();
    std::fill_n(data_.get(), n, T{});
  }
  Array(Array&& o) noexcept : data_(std::move(o.data_)), shape_(o.shape_) { o.shape_ = {}; }
  Array& operator=(Array&& o) noexcept {
    data_ = std::move(o.data_);
    shape_ = o.shape_;
    o.shape_ = {};
    return *this;
  }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  ~Array() = default;

  Array clone() const {
    Array copy(shape_);
    std::copy_n(data_.get(), size(), copy.data_.get());
    return copy;
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  const Shape<N>& shape() const { return shape_; }
  std::size_t extent(std::size_t axis) const { return shape_[axis]; }
  std::size_t size() const { return element_count(shape_); }
  bool empty() const { return size() == 0; }
  T* begin() { return data(); }
  T* end() { return data() + size(); }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size(); }

  View<T, N> view() { return {data(), shape_}; }
  View<const T, N> view() const { return {data(), shape_}; }
  operator View<T, N>() { return view(); }
  operator View<const T, N>() const { return view(); }
  std::span<T> flat() { return {data(), size()}; }
  std::span<const T> flat() const { return {data(), size()}; }

  template <class... I>
    requires(sizeof...(I) == N)
  T& operator()(I... i) {
    return view()(i...);
  }
  template <class... I>
    requires(sizeof...(I) == N)
  const T& operator()(I... i) const {
    return view()(i...);
  }
  auto operator[](std::size_t i) { return view()[i]; }
  auto operator[](std::size_t i) const { return view()[i]; }

 private:
  struct Free {
    void operator()(T* p) const { std::free(p); }
  };
  std::unique_ptr<T[], Free> data_;
  Shape<N> shape_{};
};

}  // namespace aetos
