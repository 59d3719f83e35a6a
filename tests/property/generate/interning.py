"""Random interned data: few iids, so that redefinitions and late definitions come by themselves."""

NAMES = (
    b"main",
    b"java.lang.Thread.run",
    b"art_quick_invoke",
    b"android.view.View.draw(int.x)",
    b"na\xc3\xafve",
    b"f",
    b"g",
    b".h",
    b"ERROR INVALID_MAP",
)
PARTS = (
    b"system",
    b"lib64",
    b"libfoo.so",
    b"base.apk!libbar.so",
    b"kernel",
    b"[anon:dalvik-jit-code-cache]",
    b"/data/app/base.apk",
    b"base.vdex (deleted)",
    b"[memfd:jit-zygote-cache] (deleted)",
    b"memfd:jit-cache (deleted)",
    b"boot-framework.oat",
)
FILES = (b"a.cc", b"src/b.kt", b"", b"c.h")
BUILD_IDS = (b"\x01\x02", bytes(range(20)), b"3BBCFBD372448A727265C3E7C4D954F91", b"missing", b"", b"\xaa\xbb\xcc\xdd")
BAD_UTF8 = b"\xff\xfe"
EARLY = (1, 2, 3, 4)
ALL = (1, 2, 3, 4, 5, 6, 7, 8)
UNKNOWN = 99


def reference(dice, zero=False):
    if dice.hazard("dangling", 0.03):
        return UNKNOWN
    if zero and dice.chance(0.08):
        return 0
    return dice.choice(EARLY) if dice.chance(0.85) else dice.choice(ALL)


def give_iid(dice, entry, iid):
    if not dice.hazard("missing_iid", 0.05):
        entry.iid = iid


def text(dice, words):
    if dice.hazard("bad_utf8", 0.1):
        return BAD_UTF8
    return dice.choice(words)


def function_name(dice, data, iid):
    entry = data.function_names.add()
    give_iid(dice, entry, iid)
    entry.str = text(dice, NAMES)
    if dice.chance(0.05):
        entry.str = b""


def build_id(dice, data, iid):
    entry = data.build_ids.add()
    give_iid(dice, entry, iid)
    entry.str = dice.choice(BUILD_IDS)


def mapping_path(dice, data, iid):
    entry = data.mapping_paths.add()
    give_iid(dice, entry, iid)
    entry.str = text(dice, PARTS)
    if dice.chance(0.04):
        entry.str = b""


def source_path(dice, data, iid):
    entry = data.source_paths.add()
    give_iid(dice, entry, iid)
    entry.str = text(dice, FILES)


def mapping(dice, data, iid):
    entry = data.mappings.add()
    give_iid(dice, entry, iid)
    if dice.chance(0.8):
        entry.build_id = reference(dice, zero=True)
    for _ in range(dice.choice((0, 1, 1, 2, 3))):
        entry.path_string_ids.append(reference(dice))
    if dice.hazard("long_paths", 0.2):
        while len(entry.path_string_ids) < dice.choice((100, 101, 150)):
            entry.path_string_ids.append(reference(dice))
    if dice.chance(0.7):
        entry.start = dice.randrange(16) << 12
        entry.end = entry.start + (dice.randrange(1, 16) << 12)
        entry.exact_offset = dice.choice((0, 0x1000, 0x5000))
        entry.start_offset = dice.choice((0, 0x1000))
        entry.load_bias = dice.choice((0, 0x100))
    elif dice.chance(0.3):
        entry.exact_offset = (1 << 64) - dice.randrange(1, 1 << 20)
        entry.start_offset = entry.exact_offset


def frame(dice, data, iid):
    entry = data.frames.add()
    give_iid(dice, entry, iid)
    if dice.chance(0.9):
        entry.function_name_id = reference(dice, zero=True)
    if dice.chance(0.9):
        entry.mapping_id = reference(dice, zero=True)
    if dice.chance(0.9):
        entry.rel_pc = dice.choice((0, 0x10, 0x20, 0x2345, (1 << 64) - 16))
    if dice.chance(0.2):
        entry.source_path_iid = reference(dice)
        if dice.hazard("dangling", 0.2):
            entry.source_path_iid = 0
    if dice.chance(0.2):
        entry.line_number = dice.randrange(500)
    if dice.chance(0.2):
        entry.kind = dice.randrange(0, 7)
    elif dice.chance(0.1):
        entry.kind_str = dice.choice(("wasm", "native", "lua", ""))


def callstack(dice, data, iid):
    entry = data.callstacks.add()
    give_iid(dice, entry, iid)
    for _ in range(dice.choice((0, 1, 2, 2, 3, 3, 4))):
        entry.frame_ids.append(reference(dice))


def task_context(dice, data, iid):
    entry = data.stack_sample_task_contexts.add()
    give_iid(dice, entry, iid)
    fill_task(dice, entry)


def fill_task(dice, task):
    if dice.chance(0.9):
        task.pid = dice.choice(PIDS)
    if dice.chance(0.85):
        task.tid = dice.choice(TIDS)


def execution_context(dice, data, iid):
    entry = data.stack_sample_execution_contexts.add()
    give_iid(dice, entry, iid)
    entry.cpu = dice.randrange(4)


def counter_descriptor(dice, data, iid):
    entry = data.stack_sample_counter_descriptors.add()
    give_iid(dice, entry, iid)
    fill_descriptor(dice, entry)


def fill_descriptor(dice, descriptor):
    descriptor.name = "counter"
    if dice.chance(0.1):
        descriptor.unit_str = dice.choice(("ns", "cycles", "bytes", "bananas"))
    else:
        descriptor.unit = dice.choice((0, 1, 1, 1, 2, 3, 4, 5, 9))


PIDS = (100, 100, 100, 200, 2)
TIDS = (100, 101, 102, 200)
MAKERS = (
    (function_name, 1.0),
    (build_id, 1.0),
    (mapping_path, 1.0),
    (source_path, 1.0),
    (mapping, 1.0),
    (frame, 1.0),
    (callstack, 1.0),
    (task_context, 0.5),
    (execution_context, 0.3),
    (counter_descriptor, 0.4),
)


def dictionary(dice, data):
    """What a sequence interns after a clear: nearly all it needs."""
    for maker, share in MAKERS:
        for iid in EARLY:
            if dice.chance(0.97 * share):
                maker(dice, data, iid)
    if dice.chance(0.1):
        data.function_names.add(iid=0, str=b"zero")
    if dice.chance(0.3):
        callstack(dice, data, 0)


def modules(data):
    """(name, build id) of the mappings that this packet defines, where it defines the parts too: for ModuleSymbols."""
    parts = {e.iid: e.str for e in reversed(data.mapping_paths)}
    build_ids = {e.iid: e.str for e in reversed(data.build_ids)}
    for entry in data.mappings:
        name = b"".join(b"/" + parts.get(iid, b"") for iid in entry.path_string_ids)
        yield name.replace(b"//", b"/", 1), build_ids.get(entry.build_id, b"")


def additions(dice, data):
    """A few later entries: new ones, late ones, second definitions."""
    for _ in range(dice.randrange(1, 6)):
        maker = callstack if dice.chance(0.3) else dice.choice(MAKERS)[0]
        maker(dice, data, dice.choice(ALL))
