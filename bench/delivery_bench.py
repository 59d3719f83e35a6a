#!/usr/bin/python3
"""What each mode of acknowledgement costs, and the spool alone.

First table: requests a second and latencies with `processing.ack: broker` and `spool`, beside the bare path (Beast reads
the body, librdkafka produces a record of our size, 200 from the delivery report), on the same broker, in turn in each
round. After the measurement of `spool` the backlog is drained, and every answered chunk must be on the topic.
Second table: bytes a second that the spool makes durable, beside a bare append with fdatasync of the same records in the
same groups on the same disk. "drained" also removes each group while the next is written.
Printed are medians over the rounds, and the median of the ratios within a round: what slows the machine down slows both.
KAFKA_BOOTSTRAP names the broker; without it a local one is started, its log in memory.
"""

import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import http_bodies
from http_bench import build_folder
from http_subjects import TOPIC, Broker, Load, free_port, give_up, local_kafka, running

PROGRAMS = ("bare-path", "profile-relay", "chunk-cost", "spool-cost")
SUBJECTS = ("bare path", "ack: broker", "ack: spool")
FIGURES = (("requests_per_second", "requests/s", "{:.0f}"), ("p50_ms", "p50 ms", "{:.2f}"), ("p99_ms", "p99 ms", "{:.2f}"),
           ("p999_ms", "p99.9 ms", "{:.2f}"))


class Bench:
    def __init__(self, options, programs, broker, folder):
        self.options, self.programs, self.broker, self.folder = options, programs, broker, folder
        self.relay = folder / "relay"
        subprocess.run([programs / "profile-relay", "config", "init", "-c", self.relay], check=True, stdout=subprocess.DEVNULL)
        self.key = json.loads((self.relay / "projects" / "1.json").read_text())["publicKeys"][0]["publicKey"]

    def command(self, subject, port, record_bytes):
        properties = [{"name": "bootstrap.servers", "value": self.broker.bootstrap},
                      {"name": "compression.type", "value": "none"}]
        if subject == "bare path":
            return [self.programs / "bare-path", "--port", str(port), "--broker", self.broker.bootstrap, "--topic", TOPIC,
                    "--record-bytes", str(record_bytes)]
        return [self.programs / "profile-relay", "run", "-c", self.relay, "--set", f"relay.port={port}",
                "--set", f"processing.kafka_config={json.dumps(properties)}", "--set", "processing.ack=" + subject.split()[1],
                "--set", "spool.envelopes.max_disk_size=20GB"]

    def run(self, size):
        body = self.folder / "body"
        body.write_bytes(http_bodies.json_chunk(size))
        load = Load(body, self.key, self.options.connections)
        cost = subprocess.run([self.programs / "chunk-cost", body, "--seconds", "0"], capture_output=True, text=True, check=True)
        record_bytes = json.loads(cost.stdout)["record_bytes"]
        rows = {subject: [] for subject in SUBJECTS}
        for number in range(self.options.rounds):
            for subject in SUBJECTS:
                rows[subject].append(self.measure(subject, load, record_bytes))
                print(f"round {number + 1} {subject:12} {rows[subject][-1]['requests_per_second']:.0f} requests/s", file=sys.stderr)
        title = f"{body.stat().st_size} bytes a request, {record_bytes} a record, {self.options.connections} connections"
        print_modes(title, rows, self.options)

    def measure(self, subject, load, record_bytes):
        self.broker.fresh_topic()
        port = free_port()
        log = self.folder / "subject.log"
        with running(self.command(subject, port, record_bytes), log):
            warm = load.full(port, 1)  # connections to the broker, first allocations
            full = load.full(port, self.options.seconds)
            answered = warm["requests"] + full["requests"]
            deadline = time.monotonic() + 60
            while (stored := self.broker.messages()) < answered:
                if subject != "ack: spool" or time.monotonic() > deadline:
                    give_up(f"{subject}: {answered} requests were answered, but Kafka holds {stored} messages")
        return {**full, "requests_per_second": full["requests"] / full["seconds"]}


def print_modes(title, rows, options):
    print(f"{title}; medians of {options.rounds} rounds of {options.seconds} s")
    print(f"{'':14}" + "".join(f"{subject:>14}" for subject in SUBJECTS) + f"{'broker/bare':>14}{'spool/bare':>14}")
    for figure, words, form in FIGURES:
        medians = [form.format(statistics.median(row[figure] for row in rows[subject])) for subject in SUBJECTS]
        ratios = [statistics.median(ours[figure] / bare[figure] for ours, bare in zip(rows[subject], rows["bare path"]))
                  for subject in SUBJECTS[1:]]
        print(f"{words:14}" + "".join(f"{m:>14}" for m in medians) + "".join(f"{r:>14.2f}" for r in ratios))
    print(flush=True)


def print_spool(programs, options):
    print(f"spool and bare append + fdatasync in {options.folder}, MB/s; medians of {options.spool_rounds} rounds")
    print(f"{'record bytes':>12}{'group':>8}{'bare':>10}{'spool':>10}{'ratio':>8}{'drained':>10}{'ratio':>8}")
    for record_bytes in options.sizes:
        for group in options.groups:
            total = max(20_000_000, min(100_000_000, 400 * group * record_bytes))
            done = subprocess.run(
                [programs / "spool-cost", "--folder", options.folder, "--record-bytes", str(record_bytes), "--group", str(group),
                 "--total-bytes", str(total), "--rounds", str(options.spool_rounds)], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                give_up(done.stderr.strip())
            rows = [json.loads(line) for line in done.stdout.splitlines()]
            line = f"{record_bytes:>12}{group:>8}{statistics.median(r['bare'] for r in rows) / 1e6:>10.1f}"
            for figure in ("spool", "spool_drained"):
                ratio = statistics.median(r[figure] / r["bare"] for r in rows)
                line += f"{statistics.median(r[figure] for r in rows) / 1e6:>10.1f}{ratio:>8.2f}"
            print(line, flush=True)
    print()


def compare_modes(programs, options):
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="delivery-bench-", dir=options.folder)))
        bootstrap = os.environ.get("KAFKA_BOOTSTRAP")
        if not bootstrap:
            bootstrap = stack.enter_context(local_kafka.LocalKafka(tmpfs=True)).bootstrap
        bench = Bench(options, programs, Broker(bootstrap), folder)
        for size in options.sizes:
            bench.run(size)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="of the first table")
    parser.add_argument("--seconds", type=int, default=3, help="of each load in each round")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--spool-rounds", type=int, default=9, help="of the second table")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000], help="bytes of a body, of a record, about")
    parser.add_argument("--groups", type=int, nargs="+", default=[1, 16, 64], help="records of one transaction, of one fdatasync")
    parser.add_argument("--spool-only", action="store_true", help="the second table alone")
    parser.add_argument("--folder", default=tempfile.gettempdir(), help="for the spools, on the disk to be measured")
    options = parser.parse_args()
    programs = build_folder()
    for program in PROGRAMS:
        if not (programs / program).exists():
            give_up(f"{programs}/{program} is not built; ./dev bench delivery builds it")
    if not options.spool_only:
        compare_modes(programs, options)
    print_spool(programs, options)


if __name__ == "__main__":
    main()
