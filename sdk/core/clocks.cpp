#include "sdk/core/clocks.hpp"

#include <ctime>

namespace profile_relay::sdk {
namespace {

std::int64_t read(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

clock_reading read_clocks() {
  clock_reading out;
  out.boottime_ns = read(CLOCK_BOOTTIME);
  out.realtime_ns = read(CLOCK_REALTIME);
  out.monotonic_ns = read(CLOCK_MONOTONIC);
  return out;
}

std::int64_t boottime_ns() { return read(CLOCK_BOOTTIME); }

}  // namespace profile_relay::sdk
