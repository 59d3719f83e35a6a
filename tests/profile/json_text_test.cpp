#include "profile/json_text.hpp"

#include <catch2/catch.hpp>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

using namespace profile_relay::profile;

namespace {
std::string string_text(std::string_view s) {
  std::string out;
  json_text::append_string(out, s);
  return out;
}
std::string number_text(double v) {
  std::string out;
  json_text::append_number(out, v);
  return out;
}
}  // namespace

TEST_CASE("strings are escaped as JSON demands and otherwise left alone") {
  CHECK(string_text("") == R"("")");
  CHECK(string_text("plain /path\x7f") == "\"plain /path\x7f\"");
  CHECK(string_text("\"\\\b\f\n\r\t") == R"("\"\\\b\f\n\r\t")");
  CHECK(string_text(std::string_view("\0\x01\x1f", 3)) == R"("\u0000\u0001\u001f")");
  CHECK(string_text("zażółć 日本 😀") == "\"zażółć 日本 😀\"");
}

TEST_CASE("an escape is found wherever it stands") {
  for (std::size_t size = 1; size < 40; ++size)
    for (std::size_t at = 0; at < size; ++at)
      for (const char c : {'\x1f', '"', '\\', '\0', ' ', '\x80', '!'}) {
        std::string s(size, 'a');
        s[at] = c;
        if (c == '\x80') s.replace(at, 1, "\xc2\x80");
        CHECK(nlohmann::json::parse(string_text(s)).get<std::string>() == s);
      }
}

TEST_CASE("numbers: shortest form, a digit after the point, no exponent below 1e15") {
  CHECK(number_text(0) == "0.0");
  CHECK(number_text(1790000000.0) == "1790000000.0");
  CHECK(number_text(1790000000.0099) == "1790000000.0099");
  CHECK(number_text(12.5) == "12.5");
  CHECK(number_text(-3) == "-3.0");
  CHECK(number_text(0.1) == "0.1");
  CHECK(number_text(1e-7) == "0.0000001");
  CHECK(number_text(999'999'999'999'999.0) == "999999999999999.0");
  CHECK(number_text(1e15) == "1e+15");
  CHECK(number_text(1.7976931348623157e308) == "1.7976931348623157e+308");
  CHECK(number_text(std::numeric_limits<double>::denorm_min()).size() == 326);
}

TEST_CASE("any finite number reads back the same") {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const auto bits = random();
    double v;
    std::memcpy(&v, &bits, 8);
    if (!std::isfinite(v)) continue;
    CHECK(nlohmann::json::parse(number_text(v)).get<double>() == v);
    CHECK(std::strtod(number_text(v).c_str(), nullptr) == v);
  }
}

TEST_CASE("numbers with few decimals have the form of all others") {
  const auto reference = [](double v) {
    char text[400];
    std::string out(text, std::to_chars(text, text + sizeof text, v, std::chars_format::fixed).ptr);
    return out.find('.') == std::string::npos ? out + ".0" : out;
  };
  std::mt19937_64 random(11);
  int wrong = 0;
  const auto look = [&](double v) { wrong += number_text(v) != reference(v) ? 1 : 0; };
  for (int i = 0; i < 200'000; ++i) {
    const auto whole =
        static_cast<double>(random() >> (31 + random() % 33));         // up to 33 bits: past the edge too
    const auto decimals = static_cast<double>(random() % 10'000'000);  // up to seven: one too many
    look(whole + decimals / 1e7);
    look((whole * 1e6 + decimals) / 1e6);
    look(std::nextafter((whole * 1e6 + decimals) / 1e6, random() % 2 != 0 ? 0.0 : 1e10));
  }
  CHECK(wrong == 0);
  CHECK(number_text(-0.0) == "-0.0");
  CHECK(number_text(4294967295.999999) == "4294967295.999999");
  CHECK(number_text(0.0000005) == "0.0000005");
}

TEST_CASE("addresses are strings of lower-case hex") {
  std::string out;
  json_text::append_address(out, 0x7a10001234);
  json_text::append_address(out, 0);
  json_text::append_address(out, ~0ULL);
  CHECK(out == R"("0x7a10001234""0x0""0xffffffffffffffff")");
}
