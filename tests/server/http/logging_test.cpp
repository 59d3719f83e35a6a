#include "server/io/logging.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace profile_relay::server;

TEST_CASE("a text line has its fields behind the message, quoted where they must be") {
  auto const packed =
      pack("ready", {{"http", "127.0.0.1:3000"}, {"kafka", "not configured (spool-only)"}, {"x", ""}});
  CHECK(text_line("T", "info", packed) ==
        "T info ready http=127.0.0.1:3000 kafka=\"not configured (spool-only)\" x=\"\"\n");
}

TEST_CASE("a JSON line is one JSON object, whatever is in it") {
  auto const packed =
      pack("a \"quoted\" \\ message", {{"what", "line\nbreak \xff \x1b[31m and \x1e separators \x1f"}});
  auto const line = json_line("T", "warning", packed);
  CHECK(line.ends_with("}\n"));
  CHECK(line.find('\n') == line.size() - 1);
  auto const json = nlohmann::json::parse(line);
  CHECK(json.at("msg") == "a \"quoted\" \\ message");
  CHECK(json.at("level") == "warning");
  CHECK(json.at("what").get<std::string>().starts_with("line break "));
}

TEST_CASE("nothing in a text line can start a line of its own") {
  auto const line = text_line("T", "info", pack("two\nlines", {{"k\n", "v\r\n2099 error fake=\"1\""}}));
  CHECK(line.find('\n') == line.size() - 1);
  CHECK(line.find('\r') == std::string::npos);
}

TEST_CASE("the gate opens once per key and hour") {
  hourly_gate gate(3);
  CHECK(gate.pass("a", 3600));
  CHECK_FALSE(gate.pass("a", 3601));
  CHECK_FALSE(gate.pass("a", 7199));
  CHECK(gate.pass("b", 3601));
  CHECK(gate.pass("a", 7200));
  CHECK(gate.pass("c", 7200));
  // Full: it forgets rather than grows, and at worst says something twice.
  CHECK(gate.pass("d", 7200));
  CHECK(gate.pass("a", 7201));
}
