"""A broker that is away for minutes while clients go on sending, measured from outside.

Requests leave at a fixed rate, whatever became of those before; each latency counts from the moment a request was due.
The broker is stopped (or killed, or made to hang), comes back after the given time, and the load goes on while the spool
is drained and a little longer. Then the topic is read: every chunk that was answered 200 must be on it. Printed as one
line of JSON.

    .venv/bin/python integration_tests/broker_absence.py --minutes 10 [--rate 50] [--how stopped|killed|hanging]
"""
from __future__ import annotations

import argparse
import http.client
import itertools
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tools" / "kafka"))

from local_kafka import LocalKafka  # noqa: E402
from support.envelopes import Chunk, compound, plain, request  # noqa: E402
from support.metrics import Series, series  # noqa: E402
from support.perfetto_writer import Trace  # noqa: E402
from support.server import Server, broker_configuration  # noqa: E402
from support.topics import Profiles, chunk_id_of  # noqa: E402

# Later than this after the broker went, a chunk is answered from the spool at once: message.timeout.ms, librdkafka's scan,
# and what was sent meanwhile.
CIRCUIT_OPEN_S = 10.0
MOST_AT_ONCE = 1000
SMALL, LARGE = Trace(samples=400).encode(), Trace(samples=400, random_padding=60_000).encode()


@dataclass
class Sent:
    due: float
    seconds: float  # from when it was due to its answer
    status: int  # 0: none
    chunk_id: str


@dataclass
class Figures:
    away_seconds: float
    sent: int
    answered: int  # 200
    refused: int
    unanswered: int
    spooled: int  # chunks, by the server's own account
    delivered: int  # the same: straight to the broker
    on_topic: int
    twice: int  # messages too many
    lost: int  # answered 200, not on the topic
    spool_mb: float  # when the broker came back
    peak_rss_mb: float
    p99_ms: dict[str, float]  # by phase: before, going (the first 10 s), away, drain, after
    longest_ms: dict[str, float]
    catch_up_seconds: float  # from when the broker answered again to an empty spool
    drained_mb_per_second: float


def build(dice: random.Random) -> Chunk:
    return dice.choice((plain, lambda: compound(SMALL), lambda: compound(LARGE)))()


class Load:
    """Requests at a fixed rate until it is ended."""

    def __init__(self, server: Server, rate: float):
        self.done: list[Sent] = []
        self._server, self._rate = server, rate
        self._end = threading.Event()
        self._pool = ThreadPoolExecutor(MOST_AT_ONCE)
        self._thread = threading.Thread(target=self._pace)
        self._thread.start()

    def _pace(self) -> None:
        dice, begin = random.Random(1), time.monotonic()
        for number in itertools.count():
            chunk, due = build(dice), begin + number / self._rate
            if self._end.wait(max(0.0, due - time.monotonic())):
                return
            self._pool.submit(self._send, chunk, due)

    def _send(self, chunk: Chunk, due: float) -> None:
        try:
            status = self._server.send(request(chunk)).status
        except (OSError, http.client.HTTPException):
            status = 0
        self.done.append(Sent(due, time.monotonic() - due, status, chunk.chunk_id))

    def end(self) -> list[Sent]:
        self._end.set()
        self._thread.join()
        self._pool.shutdown()  # waits for every answer
        return self.done


def take_away(broker: LocalKafka, how: str) -> None:
    {"stopped": broker.stop, "killed": broker.kill, "hanging": broker.pause}[how]()


def bring_back(broker: LocalKafka, how: str) -> None:
    broker.resume() if how == "hanging" else broker.start()


def wait_for_an_empty_spool(server: Server, within_s: float) -> dict[Series, float]:
    end = time.monotonic() + within_s
    while (now := server.metrics())[series("spool_records")] > 0:
        assert time.monotonic() < end, f"{now[series('spool_records')]:.0f} records are left after {within_s:.0f} s"
        time.sleep(0.1)  # not more often: the latencies of the clients are being measured
    return now


def latencies(sent: list[Sent], marks: dict[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """p99 and longest in ms for each phase; `marks` names when each begins, in order."""
    begins = [*marks.values(), float("inf")]
    p99, longest = {}, {}
    for phase, begin, end in zip(marks, begins, begins[1:]):
        times = sorted(s.seconds * 1000 for s in sent if begin <= s.due < end)
        if times:
            p99[phase], longest[phase] = round(times[int(0.99 * (len(times) - 1))], 1), round(times[-1], 1)
    return p99, longest


def peak_rss_mb(server: Server) -> float:
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1000, 1)


def measure(server: Server, broker: LocalKafka, how: str, away_s: float, around_s: float, rate: float) -> Figures:
    """Runs the load against a started server. The sleeps are how long each phase lasts; nothing waits by them."""
    marks = {"before": time.monotonic()}
    load = Load(server, rate)
    try:
        time.sleep(around_s)
        marks["going"] = time.monotonic()
        take_away(broker, how)
        marks["away"] = marks["going"] + CIRCUIT_OPEN_S
        try:
            time.sleep(max(0.0, marks["going"] + away_s - time.monotonic()))
            full = server.metrics()
        finally:
            bring_back(broker, how)
        marks["drain"] = time.monotonic()
        wait_for_an_empty_spool(server, max(60.0, 3 * away_s))
        marks["after"] = time.monotonic()
        time.sleep(around_s)
    finally:
        sent = load.end()
    at_end = wait_for_an_empty_spool(server, 60.0)
    reader = Profiles(broker.bootstrap)
    arrived = Counter(map(chunk_id_of, reader.follow(300.0)))
    reader.close()
    statuses = Counter(s.status for s in sent)
    p99, longest = latencies(sent, marks)
    catch_up, spool_mb = marks["after"] - marks["drain"], full[series("spool_bytes")] / 1e6
    return Figures(
        away_seconds=round(marks["drain"] - marks["going"], 1), sent=len(sent), answered=statuses[200],
        refused=len(sent) - statuses[200] - statuses[0], unanswered=statuses[0],
        spooled=round(at_end[series("chunks_total", end="spooled")]),
        delivered=round(at_end[series("chunks_total", end="delivered")]),
        on_topic=len(arrived), twice=sum(arrived.values()) - len(arrived),
        lost=sum(s.status == 200 and s.chunk_id not in arrived for s in sent), spool_mb=round(spool_mb, 1),
        peak_rss_mb=peak_rss_mb(server), p99_ms=p99, longest_ms=longest, catch_up_seconds=round(catch_up, 1),
        drained_mb_per_second=round(spool_mb / catch_up, 1))


def configuration(broker: LocalKafka, **properties: int) -> dict:
    return {**broker_configuration(broker.bootstrap, **properties), "spool": {"envelopes": {"max_disk_size": "20GB"}}}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--binary", type=Path, default=HERE.parent / "build" / "release" / "profile-relay")
    parser.add_argument("--minutes", type=float, default=10.0, help="that the broker is away")
    parser.add_argument("--around", type=float, default=10.0, metavar="SECONDS", help="of load before it and after the drain")
    parser.add_argument("--rate", type=float, default=50.0, help="requests a second")
    parser.add_argument("--how", choices=("stopped", "killed", "hanging"), default="stopped")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, LocalKafka() as broker:
        broker.create_default_topics()
        server = Server(arguments.binary.resolve(), Path(folder) / "relay", configuration(broker)).start()
        try:
            figures = measure(server, broker, arguments.how, 60 * arguments.minutes, arguments.around, arguments.rate)
            print(json.dumps(asdict(figures)), flush=True)
            assert server.stop() == 0, server.log()[-3000:]
        finally:
            server.kill()
    return 0 if figures.lost == figures.refused == figures.unanswered == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
