#include "sdk/client/system_random.hpp"

#include <sys/random.h>

#include <array>
#include <cstdint>
#include <random>

namespace profile_relay::sdk {
namespace {

std::uint64_t bits() {
  std::uint64_t value = 0;
  // Up to 256 bytes are never cut short once the kernel's pool is ready.
  if (::getrandom(&value, sizeof value, 0) == sizeof value) return value;
  // A seccomp profile may forbid the call.
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

}  // namespace

double system_random::uniform() { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }

std::string system_random::new_id() {
  static constexpr char digits[] = "0123456789abcdef";
  std::string id;
  id.reserve(32);
  for (auto const half : std::array{bits(), bits()})
    for (int shift = 60; shift >= 0; shift -= 4) id += digits[half >> shift & 15];
  return id;
}

}  // namespace profile_relay::sdk
