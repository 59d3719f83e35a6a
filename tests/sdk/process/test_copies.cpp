// Two shared objects of one process that each contain the library.
#include <dlfcn.h>

#include <catch2/catch.hpp>

#include "profile_relay/profiler.hpp"

using namespace profile_relay;

namespace {

struct copy {
  explicit copy(char const* file, int flags) {
    void* const handle = ::dlopen(file, RTLD_NOW | flags);
    INFO(::dlerror());
    REQUIRE(handle);
    start = reinterpret_cast<int (*)()>(::dlsym(handle, "copy_start"));
    stop = reinterpret_cast<int (*)()>(::dlsym(handle, "copy_stop"));
    close = reinterpret_cast<void (*)()>(::dlsym(handle, "copy_close"));
    REQUIRE((start && stop && close));
  }
  int (*start)();
  int (*stop)();
  void (*close)();
};

constexpr int started = static_cast<int>(start_result::started);
constexpr int unavailable = static_cast<int>(start_result::sampler_unavailable);

}  // namespace

TEST_CASE("two copies: the second start is sampler_unavailable until the first copy is closed") {
  // Global symbols too: the copies' own ones are hidden, so neither finds the other's.
  copy const a(COPY_A, RTLD_GLOBAL), b(COPY_B, RTLD_GLOBAL);
  CHECK(a.start() == started);
  CHECK(b.start() == unavailable);
  CHECK(b.start() == unavailable);
  CHECK(a.start() == static_cast<int>(start_result::already_running));
  a.close();
  CHECK(b.start() == started);
  b.close();
}
