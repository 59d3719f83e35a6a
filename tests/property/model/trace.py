"""The whole model: bytes in; samples, counters, and which features occurred, out. Source: perfetto-decoding."""

from collections import Counter
from dataclasses import dataclass

from model import samples, sequences, symbols
from model.clocks import MONOTONIC, Clocks
from model.container import Rejected, packets_of
from model.moments import Moment, Timeline
from model.names import Names
from model.sequences import Sequence
from model.stacks import Stacks, Void


@dataclass
class Answer:
    samples: list
    counters: dict
    seen: Counter
    mappings: list  # of all stacks that samples refer to
    details: dict  # what stands behind a counter, in the keys of `inspect --json`
    rejected: str | None = None

    @property
    def ambiguous(self):
        """The specification allows another answer too."""
        return any(name.startswith("ambiguous") for name in self.seen)


class FirstPass:
    """Packets in file order: state, snapshots, and what is to be resolved later."""

    def __init__(self, packets, counters, seen):
        self.counters = counters
        self.seen = seen
        self.clocks = Clocks(counters, seen)
        self.timeline = Timeline(self.clocks, seen)
        self.names = Names(counters, seen)
        self.sequences = {}
        self.samples = []
        self.modules = []
        self.details = {"unwind_errors": Counter()}
        for packet in packets:
            if packet:
                self.packet(packet)
            else:
                self.seen["empty packet"] += 1
        self.seen["several sequences"] += len(self.sequences) > 1

    def packet(self, packet):
        """The order of work is that of perfetto-decoding 3."""
        machine, sequence_id = packet.machine_id or 0, packet.trusted_packet_sequence_id or 0
        self.clocks.meet_machine(machine)
        if sequence_id:
            sequence = self.sequences.setdefault((machine, sequence_id), Sequence())
            sequences.apply(sequence, packet, self.counters, self.seen)
        else:
            sequence = Sequence()
            sequences.apply_without_sequence(packet, self.counters)
        if packet.clock_snapshot is not None:
            self.seen["interned data inside a snapshot packet"] += packet.interned_data is not None
            self.seen["snapshot after a sample"] += bool(self.samples)
            self.clocks.add_snapshot(machine, sequence_id, packet.clock_snapshot)
        elif packet.remote_clock_sync is not None:
            self.clocks.add_remote_sync(machine, packet.remote_clock_sync)
        elif packet.service_event is not None or packet.extension_descriptor is not None:
            self.seen["packet that stops before the flags"] += 1
        elif sequences.needs_state(packet) and not sequence.valid:
            if sequence_id:
                self.counters["packet_skipped_seq_needs_incremental_state_invalid"] += 1
                self.seen["interned data inside a skipped packet"] += packet.interned_data is not None
            else:
                self.counters["needs_incremental_state_missing_sequence_id"] += 1
        else:
            self.seen["packet without flag 2 while invalid"] += bool(sequence_id) and not sequence.valid
            when = self.timeline.add(self.moment(packet, machine, sequence_id, sequence))
            self.descriptors(packet, machine, sequence_id, sequence, when)
            self.payload(packet, machine, sequence, when)

    def moment(self, packet, machine, sequence_id, sequence):
        """5.1: the clock of a packet."""
        if packet.timestamp is None:
            return Moment(None, missing=True)
        clock_id = packet.timestamp_clock_id
        if clock_id:
            self.seen["clock of the packet"] += 1
        elif sequence.defaults is not None and sequence.defaults.timestamp_clock_id:
            clock_id = sequence.defaults.timestamp_clock_id
            self.seen["clock of the defaults"] += 1
        elif machine in self.clocks.default_id:
            clock_id = self.clocks.default_id[machine]
            self.seen["default clock"] += 1
        else:
            return Moment(None, packet.timestamp)
        key = self.clocks.key(machine, sequence_id, clock_id)
        if key is None:
            return Moment(None, unknown=True)
        return Moment(key, self.clocks.use(key, packet.timestamp))

    def descriptors(self, packet, machine, sequence_id, sequence, when):
        if packet.process_tree is not None:
            self.names.process_tree(machine, packet.process_tree, when)
        if packet.process_descriptor is not None:
            self.names.process_descriptor(machine, packet.process_descriptor, 0, when)
        if packet.thread_descriptor is not None:
            if not sequence_id:
                self.counters["thread_descriptor_missing_sequence_id"] += 1
            elif sequence.valid:
                self.seen["thread descriptor (44)"] += 1
                sequence.describe_thread(packet.thread_descriptor, self.seen)
                self.names.thread_descriptor(machine, packet.thread_descriptor, when)
            else:
                self.seen["thread descriptor while invalid"] += 1
        track = packet.track_descriptor
        if track is not None and track.process is not None:
            chrome_type = track.chrome_process.process_type if track.chrome_process is not None else 0
            self.names.process_descriptor(machine, track.process, chrome_type, when)
        if track is not None and track.thread is not None:
            if track.thread.pid is None or track.thread.tid is None:
                self.seen["track descriptor without pid or tid"] += 1
            else:
                if sequence_id and sequence.valid:
                    self.seen["track descriptor (60)"] += 1
                    sequence.describe_thread(track.thread, self.seen)
                if track.chrome_thread is not None:
                    self.names.chrome_thread(machine, track.thread, track.chrome_thread.thread_type, when)
                self.names.thread_descriptor(machine, track.thread, when)

    def payload(self, packet, machine, sequence, when):
        if packet.track_event is not None and sequence.reference is not None:
            if packet.track_event.timestamp_delta_us:
                self.seen["track event moves the reference"] += 1
            sequence.reference += (packet.track_event.timestamp_delta_us or 0) * 1000
        if packet.module_symbols is not None:
            self.modules.append(packet.module_symbols)
            if not self.samples:
                self.seen["symbols before the samples"] += 1
        if packet.deobfuscation_mapping is not None:
            self.counters["deobfuscation_not_applied"] += 1
        before = len(self.samples)
        if packet.perf_sample is not None:
            self.samples.append(samples.perf_sample(packet, machine, when, sequence, self.counters, self.details, self.seen))
        if packet.stack_sample is not None:
            self.samples.append(samples.stack_sample(packet, machine, when, sequence))
        if packet.streaming_profile_packet is not None:
            reference = None
            if sequence.reference is not None:
                reference = Moment(self.clocks.key(machine, 0, MONOTONIC), sequence.reference)
            self.samples += samples.streaming_samples(packet, machine, when, reference, sequence, self.counters, self.seen)
            when.samples = tuple(sample.time for sample in self.samples[before:])
        for sample in self.samples[before:]:
            sample.known_then = sample.iid is None or sample.interval.find("callstacks", sample.iid) is not None
            sample.after_loss = sequence.ever_cleared and not sequence.valid


def machines_of(packets):
    """A synchronization marker, and a packet of no bytes, are nobody's."""
    return [p.machine_id or 0 for p in packets if p and p.synchronization_marker is None]


def host_machine(packets, seen):
    """4: 0, or the first foreign machine when no packet is the host's."""
    machines = machines_of(packets)
    if machines and 0 not in machines:
        seen["no host packet"] += 1
        return machines[0]
    seen["another machine"] += any(machines)
    return 0


class SecondPass:
    """Everything is known: converts, sorts, and resolves the samples."""

    def __init__(self, packets, first, counters, seen):
        self.first = first
        self.counters = counters
        self.seen = seen
        self.stacks = Stacks(counters, seen)
        self.host = host_machine(packets, seen)
        first.clocks.finish(self.host)
        first.timeline.settle()
        size = first.clocks.count_steps_back()
        if size:
            first.details["realtime_step_back_ns"] = size
        first.names.settle(first.timeline.answer)
        for sample in first.samples:
            self.resolve(sample)
        symbols.apply(first.modules, self.stacks, counters, seen)
        self.rows = []
        self.streams = {}
        for sample in self.in_time(first.samples):
            self.emit(sample)

    def drop(self, counter):
        """A dropped sample is in exactly one row of perfetto-decoding 12; 12 leaves open which comes first."""
        self.counters[counter] += 1

    def resolve(self, sample):
        """What it refers to; sample.stack becomes a list, or the counter that says why not."""
        if sample.loss:
            return
        if sample.source == "stack_sample":
            samples.resolve_stack_sample(sample, self.counters, self.seen)
        if sample.inline is not None and sample.inline.frames:
            self.seen["inline callstack"] += 1
            sample.stack = self.stacks.inline(sample.inline)
        elif sample.inline is not None or sample.iid is None:
            sample.stack = "sample_without_callstack"
        else:
            try:
                sample.stack = self.stacks.interned(sample.interval, sample.iid)
            except Void as void:
                sample.stack = void.args[0]

    def in_time(self, all_samples):
        """Those with a time, sorted stably by trace time; those that only reach wall time come last."""
        with_trace_time, with_wall_time = [], []
        for sample in all_samples:
            trace_time, wall_time, failure = self.first.timeline.answer(sample.time)
            if not failure and self.negative_so_far(sample):
                failure = "streaming_profile_invalid_timestamp"
            if failure:
                if not sample.loss:
                    self.drop(failure)
            elif trace_time is not None:
                with_trace_time.append((trace_time, sample))
            else:
                with_wall_time.append((wall_time, sample))
        if any(a[0] > b[0] for a, b in zip(with_trace_time, with_trace_time[1:])):
            self.seen["unsorted samples"] += 1
        if any(a[0] == b[0] for a, b in zip(with_trace_time, with_trace_time[1:])):
            self.seen["samples at the same time"] += 1
        for half in (with_trace_time, with_wall_time):
            half.sort(key=lambda pair: pair[0])
        return [sample for _, sample in with_trace_time + with_wall_time]

    def emit(self, sample):
        # Adapted: "first sample of (sequence, cpu)" is the first in time, and a loss mark counts as one.
        cpu_time = sample.cpu_time
        if sample.stream is not None:
            cpu_time = self.streams.setdefault(sample.stream, cpu_time)
        if sample.loss:
            return
        if isinstance(sample.stack, str):
            self.drop(sample.stack)
        elif not cpu_time:
            self.drop("sample_non_cpu_timebase")
        else:
            self.rows.append(self.row(sample))

    def negative_so_far(self, sample):
        """8: a negative resulting time drops the rest of the packet."""
        for one in sample.packet:
            trace_time, wall_time, _ = self.first.timeline.answer(one.time)
            if (trace_time if trace_time is not None else wall_time) < 0:
                return True
            if one is sample:
                return False
        return False

    def row(self, sample):
        """In the shape of `profile-relay inspect --samples --json`."""
        trace_time, wall_time, _ = self.first.timeline.answer(sample.time)
        machine = 0 if sample.machine == self.host else sample.machine
        fields = {
            "trace_time": trace_time,
            "wall_time": wall_time,
            "source": sample.source,
            "pid": sample.pid,
            "tid": sample.tid,
            "machine": machine or None,
            "thread": self.first.names.thread(sample.machine, sample.pid, sample.tid),
            "process": self.first.names.process(sample.machine, sample.pid),
        }
        self.counters["stackprofile_empty_callstack"] += not sample.stack
        self.counters["sample_without_task"] += sample.tid is None
        self.seen[sample.source] += 1
        self.seen["thread name"] += fields["thread"] is not None
        self.seen["process name"] += fields["process"] is not None
        self.seen["late interning"] += not sample.known_then
        self.seen["callstack 0"] += sample.iid == 0
        self.seen["sample after a loss, with the old tables"] += sample.after_loss
        row = {k: v for k, v in fields.items() if v is not None}
        row["stack"] = [frame_row(f) for f in sample.stack]
        return row


def frame_row(frame):
    return {k: v for k, v in frame.items() if k != "raw_build_id" and not (k == "lines" and not v)}


def decode(data):
    counters, seen = Counter(), Counter()
    try:
        packets = packets_of(data, counters, seen)
    except Rejected as rejected:
        seen["rejected: " + rejected.args[0]] += 1
        return Answer([], {}, seen, [], {}, rejected.args[0])
    first = FirstPass(packets, counters, seen)
    second = SecondPass(packets, first, counters, seen)
    counters = {k: v for k, v in counters.items() if v}
    return Answer(second.rows, counters, seen, second.stacks.mappings, first.details)
