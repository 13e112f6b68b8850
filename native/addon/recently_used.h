#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace sonospike {

/// The last few values that were made, each from its key: `Value(key)`.
template <typename Key, typename Value>
class RecentlyUsed {
 public:
  explicit RecentlyUsed(size_t most) : most_(most) {}

  std::shared_ptr<Value> get(const Key& key) {
    auto found =
        std::find_if(entries_.begin(), entries_.end(), [&](const auto& e) { return e.first == key; });
    if (found == entries_.end()) {
      auto made = std::make_shared<Value>(key);
      if (entries_.size() == most_) entries_.pop_back();
      found = entries_.emplace(entries_.end(), key, std::move(made));
    }
    std::rotate(entries_.begin(), found, found + 1);
    return entries_.front().second;
  }

 private:
  size_t most_;
  std::vector<std::pair<Key, std::shared_ptr<Value>>> entries_;  // the last used first
};

}  // namespace sonospike
