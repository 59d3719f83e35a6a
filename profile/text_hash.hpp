#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "perfetto_decode/hash.hpp"

namespace profile_relay::profile {

/// Hashes text that an attacker may have chosen. `seed` should not be predictable from outside; an object's
/// own address is enough, since nothing that is written depends on hash values.
inline std::uint64_t hash_text(std::string_view s, std::uint64_t seed) {
  auto h = perfetto_decode::mix(seed, s.size());
  for (; s.size() >= 8; s.remove_prefix(8)) {
    std::uint64_t word;
    std::memcpy(&word, s.data(), 8);
    h = perfetto_decode::mix(h, word);
  }
  if (s.empty()) return h;
  std::uint64_t rest = 0;
  std::memcpy(&rest, s.data(), s.size());
  return perfetto_decode::mix(h, rest);
}

template <class T>
std::uint64_t seed_from(T const* self) {
  return reinterpret_cast<std::uintptr_t>(self);
}

}  // namespace profile_relay::profile
