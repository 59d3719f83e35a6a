#include "envelope/build.hpp"

namespace profile_relay::envelope {

namespace {

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  out.push_back('"');
  for (char const c : text) {
    auto const code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.append({'\\', c});
    } else if (code < 0x20) {
      out.append("\\u00").append({digits[code / 16U], digits[code % 16U]});
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

/// Writes one flat JSON object, key by key.
class object_writer {
 public:
  explicit object_writer(std::string& out) : out_(out) { out_.push_back('{'); }

  void text(std::string_view key, std::optional<std::string_view> value) {
    if (!value) return;
    start(key);
    append_json_string(out_, *value);
  }
  void number(std::string_view key, std::size_t value) {
    start(key);
    out_.append(std::to_string(value));
  }
  void end_line() { out_.append("}\n"); }

 private:
  void start(std::string_view key) {
    if (out_.back() != '{') out_.push_back(',');
    append_json_string(out_, key);
    out_.push_back(':');
  }

  std::string& out_;
};

}  // namespace

std::string build_envelope(compound_envelope const& parts) {
  std::size_t const payload_size = parts.metadata.size() + parts.trace.size();
  std::string out;
  out.reserve(payload_size + 512);

  object_writer envelope_header(out);
  envelope_header.text("event_id", parts.event_id);
  envelope_header.text("dsn", parts.dsn);
  envelope_header.end_line();

  object_writer item_header(out);
  item_header.text("type", "profile_chunk");
  item_header.text("content_type", parts.content_type);
  item_header.text("platform", parts.platform);
  item_header.number("length", payload_size);
  item_header.number("meta_length", parts.metadata.size());
  item_header.end_line();

  out.append(parts.metadata).append(parts.trace).push_back('\n');
  return out;
}

}  // namespace profile_relay::envelope
