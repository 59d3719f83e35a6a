"""Crashes: whatever is killed at whatever moment, what was answered 200 is on its topic in the end, perhaps twice.

The clients and the moments follow from a seed; what else runs on the machine does not, so a run explores anew.
"""
from __future__ import annotations

import http.client
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any, Callable, Iterator

import pytest

from broker_absence import bring_back, take_away
from local_kafka import LocalKafka
from support.envelopes import Chunk, Request, compound, plain, request
from support.perfetto_writer import Trace
from support.projects import write_configuration
from support.server import Server, broker_configuration
from support.topics import Outcomes, Profiles, chunk_id_of
from support.waiting import wait_until
from test_spool import spool_rows

pytestmark = pytest.mark.binary_only("kills its own servers and brokers")

SEED = int(os.environ.get("CRASH_SEED", "20240817"))
ROUNDS = int(os.environ.get("CRASH_ROUNDS", "10"))
CLIENTS = 4
SMALL, LARGE = Trace(samples=40).encode(), Trace(samples=40, random_padding=150_000).encode()
IDLE = Trace(samples=0).encode()

VALID: tuple[Callable[[], Chunk], ...] = (plain, plain, lambda: compound(SMALL), lambda: compound(SMALL),
                                          lambda: compound(LARGE))
INVALID: tuple[tuple[str, Callable[[], Chunk]], ...] = (
    ("profiling_platform_not_supported", lambda: plain(version="1")),
    ("profiling_invalid_json", lambda: plain(payload=b'{"version":"2","chunk_id":')),
    ("profiling_invalid_sampled_profile", lambda: compound(SMALL, header={"meta_length": 1 << 24})),
    ("profiling_not_enough_samples", lambda: compound(IDLE)))


@dataclass
class Sent:
    request: Request
    valid: list[str]  # chunk ids
    invalid: list[str]  # the reason of each


def random_request(dice: random.Random) -> Sent:
    """One to three chunks, a fifth of them invalid, each for a reason that is known from how it was built."""
    chunks, valid, invalid = [], [], []
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        if dice.random() < 0.2:
            reason, build = dice.choice(INVALID)
            chunks.append(build())
            invalid.append(reason)
        else:
            chunks.append(dice.choice(VALID)())
            valid.append(chunks[-1].chunk_id)
    return Sent(request(*chunks), valid, invalid)


class Load:
    """Clients that send until the server hangs up or the load is ended, and keep what was promised to them."""

    def __init__(self, server: Server, seed: str):
        self.promised: list[Sent] = []
        self.unanswered: list[Sent] = []
        self.refused: list[str] = []
        self.pause_s = 0.0  # of each client, after each answer
        self._server, self._end = server, threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(random.Random(f"{seed}/{i}"),))
                         for i in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _run(self, dice: random.Random) -> None:
        while not self._end.is_set():
            sent = random_request(dice)
            try:
                answer = self._server.send(sent.request)
            except (OSError, http.client.HTTPException):
                self.unanswered.append(sent)
                return
            if answer.status == 200:
                self.promised.append(sent)
            else:
                self.refused.append(f"{answer.status} {answer.body!r}")
            self._end.wait(self.pause_s)

    def wait_for_answers(self, count: int) -> None:
        wait_until(lambda: len(self.promised) + len(self.refused) >= count, f"{count} answers", 30.0)

    def end(self) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()


class Arrived:
    """What is on the two topics: messages by chunk id, outcomes by event id and reason."""

    def __init__(self, bootstrap: str):
        self._profiles, self._outcomes = Profiles(bootstrap), Outcomes(bootstrap)
        self._read = [0, 0]
        self.chunks: dict[str, list[bytes]] = {}
        self.outcomes: Counter[tuple[str, str]] = Counter()

    def close(self) -> None:
        self._profiles.close()
        self._outcomes.close()

    def forget(self) -> None:
        """What an earlier test has left there."""
        self.read()
        self.chunks.clear()
        self.outcomes.clear()

    def read(self) -> None:
        profiles, outcomes = self._profiles.read_to_end(), self._outcomes.read_to_end()
        for record in profiles[self._read[0]:]:
            self.chunks.setdefault(chunk_id_of(record), []).append(record.value)
        for record in outcomes[self._read[1]:]:
            outcome = json.loads(record.value)
            self.outcomes[outcome["event_id"], outcome["reason"]] += 1
        self._read = [len(profiles), len(outcomes)]


class Books:
    """Promises of all rounds against what has arrived."""

    def __init__(self, arrived: Arrived):
        self.arrived = arrived
        self.promised: list[Sent] = []
        self.unanswered: list[Sent] = []

    def close_round(self, load: Load, what: str) -> None:
        assert load.refused == [], f"{what}: no client was to blame, and the spool had room"
        self.promised += load.promised
        self.unanswered += load.unanswered
        self.arrived.read()
        chunks, outcomes = self.arrived.chunks, self.arrived.outcomes
        lost = [c for s in self.promised for c in s.valid if c not in chunks]
        assert not lost, f"{what}: answered 200 and lost: {lost}"
        untold = [(s.request.event_id, reason, n) for s in self.promised for reason, n in Counter(s.invalid).items()
                  if outcomes[s.request.event_id, reason] < n]
        assert not untold, f"{what}: rejected, answered 200 and without an outcome: {untold}"
        for chunk_id, values in chunks.items():
            assert all(v == values[0] for v in values), f"{what}: {chunk_id} came again with other content"
        known = {c for s in self.promised + self.unanswered for c in s.valid}
        assert chunks.keys() <= known, f"{what}: on the topic, and no client sent it"

    def report(self) -> str:
        chunks, outcomes = self.arrived.chunks, self.arrived.outcomes
        wanted = {(s.request.event_id, reason): n for s in self.promised + self.unanswered
                  for reason, n in Counter(s.invalid).items()}
        return (f"{len(self.promised)} requests answered 200 with {sum(len(s.valid) for s in self.promised)} valid and "
                f"{sum(len(s.invalid) for s in self.promised)} invalid chunks, {len(self.unanswered)} unanswered; "
                f"on the topic {len(chunks)} chunks, {sum(len(v) - 1 for v in chunks.values())} messages too many; "
                f"{sum(outcomes.values())} outcomes, {sum(max(0, outcomes[k] - n) for k, n in wanted.items())} too many")


@pytest.fixture
def books(own_kafka: LocalKafka) -> Iterator[Books]:
    arrived = Arrived(own_kafka.bootstrap)
    arrived.forget()
    yield Books(arrived)
    arrived.close()


def configuration(kafka: LocalKafka, ack: str) -> dict[str, Any]:
    """A short message timeout: an outage then costs a request one or two seconds, not six."""
    written = broker_configuration(kafka.bootstrap, message_timeout_ms=1000)
    written["processing"]["ack"] = ack
    return written


def crash(server: Server) -> None:
    """A server that ended before by itself, as one does when a sanitizer finds something, fails the test."""
    status = server.kill()
    assert status == -signal.SIGKILL, f"the server had ended by itself with {status}:\n{server.log()[-5000:]}"


def kill_at_random(server: Server, dice: random.Random, within_s: float) -> None:
    # Not a wait for anything: the moment is to be any.
    time.sleep(dice.uniform(0, within_s))
    crash(server)


def wait_for_an_empty_spool(server: Server) -> None:
    wait_until(lambda: spool_rows(server) == [], "a drained spool", 60.0)


@pytest.mark.parametrize("rounds", [ROUNDS, pytest.param(60, marks=pytest.mark.long)])
def test_a_killed_server_keeps_its_promises(make_server: Callable[..., Server], own_kafka: LocalKafka, books: Books,
                                            capsys: pytest.CaptureFixture[str], rounds: int) -> None:
    """Broker up, hanging, stopped or killed; half of the restarted servers are killed once more while they drain."""
    server = make_server()
    # One of ten starts the broker anew: that alone takes seconds.
    ways = ("up", "hanging", "up", "hanging", "up", "stopped", "up", "hanging", "up", "hanging",
            "up", "hanging", "up", "hanging", "up", "killed", "up", "hanging", "up", "hanging")
    for number in range(rounds):
        how, seed = ways[number % len(ways)], f"{SEED}/{number}"
        dice = random.Random(seed)
        ack = dice.choice(("broker", "broker", "spool"))
        what = f"seed {seed}, broker {how}, ack {ack}"
        write_configuration(server.folder, configuration(own_kafka, ack))
        server.start()
        load = Load(server, seed)
        try:
            if how != "up":
                load.wait_for_answers(dice.randrange(20))
                take_away(own_kafka, how)
            load.wait_for_answers(len(load.promised) + dice.randrange(40 if how == "up" or ack == "spool" else 12))
            kill_at_random(server, dice, 0.1)
        finally:
            load.end()
            server.kill()
        server.start()
        if how != "up":
            if dice.random() < 0.5:
                kill_at_random(server, dice, 0.3)
                server.start()
            bring_back(own_kafka, how)
        if dice.random() < 0.5:
            kill_at_random(server, dice, 0.1)
            server.start()
        wait_for_an_empty_spool(server)
        books.close_round(load, what)
        crash(server)
    # An orderly end, where a sanitizer also looks for leaks.
    assert server.start().stop() == 0, server.log()[-5000:]
    with capsys.disabled():
        print(f"\n{rounds} crashes of the server: {books.report()}")


@pytest.mark.parametrize("rounds", [1, pytest.param(10, marks=pytest.mark.long)])
def test_a_killed_broker_costs_nothing_answered(make_server: Callable[..., Server], own_kafka: LocalKafka,
                                                books: Books, capsys: pytest.CaptureFixture[str],
                                                rounds: int) -> None:
    """The server lives on; the broker comes back on its data while clients still send."""
    server = make_server()
    for number in range(rounds):
        seed = f"{SEED}/broker/{number}"
        dice = random.Random(seed)
        ack = ("broker", "spool")[number % 2]
        write_configuration(server.folder, configuration(own_kafka, ack))
        server.start()
        load = Load(server, seed)
        try:
            load.wait_for_answers(dice.randrange(1, 60))
            own_kafka.kill()
            load.wait_for_answers(len(load.promised) + dice.randrange(1, 12))
            load.pause_s = 0.2  # a broker takes its time to start, and the spool is not to be full by then
            own_kafka.start()
            load.pause_s = 0.0
            load.wait_for_answers(len(load.promised) + 10)
        finally:
            load.end()
        wait_for_an_empty_spool(server)
        books.close_round(load, f"seed {seed}, ack {ack}")
        assert load.unanswered == []
        assert server.stop() == 0, server.log()[-3000:]
    with capsys.disabled():
        print(f"\n{rounds} crashes of the broker: {books.report()}")
