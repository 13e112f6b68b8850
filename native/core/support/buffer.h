#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

namespace sonospike {

/// Floats in a row are padded to a multiple of this, so that kernels of every instruction set run without
/// tails.
inline constexpr int kLanePad = 16;

inline constexpr int pad_lanes(int n) {
  return (n + kLanePad - 1) / kLanePad * kLanePad;
}

/// A 64-byte aligned array of a trivial type that starts as zeros. Growing discards the contents.
template <typename T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t size) { resize(size); }
  Buffer(const Buffer& other) : Buffer(other.size_) { copy_from(other.data_, other.size_); }
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer other) noexcept {
    swap(other);
    return *this;
  }
  ~Buffer() { release(); }

  /// Makes room for `size` elements, all zero. Throws std::bad_alloc.
  void resize(size_t size) {
    reserve(size);
    size_ = size;
    zero();
  }

  /// Makes room for at least `size` elements without touching those of a buffer that is large enough.
  void reserve(size_t size) {
    if (size <= capacity_) {
      size_ = size;
      return;
    }
    if (size > (SIZE_MAX - 64) / sizeof(T)) throw std::bad_alloc();
    const size_t bytes = (size * sizeof(T) + 63) / 64 * 64;
    void* fresh = ::operator new (bytes, std::align_val_t{64});
    std::memset(fresh, 0, bytes);
    release();
    data_ = static_cast<T*>(fresh);
    size_ = capacity_ = size;
  }

  void zero() {
    if (size_) std::memset(data_, 0, size_ * sizeof(T));
  }
  void copy_from(const T* source, size_t count) {
    if (count) std::memcpy(data_, source, count * sizeof(T));
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }
  /// Memory held, whatever part of it is in use.
  size_t bytes() const { return capacity_ * sizeof(T); }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }

 private:
  void release() { ::operator delete (data_, std::align_val_t{64}); }
  void swap(Buffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  T* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

/// Memory of buffers, or of anything else that has `bytes()`.
template <typename... Held>
size_t bytes_of(const Held&... held) {
  return (size_t{0} + ... + held.bytes());
}

template <typename Held>
size_t bytes_of_all(const std::vector<Held>& list) {
  size_t sum = 0;
  for (const Held& held : list) sum += held.bytes();
  return sum;
}

}  // namespace sonospike
