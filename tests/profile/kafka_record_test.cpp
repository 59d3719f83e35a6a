#include "profile/kafka_record.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "profile/message_pack.hpp"

using namespace profile_relay::profile;
using nlohmann::json;

namespace {

profile_message small_message(std::string_view payload) {
  profile_message m;
  m.organization_id = 1;
  m.project_id = 42;
  m.key_id = 1054;
  m.received = 1790000003;
  m.payload = payload;
  return m;
}

std::span<const std::byte> bytes_of(std::string const& s) { return std::as_bytes(std::span{s}); }

json unpack(std::string const& value) { return json::from_msgpack(value.begin(), value.end()); }

std::string as_string(json const& binary) {
  auto const& b = binary.get_binary();
  return {b.begin(), b.end()};
}

}  // namespace

TEST_CASE("each key of the message has the type, the place and the value of the table") {
  const std::string trace("\x0a\x00\xff trace", 9);
  auto m = small_message("{}");
  m.attachments.push_back({"profile.perfetto", "application/x-perfetto-trace", "b7c1"});
  m.raw_profile = bytes_of(trace);
  m.raw_profile_content_type = "perfetto";
  const auto value = encode(m);

  const auto decoded = unpack(value);
  CHECK(decoded.size() == 10);
  CHECK(decoded["type"] == "profile_chunk");
  CHECK(decoded["organization_id"] == 1);
  CHECK(decoded["project_id"] == 42);
  CHECK(decoded["key_id"] == 1054);
  CHECK(decoded["received"] == 1790000003);
  CHECK(decoded["retention_days"] == 90);
  CHECK(as_string(decoded["payload"]) == "{}");
  CHECK(decoded["attachments"][0]["stored_id"] == "b7c1");
  CHECK(as_string(decoded["raw_profile"]) == trace);
  CHECK(decoded["raw_profile_content_type"] == "perfetto");

  std::size_t last = 0;
  for (const auto* key : {"type", "organization_id", "project_id", "key_id", "received", "retention_days",
                          "payload", "attachments", "raw_profile", "raw_profile_content_type"}) {
    const auto at = value.find(std::string(1, static_cast<char>(0xa0 + std::strlen(key))) + key, last);
    INFO(key);
    REQUIRE(at != std::string::npos);
    last = at + 1;
  }
}

TEST_CASE("the map header tells the form") {
  const std::string trace = "t";
  struct row {
    bool key_id, attachment, raw;
    unsigned header;
  };
  for (const auto& r :
       {row{false, false, false, 0x86}, row{true, false, false, 0x87}, row{true, true, false, 0x88},
        row{true, false, true, 0x89}, row{false, false, true, 0x88}}) {
    auto m = small_message("{}");
    if (!r.key_id) m.key_id.reset();
    if (r.attachment) m.attachments.push_back({"a", "b", "c"});
    if (r.raw) m.raw_profile = bytes_of(trace);
    const auto value = encode(m);
    CHECK(static_cast<unsigned char>(value[0]) == r.header);
    CHECK(unpack(value).contains("key_id") == r.key_id);
  }
}

TEST_CASE("payloads take the shortest bin form") {
  struct row {
    std::size_t size;
    std::string header;
  };
  using namespace std::string_literals;
  for (const auto& r : {row{255, "\xc4\xff"s}, row{256, "\xc5\x01\x00"s}, row{65'535, "\xc5\xff\xff"s},
                        row{65'536, "\xc6\x00\x01\x00\x00"s}}) {
    const std::string payload(r.size, 'x');
    const auto value = encode(small_message(payload));
    CHECK(value.find("\xa7payload" + r.header + "x") != std::string::npos);
    CHECK(as_string(unpack(value)["payload"]) == payload);
  }
}

TEST_CASE("integers and strings take their shortest form") {
  const auto written = [](auto&& write) {
    std::string out;
    message_pack::writer w(out);
    write(w);
    return out;
  };
  for (std::uint64_t v : {0ULL, 127ULL, 128ULL, 255ULL, 256ULL, 65'535ULL, 65'536ULL, 0xffff'ffffULL,
                          0x1'0000'0000ULL, ~0ULL}) {
    const auto out = written([v](message_pack::writer& w) { w.uint(v); });
    CHECK(unpack(out) == v);
    const auto reference = json::to_msgpack(v);
    CHECK(out == std::string(reference.begin(), reference.end()));
    CHECK(message_pack::reader(out).uint() == v);
  }
  for (std::size_t n : {0U, 31U, 32U, 255U, 256U, 65'535U, 65'536U}) {
    const std::string text(n, 's');
    const auto out = written([&](message_pack::writer& w) { w.str(text); });
    const auto reference = json::to_msgpack(text);
    CHECK(out == std::string(reference.begin(), reference.end()));
    CHECK(message_pack::reader(out).str() == text);
  }
}

TEST_CASE("a profile record has no key and one header") {
  const auto r = make_profile_record(small_message("{}"), "0123456789abcdef0123456789abcdef", 1790000003120);
  CHECK(r.topic == logical_topic::profiles);
  CHECK_FALSE(r.key);
  CHECK(r.headers == std::vector<std::pair<std::string, std::string>>{{"project_id", "42"}});
  CHECK(r.chunk_id == "0123456789abcdef0123456789abcdef");
  CHECK(r.received_ms == 1790000003120);
  CHECK(r.raw_offset == 0);
}

TEST_CASE("a record made around its payload is the one made of a copy") {
  const std::string trace(300, 't');
  // Around the lengths at which the payload's own length takes another byte.
  for (const std::size_t size : {0U, 1U, 255U, 256U, 65'535U, 65'536U}) {
    for (const bool with_raw : {false, true}) {
      CAPTURE(size, with_raw);
      const std::string payload(size, 'p');
      auto m = small_message({});
      auto text = encode_head(m);  // before it is known whether the raw trace stays
      text += payload;
      m.payload = payload;
      if (with_raw) {
        m.raw_profile = bytes_of(trace);
        m.raw_profile_content_type = "perfetto";
      }
      const auto copied = make_profile_record(m, "c", 7);
      const auto around = finish_profile_record(m, text, "c", 7);
      CHECK(around.value == copied.value);
      CHECK(around.raw_offset == copied.raw_offset);
      CHECK(as_string(unpack(around.value)["payload"]) == payload);
      CHECK(copied.value.size() <= encode_head(m).size() + size + tail_size(m));
    }
  }
}

TEST_CASE("stripping the raw trace leaves the message that never had one") {
  const std::string trace(70'000, 't');
  for (const bool with_key_id : {true, false}) {
    auto m = small_message("{\"a\":1}");
    if (!with_key_id) m.key_id.reset();
    const auto without = encode(m);
    m.raw_profile = bytes_of(trace);
    m.raw_profile_content_type = "application/x-perfetto-trace";
    auto record = make_profile_record(m, "c", 0);
    CHECK(record.value.compare(record.raw_offset, 12, "\xabraw_profile") == 0);
    REQUIRE(strip_raw_profile(record));
    CHECK(record.value == without);
    CHECK_FALSE(strip_raw_profile(record));
    CHECK(record.value == without);
  }
}

TEST_CASE("what encode wrote is read back") {
  const std::string trace(300, 't');
  auto m = small_message("{\"a\":1}");
  m.attachments.push_back({"profile.perfetto", "application/x-perfetto-trace", "b7c1"});
  m.raw_profile = bytes_of(trace);
  m.raw_profile_content_type = "perfetto";
  const auto value = encode(m);
  const auto read = decode_profile_message(value);
  REQUIRE(read);
  CHECK(read->organization_id == 1);
  CHECK(read->project_id == 42);
  CHECK(read->received == 1790000003);
  CHECK(read->payload == "{\"a\":1}");
  CHECK(read->raw_profile == trace);
  CHECK(read->raw_profile_content_type == "perfetto");

  SECTION("no prefix of it is a message") {
    for (std::size_t n = 0; n < value.size(); ++n)
      CHECK_FALSE(decode_profile_message(std::string_view(value).substr(0, n)));
  }
  SECTION("nor is it with a byte behind it") { CHECK_FALSE(decode_profile_message(value + "x")); }
  SECTION("a damaged byte never leads outside") {
    for (std::size_t i = 0; i < value.size(); ++i)
      for (const int flip : {0x01, 0x80, 0xff}) {
        auto damaged = value;
        damaged[i] = static_cast<char>(damaged[i] ^ flip);
        const auto m2 = decode_profile_message(damaged);
        if (m2) CHECK(m2->payload.size() <= damaged.size());
      }
  }
}

// librdkafka 2.0.2 with message.max.bytes 50,000 took values of up to these sizes and refused one byte more.
TEST_CASE("wire size is what librdkafka compares with message.max.bytes") {
  kafka_record r;
  r.value.assign(49'964, 'v');
  CHECK(r.wire_size() == 50'000);

  r.value.assign(49'948, 'v');
  r.key.emplace(16, 'k');
  CHECK(r.wire_size() == 50'000);

  r.key.reset();
  r.value.assign(49'950, 'v');
  r.headers = {{"project_id", "42"}};
  CHECK(r.wire_size() == 50'000);

  r.value.assign(49'560, 'v');
  r.headers = {{std::string(200, 'n'), std::string(200, 'v')}};
  CHECK(r.wire_size() == 50'000);
}

TEST_CASE("memory covers what the record holds") {
  kafka_record r;
  r.value.assign(10'000, 'v');
  CHECK(r.memory() >= 10'000 + sizeof r);
  CHECK(r.memory() < 12'000 + sizeof r);
}
