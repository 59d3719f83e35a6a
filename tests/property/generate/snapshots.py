"""Clock snapshots, good and bad, and RemoteClockSync."""

from generate.device import BOOTTIME, MONOTONIC, PERF, RAW, REALTIME, TSC, USER_CLOCKS, USUAL

# A chain off the usual clocks: the more hops, the further left. The fifth hop is one too many.
CHAIN = ((MONOTONIC, TSC), (TSC, PERF), (PERF, 128), (128, 129), (129, 130))
# REALTIME only beside BOOTTIME: how another snapshot's REALTIME finds its trace time is left open (5.7).
PARTIAL = ((BOOTTIME, MONOTONIC), (MONOTONIC, RAW), (BOOTTIME, MONOTONIC, REALTIME), (BOOTTIME, MONOTONIC, REALTIME, TSC))


def add(snapshot, clock_id, timestamp, unit=0, incremental=False):
    clock = snapshot.clocks.add()
    clock.clock_id = clock_id
    clock.timestamp = max(0, timestamp)
    if unit:
        clock.unit_multiplier_ns = unit
    if incremental:
        clock.is_incremental = True


def choose_ids(dice):
    if "no_boottime" in dice.hazards:
        return (MONOTONIC, REALTIME)
    if dice.hazard("other_clocks", 0.4):
        return dice.choice(CHAIN)
    if dice.hazard("partial_snapshots", 0.6):
        return dice.choice(PARTIAL)
    return USUAL


def fill(dice, device, snapshot, ids=None):
    ids = ids or choose_ids(dice)
    for clock_id in ids:
        reading = device.reading(clock_id)
        if clock_id not in (BOOTTIME, REALTIME) and dice.hazard("bad_snapshots", 0.05):
            reading -= dice.randrange(2_000_000_000)
        add(snapshot, clock_id, reading)
    primary = device.primary if device.primary in ids else BOOTTIME
    if primary in ids and dice.chance(0.7):
        snapshot.primary_trace_clock = primary
    if dice.hazard("other_primary", 0.2) and MONOTONIC in ids:
        snapshot.primary_trace_clock = MONOTONIC
    if dice.hazard("bad_snapshots", 0.4):
        spoil(dice, device, snapshot)


def spoil(dice, device, snapshot):
    """One of each way to be invalid (perfetto-decoding 5.3)."""
    how = dice.choice(("twice", "unit", "global incremental", "trace unit", "trace back", "flag"))
    odd = next(c for c in reversed(snapshot.clocks) if c.clock_id != REALTIME)
    if how == "twice":
        add(snapshot, snapshot.clocks[0].clock_id, snapshot.clocks[0].timestamp)
    elif how == "unit":
        odd.unit_multiplier_ns = 7
    elif how == "global incremental":
        add(snapshot, dice.choice(USER_CLOCKS[2:]), 5, incremental=True)
    elif how == "flag":
        odd.is_incremental = True
    else:
        for clock in snapshot.clocks:
            if clock.clock_id == (snapshot.primary_trace_clock or BOOTTIME):
                if how == "trace unit":
                    clock.unit_multiplier_ns = 1000
                else:
                    clock.timestamp = max(0, clock.timestamp - 10_000_000_000)


def sequence_clock(dice, device, snapshot, sequence):
    """A clock of one sequence beside BOOTTIME, as track events write it."""
    number = dice.choice((64, 65, 127))
    unit, incremental = sequence.clock_natures.setdefault(number, (dice.choice((0, 1, 1000)), dice.chance(0.6)))
    if dice.chance(0.15):
        unit, incremental = dice.choice(((10, incremental), (unit, not incremental)))
    snapshot.primary_trace_clock = device.primary
    add(snapshot, dice.choice((BOOTTIME, device.primary)), 0)
    snapshot.clocks[0].timestamp = device.reading(snapshot.clocks[0].clock_id)
    sequence.ticks += dice.randrange(1000)
    add(snapshot, number, sequence.ticks, unit, incremental)


def remote_sync(dice, host, client, sync):
    """Both sides at the same moments, so that every way to average gives the same offset."""
    for _ in range(dice.choice((1, 1, 2, 3))):
        pair = sync.synced_clocks.add()
        for clock_id in (BOOTTIME, MONOTONIC):
            add(pair.client_clocks, clock_id, client.reading(clock_id))
            add(pair.host_clocks, clock_id, host.reading(clock_id))
