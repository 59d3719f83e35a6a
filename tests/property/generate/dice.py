"""Chance, and which hazards one trace knows. A trace with every hazard at once would have no sample left."""

import random

HAZARDS = (
    "no_sequence",
    "losses",
    "skipped_state",
    "dangling",
    "missing_iid",
    "bad_utf8",
    "bad_snapshots",
    "partial_snapshots",
    "no_snapshot",
    "late_snapshot",
    "no_boottime",
    "other_primary",
    "realtime_steps",
    "other_clocks",
    "sequence_clocks",
    "machines",
    "no_timestamps",
    "perf_extras",
    "many_clears",
    "long_paths",
    "odd_packets",
    "bundles",
    "damage",
    "packed_file",
    "joined",
)
RARE = {
    "machines": 0.25,
    "no_snapshot": 0.06,
    "no_boottime": 0.08,
    "late_snapshot": 0.15,
    "bad_utf8": 0.2,
    "damage": 0.15,
    "joined": 0.1,
}


class Dice(random.Random):
    def __init__(self, seed):
        super().__init__(seed)
        self.hazards = {h for h in HAZARDS if self.random() < RARE.get(h, 0.3)}
        if "machines" in self.hazards:
            # What "aligned" means without a common BOOTTIME as trace time is left open (4).
            self.hazards -= {"no_boottime", "other_primary"}

    def chance(self, probability):
        return self.random() < probability

    def hazard(self, name, probability):
        """Something dangerous: only in traces that know this hazard."""
        return name in self.hazards and self.chance(probability)
