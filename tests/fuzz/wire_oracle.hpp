#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "perfetto_decode/wire_reader.hpp"

/// The wire reader against protobuf's CodedInputStream, one message level at a time.
///
/// The rule is what ReadTag and WireFormatLite::SkipField do:
///   - a tag is a varint of up to ten bytes of which the low 32 bits count; longer forms than needed are fine;
///   - field number 0 and wire types 6 and 7 are damage, and so is whatever reaches past the end;
///   - a varint has up to ten bytes; bits above the 64th are dropped.
/// Two things are excepted, and counted:
///   - groups (wire types 3 and 4): Perfetto's schema has none, the wire reader calls them damage;
///   - lengths that do not fit 32 bits: CodedInputStream drops the high bits, so that 2^32 + 1 means 1. The wire reader
///     calls them damage, as protobuf's generated parsers do.
namespace profile_relay::fuzz {

enum class wire_verdict : std::uint8_t {
  accepted,      ///< by both, every field the same
  refused,       ///< by both, after the same fields
  group,         ///< excepted: the fields before it are the same
  long_length,   ///< excepted: the fields before it are the same
  disagreement,  ///< what the callers must never see
};

struct wire_comparison {
  wire_verdict verdict = wire_verdict::accepted;
  std::size_t fields = 0;
  std::string what;  ///< of a disagreement
};

/// The wire_reader against protobuf, and the field_cursor, in each of its ways, against the wire_reader.
wire_comparison compare_wire(perfetto_decode::byte_span message);

/// The same for repeated_varint: the values of one repeated integer field, packed, not packed, or mixed.
/// Damage ends the values for both; damage inside a packed run ends that run only, which is the wire reader's own rule
/// (the run's length says where the next field starts).
wire_comparison compare_repeated(perfetto_decode::byte_span message, std::uint32_t field);

}  // namespace profile_relay::fuzz
