#include <string_view>

#include "envelope/raw_chunk.hpp"
#include "profile/expand.hpp"
#include "tests/fuzz/payload_checks.hpp"
#include "tests/fuzz/targets.hpp"

namespace profile_relay::fuzz {

void sample_v2(input in) {
  envelope::padded_copy const buffer(std::string_view(reinterpret_cast<const char*>(in.data()), in.size()));
  envelope::raw_chunk chunk;
  chunk.metadata = buffer.view();
  auto const done = profile::expand(chunk, {});
  if (done.value) check_payload(done.value->text, made_from::json);
}

}  // namespace profile_relay::fuzz
