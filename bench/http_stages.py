"""Where profile-relay's CPU time goes under full load: perf's samples, by thread and by what the functions belong to."""

import collections
import re
import shutil
import subprocess
import tempfile

from http_subjects import cpu_seconds, give_up

# (stage, thread, module, function): regular expressions, the first row that fits counts.
ROWS = (
    ("kernel: sockets, HTTP threads", r"http|profile-relay", r"kernel", r".*copy_(to|from)_iter|.*tcp.*|.*skb.*|.*sock.*"),
    ("kernel: waking and switching, rest", r"http|profile-relay", r"kernel", r".*"),
    ("librdkafka's threads, kernel included", r"rdk:.*", r".*", r".*"),
    ("parse JSON (simdjson)", r".*", r".*", r".*simdjson.*"),
    ("decode trace", r".*", r".*", r".*perfetto_decode.*"),
    ("read, convert, normalise, write JSON", r".*", r".*", r".*profile_relay::profile.*"),
    ("copy and compare memory", r".*", r"libc.*", r".*mem(cpy|move|cmp|set|chr).*"),
    ("allocate and free", r".*", r"libc.*", r".*(malloc|free|realloc|calloc|unlink_chunk).*"),
    ("sessions, pipeline, delivery, Asio", r".*", r".*", r".*"),
)


def print_stages(pid, load, port, seconds):
    """Loads the server while perf watches it; prints microseconds of CPU per request by stage."""
    if not shutil.which("perf"):
        give_up("perf is missing: Debian's package linux-perf")
    with tempfile.NamedTemporaryFile(prefix="http-bench-perf-") as data:
        perf = subprocess.Popen(["perf", "record", "-q", "-e", "cpu-clock", "-F", "1999", "-o", data.name, "-p", str(pid), "--",
                                 "sleep", str(seconds)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        before = cpu_seconds(pid)
        result = load.full(port, seconds)
        per_request = 1e6 * (cpu_seconds(pid) - before) / result["requests"]
        words = perf.communicate()[1]
        if perf.returncode != 0:
            give_up(f"perf cannot watch processes here:\n{words}")
        shares = read_shares(data.name)
    print(f"stages, of {per_request:.0f} us CPU a request (perf, {seconds} s at full load)")
    for stage, *_ in ROWS:
        print(f"{stage:42}{shares[stage]:>6.1f} %{per_request * shares[stage] / 100:>7.1f} us")
    print(flush=True)


def read_shares(name):
    done = subprocess.run(["perf", "report", "-i", name, "--stdio", "--no-children", "-g", "none", "--percent-limit", "0",
                           "-t", "\t", "-F", "overhead,comm,dso,symbol"], capture_output=True, text=True, check=False)
    shares = collections.Counter()
    for line in done.stdout.splitlines():
        parts = [part.strip() for part in line.split("\t")]
        if len(parts) != 4 or not parts[0].endswith("%"):
            continue
        thread, module, function = parts[1], parts[2].strip("[]"), re.sub(r"^\[.\] ", "", parts[3])
        for stage, *patterns in ROWS:
            if all(re.fullmatch(p, text) for p, text in zip(patterns, (thread, module.replace("kernel.kallsyms", "kernel"), function))):
                shares[stage] += float(parts[0].rstrip("%"))
                break
    if not shares:
        give_up(f"perf report says nothing:\n{done.stderr[-1000:]}")
    return shares
