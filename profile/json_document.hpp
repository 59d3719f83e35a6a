#pragma once

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "envelope/padded_view.hpp"
#include "profile/error.hpp"
#include "profile/sample_v2.hpp"

namespace profile_relay::profile {

/// A parsed JSON text whose root is an object. Strings are views into `storage`, unescaped and valid UTF-8.
class json_document {
 public:
  /// Refuses with `invalid_json` what is not one JSON object in UTF-8, or is nested deeper than `max_depth`
  /// levels.
  static result<json_document> parse(envelope::padded_view text, std::size_t max_depth);

  simdjson::dom::object root() const { return root_; }
  std::shared_ptr<const void> storage() const { return parser_; }

 private:
  std::shared_ptr<simdjson::dom::parser> parser_;
  simdjson::dom::object root_;
};

/// Where and why reading the fields of a document stopped. All functions return false, so that a reader says
/// `return fault.in("frames")` on its way out and the path grows from the innermost name to the outermost.
/// Only names of the format enter the path, never text of the client.
class json_fault {
 public:
  bool set(std::string_view cause, std::string_view what);
  bool in(std::string_view key);
  bool in(std::size_t index);
  /// Another code than `invalid_json`.
  bool set(errc code, std::string_view cause, std::string_view what);

  error to_error() const;

 private:
  errc code_ = errc::invalid_json;
  std::string_view cause_, what_;
  std::string path_;
};

/// Refuses the second occurrence of a key: readers downstream disagree on which one counts.
class seen_keys {
 public:
  bool once(unsigned bit, json_fault& fault) {
    if (bits_ >> bit & 1U) return fault.set("duplicate_key", "stands there twice");
    bits_ |= 1U << bit;
    return true;
  }
  bool has(unsigned bit) const { return (bits_ >> bit & 1U) != 0; }

 private:
  unsigned bits_ = 0;
};

// Single values. `null` is as good as absent where the target is optional.
bool read_value(simdjson::dom::element e, std::string_view& to, json_fault& fault);
bool read_value(simdjson::dom::element e, sample_v2::optional_text& to, json_fault& fault);
bool read_value(simdjson::dom::element e, double& to, json_fault& fault);
bool read_value(simdjson::dom::element e, std::optional<std::uint32_t>& to, json_fault& fault);
bool read_value(simdjson::dom::element e, std::optional<std::int32_t>& to, json_fault& fault);
bool read_value(simdjson::dom::element e, std::optional<bool>& to, json_fault& fault);
bool read_value(simdjson::dom::element e, simdjson::dom::object& to, json_fault& fault);
bool read_value(simdjson::dom::element e, simdjson::dom::array& to, json_fault& fault);

/// A string: "0x" and 1 to 16 hex digits, or, as Relay takes it too, decimal digits.
bool read_address(simdjson::dom::element e, std::optional<std::uint64_t>& to, json_fault& fault);

/// A non-negative integer; one beyond 32 bits becomes 0xffffffff, which is out of every range.
bool read_index(simdjson::dom::element e, std::uint32_t& to, json_fault& fault);

}  // namespace profile_relay::profile
