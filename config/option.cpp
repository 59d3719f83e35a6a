#include "config/option.hpp"

#include <algorithm>
#include <cstdio>

#include "config/scalar_text.hpp"

namespace profile_relay::config {
namespace {

bool is_bare(std::string_view text) {
  if (text.empty() || text.front() == '-' || text.front() == '.') return false;
  auto const lower = to_lower(text);
  if (lower == "null" || text == "~") return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-./").find(c) != std::string_view::npos;
  });
}

}  // namespace

std::string yaml_scalar(std::string_view text) {
  if (is_bare(text)) return std::string(text);
  std::string out = "\"";
  for (char const c : text) {
    auto const byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
      out += escaped;
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace profile_relay::config
