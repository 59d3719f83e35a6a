#include "sdk/trace/text.hpp"

#include <catch2/catch.hpp>

#include "perfetto_decode/utf8.hpp"

namespace sdk = profile_relay::sdk;

TEST_CASE("names become readable") {
  struct row {
    std::string raw, readable;
  };
  auto const& [raw, readable] = GENERATE(values<row>({
      {"main", "main"},
      {"", ""},
      {"_ZN2ns4workIiEEvT_", "void ns::work<int>(int)"},
      {"_ZNSt6vectorIiSaIiEE9push_backEOi", "std::vector<int, std::allocator<int> >::push_back(int&&)"},
      {"_ZL6hiddenv.part.0", "hidden() [clone .part.0]"},
      {"_Znonsense", "_Znonsense"},
      {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
      {"a\xff"
       "b",
       "a\xef\xbf\xbd"
       "b"},
      {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
      {"\xf0\x9f\x98", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
      {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
  }));
  CHECK(sdk::function_name(raw) == readable);
}

TEST_CASE("every text of two bytes after a lead byte comes out as UTF-8, and well-formed ones unchanged") {
  for (unsigned lead = 0; lead < 256; ++lead)
    for (unsigned second = 0; second < 256; ++second)
      for (unsigned const third : {0u, 0x41u, 0x80u, 0xbfu, 0xffu})
        for (unsigned const fourth : {0u, 0x80u, 0xc3u}) {
          std::string raw;
          for (auto const byte : {lead, second, third, fourth}) raw += static_cast<char>(byte);
          auto const text = sdk::readable_text(raw);
          REQUIRE(profile_relay::perfetto_decode::is_utf8(text));
          REQUIRE((text == raw) == profile_relay::perfetto_decode::is_utf8(raw));
        }
}

TEST_CASE("long names end after a whole character, under 1 KiB") {
  CHECK(sdk::readable_text(std::string(5'000, 'x')).size() == 1'023);
  std::string umlauts;
  for (int i = 0; i < 1'000; ++i) umlauts += "\xc3\xbc";
  CHECK(sdk::readable_text(umlauts) == umlauts.substr(0, 1'022));
}
