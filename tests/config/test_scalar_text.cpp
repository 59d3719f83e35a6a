#include <catch2/catch.hpp>
#include <cmath>

#include "config/edit_distance.hpp"
#include "config/scalar_text.hpp"

using namespace profile_relay::config;

TEST_CASE("sizes: bytes, powers of 1000 and of 1024, checked for overflow") {
  struct row {
    std::string text;
    std::uint64_t bytes;
  };
  for (auto const& [text, bytes] : {row{"0", 0},
                                    {"1", 1},
                                    {"52428800", 52'428'800},
                                    {"7B", 7},
                                    {"1KB", 1'000},
                                    {"1MB", 1'000'000},
                                    {"1GB", 1'000'000'000},
                                    {"1KiB", 1'024},
                                    {"50MiB", 52'428'800},
                                    {"2GiB", 2'147'483'648},
                                    {"3 MB", 3'000'000},
                                    {"0007KiB", 7'168},
                                    {"18446744073709551615", 18'446'744'073'709'551'615u},
                                    {"17179869183GiB", 18'446'744'072'635'809'792u}}) {
    INFO(text);
    auto const parsed = parse_size(text);
    CHECK_FALSE(parsed.problem);
    CHECK(parsed.value == bytes);
  }
  for (auto const* text : {"", " ", "MiB", "1mb", "1Mib", "1kB", "1TB", "1M", "1.5MiB", "1  MB", " 1MB",
                           "1MB ", "+1", "0x10", "1e3", "1_000", "one", "-", "- 1"}) {
    INFO("'" << text << "'");
    CHECK(parse_size(text).problem == errc::wrong_type);
  }
  for (auto const* text :
       {"18446744073709551616", "17179869184GiB", "99999999999999999999999KB", "-1", "-1MiB"}) {
    INFO(text);
    CHECK(parse_size(text).problem == errc::out_of_range);
  }
}

TEST_CASE("a printed size reads back as itself") {
  for (std::uint64_t const bytes : {0ull, 1ull, 1'000ull, 1'023ull, 1'024ull, 1'025ull, 1'048'576ull,
                                    52'428'800ull, 50'000'000ull, 1ull << 30, 5ull << 30, ~0ull}) {
    INFO(bytes << " " << print_size(bytes));
    CHECK(parse_size(print_size(bytes)).value == bytes);
  }
  CHECK(print_size(52'428'800) == "50MiB");
  CHECK(print_size(1'536) == "1536");
}

TEST_CASE("booleans and fractions") {
  for (auto const* text : {"true", "True", "TRUE"}) CHECK(parse_boolean(text) == true);
  for (auto const* text : {"false", "False"}) CHECK(parse_boolean(text) == false);
  for (auto const* text : {"", "yes", "no", "on", "1", "0", "t"}) CHECK_FALSE(parse_boolean(text));
  for (auto const* text : {"0", "1", "0.5", "0.95", "1.0"}) {
    REQUIRE(parse_fraction(text));
    CHECK(*parse_fraction(text) == Approx(std::stod(text)));
  }
  for (auto const* text : {"", "nan", "inf", "1e-1", "0,5", "50%", "0.5 ", "0x1"})
    CHECK_FALSE(parse_fraction(text));
  for (double const value : {0.0, 0.1, 0.95, 1.0, 1.0 / 3})
    CHECK(parse_fraction(print_fraction(value)) == value);
}

TEST_CASE("edit distance") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("port", "prot") == 2);
  CHECK(edit_distance(std::string(100'000, 'a'), "b") == 128);
}
