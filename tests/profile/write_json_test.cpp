#include "profile/write_json.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <random>

#include "json_io.hpp"
#include "profile/decimal_table.hpp"
#include "worked_example.hpp"

using namespace profile_relay::profile;
using nlohmann::json;
using sample_v2::chunk;

namespace {

std::string time_text(std::int64_t ns) {
  chunk c;
  c.threads.emplace_back().id = "1";
  c.samples = {{ns, 0, 0}};
  const auto text = write(c);
  const auto from = text.find("\"timestamp\":") + 12;
  return text.substr(from, text.find(',', from) - from);
}

}  // namespace

TEST_CASE("times of converted samples are decimal seconds from integer nanoseconds") {
  struct row {
    std::int64_t ns;
    const char* text;
  };
  for (const auto& r : {
           row{1, "0.000000001"},
           row{999'999'999, "0.999999999"},
           row{1'000'000'000, "1.0"},
           row{1'790'000'000'000'000'000, "1790000000.0"},
           row{1'790'000'000'004'000'000, "1790000000.004"},
           row{1'790'000'000'100'000'000, "1790000000.1"},
           row{1'790'000'000'123'456'789, "1790000000.123456789"},
           row{1'790'000'000'000'000'010, "1790000000.00000001"},
           row{9'223'372'036'854'775'807, "9223372036.854775807"},
       }) {
    CHECK(time_text(r.ns) == r.text);
  }
}

TEST_CASE("the second is followed where it changes, forwards and backwards") {
  chunk c;
  c.threads.emplace_back().id = "1";
  const std::vector<std::int64_t> times{
      5, 999'999'999, 1'000'000'000, 65'999'999'999, 66'000'000'001, 3'000'000'002, 4};
  for (const auto t : times) c.samples.push_back({t, 0, 0});
  const auto samples = json::parse(write(c))["profile"]["samples"];
  for (std::size_t i = 0; i < times.size(); ++i)
    CHECK(samples[i]["timestamp"].get<double>() ==
          Approx(static_cast<double>(times[i]) * 1e-9).epsilon(1e-15));
}

TEST_CASE("an empty chunk has every part that consumers want") {
  chunk c;
  c.chunk_id.fill('a');
  c.profiler_id.fill('b');
  c.platform = "native";
  CHECK(write(c) ==
        R"({"chunk_id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","profiler_id":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",)"
        R"("platform":"native","release":null,"version":"2",)"
        R"("profile":{"samples":[],"stacks":[],"frames":[],"thread_metadata":{}}})");
}

TEST_CASE("texts of clients are escaped wherever they stand") {
  const std::string odd = "\"\\\n\x01 é";
  chunk c;
  c.platform = odd;
  c.release = std::string_view(odd);
  c.frames.emplace_back().function = std::string_view(odd);
  auto& t = c.threads.emplace_back();
  t.id = odd;
  t.has_metadata = true;
  c.samples = {{5, 0, 0}, {6, 0, 0}};
  const auto out = json::parse(write(c));
  CHECK(out["platform"] == odd);
  CHECK(out["release"] == odd);
  CHECK(out["profile"]["frames"][0]["function"] == odd);
  CHECK(out["profile"]["samples"][1]["thread_id"] == odd);
  CHECK(out["profile"]["thread_metadata"].contains(odd));
}

TEST_CASE("long thread ids, long stacks and many frames do not fit a block, and still come out whole") {
  const std::string long_id(20'000, 'x');
  for (const auto* id : {long_id.c_str(), "7"}) {
    chunk c;
    c.frames.resize(12'345);
    std::vector<std::vector<std::uint32_t>> stacks;
    for (std::size_t depth : {0U, 1U, 63U, 64U, 65U, 1000U, 12'345U, 0U}) {
      auto& s = stacks.emplace_back();
      for (std::size_t i = 0; i < depth; ++i) s.push_back(static_cast<std::uint32_t>(12'344 - i));
      for (const auto f : s) c.stacks.push(f);
      c.stacks.close();
    }
    c.threads.emplace_back().id = id;
    for (std::uint32_t i = 0; i < 300; ++i) c.samples.push_back({1 + i, i % 8, 0});
    const auto profile = json::parse(write(c))["profile"];
    CHECK(profile["stacks"] == json(stacks));
    REQUIRE(profile["samples"].size() == 300);
    for (std::size_t i = 0; i < 300; ++i) {
      CHECK(profile["samples"][i]["stack_id"] == i % 8);
      CHECK(profile["samples"][i]["thread_id"] == id);
    }
  }
}

TEST_CASE("decimals, with and without the table") {
  const auto text = [](decimal_table const& t, std::uint32_t v) {
    char buffer[16];
    return std::string(buffer, static_cast<std::size_t>(t.write(buffer, v) - buffer));
  };
  const decimal_table small(1000);
  for (const std::uint32_t v : {0U, 9U, 10U, 99U, 100U, 999U, 1000U, 65'535U, 1'000'000U, 4'294'967'295U})
    CHECK(text(small, v) == std::to_string(v) + ",");
  const decimal_table full(decimal_table::max_size + 5);
  for (const std::uint32_t v : {9'999'999U, 10'000'000U, 10'000'004U})
    CHECK(text(full, v) == std::to_string(v) + ",");
}

TEST_CASE("a text of exactly the limit passes, one byte less does not") {
  const auto c = read(worked_example);
  REQUIRE(c);
  CHECK(write_json(*c, 1791));
  const auto over = write_json(*c, 1790);
  REQUIRE_FALSE(over);
  CHECK(over.error().code == errc::exceed_size_limit);
}

TEST_CASE("what stands before the text stays, and counts for no limit") {
  const auto c = read(worked_example);
  REQUIRE(c);
  const auto alone = write_json(*c, 1791);
  REQUIRE(alone);
  const auto behind = write_json(*c, 1791, {std::string(1000, 'x'), 5000});
  REQUIRE(behind);
  CHECK(*behind == std::string(1000, 'x') + *alone);
  CHECK(behind->capacity() >= 1000 + 1791 + 5000);
  CHECK_FALSE(write_json(*c, 1790, {std::string(1000, 'x'), 0}));
  // Not UTF-8, as the head of a message is not.
  CHECK(write_json(*c, 1791, {"\xc6\xff", 0}));
}

TEST_CASE("no part can grow far beyond the limit") {
  constexpr std::size_t limit = 4096;
  chunk base;
  base.threads.emplace_back().id = "1";
  SECTION("frames") { base.frames.resize(5'000'00); }
  SECTION("stacks") {
    base.frames.resize(1);
    for (int i = 0; i < 500'000; ++i) base.stacks.push(0);
    base.stacks.close();
  }
  SECTION("samples") { base.samples.assign(500'000, {1, 0, 0}); }
  SECTION("threads") {
    for (int i = 0; i < 100'000; ++i) {
      auto& t = base.threads.emplace_back();
      t.id = "t";
      t.has_metadata = true;
    }
  }
  SECTION("images") {
    base.images.resize(100'000);
    for (auto& i : base.images) i.type = "jvm";
  }
  SECTION("measurements") {
    auto& m = base.measurements.emplace_back();
    m.values.resize(100'000);
  }
  const auto r = write_json(base, limit);
  REQUIRE_FALSE(r);
  CHECK(r.error().code == errc::exceed_size_limit);
}

TEST_CASE("text that is not UTF-8 is never written") {
  chunk c;
  c.platform = "\xff";
  const auto r = write_json(c, 4096);
  REQUIRE_FALSE(r);
  CHECK(r.error().code == errc::failed_serialization);
}

namespace {

/// A random chunk of a client as JSON, with every optional part present or not.
json random_chunk(std::mt19937& random) {
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  const auto maybe = [&] { return random() % 2 == 0; };
  const auto text = [&] {
    static const char* pieces[] = {"a", "/", "\"", "\\", "\n", "é", "日", "😀", "\x01", " ", "libc.so", ""};
    std::string s;
    for (auto n = below(6); n > 0; --n) s += pieces[below(12)];
    return s;
  };
  const auto hex = [&](std::size_t n) {
    std::string s;
    while (s.size() < n) s += "0123456789abcdef"[below(16)];
    return s;
  };
  json c{{"chunk_id", hex(32)}, {"profiler_id", hex(32)}, {"platform", "p" + text()}, {"version", "2"}};
  if (maybe()) c["release"] = text();
  if (maybe()) c["environment"] = text();
  if (maybe()) c["content_type"] = text();
  if (maybe()) c["client_sdk"] = {{"name", text()}, {"version", text()}};
  if (maybe()) {
    json m{{"unit", text()}, {"values", json::array()}};
    for (auto n = below(4); n > 0; --n)
      m["values"].push_back(
          {{"timestamp", static_cast<double>(random()) / 7}, {"value", -static_cast<double>(random()) / 3}});
    c["measurements"][text()] = m;
  }
  if (maybe())
    c["debug_meta"]["images"] = {{{"type", "symbolic"},
                                  {"code_file", text()},
                                  {"debug_id", "7f4a3eb0-885e-8d4c-a04b-05fa32cc4cbd"},
                                  {"image_addr", "0x" + std::to_string(1 + below(1000))},
                                  {"image_size", 1 + below(1000)}}};
  auto& p = c["profile"];
  p = {{"samples", json::array()},
       {"stacks", json::array()},
       {"frames", json::array()},
       {"thread_metadata", json::object()}};
  for (auto n = below(5); n > 0; --n) {
    json f = json::object();
    for (const auto* k : {"abs_path", "filename", "function", "module", "package", "platform"})
      if (maybe()) f[k] = text();
    if (maybe()) f["lineno"] = random() & 0xffff'ffffU;
    if (maybe()) f["colno"] = below(100);
    if (maybe()) f["in_app"] = maybe();
    if (maybe()) f["instruction_addr"] = "0x1" + hex(below(15));
    p["frames"].push_back(f);
  }
  for (auto n = below(5); n > 0; --n) {
    json s = json::array();
    for (auto d = below(5); d > 0; --d) s.push_back(below(5));
    p["stacks"].push_back(s);
  }
  for (auto n = below(8); n > 0; --n) {
    const auto thread = "t" + text();
    p["samples"].push_back({{"timestamp", 1.7e9 + static_cast<double>(random()) / 1e7},
                            {"stack_id", below(5)},
                            {"thread_id", thread}});
    if (maybe())
      p["thread_metadata"][thread] = maybe() ? json{{"name", text()}, {"priority", 3}} : json::object();
  }
  return c;
}

}  // namespace

TEST_CASE("what a client sent is what is written, and reading that changes nothing") {
  std::mt19937 random(2026);
  for (int i = 0; i < 2000; ++i) {
    auto sent = random_chunk(random);
    const auto once = read_and_write(sent.dump());
    if (!sent.contains("release")) sent["release"] = nullptr;
    CHECK(json::parse(once) == sent);
    CHECK(read_and_write(once) == once);
  }
}
