#include "envelope/dsn.hpp"

#include <algorithm>
#include <charconv>

#include "envelope/wire_text.hpp"

namespace profile_relay::envelope {

namespace {

constexpr std::size_t key_digits = 32;

bool is_flag_character(char c) {
  return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z') || c == '-' || c == '_';
}

template <class Number>
bool parse_number(std::string_view text, Number& out) {
  auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  return ec == std::errc{} && end == text.data() + text.size() && !text.empty() && is_digit(text.front());
}

bool is_host(std::string_view host) {
  return !host.empty() && std::ranges::all_of(host, [](char c) {
    return is_flag_character(c) || c == '.' || c == ':' || c == '[' || c == ']' || c == '%';
  });
}

/// Splits `host[:port]`; a port's colon is the last one after the bracket of an IPv6 address.
bool parse_authority(std::string_view authority, dsn& out) {
  auto const bracket = authority.rfind(']');
  auto const colon = authority.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    std::uint16_t port = 0;
    if (!parse_number(authority.substr(colon + 1), port) || port == 0) return false;
    out.port = port;
    authority = authority.substr(0, colon);
  }
  bool const bracketed = authority.starts_with('[') && authority.ends_with(']') && authority.size() > 2;
  if (!bracketed && authority.find_first_of("[]:") != std::string_view::npos) return false;
  if (!is_host(authority)) return false;
  out.host = authority;
  return true;
}

}  // namespace

bool parse_public_key(std::string_view text, std::string& out) {
  if (text.size() < key_digits || !std::ranges::all_of(text.substr(0, key_digits), is_hex)) return false;
  auto const flag = text.substr(key_digits);
  if (!flag.empty()) {
    if (flag.size() < 2 || (flag.front() != ':' && flag.front() != '-')) return false;
    if (!std::ranges::all_of(flag.substr(1), is_flag_character)) return false;
  }
  out.resize(key_digits);
  std::ranges::transform(text.substr(0, key_digits), out.begin(), to_lower);
  return true;
}

std::optional<dsn> parse_dsn(std::string_view text) {
  dsn out;
  auto const scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return std::nullopt;
  auto const scheme = text.substr(0, scheme_end);
  if (iequals(scheme, "http")) {
    out.scheme = "http";
  } else if (iequals(scheme, "https")) {
    out.scheme = "https";
  } else {
    return std::nullopt;
  }

  auto const after_scheme = text.substr(scheme_end + 3);
  auto const slash = after_scheme.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  auto const authority = after_scheme.substr(0, slash);
  auto const at = authority.rfind('@');
  if (at == std::string_view::npos) return std::nullopt;
  auto const user = authority.substr(0, at);
  // A secret follows the key's colon; its value means nothing here, so whatever stands there is accepted.
  if (!parse_public_key(user.substr(0, user.find(':')), out.public_key)) return std::nullopt;
  if (!parse_authority(authority.substr(at + 1), out)) return std::nullopt;

  auto path = after_scheme.substr(slash);
  if (path.ends_with('/')) path.remove_suffix(1);
  if (path.find_first_of("?#") != std::string_view::npos) return std::nullopt;
  auto const last = path.rfind('/');
  if (last == std::string_view::npos) return std::nullopt;
  if (!parse_number(path.substr(last + 1), out.project_id)) return std::nullopt;
  return out;
}

}  // namespace profile_relay::envelope
