"""Packets in file order. Source: perfetto-decoding 3, 5.1, 8, 11."""

from collections import Counter

from model import samples, sequences
from model.clocks import Clocks, saturated
from model.moments import Moment, Timeline
from model.names import Names
from model.sequences import Sequence
from model.snapshots import MONOTONIC


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
            sequence.reference = saturated(sequence.reference + (packet.track_event.timestamp_delta_us or 0) * 1000)
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
