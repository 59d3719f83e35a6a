// libFuzzer's entry for the target that the build names in FUZZ_TARGET.
#include <cstdint>

#include "tests/fuzz/targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  profile_relay::fuzz::FUZZ_TARGET(std::as_bytes(std::span(data, size)));
  return 0;
}
