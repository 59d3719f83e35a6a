#pragma once

#include <malloc.h>

namespace profile_relay::server {

/// Lets the allocator keep up to 64 MiB of freed memory for each of its arenas, instead of giving it back to the kernel
/// after every trace and fetching it again page by page for the next: half the time of decoding a large one went there.
/// To be called once, by programs that decode trace after trace.
inline void keep_freed_memory() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the largest value that glibc takes
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

}  // namespace profile_relay::server
