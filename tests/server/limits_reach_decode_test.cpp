// What an operator writes under `profiling` is what the decoder obeys: every limit of perfetto-decoding 14.9.
#include "server/core/pipeline.hpp"
#include "tests/config/support.hpp"

namespace pd = profile_relay::perfetto_decode;
namespace server = profile_relay::server;

namespace {

struct row {
  char const* key;
  std::size_t initial;  ///< perfetto-decoding 14.9
  std::size_t (*in_force)(pd::limits const&);
};

row const rows[] = {
    {"profiling.max_packet_size", 4u << 20, [](pd::limits const& d) { return d.packet_bytes; }},
    {"profiling.max_packets", 110'000, [](pd::limits const& d) { return std::size_t{d.packets}; }},
    {"profiling.max_samples", 100'000, [](pd::limits const& d) { return std::size_t{d.samples}; }},
    {"profiling.max_stack_depth", 1'000, [](pd::limits const& d) { return std::size_t{d.callstack_depth}; }},
    {"profiling.max_path_parts", 100, [](pd::limits const& d) { return std::size_t{d.path_components}; }},
    {"profiling.max_frames", 1'000'000, [](pd::limits const& d) { return std::size_t{d.frames}; }},
    {"profiling.max_sequences", 4'096, [](pd::limits const& d) { return std::size_t{d.sequences}; }},
    {"profiling.max_working_memory", 15u << 20, [](pd::limits const& d) { return d.working_bytes; }},
    {"profiling.max_result_memory", 40u << 20, [](pd::limits const& d) { return d.result_bytes; }},
    // By definition the same number as the size of a chunk.
    {"limits.max_profile_size", 50u << 20, [](pd::limits const& d) { return d.inflated_bytes; }},
};

pd::limits in_force(std::string const& yaml) {
  auto const loaded = config_test::load_text(yaml);
  REQUIRE(loaded.has_value());
  return server::make_pipeline_settings(loaded->values, 1u << 20).expand.decode;
}

}  // namespace

TEST_CASE("every limit of decoding can be set, and alone") {
  for (auto const& r : rows) {
    INFO(r.key);
    CHECK(r.in_force(in_force("")) == r.initial);
    CHECK(r.in_force(pd::limits{}) == r.initial);
    auto const changed = in_force(config_test::yaml_for(r.key, "7777"));
    for (auto const& other : rows)
      CHECK(other.in_force(changed) == (&other == &r ? std::size_t{7777} : other.initial));
  }
}
