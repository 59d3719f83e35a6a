#include "worked_example.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "json_io.hpp"
#include "profile/kafka_record.hpp"
#include "profile/normalise.hpp"

using namespace profile_relay::profile;

TEST_CASE("the worked example is read, normalised and written back byte for byte") {
  const auto text = compact(worked_example);
  CHECK(text.size() == 1791);
  auto c = read(worked_example);
  REQUIRE(c);
  CHECK(write(*c) == text);
  std::uint64_t dropped = 0;
  REQUIRE(normalise(*c, dropped));
  CHECK(dropped == 0);
  CHECK(write(*c) == text);
}

TEST_CASE("its message in object-store mode has the bytes of the specification") {
  using namespace std::string_literals;
  profile_message m;
  m.organization_id = 1;
  m.project_id = 42;
  m.key_id = 1054;
  m.received = 1790000003;
  m.retention_days = 90;
  const auto payload = read_and_write(worked_example);
  m.payload = payload;
  m.attachments.push_back({"profile.perfetto", "application/x-perfetto-trace", "b7c1"});
  const auto value = encode(m);

  const auto head =
      "\x88"
      "\xa4\x74\x79\x70\x65\xad\x70\x72\x6f\x66\x69\x6c\x65\x5f\x63\x68\x75\x6e\x6b"
      "\xaf\x6f\x72\x67\x61\x6e\x69\x7a\x61\x74\x69\x6f\x6e\x5f\x69\x64\x01"
      "\xaa\x70\x72\x6f\x6a\x65\x63\x74\x5f\x69\x64\x2a"
      "\xa6\x6b\x65\x79\x5f\x69\x64\xcd\x04\x1e"
      "\xa8\x72\x65\x63\x65\x69\x76\x65\x64\xce\x6a\xb1\x3b\x83"
      "\xae\x72\x65\x74\x65\x6e\x74\x69\x6f\x6e\x5f\x64\x61\x79\x73\x5a"
      "\xa7\x70\x61\x79\x6c\x6f\x61\x64\xc5\x06\xff"s;
  const auto tail =
      "\xab\x61\x74\x74\x61\x63\x68\x6d\x65\x6e\x74\x73\x91\x83"
      "\xa4\x6e\x61\x6d\x65\xb0\x70\x72\x6f\x66\x69\x6c\x65\x2e\x70\x65\x72\x66\x65\x74\x74\x6f"
      "\xac\x63\x6f\x6e\x74\x65\x6e\x74\x5f\x74\x79\x70\x65\xbc"s
      "application/x-perfetto-trace"
      "\xa9\x73\x74\x6f\x72\x65\x64\x5f\x69\x64\xa4\x62\x37\x63\x31"s;
  CHECK(value == head + compact(worked_example) + tail);
  CHECK(value.size() == 1984);

  SECTION("in inline mode it starts with 89 and ends with the two raw keys") {
    const std::string trace = "\x0a\x02hi";
    m.attachments.clear();
    m.raw_profile = std::as_bytes(std::span{trace});
    m.raw_profile_content_type = "perfetto";
    auto inline_form = encode(m);
    auto expected = head + compact(worked_example) + "\xabraw_profile\xc4\x04" + trace +
                    "\xb8raw_profile_content_type\xa8perfetto";
    expected[0] = '\x89';
    CHECK(inline_form == expected);
  }
  SECTION("in the upstream form it starts with 86 and has no key_id") {
    m.attachments.clear();
    m.key_id.reset();
    const auto upstream = encode(m);
    CHECK(static_cast<unsigned char>(upstream[0]) == 0x86);
    CHECK_FALSE(nlohmann::json::from_msgpack(upstream).contains("key_id"));
  }
}
