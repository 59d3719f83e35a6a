#include "profile/ids.hpp"

#include <catch2/catch.hpp>

using namespace profile_relay::profile;
using namespace std::string_literals;

TEST_CASE("chunk ids: 32 hex digits, dashes and case do not matter") {
  const std::string id = "0123456789abcdef0123456789abcdef";
  const auto parsed = [](std::string_view text) {
    const auto v = parse_hex_id(text);
    return v ? std::string(sample_v2::text_of(*v)) : "refused"s;
  };
  CHECK(parsed(id) == id);
  CHECK(parsed("0123456789ABCDEF0123456789ABCDEF") == id);
  CHECK(parsed("01234567-89ab-cdef-0123-456789abcdef") == id);
  CHECK(parsed("") == "refused");
  CHECK(parsed("0123456789abcdef0123456789abcde") == "refused");
  CHECK(parsed(id + "0") == "refused");
  CHECK(parsed("0123456789abcdef0123456789abcdeg") == "refused");
}

TEST_CASE("debug ids are written with dashes, in lower case, with an age only if there is one") {
  const std::string plain = "7f4a3eb0-885e-8d4c-a04b-05fa32cc4cbd";
  struct row {
    std::string text, canonical;
  };
  for (const auto& r : {
           row{plain, plain},
           row{"7F4A3EB0885E8D4CA04B05FA32CC4CBD", plain},
           row{plain + "-0", plain},
           row{plain + "-1f", plain + "-1f"},
           row{"7F4A3EB0885E8D4CA04B05FA32CC4CBD00A", plain + "-a"},
           row{plain + "-", "refused"},
           row{plain + "-123456789", "refused"},
           row{plain + "-x", "refused"},
           row{"7f4a3eb0-885e8d4ca04b05fa32cc4cbd", "refused"},
           row{"7f4a3eb0", "refused"},
           row{"", "refused"},
       }) {
    INFO(r.text);
    CHECK(canonical_debug_id(r.text).value_or("refused") == r.canonical);
  }
  CHECK(canonical_uuid(plain) == plain);
  CHECK(canonical_uuid("7F4A3EB0885E8D4CA04B05FA32CC4CBD") == plain);
  CHECK_FALSE(canonical_uuid(plain + "-1"));
}

TEST_CASE("build ids become debug ids") {
  struct row {
    std::string build_id, debug_id;
  };
  for (const auto& r : {
           row{"\xb0\x3e\x4a\x7f\x5e\x88\x4c\x8d\xa0\x4b\x05\xfa\x32\xcc\x4c\xbd\x69\xfa\xff\x51"s,
               "7f4a3eb0-885e-8d4c-a04b-05fa32cc4cbd"},
           row{"\xaa\xbb\xcc\xdd"s, "ddccbbaa-0000-0000-0000-000000000000"},
           row{"3BBCFBD372448A727265C3E7C4D954F91", "3bbcfbd3-7244-8a72-7265-c3e7c4d954f9-1"},
           row{"3BBCFBD372448A727265C3E7C4D954F90", "3bbcfbd3-7244-8a72-7265-c3e7c4d954f9"},
           row{"3BBCFBD372448A727265C3E7C4D954F9x", "43424233-4246-3344-3732-343438413732"},
           row{"missing", "none"},
           row{"system", "none"},
           row{"", "none"},
       }) {
    INFO(r.build_id);
    CHECK(debug_id_of_build_id(r.build_id).value_or("none") == r.debug_id);
  }
}
