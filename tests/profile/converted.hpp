#pragma once

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "json_io.hpp"
#include "profile/convert.hpp"
#include "trace_builder.hpp"

/// The converted chunk as it is written, and what was counted.
struct converted {
  profile_relay::profile::convert_counts counts;
  nlohmann::json json;

  explicit converted(trace_builder const& b, std::string_view platform = "android")
      : converted(b, [platform] {
          profile_relay::profile::sample_v2::chunk c;
          c.platform = platform;
          return c;
        }()) {}

  converted(trace_builder const& b, profile_relay::profile::sample_v2::chunk c) {
    REQUIRE(profile_relay::profile::convert(b.trace, {}, c, counts));
    json = nlohmann::json::parse(write(c));
  }

  nlohmann::json const& profile() const { return json["profile"]; }
  nlohmann::json const& frames() const { return profile()["frames"]; }
  nlohmann::json const& stacks() const { return profile()["stacks"]; }
  nlohmann::json images() const {
    return json.contains("debug_meta") ? json["debug_meta"]["images"] : nlohmann::json();
  }
};

/// The frames that one stack of these decoded frames becomes.
inline nlohmann::json frames_of(trace_builder& b, std::initializer_list<std::uint32_t> frames,
                                std::string_view platform = "android") {
  const auto task = b.task(1, 1);
  b.sample(0, b.stack(frames), task);
  return converted(b, platform).frames();
}
