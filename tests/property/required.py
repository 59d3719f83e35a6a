"""What random traces have to contain: none of these may stay at zero."""

# perfetto-decoding 12. The last three arise in the conversion to Sample v2, whose output shows their effect only.
COUNTERS = """
packet_skipped_seq_needs_incremental_state_invalid
interned_data_skipped_incremental_state_invalid
incremental_state_cleared_missing_sequence_id
previous_packet_dropped_missing_sequence_id
trace_packet_defaults_missing_sequence_id
interned_data_missing_sequence_id
thread_descriptor_missing_sequence_id
needs_incremental_state_missing_sequence_id
previous_packet_dropped
interned_data_tokenizer_errors
invalid_clock_snapshots
clock_sync_failure_unknown_source_clock
clock_sync_failure_unknown_target_clock
clock_sync_failure_no_path
realtime_step_back
stackprofile_empty_callstack
stackprofile_invalid_string_id
stackprofile_invalid_mapping_id
stackprofile_invalid_frame_id
stackprofile_invalid_callstack_id
stackprofile_parser_error
deobfuscation_not_applied
mapping_path_truncated
mapping_path_too_long
invalid_utf8_string
streaming_profile_invalid_timestamp
streaming_profile_no_reference
perf_cpu_lost_records
perf_samples_skipped
perf_samples_skipped_dataloss
perf_guardrail_stop_ts
sample_without_callstack
sample_non_cpu_timebase
sample_without_task
unwind_error
packet_truncated
packet_corrupt
bundle_corrupt
image_without_range
image_without_build_id
single_sample_thread
""".split()

# By section of perfetto-decoding; the model says when one occurs.
FEATURES = {
    "2 container": """
        gzip file; gzip file of several members; zstd file; unknown field between packets; empty packet
        zlib bundle; gzip bundle; zstd bundle; both codecs in one trace; packet in a bundle; fields beside a bundle
        corrupt bundle; corrupt packet; rejected: nested_bundle; rejected: unreadable
    """,
    "4 sequences": """
        another machine; no host packet; several sequences; another clear; clear by field 41; clear wins over a loss
        loss
        loss on the first packet of a sequence; packet without flag 2 while invalid; interned data inside a skipped packet
        interned data inside a snapshot packet; packet that stops before the flags; defaults replaced
        defaults while invalid; iid defined twice; late interning; callstack 0; function name 0; build id 0
        sample after a loss, with the old tables
    """,
    "5 clocks": """
        clock of the packet; clock of the defaults; default clock; timestamp before any snapshot; missing timestamp
        sequence clock; sequence clock with a unit; incremental clock; incremental clock with a unit
        later snapshot with another primary; snapshot lists a clock twice; snapshot changes a unit
        snapshot changes the incremental flag; snapshot has an incremental global clock
        snapshot gives the trace clock a unit
        snapshot sets the trace clock back; another clock set back; REALTIME set back; path of 0 hops; path of 1 hops
        path of 2 hops; path of 3 hops; path of 4 hops; reading before the first snapshot; reading between two snapshots
        wall time before the first reading; wall time squeezed onto the next reading; straight to REALTIME
        machine bridged by remote_clock_sync; remote sync of one round; machine bridged by REALTIME; machine taken as aligned
        snapshot after a sample
    """,
    "6 PerfSample": """
        perf_sample; kernel_records_lost 0; sample not in scope; swapper; unsorted samples; samples at the same time
    """,
    "7 StackSample": """
        stack_sample; task context inline; task context by iid; task context by unknown iid; inline callstack
        descriptor inline; descriptor by iid; descriptor by unknown iid; descriptor of the defaults; unit as a string
    """,
    "8 StreamingProfilePacket": """
        streaming_profile; streaming by reference; streaming by packet timestamp; streaming without thread descriptor
        streaming negative delta; streaming delta that saturates; streaming deltas without callstack
        track event moves the reference; thread descriptor (44); track descriptor (60); thread descriptor while invalid
        track descriptor without pid or tid; thread descriptor without reference
    """,
    "9 stacks": """
        frame without a mapping; mapping without a range; build id of 33 characters; mapping /kernel; path with a leading //
        path component not UTF-8; frame with a source path; kind native; kind kernel; kind interpreted; kind jit; kind gc
        kind runtime; kind as a string
    """,
    "10 symbols": """
        symbols; symbols with inlining; symbols before the samples; symbols of an unknown mapping
        symbols of an unknown address
    """,
    "11 names": """
        kworker name; cmdline_is_comm; name of a lower rank; name without a place in time; name that only reaches wall time
        thread name; process name; Chrome process type; Chrome thread type
    """,
}


def features():
    for section, text in FEATURES.items():
        for name in text.replace("\n", ";").split(";"):
            if name.strip():
                yield section, name.strip()
