#include "sdk/transport/dsn.hpp"

#include <algorithm>
#include <charconv>

namespace profile_relay::sdk {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}
bool is_path(char c) { return c > ' ' && c < '\x7f' && c != '?' && c != '#' && c != '\\' && c != '@'; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return out;
}

/// Splits `host[:port]`; says what is wrong with it, or nothing.
std::string read_authority(std::string_view text, dsn& out) {
  auto const bracket = text.rfind(']');
  auto const colon = text.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    auto const digits = text.substr(colon + 1);
    std::uint16_t port = 0;
    auto const [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (ec != std::errc{} || end != digits.data() + digits.size() || port == 0) {
      return "the port is not a number from 1 to 65535";
    }
    out.port = port;
    text = text.substr(0, colon);
  }
  if (text.empty()) return "there is no host after the @";
  if (text.starts_with('[')) {
    auto const inside = text.substr(1, text.size() - 2);
    auto const fits = [](char c) { return is_word(c) || c == ':' || c == '.' || c == '%'; };
    if (!text.ends_with(']') || inside.empty() || !std::ranges::all_of(inside, fits)) {
      return "the host is not an address in brackets";
    }
  } else if (!std::ranges::all_of(text, [](char c) { return is_word(c) || c == '.'; })) {
    return "the host holds a character that no host has (an IPv6 address needs brackets)";
  }
  out.host = text;
  return {};
}

std::string read(std::string_view text, dsn& out) {
  if (text.empty()) return "it is empty";
  auto const scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return "it does not begin with http:// or https://";
  out.scheme = lower(text.substr(0, scheme_end));
  if (out.scheme != "http" && out.scheme != "https") return "the scheme is neither http nor https";
  auto const rest = text.substr(scheme_end + 3);
  auto const slash = rest.find('/');
  auto const authority = rest.substr(0, slash);
  auto const at = authority.rfind('@');
  if (at == std::string_view::npos) return "there is no public key before an @";
  auto const user = authority.substr(0, at);
  out.public_key = user.substr(0, user.find(':'));
  if (out.public_key.empty()) return "the public key is empty";
  if (!std::ranges::all_of(out.public_key, is_word)) {
    return "the public key holds something else than letters, digits, - and _";
  }
  if (auto wrong = read_authority(authority.substr(at + 1), out); !wrong.empty()) return wrong;
  auto path = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash);
  if (path.ends_with('/')) path.remove_suffix(1);
  if (!std::ranges::all_of(path, is_path)) {
    return "the path holds a blank, a control character or one of ? # @ \\";
  }
  auto const last = path.rfind('/');
  if (last == std::string_view::npos) return "there is no project number at its end";
  out.project_id = path.substr(last + 1);
  if (out.project_id.empty() || out.project_id.size() > 20 ||
      !std::ranges::all_of(out.project_id, is_digit)) {
    return "the project at its end is not a number";
  }
  out.prefix = path.substr(0, last);
  return {};
}

}  // namespace

std::string dsn::envelope_url() const {
  auto const authority = port ? host + ":" + std::to_string(*port) : host;
  return scheme + "://" + authority + prefix + "/api/" + project_id + "/envelope/";
}

std::string dsn::auth_header(std::string_view client) const {
  return "Sentry sentry_version=7, sentry_client=" + std::string(client) + ", sentry_key=" + public_key;
}

dsn_result parse_dsn(std::string_view text) {
  dsn_result out;
  dsn value;
  if (auto wrong = read(text, value); !wrong.empty()) {
    out.error = "DSN: " + wrong;
  } else {
    out.value = std::move(value);
  }
  return out;
}

}  // namespace profile_relay::sdk
