#include <string>
#include <string_view>

#include "envelope/raw_chunk.hpp"
#include "profile/expand.hpp"
#include "tests/fuzz/payload_checks.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/fuzz/trace_checks.hpp"

namespace profile_relay::fuzz {
namespace {

constexpr std::string_view metadata =
    R"({"version":"2","chunk_id":"0123456789abcdef0123456789abcdef",)"
    R"("profiler_id":"fedcba9876543210fedcba9876543210","platform":"android"})";

}  // namespace

void trace(input in) {
  if (in.empty()) return;
  auto const lim = limits_of(in[0]);
  // Read-ahead belongs to the JSON only: the trace must not be read past its end, so it stays where it is.
  auto const bytes = in.subspan(1);
  auto const decoded = perfetto_decode::decode(bytes, lim);
  if (!decoded) return;
  check_decoded(*decoded, lim);
  if (decoded->samples.empty()) return;

  static envelope::padded_copy const json(metadata);
  envelope::raw_chunk chunk;
  chunk.shape = envelope::chunk_shape::perfetto;
  chunk.platform = "android";
  chunk.metadata = json.view();
  chunk.trace = envelope::padded_view::assume_padded(bytes);
  profile::expand_limits expand;
  expand.decode = lim;
  auto const done = profile::expand(chunk, expand);
  if (done.value) check_payload(done.value->text, made_from::trace);
}

}  // namespace profile_relay::fuzz
