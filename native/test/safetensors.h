#pragma once

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sonospike::test {

/// One tensor of a .safetensors file, whatever its type there, as doubles (which hold every value of F32 and
/// U8, and the I64 that the reference files have).
struct Tensor {
  std::vector<int64_t> shape;
  std::vector<double> values;

  std::vector<float> floats() const { return {values.begin(), values.end()}; }
};

using Tensors = std::map<std::string, Tensor>;

/// Reads just as much JSON as a safetensors header of our own reference files holds: objects of strings,
/// arrays of integers and objects.
class SafetensorsReader {
 public:
  explicit SafetensorsReader(std::string bytes) : bytes_(std::move(bytes)) {
    uint64_t length = 0;
    if (bytes_.size() < sizeof length) throw std::runtime_error("safetensors: no header");
    for (size_t i = 0; i < sizeof length; ++i)
      length |= uint64_t{static_cast<unsigned char>(bytes_[i])} << (8 * i);
    data_ = sizeof length + length;
    if (data_ > bytes_.size()) throw std::runtime_error("safetensors: header cut off");
    at_ = sizeof length;
  }

  Tensors read() {
    Tensors tensors;
    expect('{');
    do {
      const std::string name = string();
      expect(':');
      if (name == "__metadata__") {
        skip_metadata();
      } else {
        tensors[name] = tensor();
      }
    } while (accept(','));
    expect('}');
    return tensors;
  }

 private:
  char peek() {
    while (at_ < data_ && (bytes_[at_] == ' ' || bytes_[at_] == '\n')) ++at_;
    if (at_ >= data_) throw std::runtime_error("safetensors: header ends early");
    return bytes_[at_];
  }

  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  void expect(char c) {
    if (!accept(c)) throw std::runtime_error(std::string("safetensors: expected ") + c);
  }

  std::string string() {
    expect('"');
    std::string text;
    for (; bytes_.at(at_) != '"'; ++at_) {
      if (bytes_[at_] == '\\') ++at_;
      text += bytes_.at(at_);
    }
    ++at_;
    return text;
  }

  std::vector<int64_t> integers() {
    std::vector<int64_t> list;
    expect('[');
    if (accept(']')) return list;
    do {
      peek();
      char* end = nullptr;
      list.push_back(std::strtoll(bytes_.c_str() + at_, &end, 10));
      at_ = static_cast<size_t>(end - bytes_.c_str());
    } while (accept(','));
    expect(']');
    return list;
  }

  void skip_metadata() {
    expect('{');
    do {
      string();
      expect(':');
      string();
    } while (accept(','));
    expect('}');
  }

  Tensor tensor() {
    Tensor result;
    std::string type;
    std::vector<int64_t> offsets;
    expect('{');
    do {
      const std::string key = string();
      expect(':');
      if (key == "dtype") type = string();
      if (key == "shape") result.shape = integers();
      if (key == "data_offsets") offsets = integers();
    } while (accept(','));
    expect('}');
    const size_t begin = data_ + static_cast<size_t>(offsets.at(0)),
                 end = data_ + static_cast<size_t>(offsets.at(1));
    if (end > bytes_.size()) throw std::runtime_error("safetensors: data cut off");
    if (type == "F32") result.values = convert<float>(begin, end);
    if (type == "F64") result.values = convert<double>(begin, end);
    if (type == "U8") result.values = convert<uint8_t>(begin, end);
    if (type == "I64") result.values = convert<int64_t>(begin, end);
    return result;
  }

  template <class T>
  std::vector<double> convert(size_t begin, size_t end) const {
    std::vector<double> values;
    for (size_t at = begin; at < end; at += sizeof(T)) {
      T value;
      std::memcpy(&value, bytes_.data() + at, sizeof value);
      values.push_back(static_cast<double>(value));
    }
    return values;
  }

  std::string bytes_;
  size_t at_ = 0;
  size_t data_ = 0;
};

/// The tensors of test/golden/NAME. The tests run in the root of the repository.
inline Tensors read_golden(const std::string& name) {
  std::ifstream file("test/golden/" + name, std::ios::binary);
  if (!file) throw std::runtime_error("test/golden/" + name + " cannot be read");
  std::string bytes(std::istreambuf_iterator<char>(file), {});
  return SafetensorsReader(std::move(bytes)).read();
}

}  // namespace sonospike::test
