"""The clocks of one machine as they run: it sleeps, its wall clock is set, its raw clock drifts."""

REALTIME, REALTIME_COARSE, MONOTONIC, MONOTONIC_COARSE, RAW, BOOTTIME, TSC, PERF = 1, 2, 3, 4, 5, 6, 9, 10
USER_CLOCKS = (128, 129, 130, 131)
USUAL = (BOOTTIME, REALTIME_COARSE, MONOTONIC_COARSE, REALTIME, MONOTONIC, RAW)
MS = 1_000_000


class Device:
    def __init__(self, dice):
        self.dice = dice
        self.boot = dice.randrange(1, 50) * 1000 * MS + dice.randrange(1000)
        self.slept = dice.randrange(0, self.boot // 2)
        self.raw = dice.randrange(0, 5 * MS)
        self.epoch = 1_700_000_000_000 * MS + dice.randrange(1000 * MS)
        self.user = {c: dice.randrange(0, 1000 * MS) for c in (TSC, PERF, *USER_CLOCKS)}
        self.set_back = {}
        self.ticks = {}

    def advance(self):
        step = self.dice.choice((0, 1, 10, 1000, 50_000, MS, 20 * MS, 700 * MS))
        self.boot += step + self.dice.randrange(step + 1)
        if self.dice.chance(0.05):
            asleep = self.dice.randrange(10_000 * MS)
            self.boot += asleep
            self.slept += asleep
        if self.dice.chance(0.1):
            self.raw += self.dice.randrange(1000)
        if self.dice.hazard("realtime_steps", 0.08):
            self.epoch += self.dice.choice((-1, -1, 1)) * self.dice.randrange(3000 * MS)

    def reading(self, clock):
        if clock in (REALTIME, REALTIME_COARSE):
            return self.epoch + self.boot
        if clock in (MONOTONIC, MONOTONIC_COARSE):
            return self.boot - self.slept
        if clock == RAW:
            return self.boot - self.slept - self.raw
        if clock in self.user:
            return self.boot + self.user[clock]
        return self.boot
