"""Project files that are rewritten under full load: every answer is that of the old or of the new file, in this order."""
from __future__ import annotations

import http.client
import itertools
import json
import os
import signal
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Thread
from typing import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from conftest import HERE
from local_kafka import LocalKafka
from support.envelopes import Chunk, plain, request, sample_v2
from support.projects import Project
from support.server import Server, broker_configuration
from support.waiting import wait_until

pytestmark = pytest.mark.binary_only("configures its own server")


def small_chunk() -> Chunk:
    profile = sample_v2("0" * 32)["profile"]
    return plain(profile={**profile, "samples": profile["samples"][:8]})


def at_once(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    part.write_text(text)
    part.rename(path)


def in_place(path: Path, text: str) -> None:
    path.write_text(text)


def in_pieces(path: Path, text: str) -> None:
    """Empty for a moment, then half, as an editor or a copy over a network leaves it."""
    with path.open("w") as file:
        for piece in (text[:len(text) // 2], text[len(text) // 2:]):
            Event().wait(0.02)
            file.write(piece)
            file.flush()


WRITES = (at_once, in_place, in_pieces)


@dataclass(frozen=True)
class Toggled:
    """A project with two versions of its file (None = no file) and the answer to each."""

    one: Project
    other: Project | None
    answers: tuple[int, int]

    def write(self, folder: Path, number: int) -> None:
        path, version = folder / f"{self.one.id}.json", (self.one, self.other)[number % 2]
        if version is None:
            path.unlink()
        else:
            WRITES[number // 2 % len(WRITES)](path, json.dumps(version.document(), indent=2))

    def answer(self, number: int) -> int:
        return self.answers[number % 2]


NOTHING = ({"limit": 0, "reasonCode": "closed"},)
STEADY, BREAKING = Project(600, "6" * 32), Project(601, f"{601:032x}")
TOGGLED = (
    Toggled(Project(610, f"{610:032x}"), Project(610, f"{610:032x}", disabled=True), (200, 403)),
    Toggled(Project(611, f"{611:032x}"), Project(611, f"{611:032x}", enabled_key=False), (200, 403)),
    Toggled(Project(612, f"{612:032x}"), Project(612, f"{612:032x}", quotas=NOTHING), (200, 429)),
    Toggled(Project(613, f"{613:032x}"), Project(613, f"{613:032x}", features=()), (200, 200)),
    Toggled(Project(614, f"{614:032x}"), Project(614, f"{614:032x}", domains=("https://shop.example",)), (200, 200)),
    Toggled(Project(615, f"{615:032x}"), Project(615, f"{615 + 1000:032x}"), (200, 403)),
    Toggled(Project(616, f"{616:032x}"), None, (200, 403)),
)


class Answers:
    """Asks every project in turn over one connection and keeps each project's answers, repetitions left out."""

    def __init__(self, server: Server):
        self._url, self._end = urlsplit(server.url), Event()
        self._requests = [request(small_chunk(), project=p) for p in (STEADY, BREAKING, *(t.one for t in TOGGLED))]
        self.seen: dict[int, list[int]] = {r.project.id: [] for r in self._requests}
        self.count = 0
        self.failure: Exception | None = None
        self._thread = Thread(target=self._run)

    def __enter__(self) -> "Answers":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(60)
        assert not self._thread.is_alive() and self.failure is None, self.failure

    def last(self, project: Project) -> int | None:
        assert self.failure is None, self.failure
        return next(iter(self.seen[project.id][-1:]), None)

    def _run(self) -> None:
        try:
            connection = http.client.HTTPConnection(self._url.hostname, self._url.port, timeout=30)
            while not self._end.is_set():
                for built in self._requests:
                    connection.request(built.method, built.path, body=built.body, headers=built.headers)
                    answer = connection.getresponse()
                    answer.read()
                    seen = self.seen[built.project.id]
                    if seen[-1:] != [answer.status]:
                        seen.append(answer.status)
                    self.count += 1
            connection.close()
        except Exception as problem:
            self.failure = problem


@contextmanager
def full_load(server: Server, folder: Path) -> Iterator[dict[str, int]]:
    """wrk on STEADY until the block ends; its counts are there afterwards."""
    body = folder / "body"
    body.write_bytes(request(small_chunk()).body)
    target = f"{server.url}/api/{STEADY.id}/envelope/?sentry_key={STEADY.key}&sentry_version=7"
    counts: dict[str, int] = {}
    wrk = subprocess.Popen(["wrk", "-t1", "-c16", "-d1h", "--timeout", "15s", "-s", HERE.parent / "bench" / "post_chunk.lua",
                            target], stdout=subprocess.PIPE, text=True,
                           env={**os.environ, "PROFILE_RELAY_BENCH_BODY": str(body)})
    try:
        yield counts
        wrk.send_signal(signal.SIGINT)  # wrk sums up and prints
        counts.update(json.loads(wrk.communicate(timeout=30)[0].splitlines()[-1]))
    finally:
        wrk.kill()
        wrk.wait()


@contextmanager
def restless_files(folder: Path) -> Iterator[None]:
    """STEADY and BREAKING are rewritten all the time; what they answer never changes."""
    end = Event()

    def rewrite() -> None:
        for number in itertools.count():
            if end.wait(0.01):
                return
            changed = json.dumps(replace(STEADY, retention=1 + number % 90).document(), indent=2)
            WRITES[number % len(WRITES)](folder / f"{STEADY.id}.json", changed)
            broken = json.dumps(BREAKING.document())
            in_place(folder / f"{BREAKING.id}.json", broken[:len(broken) * (number % 4) // 4])

    thread = Thread(target=rewrite)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join(30)
        assert not thread.is_alive()


def rewritten(make_server: Callable[..., Server], kafka: LocalKafka, folder: Path, rounds: int) -> None:
    kafka.create_topic(f"load-profiles-{rounds}")
    configuration = broker_configuration(kafka.bootstrap, f"load-profiles-{rounds}", "outcomes")
    server = make_server(configuration, projects=(STEADY, BREAKING, *(t.one for t in TOGGLED))).start()
    files = server.folder / "projects"
    with full_load(server, folder) as load, Answers(server) as answers:
        for toggled in TOGGLED:
            wait_until(lambda: answers.last(toggled.one) == 200, "the first answers")
        with restless_files(files):
            for number in range(1, rounds + 1):
                for toggled in TOGGLED:
                    toggled.write(files, number)
                wait_until(lambda: all(answers.last(t.one) == t.answer(number) for t in TOGGLED),
                           f"round {number} in force", 30.0)
    assert answers.seen[STEADY.id] == answers.seen[BREAKING.id] == [200], answers.seen
    for toggled in TOGGLED:
        expected = [status for status, _ in itertools.groupby(toggled.answer(n) for n in range(rounds + 1))]
        assert answers.seen[toggled.one.id] == expected, toggled.one.id
    assert load["requests"] > 500 and load["status_errors"] == load["socket_errors"] == 0, load
    print(f"{load['requests']} requests of wrk, {answers.count} of ours, {rounds} rounds")

    STEADY.write(server.folder)
    BREAKING.write(server.folder)
    wait_until(lambda: server.metric("projects_broken") == 0, "the last versions in force")
    assert server.metric("untracked_chunks_total") == 0
    assert not [k for k, v in server.metrics().items() if k[0] == "profile_relay_requests_total" and v
                and dict(k[1])["status"] >= "500"]
    assert server.stop() == 0, server.log()[-3000:]


def test_project_files_rewritten_under_full_load(make_server: Callable[..., Server], kafka: LocalKafka, tmp_path: Path) -> None:
    rewritten(make_server, kafka, tmp_path, 6)


@pytest.mark.long
def test_project_files_rewritten_under_full_load_for_minutes(make_server: Callable[..., Server], kafka: LocalKafka,
                                                             tmp_path: Path) -> None:
    rewritten(make_server, kafka, tmp_path, 120)
