// What the trace writer asks about addresses and threads; tests answer from tables.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sdk/trace/loaded_images.hpp"

namespace profile_relay::sdk {

/// Where an address lies. The views live until the next call of the source.
struct located_address {
  std::uint64_t image_id = 0;           ///< 0 = in no image
  loaded_image const* image = nullptr;  ///< null with image_id 0
  std::string_view function;            ///< readable; empty = unknown
};

class address_source {
 public:
  virtual ~address_source() = default;
  /// True when addresses may mean something else than before.
  virtual bool refresh() = 0;
  virtual located_address locate(std::uintptr_t address) = 0;
};

class name_source {
 public:
  virtual ~name_source() = default;
  /// Readable; empty when the thread has ended.
  virtual std::string thread_name(std::int32_t tid) = 0;
};

}  // namespace profile_relay::sdk
