#include "envelope/header_json.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "envelope/envelope.hpp"

namespace profile_relay::envelope::detail {

object_scan scan_object(std::string_view text, std::size_t start) {
  if (start >= text.size() || text[start] != '{') return {scan_outcome::not_an_object};
  std::size_t const limit = std::min(text.size(), start + max_header_bytes);
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = start; i < limit; ++i) {
    char const c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > max_header_depth) return {scan_outcome::too_deep};
    } else if (c == '}' || c == ']') {
      if (--depth == 0) return {scan_outcome::complete, i + 1};
    }
  }
  return {limit < text.size() ? scan_outcome::too_long : scan_outcome::unterminated};
}

std::string_view describe(scan_outcome outcome) {
  switch (outcome) {
    case scan_outcome::complete:
      return "complete";
    case scan_outcome::not_an_object:
      return "not a JSON object";
    case scan_outcome::unterminated:
      return "the body ends inside the JSON object";
    case scan_outcome::too_long:
      return "the JSON object is longer than 1048576 bytes";
    case scan_outcome::too_deep:
      return "the JSON object is nested deeper than 64 levels";
  }
  return "unknown";
}

std::optional<simdjson::dom::object> json_parser::parse_object(padded_view json) {
  constexpr std::size_t smallest = 1024;
  if (json.size() > parser_.capacity() && parser_.allocate(std::bit_ceil(std::max(json.size(), smallest)),
                                                           max_header_depth) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  auto const text = json.text();
  simdjson::dom::element root;
  if (parser_.parse(text.data(), text.size(), false).get(root) != simdjson::SUCCESS) return std::nullopt;
  simdjson::dom::object object;
  if (root.get(object) != simdjson::SUCCESS) return std::nullopt;
  return object;
}

namespace {

bool is_unsigned_up_to(simdjson::dom::element value, std::uint64_t high) {
  std::uint64_t number = 0;
  return value.get(number) == simdjson::SUCCESS && number <= high;
}

bool has_type(simdjson::dom::element value, key_type type) {
  switch (type) {
    case key_type::text:
      return value.is_string();
    case key_type::u16:
      return is_unsigned_up_to(value, std::numeric_limits<std::uint16_t>::max());
    case key_type::u32:
      return is_unsigned_up_to(value, std::numeric_limits<std::uint32_t>::max());
    case key_type::boolean:
      return value.is_bool();
    case key_type::object:
      return value.is_object();
    case key_type::tolerated:
      return true;
  }
  return false;
}

std::string_view type_name(key_type type) {
  switch (type) {
    case key_type::text:
      return "a string";
    case key_type::u16:
      return "an integer from 0 to 65535";
    case key_type::u32:
      return "an integer from 0 to 4294967295";
    case key_type::boolean:
      return "true or false";
    case key_type::object:
    case key_type::tolerated:
      return "an object";
  }
  return "known";
}

std::string about_key(std::string_view name, std::string_view problem) {
  return "key `" + std::string(name) + "` " + std::string(problem);
}

}  // namespace

std::optional<std::string> collect_known(simdjson::dom::object object, std::span<const known_key> keys,
                                         std::span<known_value> values) {
  std::uint32_t seen = 0;
  for (auto const field : object) {
    auto const key = std::ranges::find(keys, field.key, &known_key::name);
    if (key == keys.end()) continue;
    auto const number = static_cast<std::size_t>(key - keys.begin());
    auto const bit = std::uint32_t{1} << number;
    if ((seen & bit) != 0 && key->type != key_type::tolerated) return about_key(key->name, "is there twice");
    seen |= bit;
    if (field.value.is_null()) continue;
    if (!has_type(field.value, key->type)) {
      return about_key(key->name, "is not " + std::string(type_name(key->type)));
    }
    values[number] = field.value;
  }
  return std::nullopt;
}

std::optional<std::string> text_of(known_value const& value) {
  std::string_view text;
  if (!value || value->get(text) != simdjson::SUCCESS) return std::nullopt;
  return std::string(text);
}

std::optional<std::uint32_t> u32_of(known_value const& value) {
  std::uint64_t number = 0;
  if (!value || value->get(number) != simdjson::SUCCESS) return std::nullopt;
  return static_cast<std::uint32_t>(number);
}

}  // namespace profile_relay::envelope::detail
