#include "envelope/wire_text.hpp"

#include <algorithm>

namespace profile_relay::envelope {

std::optional<std::string> parse_uuid(std::string_view text) {
  bool const dashed = text.size() == 36;
  if (!dashed && text.size() != 32) return std::nullopt;
  std::string digits;
  digits.reserve(32);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (dashed && (i == 8 || i == 13 || i == 18 || i == 23)) {
      if (text[i] != '-') return std::nullopt;
    } else if (is_hex(text[i])) {
      digits.push_back(to_lower(text[i]));
    } else {
      return std::nullopt;
    }
  }
  return digits;
}

namespace {

/// Takes a pattern off the front of a text, piece by piece; after the first mismatch nothing matches
/// any more.
class text_matcher {
 public:
  explicit text_matcher(std::string_view text) : rest_(text) {}

  text_matcher& digits(std::size_t count, unsigned low, unsigned high) {
    if (!good_ || rest_.size() < count) return fail();
    unsigned value = 0;
    for (char const c : rest_.substr(0, count)) {
      if (!is_digit(c)) return fail();
      value = value * 10 + static_cast<unsigned>(c - '0');
    }
    rest_.remove_prefix(count);
    return value < low || value > high ? fail() : *this;
  }

  text_matcher& one_of(std::string_view choices) {
    if (!good_ || rest_.empty() || choices.find(rest_.front()) == std::string_view::npos) return fail();
    rest_.remove_prefix(1);
    return *this;
  }

  bool next_is(std::string_view choices) const {
    return good_ && !rest_.empty() && choices.find(rest_.front()) != std::string_view::npos;
  }
  void skip_digits() {
    rest_.remove_prefix(static_cast<std::size_t>(std::ranges::find_if_not(rest_, is_digit) - rest_.begin()));
  }
  bool done() const { return good_ && rest_.empty(); }

 private:
  text_matcher& fail() {
    good_ = false;
    return *this;
  }

  std::string_view rest_;
  bool good_ = true;
};

}  // namespace

bool is_rfc3339(std::string_view text) {
  text_matcher m(text);
  m.digits(4, 0, 9999).one_of("-").digits(2, 1, 12).one_of("-").digits(2, 1, 31).one_of("Tt ");
  m.digits(2, 0, 23).one_of(":").digits(2, 0, 59).one_of(":").digits(2, 0, 60);
  if (m.next_is(".")) {
    m.one_of(".").digits(1, 0, 9);
    m.skip_digits();
  }
  if (m.next_is("Zz")) return m.one_of("Zz").done();
  m.one_of("+-").digits(2, 0, 23);
  if (m.next_is(":")) m.one_of(":");
  return m.digits(2, 0, 59).done();
}

}  // namespace profile_relay::envelope
