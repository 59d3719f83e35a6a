"""Random traces: the decoder against a naive model that was written from the specification alone.

Run with pytest (tools/requirements-perfetto.txt) after a build of build/dev/profile-relay; PROFILE_RELAY_BINARY names
another one. A failing seed is made small by `python tests/property/minimise.py SEED`.
"""

import os
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import pytest

import difference
import required
import sample_v2_difference
from generate.trace import generate

SEEDS, SEEDS_LONG = 600, 8000
SHOWN = 10
# For example where several chains of snapshots are equally short and disagree: the specification lets any of them win.
MOST_AMBIGUOUS = 0.03


@dataclass
class Run:
    traces: int
    seconds: float = 0
    samples: int = 0
    ambiguous: int = 0
    counters: Counter = field(default_factory=Counter)
    seen: Counter = field(default_factory=Counter)
    decoded: list = field(default_factory=list)  # (seed, differences)
    converted: list = field(default_factory=list)


def one_seed(seed):
    data = generate(seed)
    decoded, model, answer = difference.compare(data)
    converted, counters = sample_v2_difference.compare(data, model, answer)
    counters.update(model.counters)
    if model.ambiguous:
        decoded, converted = [], []
    return seed, decoded, converted, counters, model.seen, len(model.samples), model.ambiguous


@pytest.fixture(scope="module")
def run(pytestconfig):
    option = pytestconfig.getoption
    count = option("--seeds") or (SEEDS_LONG if option("--long") else SEEDS)
    first = option("--first-seed")
    out = Run(count)
    begin = time.monotonic()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(one_seed, range(first, first + count), chunksize=20)
        for seed, decoded, converted, counters, seen, samples, ambiguous in results:
            out.counters.update(counters)
            out.seen.update(seen)
            out.samples += samples
            out.ambiguous += ambiguous
            if decoded:
                out.decoded.append((seed, decoded))
            elif converted:
                out.converted.append((seed, converted))
    out.seconds = time.monotonic() - begin
    return out


def words(run, failing):
    shown = (f"seed {seed}:\n    " + "\n    ".join(differences) for seed, differences in failing[:SHOWN])
    return f"{len(failing)} of {run.traces} traces differ, the first of them:\n" + "\n".join(shown)


def table(names, total):
    width = max(len(name) for name in names)
    return "\n".join(f"  {name:<{width}}  {total[name]:>7}" for name in names)


def test_decoded_samples_and_counters(run):
    """`profile-relay inspect`: every sample, every frame of it, every counter, and every rejection."""
    assert not run.decoded, words(run, run.decoded)
    assert run.ambiguous <= MOST_AMBIGUOUS * run.traces


def test_sample_v2(run):
    """`profile-relay decode`: what becomes of the traces whose samples agree."""
    assert not run.converted, words(run, run.converted)


def test_everything_occurred(run):
    print(f"{run.traces} traces, {run.samples} samples, {run.counters['Sample v2 documents']} Sample v2 documents")
    print(f"{run.seconds:.0f} s; {run.ambiguous} traces with more than one right answer, not compared\n")
    print("12 counters\n" + table(required.COUNTERS, run.counters))
    for section in required.FEATURES:
        print(f"\n{section}\n" + table([name for s, name in required.features() if s == section], run.seen))
    if run.traces >= SEEDS:
        missing = [name for name in required.COUNTERS if not run.counters[name]]
        missing += [name for _, name in required.features() if not run.seen[name]]
        assert not missing, f"never occurred: {missing}"
