"""Clock snapshots, sequence clocks and bridges between machines, in file order. Source: perfetto-decoding 4, 5.1 to 5.3.

A clock is (machine, sequence, id); the sequence is 0 but for sequence clocks (64 to 127). Readings are ns.
"""

REALTIME = 1
MONOTONIC = 3
BOOTTIME = 6


def is_sequence_clock(clock_id):
    return 64 <= clock_id <= 127


class Snapshots:
    """What the packets say of clocks."""

    def __init__(self, counters, seen):
        self.counters = counters
        self.seen = seen
        self.snapshots = []  # dict clock -> reading in ns
        self.links = []  # the same, and what bridges machines
        self.nature = {}  # clock -> (unit, incremental), fixed by its first appearance
        self.running = {}  # incremental clock -> its value now
        self.set_back = set()  # went backwards: no source any more
        self.default_id = {}  # machine -> the clock of a timestamp without a clock id
        self.met = set()
        self.with_clocks = set()  # machines that read or use a clock: the others need no bridge
        self.trace_clock = None
        self.synced = set()  # machines with a remote clock sync

    def key(self, machine, sequence, clock_id):
        """None: a sequence clock without a sequence."""
        self.with_clocks.add(machine)
        if not is_sequence_clock(clock_id):
            return (machine, 0, clock_id)
        return (machine, sequence, clock_id) if sequence else None

    def meet_machine(self, machine):
        """Adapted: at its first packet a machine takes the default clock that the host has by then; 5.1 does not say."""
        if machine not in self.met and machine not in self.default_id and 0 in self.default_id:
            self.default_id[machine] = self.default_id[0]
            self.with_clocks.add(machine)
        self.met.add(machine)

    def add_snapshot(self, machine, sequence, snapshot):
        """5.3: takes a valid snapshot; of an invalid one nothing counts but the primary clock."""
        ids = [c.clock_id or 0 for c in snapshot.clocks]
        primary = snapshot.primary_trace_clock or (BOOTTIME if BOOTTIME in ids else None)
        if primary:
            # Adapted: an invalid snapshot's primary clock counts, as in trace_processor; 12 says "snapshot ignored".
            self.default_id[machine] = primary
            if self.trace_clock is None:
                self.trace_clock = (machine, 0, primary)
            elif self.trace_clock[0] == machine and self.trace_clock[2] != primary:
                self.seen["later snapshot with another primary"] += 1
        why = self.why_invalid(machine, sequence, snapshot)
        if why:
            self.seen["snapshot " + why] += 1
            self.counters["invalid_clock_snapshots"] += 1
            return
        readings = {}
        for clock in snapshot.clocks:
            key = self.key(machine, sequence, clock.clock_id or 0)
            self.nature[key] = (clock.unit_multiplier_ns or 1, bool(clock.is_incremental))
            readings[key] = (clock.timestamp or 0) * (clock.unit_multiplier_ns or 1)
            if clock.is_incremental:
                self.running[key] = readings[key]
        before = self.last_with_the_same_clocks(readings)
        for key, reading in readings.items():
            if before is not None and reading < before[key]:
                self.set_back.add(key)
                self.seen["REALTIME set back" if key[2] == REALTIME else "another clock set back"] += 1
        self.snapshots.append(readings)
        self.links.append(readings)

    def last_with_the_same_clocks(self, readings):
        """Adapted: "goes backwards" is judged among snapshots of one clock list, as in trace_processor; 5.3 does not say."""
        same = [s for s in self.snapshots if set(s) == set(readings)]
        return same[-1] if same else None

    def why_invalid(self, machine, sequence, snapshot):
        readings = {}
        for clock in snapshot.clocks:
            key = self.key(machine, sequence, clock.clock_id or 0)
            mine = (clock.unit_multiplier_ns or 1, bool(clock.is_incremental))
            known = self.nature.get(key, mine)
            if key is None:
                return "of a sequence clock without a sequence"
            if key in readings:
                return "lists a clock twice"
            if mine[1] and not is_sequence_clock(clock.clock_id):
                return "has an incremental global clock"
            if known[0] != mine[0]:
                return "changes a unit"
            if known[1] != mine[1]:
                return "changes the incremental flag"
            if key == self.trace_clock and mine[0] != 1:
                return "gives the trace clock a unit"
            readings[key] = (clock.timestamp or 0) * mine[0]
        before = self.last_with_the_same_clocks(readings)
        if before is not None and self.trace_clock in readings and readings[self.trace_clock] < before[self.trace_clock]:
            return "sets the trace clock back"
        return None

    def use(self, key, timestamp):
        """5.2: what a packet's timestamp means; an incremental clock takes one step."""
        unit, incremental = self.nature.get(key, (1, False))
        if key[1]:
            self.seen["sequence clock"] += 1
        if not incremental:
            return timestamp  # its unit may become known later
        self.seen["incremental clock with a unit" if unit != 1 else "incremental clock"] += 1
        self.running[key] += timestamp * unit
        return self.running[key]

    def add_remote_sync(self, machine, sync):
        """4: bridges a machine. The text gives no formula: these traces read both sides at one moment.

        One round is no bridge, as in trace_processor, but what the client reads is a snapshot of its clocks.
        """
        for pair in sync.synced_clocks:
            self.add_snapshot(machine, 0, _WithoutPrimary(pair.client_clocks))
        if len(sync.synced_clocks) < 2:
            self.seen["remote sync of one round"] += 1
            return
        sides = [p.client_clocks for p in sync.synced_clocks] + [p.host_clocks for p in sync.synced_clocks]
        readings = [{c.clock_id: c.timestamp for c in side.clocks} for side in sides]
        for clock_id, client in readings[0].items():
            if all(r.get(clock_id) for r in readings):
                self.seen["machine bridged by remote_clock_sync"] += 1
                self.bridge({(0, 0, clock_id): readings[-1][clock_id], (machine, 0, clock_id): client})
                self.synced.add(machine)

    def bridge(self, readings):
        self.links.append(readings)
        for key in readings:
            self.nature.setdefault(key, (1, False))


class _WithoutPrimary:
    def __init__(self, snapshot):
        self.clocks = snapshot.clocks
        self.primary_trace_clock = None
