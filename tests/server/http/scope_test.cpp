#include "server/core/scope.hpp"

#include <catch2/catch.hpp>

using namespace profile_relay;
using namespace profile_relay::server;

namespace {

std::string const key_a(32, 'a'), key_off(32, 'b'), key_disabled(32, 'c'), key_site(32, 'd');

config::project_snapshot snapshot() {
  auto const make = [](std::uint64_t id, std::vector<config::public_key> keys) {
    auto p = std::make_shared<config::project>();
    p->id = id;
    p->keys = std::move(keys);
    return p;
  };
  auto const good = make(1, {{key_a, 7, true}, {key_off, 8, false}});
  auto const disabled = make(2, {{key_disabled, 9, true}});
  disabled->disabled = true;
  auto const site = make(3, {{key_site, 10, true}});
  site->allowed_domains = {"https://shop.example"};
  std::vector<std::string> warnings;
  return config::project_snapshot::build({{"1.json", good}, {"2.json", disabled}, {"3.json", site}},
                                         warnings);
}

}  // namespace

TEST_CASE("the 403 rows of contract 5.2") {
  struct row {
    char const* name;
    std::uint64_t project;
    std::string key;
    std::optional<std::string_view> origin;
    std::optional<reason> refused;
  };
  auto const r = GENERATE(values<row>({
      {"good", 1, key_a, {}, {}},
      {"any origin", 1, key_a, "https://evil.example", {}},
      {"unknown key", 1, std::string(32, 'f'), {}, reason::unknown_key},
      {"key of another project", 3, key_a, {}, reason::wrong_project},
      {"project that does not exist", 99, key_a, {}, reason::wrong_project},
      {"disabled key", 1, key_off, {}, reason::disabled_key},
      {"disabled project", 2, key_disabled, {}, reason::disabled_project},
      {"allowed origin", 3, key_site, "https://shop.example", {}},
      {"other origin", 3, key_site, "https://evil.example", reason::origin_not_allowed},
      {"no origin passes", 3, key_site, {}, {}},
  }));
  INFO(r.name);
  auto const projects = snapshot();
  auto const got = authorize(projects, r.project, r.key, r.origin);
  if (r.refused) {
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error() == *r.refused);
    CHECK(row_of(got.error()).status == 403);
  } else {
    REQUIRE(got.has_value());
    CHECK(got->project->id == r.project);
    CHECK(got->key->key == r.key);
  }
}

TEST_CASE("the origin is Origin, else Referer, of the web only") {
  using text = std::optional<std::string_view>;
  CHECK(request_origin(text("https://a"), text("https://b/x")) == text("https://a"));
  CHECK(request_origin(text("null"), text("https://b/x")) == text("https://b/x"));
  CHECK(request_origin(text("file://x"), {}) == text());
  CHECK(request_origin(text("HTTPS://evil"), text("http://b")) == text("HTTPS://evil"));
  CHECK(request_origin(text("https:/a"), {}) == text());
  CHECK(request_origin(text(""), text("")) == text());
  CHECK(request_origin({}, text("http://b/x")) == text("http://b/x"));
  CHECK(request_origin({}, {}) == text());
}

TEST_CASE("an envelope header that contradicts its request is named") {
  auto const dsn = envelope::parse_dsn("http://" + key_a + "@127.0.0.1:3000/1");
  REQUIRE(dsn.has_value());
  std::optional<envelope::dsn> const claimed = *dsn, none;
  std::optional<std::string> const origin = "https://a", no_origin;
  CHECK_FALSE(contradiction({none, no_origin}, 5, key_off, "https://a"));
  CHECK_FALSE(contradiction({claimed, origin}, 1, key_a, "https://a"));
  CHECK(contradiction({claimed, no_origin}, 2, key_a, {}) == "dsn");
  CHECK(contradiction({claimed, no_origin}, 1, key_off, {}) == "dsn");
  CHECK(contradiction({none, origin}, 1, key_a, "https://b") == "origin");
  CHECK(contradiction({none, origin}, 1, key_a, {}) == "origin");
}
