"""Packets that name processes and threads. Source: perfetto-decoding 11."""

from generate.container import bytes_field
from generate.interning import BAD_UTF8, PIDS, TIDS

CHROME_PROCESSES = (1, 2, 6)


def process_tree(dice, tree):
    for _ in range(dice.randrange(0, 3)):
        process = tree.processes.add()
        process.pid = dice.choice(PIDS)
        process.ppid = dice.choice((1, 1, 2))
        if process.ppid == 2:
            process.cmdline.append(dice.choice(("kworker/0:1", "kworker/0:1-events", "kworker/1:2+mm_wq")))
        elif dice.chance(0.9):
            process.cmdline.append(dice.choice(("com.example.app", "/bin/sh -c x", "sh", "")))
            if dice.chance(0.3):
                process.cmdline.append("--flag")
        if dice.chance(0.3):
            process.cmdline_is_comm = True
    for _ in range(dice.randrange(0, 3)):
        thread = tree.threads.add()
        thread.tid = dice.choice(TIDS)
        thread.tgid = dice.choice(PIDS)
        if dice.chance(0.9):
            thread.name = dice.choice(("RenderThread", "main", "", "binder:1"))


def process_track(dice, track):
    process_descriptor(dice, track.process)
    if dice.chance(0.3):
        track.chrome_process.process_type = dice.choice(CHROME_PROCESSES)


def process_descriptor(dice, process):
    if dice.chance(0.97):
        process.pid = dice.choice(PIDS)
    if dice.chance(0.3):
        process.chrome_process_type = dice.choice(CHROME_PROCESSES)
    if dice.hazard("bad_utf8", 0.3):
        process.MergeFromString(bytes_field(6, BAD_UTF8))
    elif dice.chance(0.9):
        process.process_name = dice.choice(("Browser", "Renderer", ""))
