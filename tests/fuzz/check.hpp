#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

namespace profile_relay::fuzz {

[[noreturn]] inline void broken(const char* condition, std::string const& what, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: FUZZ_CHECK(%s) failed: %s\n", file, line, condition, what.c_str());
  std::abort();
}

}  // namespace profile_relay::fuzz

/// Not assert: it must hold in every build, and libFuzzer keeps the input of whatever aborts.
#define FUZZ_CHECK(condition, what) \
  ((condition) ? void() : ::profile_relay::fuzz::broken(#condition, (what), __FILE__, __LINE__))
