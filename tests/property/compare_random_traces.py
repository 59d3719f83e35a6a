"""Random traces: the decoder against a naive model that was written from the specification alone.

Run with pytest (tools/requirements-perfetto.txt) after a build of build/dev/profile-relay; PROFILE_RELAY_BINARY names
another one. A failing seed is made small by `python tests/property/minimise.py SEED`.
"""

import os
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import required
from difference import compare
from generate.trace import generate

SEEDS, SEEDS_LONG = 400, 6000
SHOWN = 10
# Where several chains of snapshots are equally short and disagree, the specification lets any of them win.
MOST_AMBIGUOUS = 0.02


def one_seed(seed):
    differences, model = compare(generate(seed))
    return seed, differences, model.counters, model.seen, len(model.samples)


def table(rows, total):
    width = max(len(name) for name in rows)
    return "\n".join(f"  {name:<{width}}  {total[name]:>7}" for name in rows)


def test_decoder_agrees_with_the_model(pytestconfig):
    option = pytestconfig.getoption
    count = option("--seeds") or (SEEDS_LONG if option("--long") else SEEDS)
    seeds = range(option("--first-seed"), option("--first-seed") + count)
    counters, seen, failing, samples, ambiguous = Counter(), Counter(), [], 0, 0
    begin = time.monotonic()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for seed, differences, counted, occurred, emitted in pool.map(one_seed, seeds, chunksize=20):
            counters.update(counted)
            seen.update(occurred)
            samples += emitted
            if occurred["ambiguous path"]:
                ambiguous += 1
            elif differences:
                failing.append((seed, differences))
    took = time.monotonic() - begin
    print(f"{count} traces, {samples} samples in {took:.0f} s; {ambiguous} with an ambiguous path, not compared\n")
    print("counters\n" + table(required.COUNTERS, counters))
    for section in required.FEATURES:
        print(f"\n{section}\n" + table([name for s, name in required.features() if s == section], seen))
    shown = "\n".join(f"seed {seed}:\n    " + "\n    ".join(differences) for seed, differences in failing[:SHOWN])
    assert not failing, f"{len(failing)} of {count} traces differ, the first of them:\n{shown}"
    assert ambiguous <= MOST_AMBIGUOUS * count
    missing = [c for c in required.COUNTERS if not counters[c]] + [f for _, f in required.features() if not seen[f]]
    if count >= SEEDS:
        assert not missing, f"never occurred: {missing}"

