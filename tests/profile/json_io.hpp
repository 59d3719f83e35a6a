#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "envelope/padded_view.hpp"
#include "print_error.hpp"
#include "profile/read_json.hpp"
#include "profile/write_json.hpp"

/// Replaces the one occurrence of `from`, so that a changed example cannot silently stop testing anything.
inline std::string with(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  INFO("looking for " << from);
  REQUIRE(at != std::string::npos);
  REQUIRE(text.find(from, at + 1) == std::string::npos);
  return text.replace(at, from.size(), to);
}

inline profile_relay::profile::result<profile_relay::profile::sample_v2::chunk> read(
    std::string_view text, profile_relay::profile::read_limits const& lim = {}) {
  // simdjson copies what strings it finds, so the chunk does not refer to this buffer.
  const profile_relay::envelope::padded_copy buffer(text);
  return profile_relay::profile::read_json(buffer.view(), lim);
}

inline std::string write(profile_relay::profile::sample_v2::chunk const& c) {
  auto text = profile_relay::profile::write_json(c, 100U << 20);
  REQUIRE(text.has_value());
  return *text;
}

inline std::string read_and_write(std::string_view text) {
  auto c = read(text);
  if (!c) {
    FAIL(c.error().cause + ": " + c.error().what);
    return {};
  }
  return write(*c);
}
