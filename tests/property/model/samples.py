"""What a packet says of samples, before anything is resolved. Source: perfetto-decoding 6, 7, 8."""

from dataclasses import dataclass, field

from model.clocks import saturated

# 1.2, by number
UNWIND_ERRORS = """
    UNKNOWN NONE MEMORY_INVALID UNWIND_INFO UNSUPPORTED INVALID_MAP MAX_FRAMES_EXCEEDED REPEATED_FRAME INVALID_ELF
    SYSTEM_CALL THREAD_TIMEOUT THREAD_DOES_NOT_EXIST BAD_ARCH MAPS_PARSE INVALID_PARAMETER PTRACE_CALL
""".split()
# Timebase.counter: SW_CPU_CLOCK, SW_TASK_CLOCK; HW_CPU_CYCLES, HW_INSTRUCTIONS, bus and ref cycles
CPU_TIME_COUNTERS = {0, 1, 3, 10, 11, 16, 19}
# CounterDescriptor.unit: unknown, ns, cycles, instructions
CPU_TIME_UNITS = {0, 1, 2, 3}
CPU_TIME_UNIT_NAMES = {b"", b"ns", b"cycles", b"instructions", b"unknown"}


@dataclass
class Sample:
    source: str
    machine: int
    time: object  # a Moment
    interval: object
    pid: int | None = None
    tid: int | None = None
    iid: int | None = None  # interned callstack
    inline: object = None  # or InlineCallstack
    cpu_time: bool = True
    stream: object = None  # (machine, sequence, cpu): has the timebase of its first sample
    loss: bool = False  # tells of lost records, and is no sample
    message: object = None
    packet: list = field(default_factory=list)  # all samples of the same streaming packet
    known_then: bool = False  # its callstack was interned before it
    after_loss: bool = False
    stack: object = None  # when resolved: frames leaf first, or the counter that says why there are none


def timebase_is_cpu_time(defaults):
    perf = defaults.perf_sample_defaults if defaults is not None else None
    timebase = perf.timebase if perf is not None else None
    if timebase is None or timebase.raw_event is not None:
        return True
    if timebase.tracepoint is not None:
        return False
    return (timebase.counter or 0) in CPU_TIME_COUNTERS


def perf_sample(packet, machine, time, sequence, counters, details, seen):
    perf = packet.perf_sample
    out = Sample("perf_sample", machine, time, sequence.interval, perf.pid, perf.tid, perf.callstack_iid)
    out.stream = (machine, packet.trusted_packet_sequence_id or 0, perf.cpu or 0)
    out.cpu_time = timebase_is_cpu_time(sequence.defaults)
    if perf.kernel_records_lost:
        counters["perf_cpu_lost_records"] += perf.kernel_records_lost
        out.loss = True
        return out
    if perf.producer_event is not None:
        counters["perf_guardrail_stop_ts"] += 1
        out.loss = True
        return out
    if perf.kernel_records_lost == 0:
        seen["kernel_records_lost 0"] += 1
    if perf.sample_skipped_reason in (1, 2):
        counters["perf_samples_skipped"] += 1
    elif perf.sample_skipped_reason == 3:
        counters["perf_samples_skipped_dataloss"] += 1
    elif perf.sample_skipped_reason == 4:
        seen["sample not in scope"] += 1
    # 12: "every dropped sample is in exactly one row", and this one is in its row by now.
    out.loss = perf.sample_skipped_reason in (1, 2, 3) and perf.callstack_iid is None
    if perf.unwind_error not in (None, 1):
        counters["unwind_error"] += 1
        details["unwind_errors"][UNWIND_ERRORS[perf.unwind_error]] += 1
    return out


def stack_sample(packet, machine, time, sequence):
    """Contexts and descriptors by iid are looked up later: they may be interned later (4)."""
    message = packet.stack_sample
    out = Sample("stack_sample", machine, time, sequence.interval, iid=message.callstack_iid, inline=message.callstack)
    out.message = (message, sequence.defaults)
    return out


def resolve_stack_sample(sample, counters, seen):
    message, defaults = sample.message
    task = message.task_context
    if task is not None:
        seen["task context inline"] += 1
    elif message.task_context_iid is not None:
        task = looked_up(sample, "stack_sample_task_contexts", message.task_context_iid, "task context", counters, seen)
    if task is not None:
        sample.pid, sample.tid = task.pid, task.tid
    descriptor = message.primary_descriptor
    if descriptor is not None:
        seen["descriptor inline"] += 1
    elif message.primary_descriptor_iid is not None:
        table = "stack_sample_counter_descriptors"
        descriptor = looked_up(sample, table, message.primary_descriptor_iid, "descriptor", counters, seen)
    if descriptor is None and defaults is not None and defaults.stack_sample_defaults is not None:
        descriptor = defaults.stack_sample_defaults.primary_descriptor
        seen["descriptor of the defaults"] += descriptor is not None
    if descriptor is not None and descriptor.unit_str is not None:
        seen["unit as a string"] += 1
        sample.cpu_time = descriptor.unit_str in CPU_TIME_UNIT_NAMES
    elif descriptor is not None:
        sample.cpu_time = (descriptor.unit or 0) in CPU_TIME_UNITS


def looked_up(sample, table, iid, what, counters, seen):
    found = sample.interval.find(table, iid)
    seen[what + (" by unknown iid" if found is None else " by iid")] += 1
    # Adapted: a sequence that was never cleared has no tables, and then the failed lookup is not counted.
    if found is None and sample.interval.of_a_clear:
        counters["interned_data_tokenizer_errors"] += 1
    return found


def streaming_samples(packet, machine, packet_time, reference_time, sequence, counters, seen):
    """8: sample i = base + the sum of deltas 0 to i, in the thread in force at the packet."""
    streaming = packet.streaming_profile_packet
    iids, deltas = streaming.callstack_iid, streaming.timestamp_delta_us
    if len(iids) > len(deltas):
        counters["stackprofile_parser_error"] += len(iids) - len(deltas)
    if reference_time is not None:
        base = reference_time
        seen["streaming by reference"] += 1
        total = 0
        for delta in deltas:
            total = saturated(total + saturated(delta * 1000))
        sequence.reference = saturated(sequence.reference + total)
    elif packet.timestamp is not None:
        base = packet_time
        seen["streaming by packet timestamp"] += 1
    else:
        counters["streaming_profile_no_reference"] += min(len(iids), len(deltas))
        return []
    seen["streaming deltas without callstack"] += len(deltas) > len(iids)
    seen["streaming delta that saturates"] += any(abs(d) > 1 << 60 for d in deltas)
    seen["streaming negative delta"] += any(d < 0 for d in deltas)
    seen["streaming without thread descriptor"] += sequence.thread is None
    pid, tid = sequence.thread or (None, None)
    out, offset = [], 0
    for iid, delta in zip(iids, deltas):
        offset = saturated(offset + saturated(delta * 1000))
        sample = Sample("streaming_profile", machine, base.plus(offset), sequence.interval, pid, tid, iid)
        sample.packet = out
        out.append(sample)
    return out
