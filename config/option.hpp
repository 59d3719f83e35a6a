#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "config/document.hpp"
#include "config/error.hpp"
#include "config/settings.hpp"

namespace profile_relay::config {

/// Why a value is refused; the reader of the file adds file, line and key.
struct refusal {
  errc code;
  std::string what;  ///< ends with what is allowed
};
/// Empty = accepted.
using verdict = std::optional<refusal>;

/// One row of the option table: all that loading, `config init`, `config show` and the document know of a
/// key.
struct option {
  std::string key;      ///< dotted: "limits.max_profile_size"
  std::string kind;     ///< for people: "size", "seconds", "text"
  std::string allowed;  ///< for people: "1 to 65535"; empty = anything of the kind
  std::string description;
  std::string example;
  std::string when_unset;   ///< what holds while the value is absent; empty = the option always has a value
  bool secret = false;      ///< may hold passwords: printed values are redacted
  bool live = false;        ///< a change in the file takes effect without a restart
  bool structured = false;  ///< `--set` reads the text as YAML instead of as one value
  std::function<verdict(settings&, node const&)> set;
  /// The value in force as one line of YAML, secrets as "[redacted]"; "null" = not set.
  std::function<std::string(settings const&)> print;
};

/// A scalar as YAML writes it: bare where that reads back as the same text, else in double quotes.
std::string yaml_scalar(std::string_view text);

}  // namespace profile_relay::config
