"""Conversion to trace time and wall time, when all snapshots are known. Source: perfetto-decoding 5.4 to 5.7."""

from model.snapshots import BOOTTIME, REALTIME, Snapshots

MOST_HOPS = 4
I64_MIN, I64_MAX = -(1 << 63), (1 << 63) - 1


def saturated(value):
    """14.10: saturating times."""
    return max(I64_MIN, min(I64_MAX, value))


class NoPath(Exception):
    """No conversion; args[0] is the counter that says why."""


class Clocks(Snapshots):
    """Snapshots first, then `finish`, then conversions."""

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
