// The one-look verdict of the text traces, and of what is no trace.
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "server/io/inspection.hpp"

using namespace profile_relay::server;

namespace {

std::string read_trace(std::string const& name) {
  std::ifstream f(std::string(TEST_BUILD_DIR) + "/traces/" + name + ".pftrace", std::ios::binary);
  std::stringstream s;
  s << f.rdbuf();
  return s.str();
}

std::string code_of(std::string const& bytes) {
  return std::string(inspect_trace(std::as_bytes(std::span(bytes.data(), bytes.size()))).verdict.code);
}

}  // namespace

TEST_CASE("verdicts") {
  // Its two snapshots without its samples.
  auto const whole = read_trace("clock_default_monotonic_suspend");
  REQUIRE(whole.size() > 60);
  CHECK(code_of(whole) == "usable");
  CHECK(code_of("") == "empty");
  CHECK(code_of("garbage") == "rejected");
  CHECK(code_of(std::string("\x0a\x02\x50\x01", 4)) == "empty");                       // one packet
  CHECK(code_of(std::string("\x0a\x05\x68\x02\x92\x04\x00", 7)) == "nothing_usable");  // flag 2, no sequence
  CHECK(code_of(std::string("\x0a\x03\x92\x04\x00", 5)) == "nothing_usable");          // no stack
  CHECK(code_of(read_trace("state_clear_redefines_iids")) == "losses");
  CHECK(code_of(read_trace("interning_after_use")) == "rejected");  // one sample of one thread
}
