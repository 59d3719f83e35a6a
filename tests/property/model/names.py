"""Names of threads and processes: by time and rank. Source: perfetto-decoding 11."""

from model.wire import signed

# What trace_processor calls the types that these traces use; the text names none.
CHROME_PROCESSES = {1: b"Browser", 2: b"Renderer", 6: b"Gpu"}
CHROME_THREADS = {1: b"CrProcessMain", 8: b"Compositor", 50: b"MemoryInfra"}

PROCESS_TREE_THREAD = 2
CHROME_THREAD = 3
THREAD_DESCRIPTOR = 4
CHROME_PROCESS = 1
PROCESS_DESCRIPTOR = 2
PROCESS_TREE_CMDLINE = 4


def thread_key(machine, descriptor):
    return ("thread", machine, descriptor.pid or 0, signed(descriptor.tid, 32))


class Names:
    def __init__(self, counters, seen):
        self.counters = counters
        self.seen = seen
        self.given = []  # (key, rank, name, when), in file order

    def give(self, key, rank, raw, when):
        """An empty name is none; one that is not UTF-8 is counted."""
        try:
            name = (raw or b"").decode("utf-8")
        except UnicodeDecodeError:
            self.counters["invalid_utf8_string"] += 1
            return
        if name:
            self.given.append((key, rank, name, when))

    def thread_descriptor(self, machine, descriptor, when):
        if descriptor.tid is not None:
            name = descriptor.thread_name
            if not name and descriptor.chrome_thread_type:
                name = CHROME_THREADS[descriptor.chrome_thread_type]
                self.seen["Chrome thread type"] += 1
            self.give(thread_key(machine, descriptor), THREAD_DESCRIPTOR, name, when)

    def chrome_thread(self, machine, descriptor, thread_type, when):
        if thread_type:
            self.seen["Chrome thread type"] += 1
            self.give(thread_key(machine, descriptor), CHROME_THREAD, CHROME_THREADS[thread_type], when)

    def process_descriptor(self, machine, descriptor, chrome_type, when):
        key = ("process", machine, descriptor.pid or 0)
        if chrome_type or descriptor.chrome_process_type:
            self.seen["Chrome process type"] += 1
            self.give(key, CHROME_PROCESS, CHROME_PROCESSES[chrome_type or descriptor.chrome_process_type], when)
        self.give(key, PROCESS_DESCRIPTOR, descriptor.process_name, when)

    def process_tree(self, machine, tree, when):
        for process in tree.processes:
            if not process.cmdline:
                continue
            name, pid = process.cmdline[0], process.pid or 0
            if len(process.cmdline) == 1:
                name = name.split(b" ")[0]
            if process.ppid == 2 and name.startswith(b"kworker/"):
                self.seen["kworker name"] += 1
                name = name.split(b"+")[0].split(b"-")[0]
            if process.cmdline_is_comm:
                self.seen["cmdline_is_comm"] += 1
                self.give(("thread", machine, pid, pid), PROCESS_TREE_THREAD, name, when)
            self.give(("process", machine, pid), PROCESS_TREE_CMDLINE, name, when)
        for thread in tree.threads:
            key = ("thread", machine, thread.tgid or 0, thread.tid or 0)
            self.give(key, PROCESS_TREE_THREAD, thread.name, when)

    def settle(self, answer):
        """`answer(when)`: (trace time, wall time, counter). A name without a place in time is dropped.

        12 speaks of samples only; trace_processor drops and counts the whole packet, so such a packet counts once.
        Names that reach wall time alone (5.7) come last, like such samples.
        """
        in_time, lost = [], set()
        for key, rank, name, when in self.given:
            trace_time, wall_time, failure = answer(when)
            if failure:
                self.seen["name without a place in time"] += 1
                self.counters[failure] += when not in lost
                lost.add(when)
            elif trace_time is not None:
                in_time.append(((0, trace_time), key, rank, name))
            else:
                self.seen["name that only reaches wall time"] += 1
                in_time.append(((1, wall_time), key, rank, name))
        if len({at[0] for at, _, _, _ in in_time}) > 1:
            self.seen["ambiguous: names by trace time and by wall time"] += 1
        in_time.sort(key=lambda row: row[0])
        self.names, self.pid_of_tid = {}, {}
        for _, key, rank, name in in_time:
            if key[0] == "thread":
                self.pid_of_tid[key[1], key[3]] = key[2]
            if key not in self.names or rank >= self.names[key][0]:
                self.names[key] = (rank, name)
            else:
                self.seen["name of a lower rank"] += 1

    def thread(self, machine, pid, tid):
        """Adapted: a sample with a tid alone takes the process last named with it; 11 names threads by pid and tid."""
        if (pid, tid) == (0, 0):
            self.seen["swapper"] += 1
            return "swapper"
        if pid is None and tid is not None:
            pid = self.pid_of_tid.get((machine, tid), 0)
        return self.names.get(("thread", machine, pid, tid), (0, None))[1]

    def process(self, machine, pid):
        return self.names.get(("process", machine, pid), (0, None))[1]
