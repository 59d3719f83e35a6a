#include "server/core/pipeline.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "envelope/build.hpp"
#include "fake_server.hpp"
#include "profile/outcome.hpp"

using namespace profile_relay;
using namespace profile_relay::server;
using namespace profile_relay::server::test;

namespace {

/// A body and what `admit` makes of it, kept together: chunks are views into the body.
struct admitted {
  admitted(std::string const& text, config::project const& project, pipeline_settings const& s)
      : body(text), env(envelope::parse(body.view()).value()) {
    chunks = admit(env, envelope::take_chunks(env, s.accept_pairs), project, s);
  }
  envelope::padded_copy body;
  envelope::parsed_envelope env;
  std::vector<admitted_chunk> chunks;

  std::vector<std::string> causes() const {
    std::vector<std::string> out;
    for (auto const& c : chunks) out.push_back(c.refused ? c.refused->cause : "");
    return out;
  }
};

config::project with_features(bool profiling, bool perfetto) {
  config::project p;
  p.id = 42;
  p.organization_id = 7;
  p.continuous_profiling = profiling;
  p.continuous_profiling_perfetto = perfetto;
  return p;
}

std::string item(std::string const& header, std::string const& payload) {
  return header.substr(0, header.size() - 1) + R"(,"length":)" + std::to_string(payload.size()) + "}\n" +
         payload + "\n";
}

std::string const json_item = item(R"({"type":"profile_chunk","platform":"python"})", "not even json");
std::string const mime_header =
    R"({"type":"profile_chunk","platform":"android","content_type":"Application/X-Perfetto-Trace","meta_length":2})";
std::string const compound_item = item(mime_header, "{}trace");
std::string const bad_split_item =
    item(R"({"type":"profile_chunk","content_type":"application/x-perfetto-trace"})", "{}trace");
std::string const by_metadata_item =
    item(R"({"type":"profile_chunk","meta_length":27})", R"({"content_type":"perfetto"})"
                                                         "  \ntrace");

request_facts facts_for(config::project project, std::optional<std::uint64_t> key_id = 1054) {
  project.keys = {{std::string(32, 'a'), key_id, true}};
  auto owned = std::make_shared<config::project>(std::move(project));
  return {{owned, &owned->keys[0]}, 1'790'000'003'120'394, "0123456789abcdef0123456789abcdef", "192.0.2.7"};
}

/// The one chunk of an envelope, processed.
struct processed {
  processed(std::string const& text, pipeline_settings const& s)
      : facts(facts_for(with_features(true, true))), in(text, *facts.scope.project, s) {
    REQUIRE(in.chunks.size() == 1);
    result = process(in.chunks[0], facts, s);
  }
  rejection const& refused() const { return std::get<rejection>(result.value); }
  profile::kafka_record const& record() const { return std::get<profile::kafka_record>(result.value); }

  request_facts facts;
  admitted in;
  chunk_result result;
};

/// A compound item whose metadata already has a profile, so that any bytes pass as the trace (C5).
std::string client_profile(std::string const& trace) {
  auto metadata = good_chunk();
  metadata.replace(metadata.find("python"), 6, "android");
  envelope::compound_envelope e;
  e.event_id = "0123456789abcdef0123456789abcdef";
  e.platform = "android";
  e.metadata = metadata;
  e.trace = trace;
  return envelope::build_envelope(e);
}

}  // namespace

TEST_CASE("feature flags are checked before any payload is looked at") {
  auto const all = json_item + compound_item + bad_split_item + by_metadata_item;
  struct row {
    bool profiling, perfetto;
    std::vector<std::string_view> flags;
  };
  auto const r = GENERATE(values<row>({
      {true, true, {"", "", "", ""}},
      {false, true, {flag_profiling, flag_profiling, flag_profiling, flag_profiling}},
      {false, false, {flag_profiling, flag_profiling, flag_profiling, flag_profiling}},
      {true, false, {"", flag_perfetto, flag_perfetto, flag_perfetto}},
  }));
  admitted const got("{}\n" + all, with_features(r.profiling, r.perfetto), {});
  REQUIRE(got.chunks.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    INFO(i);
    auto const& refused = got.chunks[i].refused;
    CHECK((refused ? refused->flag : std::string_view{}) == r.flags[i]);
    if (refused) CHECK(refused->why == reason::feature_disabled);
  }
}

TEST_CASE("sizes and numbers are checked item by item, in order") {
  auto const chunk = [](std::size_t size) {
    return item(R"({"type":"profile_chunk","platform":"x"})", std::string(size, 'x'));
  };
  struct row {
    char const* name;
    std::vector<std::size_t> sizes;
    std::optional<std::uint32_t> most;
    std::vector<std::string> causes;
  };
  auto const r = GENERATE(values<row>({
      {"exactly the limit", {100}, {}, {""}},
      {"one byte over", {101}, {}, {"item_size"}},
      {"total exactly the limit", {60, 40}, {}, {"", ""}},
      {"total over", {60, 41}, {}, {"", "total_size"}},
      {"what was refused does not count", {60, 101, 41, 40}, {}, {"", "item_size", "total_size", ""}},
      {"number", {1, 1, 1}, 2, {"", "", "chunk_count"}},
      {"a refused one is not numbered", {101, 1, 1, 1}, 2, {"item_size", "", "", "chunk_count"}},
      {"none allowed", {1}, 0, {"chunk_count"}},
      {"empty payload", {0}, {}, {""}},
  }));
  INFO(r.name);
  std::string body = "{}\n";
  for (auto const size : r.sizes) body += chunk(size);
  pipeline_settings s;
  s.max_profile_size = 100;
  s.max_chunk_count = r.most;
  admitted const got(body, with_features(true, true), s);
  CHECK(got.causes() == r.causes);
  for (auto const& c : got.chunks)
    if (c.refused) CHECK(row_of(c.refused->why).status == 413);
}

TEST_CASE("a dropped chunk takes no room from the others") {
  pipeline_settings s;
  s.max_profile_size = 20;
  s.max_chunk_count = 1;
  admitted const got("{}\n" + compound_item + json_item, with_features(true, false), s);
  CHECK(got.causes() == std::vector<std::string>{"feature_disabled", ""});
}

TEST_CASE("a good chunk becomes a record with the request's scope") {
  pipeline_settings s;
  processed const p(envelope_of({good_chunk()}), s);
  auto const message = profile::decode_profile_message(p.record().value);
  REQUIRE(message.has_value());
  CHECK(message->organization_id == 7);
  CHECK(message->project_id == 42);
  CHECK(message->received == 1'790'000'003);
  CHECK(message->raw_profile.empty());
  CHECK(p.record().chunk_id == "0123456789abcdef0123456789abcdef");
  CHECK(p.record().received_ms == 1'790'000'003'120);
  CHECK(p.record().value.find("key_id") != std::string::npos);
  s.write_key_id = false;
  CHECK(processed(envelope_of({good_chunk()}), s).record().value.find("key_id") == std::string::npos);
}

TEST_CASE("the raw trace goes along, is dropped by configuration, or is left out when it does not fit") {
  std::string const trace(5'000, 't');
  auto const body = client_profile(trace);
  pipeline_settings s;
  auto const whole = processed(body, s).record().wire_size();
  struct row {
    char const* name;
    bool store;
    std::size_t message_max;
    std::string_view not_stored;
    bool has_raw;
  };
  auto const r = GENERATE_COPY(values<row>({
      {"fits exactly", true, whole, "", true},
      {"one byte too large", true, whole - 1, "message_size", false},
      {"much too large", true, 3'000, "message_size", false},
      {"switched off", false, whole, "dropped", false},
  }));
  INFO(r.name);
  s.store_raw = r.store;
  s.message_max_bytes = r.message_max;
  processed const p(body, s);
  CHECK(p.result.raw_not_stored == r.not_stored);
  CHECK(p.record().wire_size() <= r.message_max);
  auto const message = profile::decode_profile_message(p.record().value);
  REQUIRE(message.has_value());
  CHECK(message->raw_profile == (r.has_raw ? std::string_view(trace) : std::string_view()));
}

TEST_CASE("a payload that does not fit alone is rejected by its size, not by accident") {
  pipeline_settings s;
  s.message_max_bytes = 200;
  processed const p(client_profile("trace"), s);
  CHECK(p.refused().why == reason::profiling_exceed_size_limit);
  CHECK(p.refused().cause == "message_size");
  CHECK(p.refused().what.find("message.max.bytes") != std::string::npos);
  CHECK(p.result.raw_not_stored.empty());
}

TEST_CASE("a chunk that cannot be expanded says why") {
  processed const p(envelope_of({"[1,2"}), {});
  CHECK(p.refused().why == reason::profiling_invalid_json);
  CHECK_FALSE(p.refused().cause.empty());
  CHECK_FALSE(p.refused().what.empty());
}

TEST_CASE("a blocked address: after what is wrong with the chunk, before it is normalised and counted") {
  auto const one_sample = [] {
    auto text = good_chunk();
    auto const second = text.find(R"(,{"timestamp":1790000000.5)");
    return text.erase(second, text.find(']', second) - second);
  }();
  struct row {
    char const* name;
    std::string payload, client;
    std::optional<reason> why;
  };
  auto const r = GENERATE_COPY(values<row>({
      {"blocked", good_chunk(), "192.0.2.7", reason::filtered_ip_address},
      {"blocked network", good_chunk(), "2001:db8::7", reason::filtered_ip_address},
      {"another", good_chunk(), "192.0.2.8", {}},
      {"unknown", good_chunk(), "", {}},
      {"blocked and broken", "[1,2", "192.0.2.7", reason::profiling_invalid_json},
      {"blocked and too few samples", one_sample, "192.0.2.7", reason::filtered_ip_address},
      {"too few samples", one_sample, "192.0.2.8", reason::profiling_not_enough_samples},
  }));
  INFO(r.name);
  auto project = with_features(true, true);
  REQUIRE(project.blocked_ips.add("192.0.2.7"));
  REQUIRE(project.blocked_ips.add("2001:db8::/32"));
  auto facts = facts_for(project);
  facts.remote_addr = r.client;
  admitted const in(envelope_of({r.payload}), project, {});
  REQUIRE(in.chunks.size() == 1);
  int counted = 0;
  auto const got = process(in.chunks[0], facts, {}, [&](auto) {
    ++counted;
    return rate_limits{};
  });
  auto const* refused = std::get_if<rejection>(&got.value);
  CHECK((refused ? std::optional(refused->why) : std::nullopt) == r.why);
  CHECK(counted == (r.why ? 0 : 1));
}

TEST_CASE("outcomes: who sends one, and what it says") {
  auto const facts = facts_for(with_features(true, true));
  struct row {
    reason why;
    bool emit, emit_disabled, sent;
  };
  auto const r = GENERATE(values<row>({
      {reason::profiling_invalid_json, true, false, true},
      {reason::profiling_invalid_json, false, false, false},
      {reason::too_large, true, false, true},
      {reason::feature_disabled, true, false, false},
      {reason::feature_disabled, true, true, true},
      {reason::feature_disabled, false, true, false},
      {reason::unavailable, true, true, false},
      {reason::byte_budget, true, true, false},
      {reason::internal, true, false, true},
  }));
  INFO(row_of(r.why).name);
  pipeline_settings s;
  s.emit_outcomes = r.emit;
  s.emit_feature_disabled = r.emit_disabled;
  s.source = "edge-1";
  auto const got =
      outcome_of(r.why, "c", envelope::data_category::profile_chunk_ui, facts, s, std::string(16, 'r'));
  REQUIRE(got.has_value() == r.sent);
  if (!got) return;
  CHECK(got->topic == profile::logical_topic::outcomes);
  auto const json = nlohmann::json::parse(got->value);
  CHECK(json.at("timestamp") == "2026-09-21T14:13:23.120394Z");
  CHECK(json.at("org_id") == 7);
  CHECK(json.at("project_id") == 42);
  CHECK(json.at("key_id") == 1054);
  CHECK(json.at("outcome") == row_of(r.why).outcome_id);
  CHECK(json.at("reason") == row_of(r.why).outcome_reason);
  CHECK(json.at("event_id") == facts.event_id);
  CHECK(json.at("remote_addr") == "192.0.2.7");
  CHECK(json.at("source") == "edge-1");
  CHECK(json.at("category") == 26);
  CHECK(json.at("quantity") == 1);
}

TEST_CASE(
    "the category of a rejected chunk is its platform's, header before payload, profile_chunk when unknown") {
  struct row {
    std::string item;
    envelope::data_category category;
  };
  using enum envelope::data_category;
  auto const r = GENERATE(values<row>({
      {item(R"({"type":"profile_chunk","platform":"android"})", "x"), profile_chunk_ui},
      {item(R"({"type":"profile_chunk","platform":"python"})", "x"), profile_chunk},
      {item(R"({"type":"profile_chunk"})", R"({"platform":"cocoa","version":"1"})"), profile_chunk_ui},
      {item(R"({"type":"profile_chunk"})", "x"), profile_chunk},
  }));
  processed const p("{}\n" + r.item, {});
  CHECK(std::holds_alternative<rejection>(p.result.value));
  CHECK(p.result.category == r.category);
}

TEST_CASE("a record that the broker refused for good still gets its outcome") {
  processed const p(client_profile("trace"), {});
  auto const got = outcome_of_dead(p.record(), reason::internal, {}, std::string(16, 'r'));
  REQUIRE(got.has_value());
  auto const json = nlohmann::json::parse(got->value);
  CHECK(json.at("project_id") == 42);
  CHECK(json.at("org_id") == 7);
  CHECK(json.at("category") == 26);
  CHECK(json.at("reason") == "internal");
  CHECK(got->chunk_id == p.record().chunk_id);
  CHECK_FALSE(outcome_of_dead(*got, reason::internal, {}, std::string(16, 'r')).has_value());
}

TEST_CASE("the lease for a chunk's work is bounded by the configured limits, and knows compressed traces") {
  pipeline_settings s;
  auto const bytes_for = [&](std::string const& trace) {
    admitted const got(client_profile(trace), with_features(true, true), s);
    return work_bytes(got.chunks.at(0).raw, s);
  };
  auto const ceiling = s.expand.decode.working_bytes + s.expand.decode.result_bytes + 2 * s.max_profile_size;
  std::string const packets = "\x0a\x02\x08\x01";
  CHECK(bytes_for(packets) < 1u << 20);
  CHECK(bytes_for(std::string("\x0a\x06\x92\x03\x03\x78\x9c\x00", 8)) >= ceiling);
  CHECK(bytes_for("\x1f\x8b" + packets) >= ceiling);
  std::string large;
  while (large.size() < 40u << 20) large += packets;
  CHECK(bytes_for(large) >= ceiling);
  CHECK(bytes_for(large) < ceiling + (41u << 20));
}
