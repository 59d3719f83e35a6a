"""Clock snapshots, sequence clocks, conversion to trace time and wall time. Source: perfetto-decoding 5.

A clock is (machine, sequence, id); the sequence is 0 but for sequence clocks (64 to 127). All arithmetic is on ns.
"""

REALTIME = 1
MONOTONIC = 3
BOOTTIME = 6
MOST_HOPS = 4


I64_MIN, I64_MAX = -(1 << 63), (1 << 63) - 1


def saturated(value):
    """14.10: saturating times."""
    return max(I64_MIN, min(I64_MAX, value))


class NoPath(Exception):
    """No conversion; args[0] is the counter that says why."""


def is_sequence_clock(clock_id):
    return 64 <= clock_id <= 127


class Clocks:
    """First pass: snapshots and uses in file order. Second pass, after `finish`: conversions."""

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

    # -- first pass

    def meet_machine(self, machine):
        """Adapted: at its first packet a machine takes over the default clock that the host has by then; 5.1 does not say."""
        if machine not in self.met and machine not in self.default_id and 0 in self.default_id:
            self.default_id[machine] = self.default_id[0]
            self.with_clocks.add(machine)
        self.met.add(machine)

    def add_snapshot(self, machine, sequence, snapshot):
        """5.3: takes a valid snapshot; of an invalid one nothing counts but the primary clock."""
        ids = [c.clock_id or 0 for c in snapshot.clocks]
        primary = snapshot.primary_trace_clock or (BOOTTIME if BOOTTIME in ids else None)
        if primary:
            # Adapted: an invalid snapshot's primary clock counts too, as in trace_processor; 12 says "snapshot ignored".
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
        """4: bridges a machine. The text gives no formula; these traces read both sides at one moment, in two rounds or more.

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

    # -- second pass

    def finish(self, host):
        """4: the other machines are bridged by REALTIME where both sides read it, else by BOOTTIME as if aligned."""
        self.host = host
        if self.trace_clock is None:
            self.trace_clock = (host, 0, BOOTTIME)
        for machine in sorted(self.with_clocks - {host} - self.synced):
            both = all((m, 0, REALTIME) in self.nature for m in (host, machine))
            self.seen["machine bridged by REALTIME" if both else "machine taken as aligned"] += 1
            clock_id = REALTIME if both else BOOTTIME
            self.bridge({(host, 0, clock_id): 0, (machine, 0, clock_id): 0})

    def hop(self, source, target, t):
        """5.4: the latest snapshot with both clocks whose source reading is not after t, else the first."""
        pairs = sorted(((s[source], s[target]) for s in self.links if source in s and target in s), key=lambda p: p[0])
        before = [p for p in pairs if p[0] <= t]
        if not before:
            self.seen["reading before the first snapshot"] += 1
        elif len(before) < len(pairs):
            self.seen["reading between two snapshots"] += 1
        used = before[-1] if before else pairs[0]
        return t + used[1] - used[0]

    def neighbours(self, clock):
        if clock in self.set_back:
            return set()
        return {other for s in self.links if clock in s for other in s if other != clock}

    def paths(self, source, target):
        """All paths with the fewest hops."""
        paths, reached = [[source]], {source}
        for _ in range(MOST_HOPS + 1):
            arrived = [p for p in paths if p[-1] == target]
            if arrived:
                return arrived
            paths = [p + [n] for p in paths for n in self.neighbours(p[-1]) - reached]
            reached |= {p[-1] for p in paths}
        return []

    def convert(self, source, target, raw):
        paths = self.paths(source, target)
        if not paths:
            raise NoPath("clock_sync_failure_no_path")
        unit, incremental = self.nature.get(source, (1, False))
        if unit != 1 and not incremental:
            self.seen["sequence clock with a unit"] += 1
        answers = []
        for path in paths:
            now = raw if incremental else raw * unit
            for a, b in zip(path, path[1:]):
                if saturated(now) != now:
                    self.seen["ambiguous: saturated on the way"] += 1
                now = self.hop(a, b, now)
            answers.append(saturated(now))
        self.seen[f"path of {len(paths[0]) - 1} hops"] += 1
        if len(set(answers)) > 1:
            self.seen["ambiguous: paths of the same length"] += 1
        return answers[0]

    def to_trace(self, clock, raw):
        if clock == self.trace_clock:
            return raw
        if clock not in self.nature:
            raise NoPath("clock_sync_failure_unknown_source_clock")
        if self.trace_clock not in self.nature:
            raise NoPath("clock_sync_failure_unknown_target_clock")
        return self.convert(clock, self.trace_clock, raw)

    def realtime_readings(self):
        """(trace time, REALTIME) of every snapshot that reads the host's REALTIME and reaches trace time."""
        realtime = (self.host, 0, REALTIME)
        out = []
        for snapshot in self.snapshots:
            if realtime not in snapshot:
                continue
            if self.trace_clock in snapshot:
                out.append((snapshot[self.trace_clock], snapshot[realtime]))
                continue
            for clock in snapshot:
                try:
                    if clock != realtime:
                        out.append((self.convert_reading(clock, snapshot[clock]), snapshot[realtime]))
                        break
                except NoPath:
                    continue
        return sorted(out, key=lambda r: r[0])

    def convert_reading(self, clock, reading):
        unit = self.nature[clock][0]
        return self.to_trace(clock, reading // unit if unit != 1 and not self.nature[clock][1] else reading)

    def to_wall(self, trace_time):
        """5.7; None without a REALTIME reading."""
        readings = self.realtime_readings()
        if not readings:
            return None
        before = [i for i, (at, _) in enumerate(readings) if at <= trace_time]
        if not before:
            self.seen["wall time before the first reading"] += 1
            return saturated(readings[0][1] + trace_time - readings[0][0])
        last = before[-1]
        wall = saturated(readings[last][1] + trace_time - readings[last][0])
        if last + 1 < len(readings) and readings[last + 1][1] < wall:
            self.seen["wall time squeezed onto the next reading"] += 1
            return readings[last + 1][1]
        return wall

    def straight_to_wall(self, clock, raw):
        """5.7: trace time cannot be reached, REALTIME can."""
        realtime = (self.host, 0, REALTIME)
        if clock not in self.nature or realtime not in self.nature:
            raise NoPath("")
        wall = self.convert(clock, realtime, raw)
        self.seen["straight to REALTIME"] += 1
        return wall

    def count_steps_back(self):
        """5.7; returns the size of the largest one."""
        readings = self.realtime_readings()
        steps = [before - after for (_, before), (_, after) in zip(readings, readings[1:]) if after < before]
        self.counters["realtime_step_back"] += len(steps)
        return max(steps, default=0)


class _WithoutPrimary:
    def __init__(self, snapshot):
        self.clocks = snapshot.clocks
        self.primary_trace_clock = None
