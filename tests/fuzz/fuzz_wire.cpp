#include "tests/fuzz/check.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/fuzz/wire_oracle.hpp"

namespace profile_relay::fuzz {
namespace {

constexpr int max_depth = 8;

void compare_levels(input message, int depth) {
  auto const whole = compare_wire(message);
  FUZZ_CHECK(whole.verdict != wire_verdict::disagreement, whole.what);
  // The numbers of the repeated integers that the decoder reads, and the greatest that repeated_varint is made for.
  for (std::uint32_t const number : {1u, 2u, 7u, 15u}) {
    auto const values = compare_repeated(message, number);
    FUZZ_CHECK(values.verdict != wire_verdict::disagreement, values.what);
  }
  if (depth == max_depth) return;
  perfetto_decode::wire_reader r(message);
  while (r.next())
    if (r.is_bytes()) compare_levels(r.bytes(), depth + 1);
}

}  // namespace

void wire(input in) { compare_levels(in, 0); }

}  // namespace profile_relay::fuzz
