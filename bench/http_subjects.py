"""What bench/http_bench.py measures, as processes: start, load, read the clocks, stop."""

import contextlib
import csv
import io
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools" / "kafka"))
import local_kafka  # noqa: E402

TOPIC = "profiles"
URL = "http://127.0.0.1:{port}/api/1/envelope/"


def give_up(words):
    sys.exit(f"http_bench: {words}")


class Broker:
    """Empties the topic between runs: at full speed it takes some hundred megabytes a second."""

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap

    def _java(self, program, *arguments):
        done = subprocess.run(local_kafka.java(program, "--bootstrap-server", self.bootstrap, *arguments),
                              capture_output=True, text=True, check=False)
        return done.returncode == 0, done.stdout + done.stderr

    def messages(self):
        done, words = self._java("org.apache.kafka.tools.GetOffsetShell", "--topic", TOPIC)
        if not done:
            give_up(f"Kafka does not say how many messages the topic {TOPIC} holds:\n{words}")
        return sum(int(line.rsplit(":", 1)[1]) for line in words.split())

    def fresh_topic(self):
        self._java("org.apache.kafka.tools.TopicCommand", "--delete", "--topic", TOPIC)
        deadline = time.monotonic() + 20
        while True:  # the old topic's name is free once its deletion has gone through
            done, words = self._java(
                "org.apache.kafka.tools.TopicCommand", "--create", "--topic", TOPIC, "--partitions", "1",
                "--replication-factor", "1", "--config", f"max.message.bytes={local_kafka.PROFILES_MESSAGE_BYTES}",
                "--config", "file.delete.delay.ms=1")
            if done:
                return
            if time.monotonic() > deadline:
                give_up(f"the topic {TOPIC} could not be made:\n{words}")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def running(command, log):
    """A server that has said on standard error that it is ready."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("RELAY_")}
    with open(log, "wb") as words:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=words, stderr=words, env=kept)
    try:
        deadline = time.monotonic() + 30
        while "ready http=" not in (text := pathlib.Path(log).read_text(errors="replace")):
            if process.poll() is not None or time.monotonic() > deadline:
                give_up(f"{command[0]} did not start:\n{text[-2000:]}")
            time.sleep(0.05)
        yield process.pid
        if process.poll() is not None:
            give_up(f"{command[0]} ended under load:\n{pathlib.Path(log).read_text(errors='replace')[-2000:]}")
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def cpu_seconds(pid):
    """User and system time of all threads, in nanoseconds' resolution where the kernel has it."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def peak_rss_mb(pid):
    return int(re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) / 1000


class Load:
    """What is sent: a body in a file, its headers, how many connections."""

    def __init__(self, body, key, connections, coding=None):
        self.body, self.connections = body, connections
        self.headers = {"Content-Type": "application/x-sentry-envelope",
                        "X-Sentry-Auth": f"Sentry sentry_version=7, sentry_key={key}"}
        if coding:
            self.headers["Content-Encoding"] = coding

    def full(self, port, seconds):
        """As much as the server takes, by wrk."""
        done = subprocess.run(
            ["wrk", "-t1", f"-c{self.connections}", f"-d{seconds}s", "--timeout", "10s", "-s", ROOT / "bench" / "post_chunk.lua",
             *(word for name, value in self.headers.items() for word in ("-H", f"{name}: {value}")), URL.format(port=port)],
            capture_output=True, text=True, check=False, env={**os.environ, "PROFILE_RELAY_BENCH_BODY": str(self.body)})
        found = re.search(r"^\{.*\}$", done.stdout, re.MULTILINE)
        if done.returncode != 0 or not found:
            give_up(f"wrk failed:\n{done.stdout}{done.stderr}")
        result = json.loads(found.group(0))
        if result["status_errors"] or result["socket_errors"] or not result["requests"]:
            give_up(f"not every request was answered with 200, so this measures nothing: {result}")
        return result

    def paced(self, port, seconds, rate):
        """`rate` requests a second, by hey; gives their number and the 99th percentile in ms."""
        headers = dict(self.headers)
        done = subprocess.run(
            ["hey", "-m", "POST", "-D", self.body, "-z", f"{seconds}s", "-c", str(self.connections), "-cpus", "1",
             "-q", f"{rate / self.connections:.3f}", "-T", headers.pop("Content-Type"), "-o", "csv",
             *(word for name, value in headers.items() for word in ("-H", f"{name}: {value}")), URL.format(port=port)],
            capture_output=True, text=True, check=False)
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        if done.returncode != 0 or not rows or any(row["status-code"] != "200" for row in rows):
            give_up(f"hey failed, or a request was not answered with 200:\n{done.stdout[:500]}{done.stderr[-500:]}")
        times = sorted(float(row["response-time"]) for row in rows)
        return {"requests": len(rows), "p99_ms": 1000 * times[int(0.99 * (len(times) - 1))]}
