// cuda/device/device.h on the heap.
#include "cuda/device/device.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <mutex>
#include <new>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "cuda/cuda_backend.h"
#include "cuda/device/bfloat16.h"
#include "cuda/device/launch.h"
#include "cuda/emulation/fibers.h"
#include "cuda/kernels/shapes.h"

namespace sonospike {
namespace cuda {
namespace {

/// A copy from pinned memory that the device may not have made yet for all that the host knows.
struct Flight {
  const Device* device;
  const char* from;
  std::vector<char> values;  // as they were
  bool marked;
};

/// A copy to pinned memory that nobody has waited for.
struct Arrival {
  char* to;
  std::vector<char> values;
};

struct Heap {
  std::mutex mutex;
  std::unordered_map<void*, size_t> sizes;
  std::vector<Flight> flights;
  std::vector<Arrival> arrivals;
  size_t copies = 0;
  size_t total = size_t{1} << 30, used = 0;
  bool lost = false;
};

Heap& heap() {
  static Heap heap;
  return heap;
}

/// Ends the copies for which `over` is true; what they were made from must still be what it was.
template <typename Over>
void land(const Over& over) {
  const std::lock_guard lock(heap().mutex);
  auto& flights = heap().flights;
  for (const Flight& flight : flights) {
    if (over(flight) && !std::equal(flight.values.begin(), flight.values.end(), flight.from))
      throw std::logic_error("Staged memory was written before the device had read it.");
  }
  std::erase_if(flights, over);
}

uint32_t shuffle_seed = 0;

/// 0 … count - 1, in the order that is asked for.
std::vector<int> order_of(size_t count, std::mt19937& random) {
  std::vector<int> order(count);
  std::iota(order.begin(), order.end(), 0);
  if (shuffle_seed) std::shuffle(order.begin(), order.end(), random);
  return order;
}

}  // namespace

void Block::sync() const {
  emulation::Fibers::current().wait_for_block();
}

uint32_t Block::ballot(bool predicate) const {
  const auto* of = emulation::Fibers::current().wait_for_warp({predicate});
  uint32_t ballot = 0;
  for (int i = 0; i < kWarp; ++i) ballot |= of[i][0] << i;
  return ballot;
}

namespace {

/// Of numbers of which a tensor core may leave out what lies beyond the last bit of the sum.
float cut_off(double sum) {
  const float rounded = static_cast<float>(sum);
  return std::abs(rounded) > std::abs(sum) ? std::nextafter(rounded, 0.0f) : rounded;
}

}  // namespace

void Block::multiply_add(float (&sum)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) const {
  const auto* of = emulation::Fibers::current().wait_for_warp({a[0], a[1], a[2], a[3], b[0], b[1]});
  const int lane = thread_ % kWarp;
  for (int c = 0; c < 2; ++c) {
    const int column = lane % 4 * 2 + c;
    for (int r = 0; r < 2; ++r) {
      double total = sum[2 * r + c];
      for (int pair = 0; pair < 8; ++pair) {
        const uint32_t left = of[lane / 4 * 4 + pair % 4][pair / 4 * 2 + r];
        const uint32_t right = of[column * 4 + pair % 4][4 + pair / 4];
        total += double{lower_of(left)} * lower_of(right) + double{upper_of(left)} * upper_of(right);
      }
      sum[2 * r + c] = cut_off(total);
    }
  }
}

namespace emulation {

void shuffle(uint32_t seed) {
  shuffle_seed = seed;
}

void set_memory(size_t bytes) {
  heap().total = bytes;
}

size_t memory_in_use() {
  return heap().used;
}

size_t copies() {
  return heap().copies;
}

void lose() {
  heap().lost = true;
}

void restore() {
  heap().lost = false;
}

void check_alive() {
  if (heap().lost) throw DeviceError(DeviceError::Kind::kLost, "The emulated device was lost.");
  if (recorder) throw std::logic_error("A graph of the emulated GPU can hold launches alone.");
}

void run(Grid grid, int threads, size_t shared, bool syncs, const std::function<void(const Block&)>& body) {
  std::mt19937 random(shuffle_seed);
  const size_t blocks = static_cast<size_t>(grid.x) * grid.y * grid.z;
  for (const int i : order_of(blocks, random)) {
    const auto number = static_cast<unsigned>(i);
    const Grid place{number % grid.x, number / grid.x % grid.y, number / grid.x / grid.y};
    // Of its own size, so that the address sanitizer sees what lies beyond.
    const std::vector<uint64_t> memory((shared + 7) / 8, ~uint64_t{0});
    void* const own = const_cast<uint64_t*>(memory.data());
    const std::vector<int> order = order_of(threads, random);
    const auto one = [&](int thread) { body(Block(thread, threads, place, own)); };
    if (syncs) {
      Fibers::current().run(threads, order, one);
    } else {
      for (const int thread : order) one(thread);
    }
  }
}

}  // namespace emulation

Device::Device(int number) : number_(number), memory_(heap().total), tensor_cores_(tensor_cores_allowed()) {
  if (number != 0) throw DeviceError(DeviceError::Kind::kNoDevice, "There is one emulated device, number 0.");
}

Device::~Device() = default;

void Device::use() const {
  emulation::check_alive();
}

size_t Device::free_memory() const {
  return heap().total - std::min(heap().total, heap().used);
}

void* Device::allocate(size_t bytes) {
  emulation::check_alive();
  const std::lock_guard lock(heap().mutex);
  if (heap().used + bytes > heap().total) {
    throw DeviceError(DeviceError::Kind::kOutOfMemory,
                      "The emulated device has no " + std::to_string(bytes) + " bytes left.");
  }
  void* made = ::operator new(bytes);
  std::memset(made, 0xff, bytes);  // NaN, and -1, until something else is written
  heap().sizes[made] = bytes;
  heap().used += bytes;
  return made;
}

void Device::release(void* made) noexcept {
  ++releases_;
  const std::lock_guard lock(heap().mutex);
  const auto found = heap().sizes.find(made);
  heap().used -= found->second;
  heap().sizes.erase(found);
  ::operator delete(made);
}

void Device::send(void* to, const void* staged, size_t bytes) {
  emulation::check_alive();
  std::memcpy(to, staged, bytes);
  const char* const from = static_cast<const char*>(staged);
  const std::lock_guard lock(heap().mutex);
  ++heap().copies;
  heap().flights.push_back({this, from, {from, from + bytes}, false});
}

void Device::fetch(PinnedBuffer& to, const void* from, size_t bytes) {
  emulation::check_alive();
  const char* const values = static_cast<const char*>(from);
  std::memset(to.data(), 0xff, bytes);  // until it is waited for
  const std::lock_guard lock(heap().mutex);
  heap().arrivals.push_back({to.data(), {values, values + bytes}});
}

void Device::download(void* to, const void* from, size_t bytes) {
  synchronize();
  std::memcpy(to, from, bytes);
}

void Device::zero(void* made, size_t bytes) {
  emulation::check_alive();
  std::memset(made, 0, bytes);
}

void Device::synchronize() {
  emulation::check_alive();
  land([this](const Flight& flight) { return flight.device == this; });
  staging_.release();
}

namespace {

bool within(const PinnedBuffer& buffer, const char* place) {
  const std::less<const char*> before;
  return !before(place, buffer.data()) && before(place, buffer.data() + buffer.size());
}

}  // namespace

void PinnedBuffer::make(size_t bytes) {
  {
    const std::lock_guard lock(heap().mutex);
    for (const Flight& flight : heap().flights) {
      if (within(*this, flight.from))
        throw std::logic_error("Staged memory was given back before the device had read it.");
    }
  }
  delete[] data_;
  data_ = new char[bytes];
  size_ = bytes;
}

PinnedBuffer::~PinnedBuffer() {
  const std::lock_guard lock(heap().mutex);
  std::erase_if(heap().flights, [this](const Flight& flight) { return within(*this, flight.from); });
  std::erase_if(heap().arrivals, [this](const Arrival& arrival) { return arrival.to == data_; });
  delete[] data_;
}

void PinnedBuffer::mark(void*) {
  const std::lock_guard lock(heap().mutex);
  for (Flight& flight : heap().flights) flight.marked = flight.marked || within(*this, flight.from);
}

void PinnedBuffer::wait() {
  land([this](const Flight& flight) { return flight.marked && within(*this, flight.from); });
  const std::lock_guard lock(heap().mutex);
  std::erase_if(heap().arrivals, [this](const Arrival& arrival) {
    if (arrival.to != data_) return false;
    emulation::check_alive();
    std::copy(arrival.values.begin(), arrival.values.end(), arrival.to);
    return true;
  });
}

}  // namespace cuda

CudaInfo cuda_info() {
  CudaInfo info;
  info.devices.push_back({"emulation", static_cast<int64_t>(cuda::heap().total),
                          static_cast<int64_t>(cuda::heap().total - cuda::heap().used), 0, 0, 1, true, ""});
  return info;
}

}  // namespace sonospike
