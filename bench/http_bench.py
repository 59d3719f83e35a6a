#!/usr/bin/python3
"""profile-relay against the bare path: HTTP POST in, Kafka acknowledged, 200 out. Same load, same broker, same topic.

Both programs are started in turn, round by round, and loaded with wrk: an envelope with one JSON chunk of --size bytes
over --connections connections that stay open. Printed are medians over the rounds, and the ratio of the two.
KAFKA_BOOTSTRAP names the broker; without it a local one is started, its log in memory.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools" / "kafka"))
import local_kafka  # noqa: E402

TOPIC = "profiles"
SUBJECTS = ("bare-path", "profile-relay")
FIGURES = (
    ("requests_per_second", "requests/s", "{:.0f}"),
    ("p50_ms", "p50 ms", "{:.2f}"),
    ("p99_ms", "p99 ms", "{:.2f}"),
    ("cpu_per_1000", "CPU s per 1000", "{:.3f}"),
    ("rss_mb", "peak RSS MB", "{:.0f}"),
)


def build_folder():
    """The folder that holds the programs: where this script was linked to, else the release build."""
    here = pathlib.Path(sys.argv[0]).absolute().parent
    if (here / "bare-path").exists():
        return here
    return ROOT / "build" / "release"


def make_envelope(size):
    """An envelope of about `size` bytes: one Sample v2 chunk, two threads, as an SDK sends it."""
    start = 1_790_000_000.0
    frames = [{"function": f"handle_{i}", "module": f"shop.views.part_{i % 17}", "filename": f"shop/views/part_{i % 17}.py",
               "abs_path": f"/srv/shop/views/part_{i % 17}.py", "lineno": 10 + i, "in_app": i % 3 == 0} for i in range(300)]
    stacks = [[(7 * i + 3 * k) % 300 for k in range(12)] for i in range(150)]

    def chunk(count):
        samples = [{"timestamp": round(start + 0.0099 * i, 6), "stack_id": i % 150, "thread_id": str(1 + i % 2)}
                   for i in range(count)]
        return json.dumps({
            "chunk_id": "5f3b1c2a9d4e4f60a1b2c3d4e5f60718", "profiler_id": "0e1d2c3b4a5968778695a4b3c2d1e0f0",
            "platform": "python", "version": "2", "release": "shop@4.2.0", "environment": "production",
            "client_sdk": {"name": "sentry.python", "version": "2.75.0"}, "debug_meta": {"images": []},
            "profile": {"frames": frames, "stacks": stacks, "samples": samples,
                        "thread_metadata": {"1": {"name": "MainThread"}, "2": {"name": "worker"}}}},
            separators=(",", ":"))

    per_sample = (len(chunk(1100)) - len(chunk(100))) / 1000
    body = chunk(max(2, int((size - len(chunk(0))) / per_sample)))
    item = json.dumps({"type": "profile_chunk", "platform": "python", "content_type": "application/json", "length": len(body)})
    return f"{{}}\n{item}\n{body}\n".encode()


class Broker:
    """Empties the topic between runs: at full speed it takes some hundred megabytes a second."""

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap

    def _topic(self, *arguments):
        done = subprocess.run(
            local_kafka.java("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", self.bootstrap, *arguments),
            capture_output=True, text=True, check=False)
        return done.returncode == 0, done.stdout + done.stderr

    def messages(self):
        done = subprocess.run(
            local_kafka.java("org.apache.kafka.tools.GetOffsetShell", "--bootstrap-server", self.bootstrap, "--topic", TOPIC),
            capture_output=True, text=True, check=True)
        return int(done.stdout.strip().rsplit(":", 1)[1])

    def fresh_topic(self):
        self._topic("--delete", "--topic", TOPIC)
        deadline = time.monotonic() + 20
        while True:  # the old topic's name is free once its deletion has gone through
            done, words = self._topic(
                "--create", "--topic", TOPIC, "--partitions", "1", "--replication-factor", "1",
                "--config", f"max.message.bytes={local_kafka.PROFILES_MESSAGE_BYTES}", "--config", "file.delete.delay.ms=1")
            if done:
                return
            if time.monotonic() > deadline:
                sys.exit(f"http_bench: the topic {TOPIC} could not be made:\n{words}")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def running(command, log, environment):
    """A server that has said on standard error that it is ready."""
    with open(log, "wb") as words:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=words, stderr=words,
                                   env={**os.environ, **environment})
    try:
        deadline = time.monotonic() + 30
        while "ready http=" not in (text := pathlib.Path(log).read_text(errors="replace")):
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"http_bench: {command[0]} did not start:\n{text[-2000:]}")
            time.sleep(0.05)
        yield process.pid
        if process.poll() is not None:
            sys.exit(f"http_bench: {command[0]} ended under load:\n{pathlib.Path(log).read_text(errors='replace')[-2000:]}")
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime, stime


def peak_rss_mb(pid):
    return int(re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) / 1000


def load(port, body, key, seconds, connections):
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", ROOT / "bench" / "post_chunk.lua",
         f"http://127.0.0.1:{port}/api/1/envelope/"],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PROFILE_RELAY_BENCH_BODY": str(body), "PROFILE_RELAY_BENCH_KEY": key})
    found = re.search(r"^\{.*\}$", done.stdout, re.MULTILINE)
    if done.returncode != 0 or not found:
        sys.exit(f"http_bench: wrk failed:\n{done.stdout}{done.stderr}")
    return json.loads(found.group(0))


def measure(pid, options, port, body, key, broker):
    load(port, body, key, 1, options.connections)  # connections to the broker, first allocations
    before = cpu_seconds(pid)
    result = load(port, body, key, options.seconds, options.connections)
    cpu = cpu_seconds(pid) - before
    if result["status_errors"] or result["socket_errors"] or not result["requests"]:
        sys.exit(f"http_bench: not every request was answered with 200, so this measures nothing: {result}")
    stored = broker.messages()
    if stored < result["requests"]:  # a 200 may also mean: spooled
        sys.exit(f"http_bench: {result['requests']} requests were answered, but Kafka holds {stored} messages")
    return {
        "requests_per_second": result["requests"] / result["seconds"],
        "p50_ms": result["p50_ms"],
        "p99_ms": result["p99_ms"],
        "cpu_per_1000": 1000 * cpu / result["requests"],
        "rss_mb": peak_rss_mb(pid),
    }


def make_configuration(programs, folder):
    subprocess.run([programs / "profile-relay", "config", "init", "-c", folder], check=True, stdout=subprocess.DEVNULL)
    project = json.loads((folder / "projects" / "1.json").read_text())
    return project["publicKeys"][0]["publicKey"]


def run_rounds(options, programs, broker, folder):
    body = folder / "envelope"
    body.write_bytes(make_envelope(options.size))
    key = make_configuration(programs, folder / "relay")
    results = {name: [] for name in SUBJECTS}
    for number in range(options.rounds):
        for name in SUBJECTS:
            broker.fresh_topic()
            port = free_port()
            if name == "bare-path":
                command = [programs / "bare-path", "--port", str(port), "--broker", broker.bootstrap, "--topic", TOPIC,
                           "--threads", str(options.threads)]
            else:
                command = [programs / "profile-relay", "run", "-c", folder / "relay", "--set", f"relay.port={port}"]
                for setting in options.set:
                    command += ["--set", setting]
            with running(command, folder / f"{name}.log", {"RELAY_KAFKA_BROKER_URL": broker.bootstrap}) as pid:
                results[name].append(measure(pid, options, port, body, key, broker))
            print(f"round {number + 1} {name:14} {results[name][-1]['requests_per_second']:.0f} requests/s", file=sys.stderr)
    return body.stat().st_size, results


def print_results(options, size, results):
    median = {name: {f: statistics.median(r[f] for r in rows) for f, _, _ in FIGURES} for name, rows in results.items()}
    print(f"{size} bytes a request, {options.connections} connections, medians of {options.rounds} rounds of {options.seconds} s")
    print(f"{'':16}" + "".join(f"{name:>16}" for name in SUBJECTS) + f"{'ratio':>10}")
    for figure, title, form in FIGURES:
        bare, ours = (median[name][figure] for name in SUBJECTS)
        ratio = f"{ours / bare:.2f}" if bare else "-"
        print(f"{title:16}" + "".join(f"{form.format(v):>16}" for v in (bare, ours)) + f"{ratio:>10}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of load in each round")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2, help="of the bare path")
    parser.add_argument("--size", type=int, default=100_000, help="bytes of one envelope, about")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting for profile-relay")
    options = parser.parse_args()
    programs = build_folder()
    for program in SUBJECTS:
        if not (programs / program).exists():
            sys.exit(f"http_bench: {programs}/{program} is not built; ./dev bench http builds it")
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="http-bench-")))
        bootstrap = os.environ.get("KAFKA_BOOTSTRAP")
        if not bootstrap:
            bootstrap = stack.enter_context(local_kafka.LocalKafka(tmpfs=True)).bootstrap
        print_results(options, *run_rounds(options, programs, Broker(bootstrap), folder))


if __name__ == "__main__":
    main()
