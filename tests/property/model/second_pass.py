"""After the last packet: clocks, names, stacks, order. Source: perfetto-decoding 4, 5.6, 9, 12, 14.5."""

from model import samples, symbols
from model.stacks import Stacks, Void


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
