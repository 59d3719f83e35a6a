#include "tests/fuzz/wire_oracle.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <climits>
#include <vector>

#include "perfetto_decode/field_cursor.hpp"

namespace profile_relay::fuzz {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using perfetto_decode::byte_span;
using perfetto_decode::field_cursor;
using perfetto_decode::wire_reader;
using perfetto_decode::wire_type;

CodedInputStream stream_of(byte_span message) {
  return CodedInputStream(reinterpret_cast<const std::uint8_t*>(message.data()),
                          static_cast<int>(message.size()));
}

/// One field as CodedInputStream reads it.
struct field {
  enum class state : std::uint8_t { read, end, refused, group, long_length };
  state is = state::end;
  std::uint32_t number = 0;
  unsigned type = 0;
  std::uint64_t value = 0;  // of a varint
  byte_span bytes{};        // of a length-delimited field
  std::size_t after = 0;    // position behind the field
};

/// True if the varint at `at` does not fit 32 bits. Only called where a 32-bit one was read.
bool is_long_length(byte_span message, std::size_t at) {
  auto s = stream_of(message.subspan(at));
  std::uint64_t v = 0;
  return s.ReadVarint64(&v) && v > UINT32_MAX;
}

field read_field(CodedInputStream& s, byte_span message) {
  field f;
  if (static_cast<std::size_t>(s.CurrentPosition()) == message.size()) return f;
  auto const tag = s.ReadTag();
  f.number = tag >> 3;
  f.type = tag & 7u;
  f.is = field::state::refused;
  if (f.number == 0) return f;
  auto const at = static_cast<std::size_t>(s.CurrentPosition());
  switch (WireFormatLite::GetTagWireType(tag)) {
    case WireFormatLite::WIRETYPE_START_GROUP:
    case WireFormatLite::WIRETYPE_END_GROUP:
      f.is = field::state::group;
      return f;
    case WireFormatLite::WIRETYPE_LENGTH_DELIMITED: {
      if (is_long_length(message, at)) {
        f.is = field::state::long_length;
        return f;
      }
      std::uint32_t length = 0;
      auto look = stream_of(message.subspan(at));
      // SkipField decides below; this only notes where the bytes lie.
      if (look.ReadVarint32(&length)) {
        auto const start = at + static_cast<std::size_t>(look.CurrentPosition());
        if (length <= message.size() - start) f.bytes = message.subspan(start, length);
      }
      break;
    }
    case WireFormatLite::WIRETYPE_VARINT: {
      auto look = stream_of(message.subspan(at));
      (void)look.ReadVarint64(&f.value);
      break;
    }
    default:
      break;
  }
  if (!WireFormatLite::SkipField(&s, tag)) return f;
  f.is = field::state::read;
  f.after = static_cast<std::size_t>(s.CurrentPosition());
  return f;
}

std::string at_field(std::size_t n, std::string const& what) {
  return "field " + std::to_string(n) + ": " + what;
}

/// "" or what differs.
std::string difference(field const& theirs, wire_reader const& ours, byte_span message) {
  auto const numbers = [](std::string const& name, std::uint64_t a, std::uint64_t b) {
    return name + " " + std::to_string(a) + " for protobuf, " + std::to_string(b) + " for us";
  };
  if (theirs.number != ours.number()) return numbers("number", theirs.number, ours.number());
  if (theirs.type != static_cast<unsigned>(ours.type()))
    return numbers("wire type", theirs.type, static_cast<unsigned>(ours.type()));
  if (ours.is_varint() && theirs.value != ours.value()) return numbers("value", theirs.value, ours.value());
  if (ours.is_bytes() &&
      (theirs.bytes.data() != ours.bytes().data() || theirs.bytes.size() != ours.bytes().size()))
    return numbers("length (or place)", theirs.bytes.size(), ours.bytes().size());
  auto const after = static_cast<std::size_t>(ours.position() - message.data());
  return theirs.after == after ? "" : numbers("position", theirs.after, after);
}

/// The ways of the field_cursor to get over a field.
enum class cursor_way : std::uint8_t { decode, skip, expect };

/// The value of a field, as far as this way of reading tells it.
struct cursor_field {
  bool taken = false, has_value = false;
  std::uint64_t value = 0;
  byte_span bytes{};
};

cursor_field read_cursor(field_cursor& c, cursor_way way, std::uint32_t expected_tag) {
  cursor_field f;
  if (way == cursor_way::expect) {
    // A field that is written as expected; any other leaves the cursor where it is.
    if (expected_tag >= 8 && expected_tag < 0x80u && (expected_tag & 7u) == 0) {
      f.taken = f.has_value = c.take(expected_tag, f.value);
      if (f.taken || !c.ok()) return f;
    } else if (expected_tag >= 0x80u && expected_tag < 0x4000u && (expected_tag & 7u) == 2) {
      f.taken = f.has_value = c.take_long(expected_tag, f.bytes);
      if (f.taken || !c.ok()) return f;
    }
  }
  if (!c.next()) return f;
  if (way == cursor_way::skip || (!c.is_varint() && !c.is_bytes())) {
    c.skip();
    f.taken = c.ok();
    return f;
  }
  f.taken = f.has_value = c.is_varint() ? c.varint(f.value) : c.bytes(f.bytes);
  return f;
}

/// The field_cursor, which the hot messages are read with, must take what the wire_reader takes. "" or what differs.
std::string cursor_difference(byte_span message) {
  for (auto const way : {cursor_way::decode, cursor_way::skip, cursor_way::expect}) {
    wire_reader reader(message);
    field_cursor cursor(message);
    for (bool more = true; more;) {
      more = reader.next();
      auto const tag = (reader.number() << 3) | static_cast<std::uint32_t>(reader.type());
      auto const f = read_cursor(cursor, way, more ? tag : 0);
      if (f.taken != more) return "only one of field_cursor and wire_reader takes it";
      if (!more) break;
      if (f.has_value && reader.is_varint() && f.value != reader.value()) return "value of the field_cursor";
      if (f.has_value && reader.is_bytes() &&
          (f.bytes.data() != reader.bytes().data() || f.bytes.size() != reader.bytes().size()))
        return "bytes of the field_cursor";
    }
    if (cursor.ok() != reader.ok())
      return "end for one of field_cursor and wire_reader, damage for the other";
  }
  return {};
}

}  // namespace

wire_comparison compare_wire(byte_span message) {
  wire_comparison result;
  if (auto const what = cursor_difference(message); !what.empty()) {
    result.verdict = wire_verdict::disagreement;
    result.what = what;
    return result;
  }
  auto stream = stream_of(message);
  wire_reader reader(message);
  auto const disagree = [&](std::string const& what) {
    result.verdict = wire_verdict::disagreement;
    result.what = at_field(result.fields, what);
    return result;
  };
  for (;; ++result.fields) {
    auto const theirs = read_field(stream, message);
    bool const ours = reader.next();
    if (ours != (theirs.is == field::state::read))
      return disagree(ours ? "only the wire reader takes it" : "only protobuf takes it, or the end differs");
    if (ours) {
      if (auto const what = difference(theirs, reader, message); !what.empty()) return disagree(what);
      continue;
    }
    if (reader.ok() != (theirs.is == field::state::end)) return disagree("end for one, damage for the other");
    switch (theirs.is) {
      case field::state::group:
        result.verdict = wire_verdict::group;
        break;
      case field::state::long_length:
        result.verdict = wire_verdict::long_length;
        break;
      case field::state::refused:
        result.verdict = wire_verdict::refused;
        break;
      default:
        break;
    }
    return result;
  }
}

wire_comparison compare_repeated(byte_span message, std::uint32_t number) {
  wire_comparison result;
  std::vector<std::uint64_t> theirs;
  auto stream = stream_of(message);
  for (;;) {
    auto const f = read_field(stream, message);
    if (f.is != field::state::read) {
      if (f.is != field::state::end) result.verdict = wire_verdict::refused;
      break;
    }
    if (f.number != number) continue;
    if (f.type == WireFormatLite::WIRETYPE_VARINT) theirs.push_back(f.value);
    if (f.type != WireFormatLite::WIRETYPE_LENGTH_DELIMITED) continue;
    auto run = stream_of(f.bytes);
    std::uint64_t v = 0;
    while (static_cast<std::size_t>(run.CurrentPosition()) != f.bytes.size()) {
      if (!run.ReadVarint64(&v)) {
        result.verdict = wire_verdict::refused;
        break;
      }
      theirs.push_back(v);
    }
  }
  result.fields = theirs.size();
  perfetto_decode::repeated_varint ours(message, number);
  std::uint64_t v = 0;
  std::size_t n = 0;
  for (; ours.next(v); ++n)
    if (n >= theirs.size() || theirs[n] != v) break;
  if (n == theirs.size() && !ours.next(v)) return result;
  result.verdict = wire_verdict::disagreement;
  result.what = "repeated " + std::to_string(number) + ": value " + std::to_string(n) + " of " +
                std::to_string(theirs.size()) + " differs";
  return result;
}

}  // namespace profile_relay::fuzz
