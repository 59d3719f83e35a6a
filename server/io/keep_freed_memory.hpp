#pragma once

#include <malloc.h>

#include <cstdint>

namespace profile_relay::server {

/// Lets the allocator keep up to 64 MiB of freed memory for each of its arenas, instead of giving it back to the kernel
/// after every trace and fetching it again page by page for the next: half the time of decoding a large one went there.
/// To be called once, by programs that decode trace after trace.
inline void keep_freed_memory() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the largest value that glibc takes
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

/// Whether what the allocator keeps has become too much: with many threads, and so many arenas, it could keep several times
/// the budget. `grown` is resident memory above that of the idle process, `leased` what of the budget is in use. All in
/// bytes. While memory is far from the budget nothing is given back, however much of it is kept: that is what it is for.
constexpr bool keeps_too_much(std::uint64_t grown, std::uint64_t leased, std::uint64_t budget) {
  return grown > budget / 8 * 7 && grown > leased + budget / 8;
}

}  // namespace profile_relay::server
