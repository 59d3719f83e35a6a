"""Per (machine, sequence): state, defaults, thread descriptor, reference time. Source: perfetto-decoding 4, 8."""

from model.clocks import saturated
from model.stacks import Interval
from model.wire import signed

CLEARED = 1
NEEDS_STATE = 2


class Sequence:
    def __init__(self):
        self.packets = 0
        self.ever_cleared = False
        self.clear_interval(valid=False)
        self.thread = None  # (pid, tid), survives a clear

    def clear_interval(self, valid):
        self.interval = Interval(of_a_clear=valid)
        self.defaults = None
        self.reference = None  # MONOTONIC ns
        self.valid = valid

    def clear(self):
        self.clear_interval(valid=True)
        self.ever_cleared = True

    def lose(self):
        """Tables and defaults stay as they are: nothing more is interned until the next clear."""
        self.valid = False
        self.reference = None

    def describe_thread(self, descriptor, seen):
        pid, tid = descriptor.pid or 0, descriptor.tid or 0
        self.thread = (pid, signed(tid, 32))
        us = descriptor.reference_timestamp_us
        seen["thread descriptor without reference"] += us is None
        self.reference = None if us is None else saturated(us * 1000)


def has_clear(packet):
    return bool((packet.sequence_flags or 0) & CLEARED or packet.incremental_state_cleared)


def needs_state(packet):
    return bool((packet.sequence_flags or 0) & NEEDS_STATE)


def apply_without_sequence(packet, counters):
    """4: such parts are ignored, each counted."""
    for part, present in (
        ("incremental_state_cleared", has_clear(packet)),
        ("previous_packet_dropped", packet.previous_packet_dropped),
        ("trace_packet_defaults", packet.trace_packet_defaults is not None),
        ("interned_data", packet.interned_data is not None),
    ):
        if present:
            counters[part + "_missing_sequence_id"] += 1


def apply(sequence, packet, counters, seen):
    """Steps 1 to 4 of perfetto-decoding 3."""
    sequence.packets += 1
    lost = bool(packet.previous_packet_dropped)
    if lost and sequence.packets == 1:
        seen["loss on the first packet of a sequence"] += 1
    elif lost:
        counters["previous_packet_dropped"] += 1
    if has_clear(packet):
        if lost:
            seen["clear wins over a loss"] += 1
        if packet.incremental_state_cleared:
            seen["clear by field 41"] += 1
        if sequence.ever_cleared:
            seen["another clear"] += 1
        sequence.clear()
    elif lost:
        seen["loss"] += 1
        sequence.lose()
    if packet.trace_packet_defaults is not None:
        if sequence.defaults is not None:
            seen["defaults replaced"] += 1
        if not sequence.valid:
            seen["defaults while invalid"] += 1
        sequence.defaults = packet.trace_packet_defaults
    if packet.interned_data is not None:
        if sequence.valid:
            sequence.interval.add(packet.interned_data, counters, seen)
        else:
            counters["interned_data_skipped_incremental_state_invalid"] += 1
