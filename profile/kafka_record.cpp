#include "profile/kafka_record.hpp"

#include <cassert>

#include "profile/message_pack.hpp"

namespace profile_relay::profile {
namespace {

/// What librdkafka 2.x adds to key + value + headers before it compares with message.max.bytes, whatever the
/// sizes: the largest forms of length (5), attributes (1), timestamp delta (10), offset delta (5), key length
/// (5), value length (5) and header count (5) of a record of message format 2.
constexpr std::size_t record_max_overhead = 36;

/// Bytes of a header's length field: a zigzag varint.
std::size_t header_length_bytes(std::size_t length) {
  std::size_t n = 1;
  for (auto zigzag = 2 * length; zigzag > 0x7f; zigzag >>= 7) ++n;
  return n;
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return bytes.empty() ? std::string_view{}
                       : std::string_view{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::size_t kafka_record::wire_size() const {
  std::size_t n = record_max_overhead + value.size() + (key ? key->size() : 0);
  for (auto const& [name, text] : headers)
    n += header_length_bytes(name.size()) + name.size() + header_length_bytes(text.size()) + text.size();
  return n;
}

std::size_t kafka_record::memory() const {
  std::size_t n = sizeof *this + value.capacity() + chunk_id.capacity() + (key ? key->capacity() : 0);
  n += headers.capacity() * sizeof(headers[0]);
  for (auto const& [name, text] : headers) n += name.capacity() + text.capacity();
  return n;
}

namespace {

/// Of a `bin` of any length. Shorter payloads need fewer, and then move up.
constexpr std::size_t longest_bin_head = 5;

std::size_t pairs_of(profile_message const& m) {
  return 6U + (m.key_id ? 1U : 0U) + (m.attachments.empty() ? 0U : 1U) + (m.raw_profile.empty() ? 0U : 2U);
}

/// Everything before the length of the payload.
void write_front(message_pack::writer& w, profile_message const& m) {
  w.map_header(pairs_of(m));
  w.str("type"), w.str("profile_chunk");
  w.str("organization_id"), w.uint(m.organization_id);
  w.str("project_id"), w.uint(m.project_id);
  if (m.key_id) w.str("key_id"), w.uint(*m.key_id);
  w.str("received"), w.uint(m.received);
  w.str("retention_days"), w.uint(m.retention_days);
  w.str("payload");
}

void write_tail(std::string& out, profile_message const& m, std::size_t* raw_offset) {
  message_pack::writer w(out);
  if (!m.attachments.empty()) {
    w.str("attachments"), w.array_header(m.attachments.size());
    for (auto const& a : m.attachments) {
      w.map_header(3);
      w.str("name"), w.str(a.name);
      w.str("content_type"), w.str(a.content_type);
      w.str("stored_id"), w.str(a.stored_id);
    }
  }
  const bool with_raw = !m.raw_profile.empty();
  if (raw_offset) *raw_offset = with_raw ? out.size() : 0;
  if (with_raw) {
    w.str("raw_profile"), w.bin(as_text(m.raw_profile));
    w.str("raw_profile_content_type"), w.str(m.raw_profile_content_type);
  }
}

/// Turns `encode_head(m)` and the payload behind it into the whole message.
void finish(std::string& text, profile_message const& m, std::size_t* raw_offset) {
  std::string head;
  message_pack::writer w(head);
  write_front(w, m);
  const auto payload = head.size() + longest_bin_head;
  w.bin_header(text.size() - payload);
  text.replace(0, payload, head);
  write_tail(text, m, raw_offset);
}

}  // namespace

std::string encode_head(profile_message const& m) {
  std::string out;
  out.reserve(256);
  message_pack::writer w(out);
  write_front(w, m);
  out.append(longest_bin_head, '\0');
  return out;
}

std::size_t tail_size(profile_message const& m) {
  constexpr std::size_t names_and_lengths = 64;
  std::size_t n = names_and_lengths;
  for (auto const& a : m.attachments)
    n += names_and_lengths + a.name.size() + a.content_type.size() + a.stored_id.size();
  return n + m.raw_profile.size() + m.raw_profile_content_type.size();
}

std::string encode(profile_message const& m, std::size_t* raw_offset) {
  auto out = encode_head(m);
  out.reserve(out.size() + m.payload.size() + tail_size(m));
  out.append(m.payload);
  finish(out, m, raw_offset);
  return out;
}

kafka_record make_profile_record(profile_message const& m, std::string_view chunk_id,
                                 std::int64_t received_ms) {
  auto text = encode_head(m);
  text.reserve(text.size() + m.payload.size() + tail_size(m));
  text.append(m.payload);
  return finish_profile_record(m, std::move(text), chunk_id, received_ms);
}

kafka_record finish_profile_record(profile_message const& m, std::string text, std::string_view chunk_id,
                                   std::int64_t received_ms) {
  kafka_record r;
  r.topic = logical_topic::profiles;
  r.headers.emplace_back("project_id", std::to_string(m.project_id));
  finish(text, m, &r.raw_offset);
  r.value = std::move(text);
  r.chunk_id = chunk_id;
  r.received_ms = received_ms;
  return r;
}

bool strip_raw_profile(kafka_record& r) {
  if (r.raw_offset == 0) return false;
  assert(r.raw_offset < r.value.size());
  r.value.resize(r.raw_offset);
  // The first byte is a map header of at most 15 pairs, two of which are gone.
  r.value.front() = static_cast<char>(static_cast<unsigned char>(r.value.front()) - 2);
  r.raw_offset = 0;
  return true;
}

std::optional<decoded_message> decode_profile_message(std::string_view value) {
  message_pack::reader in(value);
  auto pairs = in.map_header();
  if (!pairs) return std::nullopt;

  decoded_message m;
  bool is_chunk = false, has_payload = false;
  const auto number = [&](std::uint64_t& to) {
    const auto v = in.uint();
    if (v) to = *v;
    return v.has_value();
  };
  const auto bytes = [&](std::string_view& to) {
    const auto v = in.bin();
    if (v) to = *v;
    return v.has_value();
  };
  for (; *pairs > 0; --*pairs) {
    const auto key = in.str();
    if (!key) return std::nullopt;
    bool ok = true;
    if (*key == "type") {
      is_chunk = in.str() == "profile_chunk";
    } else if (*key == "organization_id") {
      ok = number(m.organization_id);
    } else if (*key == "project_id") {
      ok = number(m.project_id);
    } else if (*key == "received") {
      ok = number(m.received);
    } else if (*key == "payload") {
      ok = has_payload = bytes(m.payload);
    } else if (*key == "raw_profile") {
      ok = bytes(m.raw_profile);
    } else if (*key == "raw_profile_content_type") {
      const auto text = in.str();
      ok = text.has_value();
      if (ok) m.raw_profile_content_type = *text;
    } else {
      ok = in.skip();
    }
    if (!ok) return std::nullopt;
  }
  if (!is_chunk || !has_payload || !in.at_end()) return std::nullopt;
  return m;
}

}  // namespace profile_relay::profile
