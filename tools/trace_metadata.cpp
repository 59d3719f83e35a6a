#include <nlohmann/json.hpp>

#include "tools/trace_maker.hpp"
#include "tools/trace_random.hpp"

namespace profile_relay::trace_maker {
namespace {

std::string hex_id(random_stream& random) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (int i = 0; i < 32; ++i) out += digits[random.below(16)];
  return out;
}

std::string dashed(std::string const& id) {
  return id.substr(0, 8) + '-' + id.substr(8, 4) + '-' + id.substr(12, 4) + '-' + id.substr(16, 4) + '-' +
         id.substr(20);
}

}  // namespace

std::string make_metadata(std::uint64_t seed) {
  random_stream random(seed ^ 0x6368756e6bu);
  nlohmann::ordered_json out;
  out["chunk_id"] = hex_id(random);
  out["profiler_id"] = hex_id(random);
  out["platform"] = "android";
  out["version"] = "2";
  out["content_type"] = "application/x-perfetto-trace";
  out["client_sdk"] = {{"name", "sentry.java.android"}, {"version", "8.53.0"}};
  out["release"] = "io.example.shop@4.2.0+118";
  out["environment"] = "production";
  nlohmann::ordered_json proguard;
  proguard["type"] = "proguard";
  proguard["uuid"] = dashed(hex_id(random));
  out["debug_meta"]["images"].push_back(std::move(proguard));
  return out.dump();
}

}  // namespace profile_relay::trace_maker
