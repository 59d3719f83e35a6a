#include "sdk/trace/text.hpp"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>

namespace profile_relay::sdk {
namespace {

/// Length of the character at the front, 0 if there is none. Refused are surrogates, overlong forms, and what is above
/// U+10FFFF: the lead byte narrows the range of the second.
std::size_t character(std::string_view s) {
  auto const at = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  unsigned const lead = at(0);
  if (lead < 0x80) return 1;
  std::size_t const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || s.size() < length) return 0;
  unsigned const low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  unsigned const high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (at(1) < low || at(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i)
    if ((at(i) & 0xc0u) != 0x80u) return 0;
  return length;
}

}  // namespace

std::string readable_text(std::string_view raw) {
  static constexpr std::string_view replacement = "\xef\xbf\xbd";
  std::string out;
  while (!raw.empty()) {
    auto const length = character(raw);
    auto const next = length == 0 ? replacement : raw.substr(0, length);
    if (out.size() + next.size() > max_text) break;
    out += next;
    raw.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

std::string function_name(std::string const& symbol) {
  if (symbol.starts_with("_Z")) {
    int status = 0;
    std::unique_ptr<char, void (*)(void*)> const plain(
        abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status), std::free);
    if (status == 0 && plain != nullptr) return readable_text(plain.get());
  }
  return readable_text(symbol);
}

}  // namespace profile_relay::sdk
