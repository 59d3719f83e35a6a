#pragma once

// Internal to envelope/: how a header is found in the body and how its known keys are checked.

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "envelope/padded_view.hpp"

namespace profile_relay::envelope::detail {

constexpr bool is_json_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

enum class scan_outcome : std::uint8_t { complete, not_an_object, unterminated, too_long, too_deep };

struct object_scan {
  scan_outcome outcome;
  std::size_t end = 0;  ///< one past the closing brace; meaningful for `complete` only
};

/// Finds the end of the JSON object that starts at `start` by its brackets, looking at each byte once.
/// It checks no grammar: what it delimits must still be parsed. Bounded by max_header_bytes and
/// max_header_depth.
object_scan scan_object(std::string_view text, std::size_t start);

/// What is wrong with an incomplete scan, for people.
std::string_view describe(scan_outcome outcome);

/// A DOM parser that grows in powers of two, so that slowly growing headers do not reallocate each
/// time. The DOM is used because it validates the whole document; the on-demand front end skips what
/// nobody asks for.
class json_parser {
 public:
  /// Absent when `json` is not one valid JSON object in UTF-8. The object lives until the next call.
  std::optional<simdjson::dom::object> parse_object(padded_view json);

 private:
  simdjson::dom::parser parser_;
};

/// JSON types of the known keys. `tolerated` keys are handed over whatever they are, and may come twice.
enum class key_type : std::uint8_t { text, u16, u32, boolean, object, tolerated };

struct known_key {
  std::string_view name;
  key_type type;
};

using known_value = std::optional<simdjson::dom::element>;

/// Puts the value of each known key of `object` at the key's place in `values`. Unknown keys are
/// ignored and null counts as absent. The answer is absent, or says which key has a wrong type or came
/// twice (contract 1.2).
std::optional<std::string> collect_known(simdjson::dom::object object, std::span<const known_key> keys,
                                         std::span<known_value> values);

/// Readers of collected values, whose types are known by then.
std::optional<std::string> text_of(known_value const& value);
std::optional<std::uint32_t> u32_of(known_value const& value);

}  // namespace profile_relay::envelope::detail
