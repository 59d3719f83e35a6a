#include "perfetto_decode/packed.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace profile_relay::perfetto_decode;
using namespace std::string_literals;

namespace {

std::string field(std::string const& tag, std::string const& content) {
  return tag + static_cast<char>(content.size()) + content;
}
std::string packet(std::string const& fields) { return field("\x0a", fields); }

bool holds(std::string const& trace) {
  return holds_packed(std::as_bytes(std::span(trace.data(), trace.size())));
}

}  // namespace

TEST_CASE("packed packets are found wherever the decoder would inflate them") {
  std::string const plain = packet("\x08\x01"), zlib = "\x78\x9c\x01", gzip = "\x1f\x8b\x08",
                    zstd = "\x28\xb5\x2f\xfd", skipped = "\x50\x2a\x4d\x18";
  struct row {
    char const* name;
    std::string trace;
    bool packed;
  };
  row const rows[] = {
      {"nothing", "", false},
      {"plain packets", plain + plain, false},
      {"a gzip file", gzip + plain, true},
      {"a zstd file", zstd + plain, true},
      {"a zlib bundle", packet(field("\x92\x03", zlib)), true},
      {"a bundle with a gzip header", packet(field("\x92\x03", gzip)), true},
      {"a zstd bundle", packet(field("\xaa\x08", zstd)), true},
      {"one that begins with a frame to skip", packet(field("\xaa\x08", skipped)), true},
      {"one of an old version", packet(field("\xaa\x08", "\x27\xb5\x2f\xfd")), true},
      {"behind plain packets", plain + plain + packet(field("\x92\x03", zlib)), true},
      {"behind another field of its packet", packet("\x08\x01" + field("\xaa\x08", zstd)), true},
      {"behind another field of the trace", "\x10\x01" + packet(field("\x92\x03", zlib)), true},
      {"a tag longer than it need be", packet(field("\x92\x83\x80"s + '\0', zlib)), true},
      {"bytes that look like one, in a field of the trace", field("\x12", field("\x92\x03", zlib)), false},
      {"the same in another field of a packet", packet(field("\x12", field("\x92\x03", zlib))), false},
      {"both", packet(field("\x12", field("\x92\x03", zlib))) + packet(field("\xaa\x08", zstd)), true},
      {"what is no stream", packet(field("\x92\x03", "\x78\x9d\x01")), false},
      {"behind damage", plain + "\xff" + packet(field("\x92\x03", zlib)), false},
      {"cut off", packet(field("\x92\x03", zlib)).substr(0, 7), false},
  };
  for (auto const& r : rows) {
    INFO(r.name);
    CHECK(holds(r.trace) == r.packed);
  }
}
