#!/usr/bin/python3
"""profile-relay against the bare path: HTTP POST in, Kafka acknowledged, 200 out. Same load, same broker, same topic.

Round by round, profile-relay and the bare path (Beast reads the body, librdkafka produces a record of our size, 200 from
the delivery report) are started in turn and loaded: first with all they take, then with half of what profile-relay took.
Before, between and after them the chunk itself is expanded by the decoder's library, over and over, on every core at
once: under load the other two have no idle core beside them either. Printed are medians over the rounds. "necessary" is
the CPU time of the bare path and of expanding the chunk, added up: what nobody can do without.
KAFKA_BOOTSTRAP names the broker; without it a local one is started, its log in memory.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import http_bodies
import http_stages
from http_subjects import (ROOT, TOPIC, Broker, Load, cpu_seconds, free_port, give_up, local_kafka, peak_rss_mb, running)

# CPU seconds of others who pass such bodies on, as multiples of the bare path's, measured with the same load.
PEERS = {"Redpanda Connect": 4.8, "OpenTelemetry Collector": 6.3}
PROGRAMS = ("bare-path", "profile-relay", "chunk-cost", "make-trace")


@dataclasses.dataclass(frozen=True)
class Scenario:
    """One table of the output."""

    kind: str  # json, perfetto
    size: int
    connections: int = 16
    compression: str = "none"
    coding: str | None = None

    def title(self, body, record):
        words = [f"{self.kind}, {body} bytes a request, {record} a record", f"{self.connections} connections",
                 f"compression.type {self.compression}"]
        return ", ".join(words + [f"bodies in {self.coding}"] * bool(self.coding))


DEFAULT = [Scenario("json", 100_000), Scenario("perfetto", 100_000)]
# A Perfetto trace of 1 KB holds no profile worth the name: 24 samples with their names and stacks take 20 KB.
FULL = DEFAULT + [
    Scenario("json", 1_000), Scenario("json", 1_000_000), Scenario("perfetto", 1_000_000),
    Scenario("json", 1_000, 64), Scenario("json", 100_000, 64), Scenario("perfetto", 100_000, 64),
    *(Scenario(kind, 100_000, 16, compression) for kind in ("json", "perfetto") for compression in ("lz4", "gzip")),
    Scenario("json", 100_000, 16, "none", "gzip"),
]


def build_folder():
    """The folder that holds the programs: where this script was linked to, else the release build."""
    here = pathlib.Path(sys.argv[0]).absolute().parent
    if (here / "bare-path").exists():
        return here
    return ROOT / "build" / "release"


class Bench:
    def __init__(self, options, programs, broker, folder):
        self.options, self.programs, self.broker, self.folder = options, programs, broker, folder
        self.relay = folder / "relay"
        subprocess.run([programs / "profile-relay", "config", "init", "-c", self.relay], check=True, stdout=subprocess.DEVNULL)
        self.key = json.loads((self.relay / "projects" / "1.json").read_text())["publicKeys"][0]["publicKey"]

    def commands(self, scenario, record_bytes):
        """What is compared, with the port left open. profile-relay first: its rate sets the pace for both."""
        properties = [{"name": "bootstrap.servers", "value": self.broker.bootstrap},
                      {"name": "compression.type", "value": scenario.compression}]
        ours = [self.programs / "profile-relay", "run", "-c", self.relay, "--set", "relay.port={port}",
                "--set", f"processing.kafka_config={json.dumps(properties)}"]
        for setting in self.options.set:
            ours += ["--set", setting]
        bare = [self.programs / "bare-path", "--port", "{port}", "--broker", self.broker.bootstrap, "--topic", TOPIC,
                "--threads", str(self.options.threads), "--compression", scenario.compression,
                "--record-bytes", str(record_bytes)]
        return {"profile-relay": ours, "bare-path": bare}

    def run(self, scenario):
        plain = (http_bodies.json_chunk(scenario.size) if scenario.kind == "json" else
                 http_bodies.perfetto_chunk(self.programs / "make-trace", scenario.size, self.folder))
        (self.folder / "plain").write_bytes(plain)
        body = self.folder / "body"
        body.write_bytes(http_bodies.coded(plain, scenario.coding))
        load = Load(body, self.key, scenario.connections, scenario.coding)
        record_bytes = self.record_bytes()
        rows = {"profile-relay": [], "bare-path": [], "expand": []}
        for number in range(self.options.rounds):
            rate = None
            expand = [self.expanding()]
            for name, command in self.commands(scenario, record_bytes).items():
                measured = self.measure(name, command, load, rate)
                rate = rate or measured["requests_per_second"] / 2
                rows[name].append(measured)
                print(f"round {number + 1} {name:14} {measured['requests_per_second']:.0f} requests/s", file=sys.stderr)
                expand.append(self.expanding())
            rows["expand"].append({"cpu_per_1000": statistics.mean(expand)})
        print_table(scenario.title(body.stat().st_size, record_bytes), rows, self.options)
        if self.options.stages:
            self.broker.fresh_topic()
            port = free_port()
            command = self.commands(scenario, record_bytes)["profile-relay"]
            with running([str(word).replace("{port}", str(port)) for word in command], self.folder / "stages.log") as pid:
                load.full(port, 1)
                http_stages.print_stages(pid, load, port, 2 * self.options.seconds)

    def chunk_costs(self, copies, seconds):
        """What `copies` of chunk-cost say that run at the same time."""
        command = [self.programs / "chunk-cost", self.folder / "plain", "--seconds", str(seconds)]
        running_copies = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(copies)]
        said = [copy.communicate()[0] for copy in running_copies]
        if any(copy.returncode for copy in running_copies):
            give_up("chunk-cost failed; its words are above")
        return [json.loads(words) for words in said]

    def record_bytes(self):
        return self.chunk_costs(1, 0)[0]["record_bytes"]

    def expanding(self):
        """CPU seconds of expanding a thousand chunks, every core at it."""
        return statistics.mean(cost["cpu_per_1000"] for cost in self.chunk_costs(len(os.sched_getaffinity(0)), 1))

    def measure(self, name, command, load, rate):
        self.broker.fresh_topic()
        port = free_port()
        with running([str(word).replace("{port}", str(port)) for word in command], self.folder / f"{name}.log") as pid:
            warm = load.full(port, 1)  # connections to the broker, first allocations
            before = cpu_seconds(pid)
            full = load.full(port, self.options.seconds)
            cpu = cpu_seconds(pid) - before
            per_second = full["requests"] / full["seconds"]
            paced = load.paced(port, self.options.seconds, rate or per_second / 2)
            stored, answered = self.broker.messages(), warm["requests"] + full["requests"] + paced["requests"]
            if stored < answered:  # a 200 may also mean: spooled
                give_up(f"{answered} requests were answered, but Kafka holds {stored} messages")
            return {"requests_per_second": per_second, "p50_ms": full["p50_ms"], "p99_ms": full["p99_ms"],
                    "paced_p99_ms": paced["p99_ms"], "cpu_per_1000": 1000 * cpu / full["requests"], "rss_mb": peak_rss_mb(pid)}


FIGURES = (
    ("requests_per_second", "requests/s", "{:.0f}"),
    ("p50_ms", "p50 ms", "{:.2f}"),
    ("p99_ms", "p99 ms", "{:.2f}"),
    ("paced_p99_ms", "p99 ms at half our rate", "{:.2f}"),
    ("cpu_per_1000", "CPU s per 1000", "{:.3f}"),
    ("rss_mb", "peak RSS MB", "{:.0f}"),
)


def print_table(title, rows, options):
    def median(name, figure):
        return statistics.median(row[figure] for row in rows[name])

    print(f"{title}; medians of {options.rounds} rounds of {options.seconds} s")
    print(f"{'':25}{'bare path':>14}{'profile-relay':>16}{'ratio':>8}")
    for figure, words, form in FIGURES:
        bare, ours = median("bare-path", figure), median("profile-relay", figure)
        # Ratios within a round: what slows the machine down slows both.
        ratio = statistics.median(o[figure] / b[figure] for o, b in zip(rows["profile-relay"], rows["bare-path"]))
        print(f"{words:25}{form.format(bare):>14}{form.format(ours):>16}{ratio:>8.2f}")
    of_necessary = statistics.median(
        o["cpu_per_1000"] / (b["cpu_per_1000"] + e["cpu_per_1000"])
        for o, b, e in zip(rows["profile-relay"], rows["bare-path"], rows["expand"]))
    print(f"expanding the chunk takes {median('expand', 'cpu_per_1000'):.3f} CPU s per 1000: profile-relay needs "
          f"{of_necessary:.2f} times the necessary")
    peers = ", ".join(f"{name} {multiple}" for name, multiple in PEERS.items())
    print(f"(of the bare path's CPU, others that only pass bytes on: {peers})\n", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each load in each round")
    parser.add_argument("--threads", type=int, default=2, help="of the bare path")
    parser.add_argument("--stages", action="store_true", help="also where our CPU time goes, by perf")
    parser.add_argument("--full", action="store_true", help="also 1 KB, 1 MB, 64 connections, lz4, gzip")
    parser.add_argument("--kind", choices=("json", "perfetto"), help="one scenario of your own instead: --size, ...")
    parser.add_argument("--size", type=int, default=100_000, help="bytes of one envelope, about")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--compression", default="none", help="compression.type of both producers")
    parser.add_argument("--coding", choices=("gzip",), help="of the request bodies")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting for profile-relay")
    options = parser.parse_args()
    programs = build_folder()
    for program in PROGRAMS:
        if not (programs / program).exists():
            give_up(f"{programs}/{program} is not built; ./dev bench http builds it")
    scenarios = FULL if options.full else DEFAULT
    if options.kind:
        scenarios = [Scenario(options.kind, options.size, options.connections, options.compression, options.coding)]
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="http-bench-")))
        bootstrap = os.environ.get("KAFKA_BOOTSTRAP")
        if not bootstrap:
            bootstrap = stack.enter_context(local_kafka.LocalKafka(tmpfs=True)).bootstrap
        bench = Bench(options, programs, Broker(bootstrap), folder)
        for scenario in scenarios:
            bench.run(scenario)


if __name__ == "__main__":
    main()
