#pragma once

#include <cstdint>

/// Field numbers of the Perfetto messages that the streaming reader knows, one namespace per message (nested
/// messages: outer_inner). Unscoped, so that a number read from the wire can be switched on.
/// tests/proto checks every constant, in both directions, against the descriptors of the .proto files.
namespace profile_relay::proto::fields {

namespace trace {
enum field : std::uint32_t { packet = 1 };
}
namespace trace_packet {
enum field : std::uint32_t {
  process_tree = 2,
  trusted_uid = 3,
  clock_snapshot = 6,
  timestamp = 8,
  trusted_packet_sequence_id = 10,
  track_event = 11,
  interned_data = 12,
  sequence_flags = 13,
  synchronization_marker = 36,
  incremental_state_cleared = 41,
  previous_packet_dropped = 42,
  process_descriptor = 43,
  thread_descriptor = 44,
  compressed_packets = 50,
  streaming_profile_packet = 54,
  timestamp_clock_id = 58,
  trace_packet_defaults = 59,
  track_descriptor = 60,
  module_symbols = 61,
  deobfuscation_mapping = 64,
  perf_sample = 66,
  service_event = 69,
  extension_descriptor = 72,
  trusted_pid = 79,
  first_packet_on_sequence = 87,
  machine_id = 98,
  remote_clock_sync = 107,
  zstd_compressed_packets = 133,
  stack_sample = 135
};
}
namespace clock_snapshot {
enum field : std::uint32_t { clocks = 1, primary_trace_clock = 2 };
}
namespace clock_snapshot_clock {
enum field : std::uint32_t { clock_id = 1, timestamp = 2, is_incremental = 3, unit_multiplier_ns = 4 };
}
namespace remote_clock_sync {
enum field : std::uint32_t { synced_clocks = 1 };
}
namespace remote_clock_sync_synced_clocks {
enum field : std::uint32_t { client_clocks = 2, host_clocks = 3 };
}
namespace perf_events_tracepoint {
enum field : std::uint32_t { name = 1, filter = 2 };
}
namespace perf_events_timebase {
enum field : std::uint32_t {
  period = 1,
  frequency = 2,
  tracepoint = 3,
  counter = 4,
  raw_event = 5,
  poll_period_ms = 6,
  name = 10,
  timestamp_clock = 11,
  modifiers = 12
};
}
namespace perf_sample_defaults {
enum field : std::uint32_t { timebase = 1, process_shard_count = 2, chosen_process_shard = 3, followers = 4 };
}
namespace perf_sample {
enum field : std::uint32_t {
  cpu = 1,
  pid = 2,
  tid = 3,
  callstack_iid = 4,
  cpu_mode = 5,
  timebase_count = 6,
  follower_counts = 7,
  unwind_error = 16,
  kernel_records_lost = 17,
  sample_skipped_reason = 18,
  producer_event = 19
};
}
namespace perf_sample_producer_event {
enum field : std::uint32_t { source_stop_reason = 1 };
}
namespace streaming_profile_packet {
enum field : std::uint32_t { callstack_iid = 1, timestamp_delta_us = 2, process_priority = 3 };
}
namespace inline_callstack {
enum field : std::uint32_t { frames = 1 };
}
namespace inline_callstack_frame {
enum field : std::uint32_t { function_name = 1, source_file = 2, line_number = 3 };
}
namespace stack_sample {
enum field : std::uint32_t {
  task_context = 1,
  task_context_iid = 2,
  execution_context = 3,
  execution_context_iid = 4,
  callstack = 5,
  callstack_iid = 6,
  unwind_error = 7,
  unwind_error_iid = 8,
  primary_descriptor = 9,
  primary_descriptor_iid = 10,
  primary_weight = 11,
  follower_descriptors = 12,
  follower_descriptor_iids = 13,
  follower_weights = 14
};
}
namespace stack_sample_task_context {
enum field : std::uint32_t { iid = 1, pid = 2, tid = 3, async_id = 4 };
}
namespace stack_sample_execution_context {
enum field : std::uint32_t { iid = 1, cpu = 2, mode = 3 };
}
namespace stack_sample_counter_descriptor {
enum field : std::uint32_t {
  iid = 1,
  name = 2,
  unit = 3,
  unit_str = 4,
  unit_multiplier = 5,
  description = 6,
  scope = 7
};
}
namespace stack_sample_async_context_descriptor {
enum field : std::uint32_t { iid = 1, name = 2, kind = 3, parent_iid = 4 };
}
namespace stack_sample_defaults {
enum field : std::uint32_t { source = 1, primary_descriptor = 2, follower_descriptors = 3 };
}
namespace trace_packet_defaults {
enum field : std::uint32_t {
  track_event_defaults = 11,
  perf_sample_defaults = 12,
  timestamp_clock_id = 58,
  stack_sample_defaults = 100
};
}
namespace interned_string {
enum field : std::uint32_t { iid = 1, str = 2 };
}
namespace callstack {
enum field : std::uint32_t { iid = 1, frame_ids = 2 };
}
namespace frame {
enum field : std::uint32_t {
  iid = 1,
  function_name_id = 2,
  mapping_id = 3,
  rel_pc = 4,
  source_path_iid = 5,
  line_number = 6,
  kind = 7,
  kind_str = 8
};
}
namespace mapping {
enum field : std::uint32_t {
  iid = 1,
  build_id = 2,
  start_offset = 3,
  start = 4,
  end = 5,
  load_bias = 6,
  path_string_ids = 7,
  exact_offset = 8
};
}
namespace interned_data {
enum field : std::uint32_t {
  function_names = 5,
  frames = 6,
  callstacks = 7,
  build_ids = 16,
  mapping_paths = 17,
  source_paths = 18,
  mappings = 19,
  kernel_symbols = 26,
  stack_sample_task_contexts = 48,
  stack_sample_execution_contexts = 49,
  stack_sample_counter_descriptors = 50,
  stack_sample_async_context_descriptors = 51
};
}
namespace line {
enum field : std::uint32_t { function_name = 1, source_file_name = 2, line_number = 3 };
}
namespace address_symbols {
enum field : std::uint32_t { address = 1, lines = 2 };
}
namespace module_symbols {
enum field : std::uint32_t { path = 1, build_id = 2, address_symbols = 3 };
}
namespace obfuscated_member {
enum field : std::uint32_t {
  obfuscated_name = 1,
  deobfuscated_name = 2,
  obfuscated_line_start = 3,
  obfuscated_line_end = 4,
  source_line_start = 5,
  source_line_end = 6
};
}
namespace obfuscated_class {
enum field : std::uint32_t {
  obfuscated_name = 1,
  deobfuscated_name = 2,
  obfuscated_members = 3,
  obfuscated_methods = 4
};
}
namespace deobfuscation_mapping {
enum field : std::uint32_t { package_name = 1, version_code = 2, obfuscated_classes = 3 };
}
namespace process_tree {
enum field : std::uint32_t { processes = 1, threads = 2 };
}
namespace process_tree_process {
enum field : std::uint32_t {
  pid = 1,
  ppid = 2,
  cmdline = 3,
  uid = 5,
  nspid = 6,
  is_kthread = 8,
  cmdline_is_comm = 9
};
}
namespace process_tree_thread {
enum field : std::uint32_t { tid = 1, name = 2, tgid = 3, nstid = 4 };
}
namespace thread_descriptor {
enum field : std::uint32_t {
  pid = 1,
  tid = 2,
  chrome_thread_type = 4,
  thread_name = 5,
  reference_timestamp_us = 6
};
}
namespace process_descriptor {
enum field : std::uint32_t { pid = 1, cmdline = 2, chrome_process_type = 4, process_name = 6 };
}
namespace chrome_process_descriptor {
enum field : std::uint32_t { process_type = 1 };
}
namespace chrome_thread_descriptor {
enum field : std::uint32_t { thread_type = 1, is_sandboxed_tid = 3 };
}
namespace track_descriptor {
enum field : std::uint32_t {
  uuid = 1,
  name = 2,
  process = 3,
  thread = 4,
  parent_uuid = 5,
  chrome_process = 6,
  chrome_thread = 7,
  static_name = 10
};
}
namespace track_event {
enum field : std::uint32_t { timestamp_delta_us = 1 };
}

}  // namespace profile_relay::proto::fields
