// Names of addresses in this process.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>

#include "sdk/trace/address_source.hpp"
#include "sdk/trace/image_table.hpp"

namespace profile_relay::sdk {

/// Names functions from the ELF files of the loaded images. Not by dladdr(): that takes the lock which dlopen() holds
/// while constructors run, so a constructor that stops the profiler would wait for the sampler's thread, and that thread
/// for the constructor. The files say more as well. Names are cached in at most max_cached bytes. Not thread-safe.
class symbolizer final : public address_source {
 public:
  static constexpr std::size_t max_cached = std::size_t{8} << 20;

  explicit symbolizer(image_table& images) : images_(images) {}

  bool refresh() override;
  located_address locate(std::uintptr_t address) override;
  [[nodiscard]] std::size_t cached_bytes() const { return bytes_; }

 private:
  image_table& images_;
  std::unordered_map<std::uintptr_t, std::string> names_;
  std::size_t bytes_ = 0;
};

}  // namespace profile_relay::sdk
