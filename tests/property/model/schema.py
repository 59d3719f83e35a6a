"""The fields that the model reads, typed in from perfetto-decoding 1.1 to 1.4: name, type, repeated.

Deliberately not taken from a schema file: the encoder of these tests has the official one, so a wrong number shows.
Strings are `bytes`: whether they are UTF-8 is a question of its own.
"""


def _message(**rows):
    """name="7 bytes" or name="7 bytes*" for a repeated field."""
    out = {}
    for name, row in rows.items():
        number, kind = row.split()
        out[int(number)] = (name, kind.rstrip("*"), kind.endswith("*"))
    return out


MESSAGES = {
    "TracePacket": _message(
        process_tree="2 ProcessTree",
        clock_snapshot="6 ClockSnapshot",
        timestamp="8 u64",
        trusted_packet_sequence_id="10 u32",
        track_event="11 TrackEvent",
        interned_data="12 InternedData",
        sequence_flags="13 u32",
        synchronization_marker="36 bytes",
        incremental_state_cleared="41 bool",
        previous_packet_dropped="42 u32",
        process_descriptor="43 ProcessDescriptor",
        thread_descriptor="44 ThreadDescriptor",
        compressed_packets="50 bytes",
        streaming_profile_packet="54 StreamingProfilePacket",
        timestamp_clock_id="58 u32",
        trace_packet_defaults="59 TracePacketDefaults",
        track_descriptor="60 TrackDescriptor",
        module_symbols="61 ModuleSymbols",
        deobfuscation_mapping="64 bytes",
        perf_sample="66 PerfSample",
        service_event="69 bytes",
        extension_descriptor="72 bytes",
        machine_id="98 u32",
        remote_clock_sync="107 RemoteClockSync",
        zstd_compressed_packets="133 bytes",
        stack_sample="135 StackSample",
    ),
    "TrackEvent": _message(timestamp_delta_us="1 i64"),
    "TracePacketDefaults": _message(
        perf_sample_defaults="12 PerfSampleDefaults",
        timestamp_clock_id="58 u32",
        stack_sample_defaults="100 StackSampleDefaults",
    ),
    "PerfSampleDefaults": _message(timebase="1 Timebase"),
    "Timebase": _message(tracepoint="3 bytes", counter="4 i32", raw_event="5 bytes"),
    "StackSampleDefaults": _message(primary_descriptor="2 CounterDescriptor"),
    "PerfSample": _message(
        cpu="1 u32",
        pid="2 u32",
        tid="3 u32",
        callstack_iid="4 u64",
        unwind_error="16 i32",
        kernel_records_lost="17 u64",
        sample_skipped_reason="18 i32",
        producer_event="19 bytes",
    ),
    "StreamingProfilePacket": _message(callstack_iid="1 u64*", timestamp_delta_us="2 i64*"),
    "StackSample": _message(
        task_context="1 TaskContext",
        task_context_iid="2 u64",
        callstack="5 InlineCallstack",
        callstack_iid="6 u64",
        primary_descriptor="9 CounterDescriptor",
        primary_descriptor_iid="10 u64",
    ),
    "TaskContext": _message(iid="1 u64", pid="2 u32", tid="3 u32"),
    "ExecutionContext": _message(iid="1 u64"),
    "CounterDescriptor": _message(iid="1 u64", unit="3 i32", unit_str="4 bytes"),
    "AsyncContextDescriptor": _message(iid="1 u64"),
    "InlineCallstack": _message(frames="1 InlineFrame*"),
    "InlineFrame": _message(function_name="1 bytes", source_file="2 bytes", line_number="3 u32"),
    "InternedData": _message(
        function_names="5 InternedString*",
        frames="6 Frame*",
        callstacks="7 Callstack*",
        build_ids="16 InternedString*",
        mapping_paths="17 InternedString*",
        source_paths="18 InternedString*",
        mappings="19 Mapping*",
        stack_sample_task_contexts="48 TaskContext*",
        stack_sample_execution_contexts="49 ExecutionContext*",
        stack_sample_counter_descriptors="50 CounterDescriptor*",
        stack_sample_async_context_descriptors="51 AsyncContextDescriptor*",
    ),
    "InternedString": _message(iid="1 u64", str="2 bytes"),
    "Callstack": _message(iid="1 u64", frame_ids="2 u64*"),
    "Frame": _message(
        iid="1 u64",
        function_name_id="2 u64",
        mapping_id="3 u64",
        rel_pc="4 u64",
        source_path_iid="5 u64",
        line_number="6 u32",
        kind="7 i32",
        kind_str="8 bytes",
    ),
    "Mapping": _message(
        iid="1 u64",
        build_id="2 u64",
        start_offset="3 u64",
        start="4 u64",
        end="5 u64",
        load_bias="6 u64",
        path_string_ids="7 u64*",
        exact_offset="8 u64",
    ),
    "ModuleSymbols": _message(path="1 bytes", build_id="2 bytes", address_symbols="3 AddressSymbols*"),
    "AddressSymbols": _message(address="1 u64", lines="2 Line*"),
    "Line": _message(function_name="1 bytes", source_file_name="2 bytes", line_number="3 u32"),
    "ClockSnapshot": _message(clocks="1 Clock*", primary_trace_clock="2 i32"),
    "Clock": _message(clock_id="1 u32", timestamp="2 u64", is_incremental="3 bool", unit_multiplier_ns="4 u64"),
    "RemoteClockSync": _message(synced_clocks="1 SyncedClocks*"),
    "SyncedClocks": _message(client_clocks="2 ClockSnapshot", host_clocks="3 ClockSnapshot"),
    "ProcessTree": _message(processes="1 Process*", threads="2 Thread*"),
    "Process": _message(pid="1 i32", ppid="2 i32", cmdline="3 bytes*", cmdline_is_comm="9 bool"),
    "Thread": _message(tid="1 i32", name="2 bytes", tgid="3 i32"),
    "TrackDescriptor": _message(
        process="3 ProcessDescriptor",
        thread="4 ThreadDescriptor",
        chrome_process="6 ChromeProcess",
        chrome_thread="7 ChromeThread",
    ),
    "ChromeProcess": _message(process_type="1 i32"),
    "ChromeThread": _message(thread_type="1 i32"),
    "ThreadDescriptor": _message(
        pid="1 i32", tid="2 i64", chrome_thread_type="4 i32", thread_name="5 bytes", reference_timestamp_us="6 i64"
    ),
    "ProcessDescriptor": _message(pid="1 i32", chrome_process_type="4 i32", process_name="6 bytes"),
}
