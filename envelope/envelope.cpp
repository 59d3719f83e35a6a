#include "envelope/envelope.hpp"

#include "envelope/header_json.hpp"
#include "envelope/item_types.hpp"
#include "envelope/read_header.hpp"

namespace profile_relay::envelope {

namespace {

/// Walks a body from front to back. Knows the grammar of contract 1.1; what a header says is read elsewhere.
class body_reader {
 public:
  explicit body_reader(padded_view body) : body_(body), text_(body.text()) {}

  bool at_end() const { return position_ == text_.size(); }

  result<envelope_header> read_header() {
    skip_blanks();
    if (at_end()) return fault(errc::missing_header, position_, "the body is empty");
    std::size_t const start = position_;
    auto const object = take_object(errc::invalid_header);
    if (!object) return object.error();
    auto header = detail::read_envelope_header(*object);
    if (!header) return fault(errc::invalid_header, start, "envelope header: " + header.error().what);
    if (auto broken = take_newline("the envelope header")) return std::move(*broken);
    item_ = 0;
    return std::move(*header);
  }

  result<item> read_item() {
    if (*item_ == max_items) {
      return fault(errc::invalid_item_header, position_, "more than " + std::to_string(max_items) + " items");
    }
    skip_blanks();
    if (at_end())
      return fault(errc::unexpected_eof, position_, "an item header is missing after a blank line");
    item out;
    out.index = *item_;
    out.offset = position_;
    auto const object = take_object(errc::invalid_item_header);
    if (!object) return object.error();
    item_header_bytes_ += position_ - out.offset;
    if (item_header_bytes_ > max_headers_total_bytes) {
      return fault(errc::invalid_item_header, out.offset,
                   "the item headers together exceed " + std::to_string(max_headers_total_bytes) + " bytes");
    }
    auto header = detail::read_item_header(*object);
    if (!header) return fault(errc::invalid_item_header, out.offset, "item header: " + header.error().what);
    out.header = std::move(*header);
    if (classify(out.header.type).kind == item_kind::internal) {
      return fault(errc::internal_item_type, out.offset, "this item type is not accepted from outside");
    }
    if (auto broken = take_newline("the item header")) return std::move(*broken);
    if (auto broken = take_payload(out)) return std::move(*broken);
    item_ = *item_ + 1;
    return out;
  }

 private:
  error fault(errc code, std::size_t offset, std::string what) const {
    return {code, offset, item_, std::move(what)};
  }

  void skip_blanks() {
    while (!at_end() && detail::is_json_blank(text_[position_])) ++position_;
  }

  /// Takes the JSON object that starts here and leaves the position right behind its closing brace.
  result<simdjson::dom::object> take_object(errc code) {
    std::string_view const which = item_ ? "item header: " : "envelope header: ";
    auto const scan = detail::scan_object(text_, position_);
    if (scan.outcome != detail::scan_outcome::complete) {
      return fault(code, position_, std::string(which).append(detail::describe(scan.outcome)));
    }
    auto object = parser_.parse_object(body_.subview(position_, scan.end - position_));
    if (!object) return fault(code, position_, std::string(which).append("not valid JSON in UTF-8"));
    position_ = scan.end;
    return *object;
  }

  /// Takes one line feed; the end of the body stands for one.
  std::optional<error> take_newline(std::string_view after) {
    if (at_end()) return std::nullopt;
    if (text_[position_] != '\n') {
      return fault(errc::missing_newline, position_, "no line feed right after " + std::string(after));
    }
    ++position_;
    return std::nullopt;
  }

  std::optional<error> take_payload(item& out) {
    std::size_t const left = text_.size() - position_;
    std::size_t size = left;
    if (out.header.length) {
      size = *out.header.length;
      if (size > left) {
        return fault(
            errc::unexpected_eof, position_,
            "`length` is " + std::to_string(size) + " but only " + std::to_string(left) + " bytes are left");
      }
    } else if (auto const newline = text_.find('\n', position_); newline != std::string_view::npos) {
      size = newline - position_;
    }
    out.payload = body_.subview(position_, size);
    position_ += size;
    return take_newline("the payload");
  }

  padded_view body_;
  std::string_view text_;
  detail::json_parser parser_;
  std::size_t position_ = 0;
  std::size_t item_header_bytes_ = 0;
  std::optional<std::size_t> item_;  ///< the item being read; absent in the envelope header
};

}  // namespace

result<parsed_envelope> parse(padded_view body) {
  body_reader reader(body);
  auto header = reader.read_header();
  if (!header) return header.error();
  parsed_envelope out{std::move(*header), {}};
  while (!reader.at_end()) {
    auto next = reader.read_item();
    if (!next) return next.error();
    out.items.push_back(std::move(*next));
  }
  return out;
}

result<envelope_header> parse_header(padded_view body) { return body_reader(body).read_header(); }

}  // namespace profile_relay::envelope
