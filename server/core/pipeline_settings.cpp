#include "server/core/pipeline.hpp"

namespace profile_relay::server {

pipeline_settings make_pipeline_settings(config::settings const& s, std::size_t message_max_bytes) {
  pipeline_settings out;
  auto const& p = s.profiling;
  auto& d = out.expand.decode;
  d.packet_bytes = p.max_packet_size;
  d.packets = p.max_packets;
  d.samples = p.max_samples;
  d.callstack_depth = p.max_stack_depth;
  d.path_components = p.max_path_parts;
  d.frames = p.max_frames;
  d.sequences = p.max_sequences;
  d.inflated_bytes = s.limits.max_profile_size;
  d.working_bytes = p.max_working_memory;
  d.result_bytes = p.max_result_memory;
  out.expand.max_profile_size = s.limits.max_profile_size;
  out.max_profile_size = s.limits.max_profile_size;
  out.max_chunk_count = s.limits.max_profile_chunk_count;
  out.accept_pairs = p.accept_chunk_data_pairs;
  out.store_raw = s.processing.raw_profile == config::raw_profile_mode::inline_;
  out.write_key_id = s.processing.profiles_key_id == config::key_id_mode::auto_;
  out.emit_outcomes = s.outcomes.emit_outcomes;
  out.emit_feature_disabled = s.outcomes.emit_feature_disabled;
  out.source = s.outcomes.source;
  out.message_max_bytes = message_max_bytes;
  return out;
}

}  // namespace profile_relay::server
