#include "server/io/chunk_reader.hpp"

#include <algorithm>
#include <charconv>

#include "server/io/http_syntax.hpp"

namespace profile_relay::server {

namespace {

/// True when `text` starts with a quoted string (RFC 9110, 5.6.4), which is taken off.
bool take_quoted(std::string_view& text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return true;
    }
    if (text[i] == '\\') ++i;
    if (i < text.size() && !is_field_char(text[i])) return false;
  }
  return false;
}

/// *( BWS ";" BWS name [ BWS "=" BWS value ] ), and nothing behind it: not even blanks.
bool are_extensions(std::string_view text) {
  while (!text.empty()) {
    skip_blanks(text);
    if (!text.starts_with(';')) return false;
    text.remove_prefix(1);
    skip_blanks(text);
    if (take_token(text).empty()) return false;
    auto value = text;
    skip_blanks(value);
    if (!value.starts_with('=')) continue;
    value.remove_prefix(1);
    skip_blanks(value);
    if (value.starts_with('"') ? !take_quoted(value) : take_token(value).empty()) return false;
    text = value;
  }
  return true;
}

bool is_trailer(std::string_view line) {
  if (take_token(line).empty() || !line.starts_with(':')) return false;
  return std::ranges::all_of(line, is_field_char);
}

}  // namespace

/// True when a size line of so many bytes is one too much.
bool chunk_reader::excessive(std::size_t line) {
  auto const data = static_cast<std::size_t>(std::min<std::uint64_t>(left_, max_excess));
  auto const total = excess_ + line;
  excess_ = total - std::min(total, free_framing + 2 * data);
  return excess_ > max_excess;
}

/// A whole line, without its end.
chunk_reader::state chunk_reader::on_line(std::string_view line) {
  if (part_ == part::trailers) {
    if (line.empty()) {
      part_ = part::end;
      return state::done;
    }
    return is_trailer(line) ? state::need_more : state::malformed;
  }
  // from_chars takes neither sign (the type has none) nor "0x" nor blanks, and tells when 64 bits are not enough.
  auto const [end, ec] = std::from_chars(line.data(), line.data() + line.size(), left_, 16);
  if (ec != std::errc{} || !are_extensions({end, line.data() + line.size()}) || excessive(line.size()))
    return state::malformed;
  part_ = left_ > 0 ? part::data : part::trailers;
  return state::need_more;
}

chunk_reader::step chunk_reader::read(std::span<const std::byte> in) {
  std::size_t at = 0;
  auto const rest = [&] {
    return std::string_view(reinterpret_cast<const char*>(in.data()) + at, in.size() - at);
  };
  for (;;) {
    if (part_ == part::end) return {state::done, at, {}};
    if (part_ == part::data) {
      auto const n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest().size()));
      if (n == 0) return {state::need_more, at, {}};
      left_ -= n;
      if (left_ == 0) part_ = part::data_end;
      return {state::piece, at + n, in.subspan(at, n)};
    }
    if (part_ == part::data_end) {
      constexpr std::string_view crlf = "\r\n";
      auto const here = rest().substr(0, 2);
      if (!crlf.starts_with(here)) return {state::malformed, at, {}};
      if (here.size() < 2) return {state::need_more, at, {}};
      at += 2;
      part_ = part::size;
      continue;
    }
    auto const line_feed = rest().substr(0, max_line).find('\n');
    if (line_feed == std::string_view::npos)
      return {rest().size() < max_line ? state::need_more : state::malformed, at, {}};
    // A bare line feed ends a line for some readers and not for others: refused.
    if (line_feed == 0 || rest()[line_feed - 1] != '\r') return {state::malformed, at, {}};
    if (part_ == part::trailers && (trailer_bytes_ += line_feed + 1) > max_trailers)
      return {state::malformed, at, {}};
    auto const now = on_line(rest().substr(0, line_feed - 1));
    at += line_feed + 1;
    if (now != state::need_more) return {now, at, {}};
  }
}

}  // namespace profile_relay::server
