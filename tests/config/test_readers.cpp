#include <catch2/catch.hpp>

#include "config/document.hpp"
#include "config/project.hpp"
#include "support.hpp"

using namespace profile_relay::config;
using namespace config_test;

TEST_CASE("JSON values carry their line") {
  auto const n = parse_json(
      "f", "{\n \"a\": 1,\n \"b\": {\"c\":\n [true,\n -2, 1.50e1, null]},\n\"d\": \"x\\n\\u00e9\"}");
  INFO(message(n));
  REQUIRE(n);
  REQUIRE(n.value().is(node::kind::map));
  CHECK(n.value().line == 1);
  CHECK(n.value().find("a")->line == 2);
  CHECK(n.value().find("a")->scalar == "1");
  CHECK(n.value().find("b")->line == 3);
  auto const& list = *n.value().find("b")->find("c");
  REQUIRE(list.items.size() == 4);
  CHECK(list.line == 3);
  CHECK(list.items[0].line == 4);
  CHECK(list.items[0].is(node::kind::boolean));
  CHECK(list.items[1].line == 5);
  CHECK(list.items[1].scalar == "-2");
  CHECK(list.items[2].scalar == "1.50e1");
  CHECK(list.items[3].is(node::kind::null));
  CHECK(n.value().find("d")->line == 6);
  CHECK(n.value().find("d")->scalar == "x\n\xc3\xa9");
  CHECK(n.value().find("e") == nullptr);
}

TEST_CASE("of a JSON key given twice the last one counts") {
  auto const n = parse_json("f", R"({"a": 1, "a": 2})");
  REQUIRE(n);
  CHECK(n.value().find("a")->scalar == "2");
}

TEST_CASE("JSON errors say where") {
  struct row {
    std::string text;
    std::string where;
  };
  for (auto const& [text, where] : {row{"", "f:1: column 1: not valid JSON: "},
                                    {"{\n  \"a\": 1,\n  \"b\" 2\n}", "f:3: column 7: not valid JSON: "},
                                    {"{\"a\": [1, 2}", "f:1: column 12: not valid JSON: "},
                                    {"[1] x", "f:1: column 5: not valid JSON: "},
                                    {"{\"a\": \"\xff\"}", "f:1: column 8: not valid JSON: "},
                                    {"[\n1e999]", "f:2: column 5: not valid JSON: "}}) {
    auto const n = parse_json("f", text);
    INFO(text << " -> " << message(n));
    REQUIRE(!n);
    CHECK(n.error().code == errc::syntax);
    CHECK(message(n).starts_with(where));
    CHECK_FALSE(contains(message(n), "json.exception"));
    CHECK_FALSE(contains(message(n), "last read"));
    CHECK(message(n).find('\xff') == std::string::npos);
  }
}

TEST_CASE("nesting is bounded in both languages") {
  auto const nested = [](int levels) {
    return std::string(static_cast<std::size_t>(levels), '[') +
           std::string(static_cast<std::size_t>(levels), ']');
  };
  CHECK(parse_json("f", nested(64)));
  CHECK(message(parse_json("f", nested(65))) == "f:1: column 65: nested deeper than 64 levels");
  CHECK_FALSE(parse_json("f", std::string(5'000'000, '[')));
  CHECK_FALSE(parse_json("f", "{\"a\":" + std::string(1'000'000, '[')));
  CHECK(parse_yaml("f", nested(64)));
  CHECK(message(parse_yaml("f", nested(65))) == "f:1: nested deeper than 64 levels");
  CHECK_FALSE(parse_yaml("f", std::string(100'000, '[')));
}

TEST_CASE("the number of values is bounded, YAML aliases counted") {
  std::string many = "[0";
  for (int i = 0; i < 200'000; ++i) many += ",0";
  CHECK(contains(message(parse_json("f", many + "]")), "more than 200000 values"));
  std::string bomb = "a0: &a0 [x]\n";
  for (int i = 1; i < 40; ++i) {
    auto const last = std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + last + ", *a" + last + "]\n";
  }
  CHECK(contains(message(parse_yaml("f", bomb)), "more than 200000 values"));
}

TEST_CASE("YAML scalars keep their spelling and only a missing value is null") {
  auto const n = parse_yaml("f", "a: 007\nb: yes\nc: ~\nd:\ne: \"null\"\nf: 1_000\ng: 'x'\n");
  REQUIRE(n);
  CHECK(n.value().find("a")->scalar == "007");
  CHECK(n.value().find("b")->scalar == "yes");
  CHECK(n.value().find("c")->is(node::kind::null));
  CHECK(n.value().find("d")->is(node::kind::null));
  CHECK(n.value().find("e")->is(node::kind::text));
  CHECK(n.value().find("f")->scalar == "1_000");
  CHECK(n.value().find("g")->line == 7);
}

TEST_CASE("a damaged text ends in settings, a project or an error with a position, never in a crash") {
  std::string const config = default_config_text() + "\nextra: &a {b: [*a, 'x', \"y\\n\"], ? c : |\n d\n}\n";
  std::string const project = demo_project_text(std::string(32, 'a'));
  std::uint32_t state = 1;
  auto const next = [&state](std::size_t below) {
    state = state * 1'664'525u + 1'013'904'223u;
    return static_cast<std::size_t>(state >> 8) % below;
  };
  std::size_t refused = 0;
  auto const count = [&](auto const& outcome) {
    if (outcome) return;
    ++refused;
    CHECK_FALSE(outcome.error().what.empty());
  };
  for (int round = 0; round < 300; ++round) {
    for (auto const* text : {&config, &project}) {
      std::string damaged = *text;
      for (std::size_t hits = 1 + next(8); hits > 0; --hits) {
        auto const at = next(damaged.size());
        constexpr std::string_view bytes = "{}[]:,'\"#&*!|>%@`-? \n\t\0\xff";
        if (next(4) == 0)
          damaged.resize(at + 1);
        else
          damaged[at] = bytes[next(bytes.size())];
      }
      count(parse_project("1.json", damaged));
      count(load_text(damaged));
    }
  }
  CHECK(refused > 300);
}
