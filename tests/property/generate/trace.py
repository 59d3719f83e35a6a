"""One random trace: packets in file order, then the container around them."""

from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as official

from generate import container, interning, payloads, snapshots, tasks
from generate.device import BOOTTIME, MONOTONIC, Device
from generate.dice import Dice

STYLES = {
    "perf": (payloads.perf_sample,),
    "stack": (payloads.stack_sample,),
    "streaming": (payloads.streaming,),
    "mixed": (payloads.perf_sample, payloads.stack_sample, payloads.streaming),
}


class SequencePlan:
    def __init__(self, dice, machine, number):
        self.machine = machine
        self.number = number
        self.style = dice.choice(("perf", "perf", "stack", "streaming", "mixed"))
        self.started = False
        self.clock_natures = {}  # sequence clock -> (unit, incremental)
        self.ticks = dice.randrange(1000)


class Plan:
    """Builds the packets of one trace."""

    def __init__(self, dice):
        self.dice = dice
        self.packets = []
        self.has_snapshot = False
        self.modules = []  # what ModuleSymbols can name
        machines = [0]
        if "machines" in dice.hazards:
            machines = dice.choice(([0, 1], [0, 1], [0, 1, 9], [1], [1, 9]))
        self.devices = {machine: Device(dice) for machine in machines}
        primary = MONOTONIC if dice.hazard("other_primary", 0.4) else BOOTTIME
        for machine, device in self.devices.items():
            device.primary = primary
            device.silent = "machines" in dice.hazards and machine != machines[0] and dice.chance(0.3)
            device.synced = dice.chance(0.5)
        numbers = dice.choice(((1,), (1, 2), (1, 2, 3), (1, 257)))
        self.sequences = [SequencePlan(dice, machine, number) for number in numbers for machine in machines]

    def packet(self, sequence=None):
        packet = official.TracePacket()
        machine = sequence.machine if sequence else self.dice.choice(tuple(self.devices))
        if machine:
            packet.machine_id = machine
        if sequence and not self.dice.hazard("no_sequence", 0.12):
            packet.trusted_packet_sequence_id = sequence.number
        return packet, self.devices[machine]

    def emit(self, packet):
        self.packets.append(container.serialized(self.dice, packet))

    def run(self):
        dice = self.dice
        late = "late_snapshot" in dice.hazards
        if not late:
            self.snapshot()
        if "other_clocks" in dice.hazards and "no_snapshot" not in dice.hazards and dice.chance(0.5):
            self.chain()
        for _ in range(dice.randrange(4, 45)):
            for device in self.devices.values():
                device.advance()
            action = dice.random()
            if action < 0.1:
                self.snapshot()
            elif action < 0.2:
                self.names()
            elif action < 0.24:
                self.odd()
            else:
                self.sequence_packet(dice.choice(self.sequences))
        if late:
            self.snapshot()
        return self.packets

    def snapshot(self):
        """Of any machine; the first of a file is the host's, as the service writes it."""
        dice = self.dice
        if "no_snapshot" in dice.hazards:
            return
        sequence = dice.choice(self.sequences)
        packet, device = self.packet(sequence if dice.chance(0.8) else None)
        if 0 in self.devices and (packet.machine_id and not self.has_snapshot):
            packet, device = official.TracePacket(), self.devices[0]
        if device.silent:
            return
        self.has_snapshot = True
        if "sequence_clocks" in dice.hazards and packet.trusted_packet_sequence_id and dice.chance(0.6):
            snapshots.sequence_clock(dice, device, packet.clock_snapshot, sequence)
        else:
            snapshots.fill(dice, device, packet.clock_snapshot)
        if dice.chance(0.15):
            interning.additions(dice, packet.interned_data)
        self.emit(packet)
        machine = packet.machine_id
        if machine and 0 in self.devices and device.synced and dice.chance(0.7):
            packet = official.TracePacket(machine_id=machine)
            snapshots.remote_sync(dice, self.devices[0], device, packet.remote_clock_sync)
            self.emit(packet)

    def chain(self):
        """Snapshots that join one clock to the next."""
        machine, device = self.dice.choice(tuple(self.devices.items()))
        for ids in snapshots.CHAIN:
            packet = official.TracePacket(machine_id=machine)
            snapshots.fill(self.dice, device, packet.clock_snapshot, ids)
            self.emit(packet)

    def names(self):
        dice = self.dice
        packet, device = self.packet(dice.choice(self.sequences) if dice.chance(0.3) else None)
        self.stamp(packet, device, None)
        how = dice.randrange(4)
        if how == 0:
            tasks.process_descriptor(dice, packet.process_descriptor)
        elif how == 1:
            tasks.process_track(dice, packet.track_descriptor)
        else:
            tasks.process_tree(dice, packet.process_tree)
        self.emit(packet)

    def odd(self):
        """Packets beside the samples, also some that carry nothing."""
        dice = self.dice
        sequence = dice.choice(self.sequences)
        packet, device = self.packet(sequence)
        how = dice.randrange(7)
        if how == 0:
            packet.deobfuscation_mapping.package_name = "com.example"
        elif how == 1:
            packet = official.TracePacket(synchronization_marker=b"sync")
        elif how == 2:
            packet.service_event.tracing_started = True
            packet.sequence_flags = 2
        elif how == 3:
            packet.extension_descriptor.SetInParent()
            packet.sequence_flags = 2
        elif how == 4 and "odd_packets" in dice.hazards:
            self.packets.append(b"")
            return
        else:
            payloads.symbols(dice, packet, self.modules)
        self.emit(packet)

    def stamp(self, packet, device, sequence):
        dice = self.dice
        if dice.hazard("no_timestamps", 0.3):
            return
        clock = BOOTTIME
        if sequence is not None and dice.chance(0.5):
            clock = payloads.choose_clock(dice, sequence)
            packet.timestamp_clock_id = clock
        elif device.silent or dice.chance(0.2):
            packet.timestamp_clock_id = clock
        if 64 <= clock <= 127:
            packet.timestamp = dice.randrange(2000)
            return
        packet.timestamp = max(0, device.reading(clock) - dice.choice((0, 0, 1000, 3_000_000, 5_000_000_000)))

    def sequence_packet(self, sequence):
        dice = self.dice
        packet, device = self.packet(sequence)
        clears = not sequence.started and not dice.hazard("skipped_state", 0.6)
        clears = clears or dice.hazard("many_clears", 0.12)
        if clears:
            sequence.started = True
            if dice.chance(0.15):
                packet.incremental_state_cleared = True
            else:
                packet.sequence_flags = dice.choice((1, 1, 3))
            if dice.chance(0.9):
                interning.dictionary(dice, packet.interned_data)
                self.modules += interning.modules(packet.interned_data)
        if (clears and dice.chance(0.1)) or dice.hazard("losses", 0.1):
            packet.previous_packet_dropped = dice.choice((1, 3, 65))
        if dice.chance(0.8 if clears else 0.06):
            payloads.defaults(dice, packet.trace_packet_defaults, sequence)
        if not clears and dice.chance(0.75):
            packet.sequence_flags = 2
        if not clears and dice.chance(0.3):
            interning.additions(dice, packet.interned_data)
        if clears and dice.chance(0.2):
            packet.first_packet_on_sequence = True
            packet.trusted_pid = 4711
        self.stamp(packet, device, sequence)
        if sequence.style in ("streaming", "mixed") and dice.chance(0.7 if clears else 0.08):
            if dice.chance(0.5):
                payloads.thread_descriptor(dice, packet.thread_descriptor, device)
            else:
                payloads.thread_descriptor(dice, packet.track_descriptor.thread, device)
                if dice.chance(0.2):
                    packet.track_descriptor.chrome_thread.thread_type = dice.choice(payloads.CHROME_THREADS)
        elif not clears or dice.chance(0.3):
            if sequence.style in ("streaming", "mixed") and dice.chance(0.15):
                packet.track_event.timestamp_delta_us = dice.choice((1, 500, 10_000))
            else:
                dice.choice(STYLES[sequence.style])(dice, packet)
        self.emit(packet)


def generate(seed):
    """The bytes of the trace that belongs to a seed."""
    dice = Dice(seed)
    packets = Plan(dice).run()
    if "joined" in dice.hazards:
        packets += Plan(dice).run()
    return container.pack(dice, packets)
