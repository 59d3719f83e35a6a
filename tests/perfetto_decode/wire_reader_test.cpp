// The wire reader against protobuf's CodedInputStream, field by field, one message level at a time. The rule
// and its two exceptions are in tests/fuzz/wire_oracle.hpp.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/wire_oracle.hpp"

namespace fs = std::filesystem;
namespace fuzz = profile_relay::fuzz;
namespace pd = profile_relay::perfetto_decode;

namespace {

using bytes = std::vector<std::byte>;

bytes of_text(std::string const& s) {
  auto const view = std::as_bytes(std::span(s.data(), s.size()));
  return {view.begin(), view.end()};
}

std::string hex(bytes const& b) {
  std::string out;
  for (auto const x : b) {
    constexpr char digits[] = "0123456789abcdef";
    out += {digits[std::to_integer<unsigned>(x) >> 4], digits[std::to_integer<unsigned>(x) & 15u], ' '};
  }
  return out;
}

/// Every message of every golden trace, on every level. Names and other bytes are taken as messages too.
void collect_messages(pd::byte_span message, std::vector<bytes>& to) {
  to.emplace_back(message.begin(), message.end());
  pd::wire_reader r(message);
  while (r.next())
    if (r.is_bytes() && !r.bytes().empty()) collect_messages(r.bytes(), to);
}

std::vector<bytes> const& golden_messages() {
  static auto const all = [] {
    std::vector<bytes> messages;
    for (auto const& e : fs::directory_iterator(fs::path(TEST_BUILD_DIR) / "traces")) {
      std::ifstream f(e.path(), std::ios::binary);
      auto const trace = of_text({std::istreambuf_iterator<char>(f), {}});
      collect_messages(trace, messages);
    }
    return messages;
  }();
  return all;
}

class source {
 public:
  explicit source(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }
  std::byte any() { return static_cast<std::byte>(below(256)); }

  bytes noise(std::size_t size) {
    bytes b(size);
    for (auto& x : b) x = any();
    return b;
  }

  /// Varints of every length, now and then longer than need be or with bits above the 64th.
  void varint(bytes& to) {
    std::uint64_t v = random_() >> below(64);
    std::size_t const padding = below(8) == 0 ? below(10) : 0;
    for (std::size_t i = 0; i < 10; ++i) {
      bool const last = (v >> 7) == 0 && i >= padding;
      to.push_back(static_cast<std::byte>((v & 0x7fu) | (last || i == 9 ? 0u : 0x80u)));
      if (last) break;
      v >>= 7;
    }
    if (below(64) == 0) to.back() |= std::byte{0x40};
  }

  void tag(bytes& to, unsigned type) {
    if (below(16) == 0) return varint(to);
    std::uint64_t const number = below(8) == 0 ? 1 + below(1u << 28) : 1 + below(30);
    std::uint64_t v = number << 3 | type;
    // Bits that must not count: protobuf keeps 32.
    if (below(32) == 0) v |= std::uint64_t{1 + below(255)} << (32 + below(24));
    for (; v > 0x7f; v >>= 7) to.push_back(static_cast<std::byte>(v | 0x80u));
    to.push_back(static_cast<std::byte>(v));
  }

  /// A message of well-formed fields, most of the time.
  bytes message() {
    bytes b;
    for (auto n = below(6); n != 0; --n) {
      static constexpr unsigned types[] = {0, 0, 0, 2, 2, 2, 1, 5};
      unsigned const type =
          below(200) == 0 ? static_cast<unsigned>(below(8)) : types[below(std::size(types))];
      tag(b, type);
      auto const body = noise(type == 1 ? 8 : type == 5 ? 4 : below(20));
      if (type == 0) {
        varint(b);
        continue;
      }
      if (type == 2) b.push_back(static_cast<std::byte>(body.size()));
      b.insert(b.end(), body.begin(), body.end());
    }
    return b;
  }

  bytes damaged(bytes b) {
    for (auto n = below(3); n != 0; --n) {
      std::size_t const at = below(b.size() + 1);
      auto const place = b.begin() + static_cast<std::ptrdiff_t>(at);
      switch (below(5)) {
        case 0:
          b.insert(place, any());
          break;
        case 1:
          b.resize(at);
          break;
        case 2:
          if (at < b.size()) b.erase(place);
          break;
        default:
          if (at < b.size()) b[at] ^= static_cast<std::byte>(1u << below(8));
      }
    }
    return b;
  }

 private:
  std::mt19937_64 random_;
};

struct tally {
  std::size_t inputs = 0, fields = 0;
  std::size_t accepted = 0, refused = 0, groups = 0, long_lengths = 0;

  void take(bytes const& message) {
    auto const result = fuzz::compare_wire(message);
    if (result.verdict == fuzz::wire_verdict::disagreement) FAIL(result.what << " of " << hex(message));
    ++inputs;
    fields += result.fields;
    accepted += result.verdict == fuzz::wire_verdict::accepted ? 1 : 0;
    refused += result.verdict == fuzz::wire_verdict::refused ? 1 : 0;
    groups += result.verdict == fuzz::wire_verdict::group ? 1 : 0;
    long_lengths += result.verdict == fuzz::wire_verdict::long_length ? 1 : 0;
    for (std::uint32_t const number : {1u, 2u, 7u, 15u}) {
      auto const repeated = fuzz::compare_repeated(message, number);
      if (repeated.verdict == fuzz::wire_verdict::disagreement) FAIL(repeated.what << " of " << hex(message));
    }
  }
};

}  // namespace

TEST_CASE("the wire reader reads what protobuf reads") {
  source random(20260901);
  tally all;
  REQUIRE(golden_messages().size() > 500);
  for (auto const& m : golden_messages()) {
    all.take(m);
    for (int i = 0; i < 12; ++i) all.take(random.damaged(m));
  }
  for (int i = 0; i < 30'000; ++i) all.take(random.noise(random.below(24)));
  for (int i = 0; i < 30'000; ++i) all.take(random.message());
  for (int i = 0; i < 10'000; ++i) all.take(random.damaged(random.message()));

  CAPTURE(all.inputs, all.fields, all.accepted, all.refused, all.groups, all.long_lengths);
  // Worth something only if both ways are walked, and the exceptions stay exceptions.
  CHECK(all.accepted * 3 >= all.inputs);
  CHECK(all.refused * 10 >= all.inputs);
  CHECK(all.groups * 5 <= all.inputs);
  CHECK(all.long_lengths * 50 <= all.inputs);
  CHECK(all.groups > 0);
  CHECK(all.long_lengths > 0);
}

TEST_CASE("repeated integers, packed, not packed and mixed, as protobuf reads them") {
  source random(20260902);
  std::size_t values = 0, accepted = 0;
  constexpr std::size_t inputs = 20'000;
  for (std::size_t i = 0; i < inputs; ++i) {
    bytes b;
    for (auto n = random.below(8); n != 0; --n) {
      switch (random.below(4)) {
        case 0: {
          bytes run;
          for (auto k = random.below(6); k != 0; --k) random.varint(run);
          b.push_back(std::byte{0x12});
          b.push_back(static_cast<std::byte>(run.size()));
          b.insert(b.end(), run.begin(), run.end());
          break;
        }
        case 1:
          random.tag(b, 0);
          random.varint(b);
          break;
        default:
          b.push_back(std::byte{0x10});
          random.varint(b);
      }
    }
    if (random.below(4) == 0) b = random.damaged(b);
    auto const result = fuzz::compare_repeated(b, 2);
    if (result.verdict == fuzz::wire_verdict::disagreement) FAIL(result.what << " of " << hex(b));
    values += result.fields;
    accepted += result.verdict == fuzz::wire_verdict::accepted ? 1 : 0;
  }
  CAPTURE(values, accepted);
  CHECK(values > inputs);
  CHECK(accepted * 3 >= inputs);
}

TEST_CASE("the edges of the wire format, one by one") {
  using enum fuzz::wire_verdict;
  struct row {
    const char* what;
    std::string message;
    fuzz::wire_verdict verdict;
  };
  using std::string_literals::operator""s;
  for (auto const& x :
       {row{"nothing", "", accepted},
        row{"field number 0", "\x00\x01"s, refused},
        row{"field number 0, length-delimited", "\x02\x00"s, refused},
        row{"the greatest field number", "\xf8\xff\xff\xff\x0f\x01"s, accepted},
        row{"a tag of five bytes with bits above the 32nd", "\x88\x80\x80\x80\x70\x01"s, accepted},
        row{"a tag of ten bytes", "\x88\x80\x80\x80\x80\x80\x80\x80\x80\x01\x01"s, accepted},
        row{"a tag of eleven bytes", "\x88\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00\x01"s, refused},
        row{"a tag whose low 32 bits are 0", "\x80\x80\x80\x80\x10\x01"s, refused},
        row{"a tag longer than it need be", "\x88\x80\x00\x01"s, accepted},
        row{"a value of ten bytes with bits above the 64th", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"s,
            accepted},
        row{"a value of eleven bytes", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s, refused},
        row{"a value cut off", "\x08\x80"s, refused},
        row{"a tag without a value", "\x08"s, refused},
        row{"bytes cut off", "\x0a\x03\x61\x62"s, refused},
        row{"a length longer than it need be", "\x0a\x81\x00x"s, accepted},
        row{"a length beyond 31 bits", "\x0a\xff\xff\xff\xff\x0f"s, refused},
        row{"a length beyond 32 bits", "\x0a\x81\x80\x80\x80\x10x"s, long_length},
        row{"fixed64", "\x09\x01\x02\x03\x04\x05\x06\x07\x08"s, accepted},
        row{"fixed64 cut off", "\x09\x01\x02\x03\x04\x05\x06\x07"s, refused},
        row{"fixed32", "\x0d\x01\x02\x03\x04"s, accepted},
        row{"fixed32 cut off", "\x0d\x01\x02\x03"s, refused},
        row{"a group", "\x0b\x0c"s, group},
        row{"the end of a group", "\x0c"s, group},
        row{"wire type 6", "\x0e\x00"s, refused},
        row{"wire type 7", "\x0f\x00"s, refused}}) {
    INFO(x.what);
    auto const message = of_text(x.message);
    auto const result = fuzz::compare_wire(message);
    INFO(result.what);
    CHECK(static_cast<int>(result.verdict) == static_cast<int>(x.verdict));
    auto const repeated = fuzz::compare_repeated(message, 1);
    INFO(repeated.what);
    CHECK(repeated.verdict != disagreement);
  }
}
