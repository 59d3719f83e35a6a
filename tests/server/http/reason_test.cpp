#include "server/core/reason.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "profile/expand.hpp"

using namespace profile_relay;
using namespace profile_relay::server;

TEST_CASE("every row of the one table is consistent with contract 5.5 and 11") {
  std::set<int> const statuses{200, 400, 401, 403, 404, 405, 408, 413, 415, 429, 500, 503};
  std::set<std::string_view> names;
  for (auto const& row : reason_table()) {
    INFO(row.name);
    CHECK(&row_of(row.id) == &row);
    CHECK(names.insert(row.name).second);
    CHECK(statuses.contains(row.status));
    // Who is told to come back is told when, except by quotas, which know it only at run time.
    CHECK((row.retry_after > 0) == (row.status == 503));
    // What answers 200 is told by its outcome, the others by their body.
    CHECK(row.detail.empty() == (row.status == 200));
    if (row.status == 200) CHECK(row.outcome_id != 0);
    // Ids that we send; only a quota brings its own reason.
    CHECK((row.outcome_id >= 0 && row.outcome_id <= 3));
    CHECK(row.outcome_reason.empty() == (row.outcome_id == 0 || row.outcome_id == 2));
    // A request that is refused before its chunks are known has none to send an outcome for.
    std::set<int> const before_chunks{400, 401, 403, 404, 405, 408, 415, 503};
    if (before_chunks.contains(row.status)) CHECK(row.outcome_id == 0);
  }
}

TEST_CASE("outcome ids and reasons are those of contract 11") {
  struct expected {
    std::string_view name;
    int id;
    std::string_view reason;
  };
  auto const row = GENERATE(values<expected>({
      {"too_large", 3, "too_large:profile_chunk"},
      {"too_many_chunks", 3, "too_large:profile_chunk"},
      {"filtered_ip_address", 1, "ip-address"},
      {"feature_disabled", 3, "feature_disabled"},
      {"profiling_exceed_size_limit", 3, "profiling_exceed_size_limit"},
      {"profiling_invalid_json", 3, "profiling_invalid_json"},
      {"profiling_invalid_sampled_profile", 3, "profiling_invalid_sampled_profile"},
      {"profiling_invalid_profile_type", 3, "profiling_invalid_profile_type"},
      {"profiling_platform_not_supported", 3, "profiling_platform_not_supported"},
      {"profiling_not_enough_samples", 3, "profiling_not_enough_samples"},
      {"profiling_malformed_samples", 3, "profiling_malformed_samples"},
      {"profiling_malformed_stacks", 3, "profiling_malformed_stacks"},
      {"profiling_duration_is_too_long", 3, "profiling_duration_is_too_long"},
      {"profiling_failed_serialization", 3, "profiling_failed_serialization"},
      {"internal", 3, "internal"},
  }));
  bool found = false;
  for (auto const& r : reason_table()) {
    if (r.name != row.name) continue;
    found = true;
    CHECK(r.outcome_id == row.id);
    CHECK(r.outcome_reason == row.reason);
  }
  INFO(row.name);
  CHECK(found);
}

namespace {

/// True for the values that the enum has a name for: others are printed as a cast.
template <auto Value>
constexpr bool is_named() {
  return std::string_view(__PRETTY_FUNCTION__).find("Value = (") == std::string_view::npos;
}

/// All values of an enum of one byte, also those that are added tomorrow.
template <class Enum>
std::vector<Enum> all_of() {
  std::vector<Enum> out;
  [&]<std::size_t... V>(std::index_sequence<V...>) {
    ((is_named<static_cast<Enum>(V)>() ? out.push_back(static_cast<Enum>(V)) : void()), ...);
  }
  (std::make_index_sequence<256>());
  return out;
}

}  // namespace

TEST_CASE("the walk over an enum finds all of its values and no other") {
  enum class sample : std::uint8_t { first = 1, second, last = 255 };
  CHECK(all_of<sample>() == std::vector{sample::first, sample::second, sample::last});
  CHECK(all_of<reason>().size() == reason_table().size());
}

TEST_CASE("every error of the layers below has its own reason, with the status of its kind") {
  std::set<reason> seen;
  for (auto const e : all_of<envelope::errc>()) {
    auto const r = to_reason(e);
    CHECK(seen.insert(r).second);
    CHECK(row_of(r).name == "envelope_" + std::string(envelope::name(e)));
    CHECK(row_of(r).status == 400);
  }
  for (auto const e : all_of<envelope::auth_errc>()) {
    auto const r = to_reason(e);
    CHECK(seen.insert(r).second);
    CHECK(row_of(r).status == (row_of(r).name.starts_with("auth_") ? 401 : 400));
  }
  for (auto const e : all_of<profile::errc>()) {
    auto const r = to_reason(e);
    CHECK(seen.insert(r).second);
    CHECK(row_of(r).status == 200);
    bool const filtered = row_of(r).outcome_id == 1;
    CHECK(row_of(r).name.starts_with(filtered ? "filtered_" : "profiling_"));
  }
  // Those of the decoder have the name of what they mean for the chunk.
  for (auto const e : all_of<perfetto_decode::errc>()) {
    auto const r = to_reason(profile::refusal_of({e, 0, {}}).code);
    CHECK(r == (perfetto_decode::is_limit(e) ? reason::profiling_exceed_size_limit
                                             : reason::profiling_invalid_sampled_profile));
  }
  CHECK_FALSE(seen.contains(reason::internal));
}

TEST_CASE("a reason is counted for requests or for chunks, and only for both where either can end so") {
  std::set<reason> both;
  for (auto const& row : reason_table()) {
    INFO(row.name);
    CHECK((ends_requests(row.id) || ends_chunks(row.id)));
    if (ends_requests(row.id) && ends_chunks(row.id)) both.insert(row.id);
    // What has an outcome is about a chunk.
    if (row.outcome_id != 0) CHECK(ends_chunks(row.id));
  }
  CHECK(both == std::set{reason::byte_budget, reason::internal});
}
