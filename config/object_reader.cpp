#include "config/object_reader.hpp"

#include "config/scalar_text.hpp"

namespace profile_relay::config {

node const* object_reader::any(std::string_view key) const {
  auto const* found = object_.find(key);
  return found && !found->is(node::kind::null) ? found : nullptr;
}

node const* object_reader::expect(std::string_view key, node::kind wanted) {
  auto const* found = any(key);
  if (!found || found->is(wanted)) return found;
  auto const wanted_name = wanted == node::kind::text ? std::string_view("text") : name_of(wanted);
  fail(errc::wrong_type, found->line, key,
       "expected " + std::string(wanted_name) + ", found " +
           std::string(found->is(node::kind::text) ? std::string_view("text") : name_of(found->type)));
  return nullptr;
}

std::optional<std::string> object_reader::text(std::string_view key) {
  auto const* found = expect(key, node::kind::text);
  return found ? std::optional(found->scalar) : std::nullopt;
}

std::optional<bool> object_reader::boolean(std::string_view key) {
  auto const* found = expect(key, node::kind::boolean);
  return found ? std::optional(found->scalar == "true") : std::nullopt;
}

std::optional<std::uint64_t> object_reader::number(std::string_view key, std::uint64_t max) {
  auto const* found = expect(key, node::kind::number);
  if (!found) return std::nullopt;
  auto const parsed = parse_unsigned(found->scalar);
  if (!parsed.problem && parsed.value <= max) return parsed.value;
  bool const fraction = parsed.problem == errc::wrong_type;
  fail(fraction ? errc::wrong_type : errc::out_of_range, found->line, key,
       found->scalar + (fraction ? " is not a whole number" : " is out of range") + "; allowed: 0 to " +
           std::to_string(max));
  return std::nullopt;
}

void object_reader::fail(errc code, int line, std::string_view key, std::string what) {
  if (!failure_) failure_ = error{code, file_, line, prefix_ + std::string(key), std::move(what)};
}

}  // namespace profile_relay::config
