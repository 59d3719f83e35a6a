#include "server/io/text_table.hpp"

#include <catch2/catch.hpp>
#include <cstdint>
#include <sstream>

using namespace profile_relay::server;

TEST_CASE("numbers for people") {
  CHECK(with_commas(0) == "0");
  CHECK(with_commas(999) == "999");
  CHECK(with_commas(1000) == "1,000");
  CHECK(with_commas(45'882'007) == "45,882,007");
  CHECK(human_bytes(1) == "1 byte");
  CHECK(human_bytes(1023) == "1,023 bytes");
  CHECK(human_bytes(2'548'040) == "2.43 MiB");
  CHECK(seconds(7'800'000'000) == "7.800 s");
  CHECK(seconds(-1'999'999) == "-0.001 s");
  CHECK(seconds(INT64_MIN) == "-9,223,372,036.854 s");
  CHECK(printable("a\x1b[2Jb\n") == "a?[2Jb?");
}

TEST_CASE("columns are aligned, and a long list says what it leaves out") {
  text_table t({">n", "name", "note"});
  t.add({"1", "a", ""});
  t.add({"1,000", "longer", "x"});
  t.add({"2", "b", "y"});
  std::ostringstream out;
  t.print(out, 2);
  CHECK(out.str() ==
        "      n  name    note\n"
        "      1  a\n"
        "  1,000  longer  x\n"
        "  ... and 1 more (--all shows them)\n");
  out.str("");
  t.print(out, 0);
  CHECK(out.str().find("more") == std::string::npos);
}
