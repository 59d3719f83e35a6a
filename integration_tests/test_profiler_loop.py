"""The whole loop: busy-service profiles itself, the real server takes what it sends, and Kafka has what is true of it."""
from __future__ import annotations

import re
import subprocess
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from conftest import Target
from local_kafka import free_ports
from support.envelopes import PERFETTO, Chunk
from support.messages import check_message, unpack
from support.projects import LIMITED, PROJECT, Project
from support.waiting import wait_until

SECONDS = 8
CHUNK = re.compile(r"chunk ([0-9a-f]{32}): (\d+) ms, (\d+) samples, (\d+) missed, (\d+) truncated, (\d+) dropped"
                   r"(?:; missed by thread (.*))?")
# Name of a thread, and a function that is on its stack whenever its work is under way.
WORK = {"spinner": "busy::spin", "sleeper": "busy::sleep_often", "fighter-1": "busy::fight_for_lock",
        "fighter-2": "busy::fight_for_lock", "allocator": "busy::allocate", "splitter": "busy::split_work"}


def dsn(url: str, project: Project) -> str:
    return url.replace("http://", f"http://{project.key}@") + f"/{project.id}"


@dataclass
class Run:
    log: str
    # By thread name, ns on a CPU and ns ready but without one, as the kernel counts them.
    waits: dict[str, tuple[int, int]] = field(default_factory=dict)

    def wanting_share(self, thread: str, seconds: float) -> float:
        """Of its time, how much it was ready to run and got no CPU: then it answers no signal either."""
        return self.waits[thread][1] / 1e9 / seconds


def run_busy_service(program: Path, url: str, *arguments: str, project: Project = PROJECT, status: int = 0) -> Run:
    with subprocess.Popen([str(program), dsn(url, project), *arguments], text=True, stdin=subprocess.DEVNULL,
                          stderr=subprocess.PIPE) as process:
        waits: dict[str, tuple[int, int]] = {}

        def ended() -> bool:
            for task in Path(f"/proc/{process.pid}/task").glob("*"):
                try:
                    on_cpu, ready, _ = map(int, (task / "schedstat").read_text().split())
                    waits[(task / "comm").read_text().strip()] = on_cpu, ready
                except (OSError, ValueError):
                    pass  # the thread ends just now
            return process.poll() is not None

        try:
            wait_until(ended, "busy-service done", 120.0)
        except AssertionError:
            process.kill()
            raise
        log = process.stderr.read()
    assert process.returncode == status, log
    return Run(log, waits)


@dataclass
class Profile:
    """One chunk: what the client says of it, and what a consumer reads."""

    chunk_id: str
    milliseconds: int
    samples: int
    missed: int
    truncated: int
    dropped: int
    run: Run
    message: dict[str, Any]
    payload: dict[str, Any]
    missed_by_tid: dict[str, int]
    stacks: dict[str, list[list[str]]] = field(default_factory=dict)  # by thread name: functions, leaf first
    missed_by_thread: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        profile = self.payload["profile"]
        names = {tid: meta["name"] for tid, meta in profile["thread_metadata"].items()}
        for sample in profile["samples"]:
            frames = [profile["frames"][f].get("function", "") for f in profile["stacks"][sample["stack_id"]]]
            self.stacks.setdefault(names[sample["thread_id"]], []).append(frames)
        self.missed_by_thread = {names[tid]: n for tid, n in self.missed_by_tid.items() if tid in names}

    def count_with(self, thread: str, function: str) -> int:
        """Samples of the thread that have the function anywhere on the stack."""
        return sum(any(f.startswith(function + "(") for f in stack) for stack in self.stacks[thread])


def profiles_in(run: Run, target: Target) -> list[Profile]:
    """Every chunk that the client has logged, as it came out of Kafka; judged by what must hold for any message."""
    found = []
    for line in CHUNK.finditer(run.log):
        chunk_id, numbers = line[1], [int(n) for n in line.groups()[1:6]]
        missed = {tid: int(n) for tid, n in re.findall(r"(\d+): (\d+)", line[7] or "")}
        [record] = target.profiles.by_chunk(chunk_id)
        message = unpack(record)
        payload = check_message(record, Chunk([], chunk_id, "native", message["raw_profile"]), PROJECT)
        found.append(Profile(chunk_id, *numbers, run, message, payload, missed))
    return found


@pytest.fixture(scope="module")
def program(request: pytest.FixtureRequest) -> Path:
    path = request.config.getoption("--binary").resolve().parent / "busy-service"
    assert path.exists(), f"{path} is missing: run ./dev build"
    return path


@pytest.fixture(scope="module")
def profile(program: Path, target: Target) -> Profile:
    [profile] = profiles_in(run_busy_service(program, target.url, str(SECONDS)), target)
    return profile


def test_the_chunk_says_who_sent_it(profile: Profile) -> None:
    payload = profile.payload
    assert payload["release"] == "busy-service@1.0" and payload["environment"] == "example"
    assert payload["client_sdk"]["name"] == "profile-relay.profiler"
    assert payload["platform"] == "native" and payload["version"] == "2"
    assert profile.message["raw_profile_content_type"] == PERFETTO
    times = [s["timestamp"] for s in payload["profile"]["samples"]]
    assert times[-1] - times[0] <= profile.milliseconds / 1000


@pytest.mark.parametrize("thread", WORK)
def test_every_thread_is_there_with_its_name_and_its_work(profile: Profile, thread: str) -> None:
    stacks = profile.stacks[thread]
    inside = profile.count_with(thread, WORK[thread])
    assert inside >= 0.95 * len(stacks), Counter(tuple(s) for s in stacks).most_common(5)


def test_the_threads_of_the_lock_are_seen_waiting_and_working(profile: Profile) -> None:
    for thread in ("fighter-1", "fighter-2"):
        working = profile.count_with(thread, "busy::under_the_lock")
        assert working > 0
    # Only one of the two has the lock at any time, so one of them waits for it about as often as the other works.
    waiting = sum("lock" in stack[0] or "lock" in stack[1] for t in ("fighter-1", "fighter-2") for stack in profile.stacks[t]
                  if len(stack) > 1)
    assert waiting > 0


def test_no_tick_is_unaccounted_for(profile: Profile) -> None:
    """Every thread is asked at every tick, and each time gives a sample or is counted as missed."""
    assert profile.dropped == 0
    assert sum(len(s) for s in profile.stacks.values()) == profile.samples
    assert sum(profile.missed_by_tid.values()) == profile.missed
    asked = {thread: len(profile.stacks[thread]) + profile.missed_by_thread.get(thread, 0) for thread in WORK}
    # All of them live as long as the profile, and every tick asks every thread.
    ticks = max(asked.values())
    assert min(asked.values()) >= ticks - 1, asked
    for thread in WORK:
        # A thread cannot answer while the machine gives it no CPU, which the kernel counts.
        wanting = profile.run.wanting_share(thread, profile.milliseconds / 1000)
        least = 0.8 * ticks * (1 - min(1, wanting))
        assert least <= len(profile.stacks[thread]) <= ticks + 1, (thread, ticks, wanting)
    # The machine may be busy with others, so this only says that there is a tick about every 10 ms.
    assert 0.5 * 101 <= ticks / (profile.milliseconds / 1000) <= 1.05 * 101


def test_shares_of_time_are_found_again(profile: Profile) -> None:
    seventy = profile.count_with("splitter", "busy::work_seventy")
    thirty = profile.count_with("splitter", "busy::work_thirty")
    assert abs(seventy / (seventy + thirty) - 0.7) <= 0.05, (seventy, thirty)


def build_id(path: str) -> bytes:
    notes = subprocess.run(["readelf", "-n", path], capture_output=True, text=True, check=True).stdout
    return bytes.fromhex(re.search(r"Build ID: ([0-9a-f]+)", notes)[1])


def test_images_have_the_build_ids_that_readelf_prints(profile: Profile, program: Path) -> None:
    images = {i["code_file"]: i for i in profile.payload["debug_meta"]["images"]}
    assert str(program) in images or str(program).lstrip("/") in images, list(images)
    checked = [path for path in ("/" + name.lstrip("/") for name in images) if Path(path).exists()]
    assert any("libc.so" in p for p in checked) and any("libstdc++" in p for p in checked), checked
    for path in checked:
        expected = build_id(path)
        image = images.get(path) or images[path.lstrip("/")]
        # A debug id is the beginning of the build id, read as a GUID of little-endian fields.
        assert image["debug_id"] == str(uuid.UUID(bytes_le=expected[:16])), path
        assert expected in profile.message["raw_profile"], path


def test_each_start_is_a_profile_of_its_own(program: Path, target: Target) -> None:
    found = profiles_in(run_busy_service(program, target.url, "0.5", "3"), target)
    assert len(found) == 3
    assert len({p.payload["profiler_id"] for p in found}) == 3
    for profile in found:
        assert set(WORK) <= set(profile.stacks)


def test_a_rate_limit_stops_the_profiler(program: Path, target: Target) -> None:
    """The answer to the first chunk comes while a later one is under way; from then on no start succeeds."""
    log = run_busy_service(program, target.url, "0.2", "100", project=LIMITED, status=1).log
    assert "the server answered 429" in log and "the server limits profile chunks for 60 s" in log
    assert log.count("start_profiler: rate_limited") == 1


def test_a_server_that_takes_nothing_costs_the_service_nothing(program: Path) -> None:
    """Nobody listens there: the service does its work, ends with 0, and the log says what became of the profile."""
    log = run_busy_service(program, f"http://127.0.0.1:{free_ports(1)[0]}", "0.3").log
    assert "sending a profile chunk failed: Couldn't connect to server" in log
    assert "dropped a profile chunk after 6 attempts" in log
