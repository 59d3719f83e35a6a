#include "server/core/readiness.hpp"

#include <catch2/catch.hpp>
#include <functional>
#include <nlohmann/json.hpp>

using namespace profile_relay::server;

namespace {

readiness_facts healthy() {
  readiness_facts f;
  f.memory = memory_reading{500, 1000};
  f.delivery.kafka_configured = true;
  return f;
}

}  // namespace

TEST_CASE("ready is decided by memory, drain, and a place for the next chunk") {
  struct row {
    char const* name;
    std::function<void(readiness_facts&)> change;
    bool ready;
    char const* failing;  // the check that says so, "" = none
  };
  auto const r = GENERATE(values<row>({
      {"healthy", [](auto&) {}, true, ""},
      {"draining", [](auto& f) { f.draining = true; }, false, "draining"},
      {"memory just below the mark", [](auto& f) { f.memory->used = 949; }, true, ""},
      {"memory at the mark", [](auto& f) { f.memory->used = 950; }, false, "memory"},
      {"memory over max_memory_bytes", [](auto& f) { f.mark.max_bytes = 400; }, false, "memory"},
      {"memory without a limit",
       [](auto& f) {
         f.memory = memory_reading{5000, 0};
       },
       true, ""},
      {"memory probe failed", [](auto& f) { f.memory.reset(); }, false, "memory"},
      {"no progress, but room in the spool", [](auto& f) { f.delivery.kafka_progress = false; }, true,
       "kafka"},
      {"spool full, but progress", [](auto& f) { f.delivery.spool_has_room = false; }, true, "spool"},
      {"spool failed, but progress", [](auto& f) { f.delivery.spool_failed = true; }, true, "spool"},
      {"no progress and the spool full",
       [](auto& f) { f.delivery.kafka_progress = f.delivery.spool_has_room = false; }, false, "spool"},
      {"no progress and the spool failed",
       [](auto& f) {
         f.delivery.kafka_progress = false;
         f.delivery.spool_failed = true;
       },
       false, "kafka"},
      {"spool-only", [](auto& f) { f.delivery.kafka_configured = false; }, true, ""},
      {"spool-only and full",
       [](auto& f) {
         f.delivery.kafka_configured = false;
         f.delivery.spool_has_room = false;
       },
       false, "spool"},
      {"a broken project file is told, not unready", [](auto& f) { f.broken_projects = 1; }, true,
       "projects"},
  }));
  INFO(r.name);
  auto facts = healthy();
  r.change(facts);
  auto const got = decide_readiness(facts);
  CHECK(got.ready == r.ready);
  bool named = *r.failing == '\0';
  bool any_failing = false;
  for (auto const& c : got.checks) {
    any_failing = any_failing || !c.ok;
    named = named || (c.name == r.failing && !c.ok);
  }
  CHECK(named);
  CHECK(any_failing == (*r.failing != '\0'));
}

TEST_CASE("the body starts with is_healthy and says what failed") {
  auto facts = healthy();
  facts.delivery.kafka_configured = false;
  facts.draining = true;
  auto const text = to_json(decide_readiness(facts));
  CHECK(text.starts_with(R"({"is_healthy":false,)"));
  auto const body = nlohmann::json::parse(text);
  CHECK(body["checks"]["kafka"] == "not configured");
  CHECK(body["checks"]["draining"].get<std::string>().starts_with("failed"));
}
