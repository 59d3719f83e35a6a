"""When something happened, as the trace says it; converted in the end. Source: perfetto-decoding 5.1, 5.6."""

from dataclasses import dataclass, replace

from model.clocks import NoPath, saturated


@dataclass(eq=False)
class Moment:
    clock: object  # None: trace time as it stands
    reading: int = 0
    missing: bool = False
    unknown: bool = False  # a sequence clock without a sequence
    extra: int = 0  # ns to add after the conversion
    root: object = None  # of a moment with `extra`
    samples: tuple = ()  # the moments of a streaming packet's samples: 5.1 does not say that only packets count

    def plus(self, extra):
        return replace(self, extra=extra, root=self.root or self, samples=())


class Timeline:
    """All packet timestamps in file order: a missing one is the greatest so far."""

    def __init__(self, clocks, seen):
        self.clocks = clocks
        self.seen = seen
        self.moments = []
        self.answers = {}

    def add(self, moment):
        self.moments.append(moment)
        return moment

    def convert(self, moment):
        """(trace time or None, wall time or None, counter or None)."""
        if moment.clock is None and not moment.unknown:
            self.seen["timestamp before any snapshot"] += 1
            return moment.reading, self.clocks.to_wall(moment.reading), None
        try:
            if moment.unknown:
                raise NoPath("clock_sync_failure_unknown_source_clock")
            trace_time = self.clocks.to_trace(moment.clock, moment.reading)
            return trace_time, self.clocks.to_wall(trace_time), None
        except NoPath as failure:
            try:
                return None, self.clocks.straight_to_wall(moment.clock, moment.reading), None
            except NoPath:
                return None, None, failure.args[0]

    def settle(self):
        greatest = 0
        for moment in self.moments:
            if moment.missing:
                self.seen["missing timestamp"] += 1
                self.answers[id(moment)] = (greatest, self.clocks.to_wall(greatest), None)
            for one in [moment, *moment.samples]:
                answer = self.answer(one)
                if answer[0] is not None and answer[0] > greatest:
                    greatest = answer[0]

    def trace_time(self, moment):
        return self.answer(moment)[0]

    def answer(self, moment):
        root = moment.root or moment
        if id(root) not in self.answers:
            self.answers[id(root)] = self.convert(root)
        trace_time, wall_time, failure = self.answers[id(root)]
        if failure is None and moment.extra:
            if trace_time is not None:
                trace_time = saturated(trace_time + moment.extra)
                wall_time = self.clocks.to_wall(trace_time)
            else:
                wall_time = saturated(wall_time + moment.extra)
        return trace_time, wall_time, failure
