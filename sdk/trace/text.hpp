// Names as readers of a trace accept them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace profile_relay::sdk {

/// Longest text of a trace, in bytes: under 1 KiB (profiling API, 4).
inline constexpr std::size_t max_text = 1'023;

/// The text as well-formed UTF-8 of at most max_text bytes: bytes that belong to no character become U+FFFD, and what is
/// too long ends after a whole character.
std::string readable_text(std::string_view raw);

/// The demangled name of a function, then as readable_text(). A name that does not demangle stays as it is.
std::string function_name(std::string const& symbol);

}  // namespace profile_relay::sdk
