"""The three sample packets and their defaults. Source: perfetto-decoding 1.2, 6, 7, 8."""

from generate.container import bytes_field
from generate.interning import ALL, BAD_UTF8, EARLY, PIDS, TIDS, UNKNOWN, fill_descriptor, fill_task

CHROME_THREADS = (1, 8, 50)
COUNTERS = (1, 1, 1, 2, 3, 4, 10, 11, 12, 14, 20)


def callstack_iid(dice):
    if dice.hazard("dangling", 0.08):
        return UNKNOWN
    if dice.chance(0.06):
        return 0
    return dice.choice(EARLY) if dice.chance(0.8) else dice.choice(ALL)


def defaults(dice, out, sequence):
    if dice.chance(0.6):
        out.timestamp_clock_id = choose_clock(dice, sequence)
    if dice.chance(0.6):
        timebase = out.perf_sample_defaults.timebase
        timebase.frequency = 101
        if dice.chance(0.7):
            timebase.counter = dice.choice(COUNTERS)
        elif dice.hazard("perf_extras", 0.5):
            if dice.chance(0.5):
                timebase.tracepoint.name = "sched:sched_switch"
            else:
                timebase.raw_event.type = 8
    if dice.chance(0.4):
        out.stack_sample_defaults.source = "test"
        if dice.chance(0.7):
            fill_descriptor(dice, out.stack_sample_defaults.primary_descriptor)


def choose_clock(dice, sequence):
    """A clock id for a packet or for defaults."""
    if dice.hazard("sequence_clocks", 0.4):
        return dice.choice(tuple(sequence.clock_natures) or (64,)) if dice.chance(0.95) else 66
    if dice.hazard("other_clocks", 0.4):
        return dice.choice((9, 10, 128, 129, 130))
    return dice.choice((6, 6, 3, 3, 5, 1))


def perf_sample(dice, packet):
    perf = packet.perf_sample
    if dice.chance(0.9):
        perf.cpu = dice.randrange(2)
    if dice.chance(0.97):
        perf.pid = dice.choice(PIDS)
        perf.tid = dice.choice(TIDS)
    if dice.chance(0.05):
        perf.pid = perf.tid = 0
    if dice.chance(0.92):
        perf.callstack_iid = callstack_iid(dice)
    if dice.hazard("perf_extras", 0.2):
        how = dice.randrange(5)
        if how == 0:
            perf.kernel_records_lost = dice.randrange(0, 4)
        elif how == 1:
            perf.producer_event.source_stop_reason = 1
        elif how == 2:
            perf.unwind_error = dice.randrange(0, 16)
        else:
            perf.sample_skipped_reason = dice.randrange(1, 5)
            if dice.chance(0.7):
                perf.ClearField("callstack_iid")


def stack_sample(dice, packet):
    stack = packet.stack_sample
    if dice.chance(0.5):
        fill_task(dice, stack.task_context)
    elif dice.chance(0.9):
        stack.task_context_iid = dice.choice(EARLY) if dice.chance(0.95) else UNKNOWN
    if dice.chance(0.2):
        stack.execution_context_iid = dice.choice(EARLY)
    if dice.chance(0.4):
        for _ in range(dice.randrange(4)):
            frame = stack.callstack.frames.add()
            if dice.hazard("bad_utf8", 0.2):
                frame.MergeFromString(bytes_field(1, BAD_UTF8))
            elif dice.chance(0.9):
                frame.function_name = dice.choice(("outer", "inner", "eval"))
            if dice.chance(0.5):
                frame.source_file = dice.choice(("x.py", ""))
            if dice.chance(0.5):
                frame.line_number = dice.randrange(100)
        stack.callstack.SetInParent()
    elif dice.chance(0.9):
        stack.callstack_iid = callstack_iid(dice)
    if dice.chance(0.2):
        fill_descriptor(dice, stack.primary_descriptor)
    elif dice.chance(0.3):
        stack.primary_descriptor_iid = dice.choice(EARLY) if dice.chance(0.9) else UNKNOWN
    stack.primary_weight = 1


def streaming(dice, packet):
    count = dice.randrange(0, 5)
    deltas = count + dice.choice((0, 0, 0, 0, 1, -1))
    for _ in range(count):
        packet.streaming_profile_packet.callstack_iid.append(callstack_iid(dice))
    for _ in range(max(0, deltas)):
        delta = dice.choice((0, 1, 10, 10_000, -5))
        if dice.chance(0.02):
            delta = dice.choice((-(10**11), -(1 << 63), (1 << 63) - 1))
        packet.streaming_profile_packet.timestamp_delta_us.append(delta)
    packet.streaming_profile_packet.SetInParent()


def thread_descriptor(dice, thread, device):
    if dice.chance(0.95):
        thread.pid = dice.choice(PIDS)
    if dice.chance(0.95):
        thread.tid = dice.choice(TIDS)
    if dice.chance(0.1):
        thread.tid = dice.choice((thread.tid | (5 << 32), -3))
    if dice.hazard("bad_utf8", 0.3):
        thread.MergeFromString(bytes_field(5, BAD_UTF8))
    elif dice.chance(0.6):
        thread.thread_name = dice.choice(("CrRenderer", "worker", "io", ""))
    if dice.chance(0.15):
        thread.chrome_thread_type = dice.choice(CHROME_THREADS)
    if dice.chance(0.85):
        thread.reference_timestamp_us = device.reading(3) // 1000


def symbols(dice, packet, modules):
    """Mostly of a known module; the build id goes in as raw bytes, which the schema calls a string."""
    module = packet.module_symbols
    path, build_id = b"/system", b"\x01\x02"
    if modules and dice.chance(0.8):
        path, build_id = dice.choice(modules)
    module.MergeFromString(bytes_field(1, path) + bytes_field(2, build_id))
    for _ in range(dice.randrange(1, 5)):
        entry = module.address_symbols.add()
        entry.address = dice.choice((0, 0x10, 0x20, 0x2345))
        for _ in range(dice.choice((0, 1, 2, 2))):
            line = entry.lines.add()
            line.function_name = dice.choice(("inlined", "physical", ""))
            if dice.chance(0.7):
                line.source_file_name = "s.cc"
            line.line_number = dice.randrange(50)
