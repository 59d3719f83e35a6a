#pragma once

#include <cstddef>
#include <span>

/// What is fuzzed. Each takes any bytes and aborts (check.hpp, sanitizers) if the code under test breaks a promise.
/// entry.cpp makes a libFuzzer program of each; replay_test.cpp calls them in the ordinary test builds.
namespace profile_relay::fuzz {

using input = std::span<const std::byte>;

/// One byte that chooses the limits (trace_checks.hpp), then a trace. Decoded, converted and written as JSON.
void trace(input in);

/// One byte that chooses limits and packing, then what is packed, or a packed payload as it stands.
void bundle(input in);

/// A protobuf message: the wire reader against protobuf's CodedInputStream (wire_oracle.hpp), on every level.
void wire(input in);

/// A plain JSON chunk. What is accepted is written, and reading that again must give the same text.
void sample_v2(input in);

/// One byte that says in what pieces the network brings it, then a chunked body and what follows. The pieces may make no
/// difference, and what is taken for a whole body must be one to Beast too, the same and as long.
void http_chunks(input in);

}  // namespace profile_relay::fuzz
