"""The whole model: bytes in; samples, counters, and which features occurred, out. Source: perfetto-decoding."""

from collections import Counter
from dataclasses import dataclass

from model.container import Rejected, packets_of
from model.first_pass import FirstPass
from model.second_pass import SecondPass


@dataclass
class Answer:
    samples: list
    counters: dict
    seen: Counter
    mappings: list  # of all stacks that samples refer to
    details: dict  # what stands behind a counter, in the keys of `inspect --json`
    rejected: str | None = None

    @property
    def ambiguous(self):
        """The specification allows another answer too."""
        return any(name.startswith("ambiguous") for name in self.seen)


def decode(data):
    counters, seen = Counter(), Counter()
    try:
        packets = packets_of(data, counters, seen)
    except Rejected as rejected:
        seen["rejected: " + rejected.args[0]] += 1
        return Answer([], {}, seen, [], {}, rejected.args[0])
    first = FirstPass(packets, counters, seen)
    second = SecondPass(packets, first, counters, seen)
    counters = {k: v for k, v in counters.items() if v}
    return Answer(second.rows, counters, seen, second.stacks.mappings, first.details)
