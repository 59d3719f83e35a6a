#include "profile/json_document.hpp"

#include <charconv>
#include <limits>

namespace profile_relay::profile {

namespace dom = simdjson::dom;
static_assert(envelope::read_ahead >= simdjson::SIMDJSON_PADDING);

result<json_document> json_document::parse(envelope::padded_view text, std::size_t max_depth) {
  json_document doc;
  doc.parser_ = std::make_shared<dom::parser>();
  const auto invalid = [](const char* cause, std::string what) {
    return error{errc::invalid_json, cause, std::move(what), 0};
  };

  // simdjson's bound is exclusive.
  auto code = doc.parser_->allocate(text.size(), max_depth + 1);
  if (!code) code = doc.parser_->parse(text.text().data(), text.size(), false).error();
  switch (code) {
    case simdjson::SUCCESS:
      break;
    case simdjson::EMPTY:
      return invalid("empty", "the JSON text is empty");
    case simdjson::DEPTH_ERROR:
      return invalid("json_too_deep",
                     "the JSON text is nested deeper than " + std::to_string(max_depth) + " levels");
    case simdjson::UTF8_ERROR:
      return invalid("json_not_utf8", "the JSON text is not valid UTF-8");
    case simdjson::MEMALLOC:
      throw std::bad_alloc();
    default:
      return invalid("json_syntax", std::string("not JSON: ") + simdjson::error_message(code));
  }
  if (doc.parser_->doc.root().get(doc.root_))
    return invalid("not_an_object", "the JSON text is not an object");
  return doc;
}

bool json_fault::set(std::string_view cause, std::string_view what) {
  cause_ = cause;
  what_ = what;
  return false;
}

bool json_fault::set(errc code, std::string_view cause, std::string_view what) {
  code_ = code;
  return set(cause, what);
}

bool json_fault::in(std::string_view key) {
  path_.insert(0, path_.empty() || path_.front() == '[' ? std::string(key) : std::string(key) + ".");
  return false;
}

bool json_fault::in(std::size_t index) {
  std::string step = "[" + std::to_string(index) + "]";
  if (!path_.empty() && path_.front() != '[') step += '.';
  path_.insert(0, step);
  return false;
}

error json_fault::to_error() const {
  std::string what = path_;
  if (!what.empty()) what += ": ";
  return {code_, std::string(cause_), what.append(what_), 0};
}

namespace {
constexpr std::string_view wrong_type = "wrong_type";
}

bool read_value(dom::element e, std::string_view& to, json_fault& fault) {
  return !e.get(to) || fault.set(wrong_type, "must be a string");
}

bool read_value(dom::element e, sample_v2::optional_text& to, json_fault& fault) {
  if (e.is_null()) return true;
  std::string_view text;
  if (e.get(text)) return fault.set(wrong_type, "must be a string or null");
  to = text;
  return true;
}

bool read_value(dom::element e, double& to, json_fault& fault) {
  return !e.get(to) || fault.set(wrong_type, "must be a number");
}

bool read_value(dom::element e, std::optional<std::uint32_t>& to, json_fault& fault) {
  if (e.is_null()) return true;
  std::uint64_t v = 0;
  if (e.get(v) || v > std::numeric_limits<std::uint32_t>::max())
    return fault.set(wrong_type, "must be an integer from 0 to 4294967295, or null");
  to = static_cast<std::uint32_t>(v);
  return true;
}

bool read_value(dom::element e, std::optional<std::int32_t>& to, json_fault& fault) {
  if (e.is_null()) return true;
  std::int64_t v = 0;
  if (e.get(v) || v < std::numeric_limits<std::int32_t>::min() ||
      v > std::numeric_limits<std::int32_t>::max())
    return fault.set(wrong_type, "must be a 32-bit integer or null");
  to = static_cast<std::int32_t>(v);
  return true;
}

bool read_value(dom::element e, std::optional<bool>& to, json_fault& fault) {
  if (e.is_null()) return true;
  bool v = false;
  if (e.get(v)) return fault.set(wrong_type, "must be true, false or null");
  to = v;
  return true;
}

bool read_value(dom::element e, dom::object& to, json_fault& fault) {
  return !e.get(to) || fault.set(wrong_type, "must be an object");
}

bool read_value(dom::element e, dom::array& to, json_fault& fault) {
  return !e.get(to) || fault.set(wrong_type, "must be an array");
}

bool read_address(dom::element e, std::optional<std::uint64_t>& to, json_fault& fault) {
  constexpr std::string_view what = "must be a string of 0x and 1 to 16 hex digits, or null";
  if (e.is_null()) return true;
  std::string_view text;
  if (e.get(text)) return fault.set(wrong_type, what);
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  if (hex) text.remove_prefix(2);
  std::uint64_t v = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), v, hex ? 16 : 10);
  if (ec != std::errc{} || end != text.data() + text.size()) return fault.set("bad_address", what);
  to = v;
  return true;
}

bool read_index(dom::element e, std::uint32_t& to, json_fault& fault) {
  std::uint64_t v = 0;
  if (e.get(v)) return fault.set(wrong_type, "must be a non-negative integer");
  constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
  to = static_cast<std::uint32_t>(v < most ? v : most);
  return true;
}

}  // namespace profile_relay::profile
