"""Resident memory of the server while far more arrives than its byte budget takes, measured from outside.

200 slow uploads of 50 MiB that arrive in trickles, and then 500 of 1 MiB at once (half traces, half JSON), against
limits.max_inflight_bytes: 256MiB. Printed as one line of JSON: resident memory idle and at its peak (sampled, and the
kernel's own high-water mark, which misses no moment), the growth as a part of the budget, and how the uploads ended.

    .venv/bin/python integration_tests/memory_under_load.py [--binary build/release/profile-relay] [--kafka] [--rounds N]
"""
from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import resource
import socket
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Iterable, Iterator
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tools" / "kafka"))

from support.envelopes import Request, compound, plain, request, sample_v2  # noqa: E402
from support.perfetto_writer import Trace  # noqa: E402
from support.server import Server, broker_configuration  # noqa: E402
from support.waiting import wait_until  # noqa: E402

MIB = 1 << 20
BUDGET = 256 * MIB
SMALL, SMALL_SIZE = 500, MIB
# 320 KiB/s each: no client that is cut off for being slow, and all of them together take their part within seconds.
SLOW, SLOW_SIZE, SLOW_PIECE, SLOW_PAUSE = 200, 50 * MIB, 32 << 10, 0.1
SLOW_SECONDS = 8.0  # longer than the server pauses for room
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@dataclass
class Figures:
    idle_mib: float
    sampled_mib: float  # the largest of the samples
    peak_mib: float  # VmHWM
    ratio: float  # (peak - idle) / budget
    budget_peak_mib: float
    small: dict[str, int]  # status -> how many
    slow: dict[str, int]
    refused_without_retry_after: int
    small_seconds: float
    afterwards: list[int]  # what ordinary requests got when all was over


def configuration() -> dict:
    return {"limits": {"max_inflight_bytes": BUDGET}, "spool": {"envelopes": {"max_disk_size": "8GB"}}}


def small_requests() -> list[Request]:
    trace = Trace(samples=4000, random_padding=SMALL_SIZE - (200 << 10)).encode()
    document = sample_v2("0" * 32)["profile"]
    document["samples"] *= SMALL_SIZE // len(json.dumps(document["samples"]))
    return [request(compound(trace)), request(plain(profile=document))]


def resident_mib(pid: int, name: str) -> float:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+) kB", text, re.M)[1]) / 1024


def head_of(built: Request, length: int) -> bytes:
    headers = {**built.headers, "Host": "relay", "Content-Length": str(length), "Connection": "close"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{built.method} {built.path} HTTP/1.1\r\n{lines}\r\n".encode()


async def upload(address: tuple[str, int], pieces: Iterable[bytes], pause: float) -> bytes:
    """Sends the pieces over a connection of its own until the server answers; the answer, empty if there is none."""
    loop = asyncio.get_running_loop()

    async def send() -> None:
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                await loop.sock_sendall(s, piece)
                if pause:
                    await asyncio.sleep(pause)

    with socket.socket() as s:
        s.setblocking(False)
        await loop.sock_connect(s, address)
        sending = asyncio.ensure_future(send())
        answer = b""
        try:
            with contextlib.suppress(ConnectionError):
                while block := await loop.sock_recv(s, 4096):  # also while it still sends: refusals come early
                    answer += block
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return answer


def status_of(answer: bytes | BaseException) -> str:
    if isinstance(answer, BaseException):
        return "still sending"
    found = STATUS.match(answer)
    return found[1].decode() if found else "none"


async def highest(server: Server) -> float:
    """Samples until it is cancelled."""
    most = 0.0
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            most = max(most, resident_mib(server.process.pid, "VmRSS"))
            await asyncio.sleep(0.05)
    return most


async def load(server: Server, small_heads_and_bodies: list[list[bytes]], slow_pieces: list[bytes]):
    address = urlsplit(server.url).hostname, urlsplit(server.url).port
    begin = time.monotonic()
    slow = [asyncio.ensure_future(upload(address, slow_pieces, SLOW_PAUSE)) for _ in range(SLOW)]
    # The slow ones first, so that the small ones find their part of the budget taken.
    await asyncio.to_thread(wait_until, lambda: server.metric("budget_bytes_used") > BUDGET / 3, "the budget taken")
    small_begin = time.monotonic()
    small = await asyncio.gather(*(upload(address, small_heads_and_bodies[i % 2], 0.0) for i in range(SMALL)))
    took = time.monotonic() - small_begin
    await asyncio.wait(slow, timeout=max(0.0, SLOW_SECONDS - (time.monotonic() - begin)))
    for task in slow:
        task.cancel()
    return small, await asyncio.gather(*slow, return_exceptions=True), took


async def load_and_sample(server: Server, *parts):
    sampling = asyncio.ensure_future(highest(server))
    small, slow, took = await load(server, *parts)
    sampling.cancel()
    return small, slow, took, await sampling


def measure(server: Server) -> Figures:
    """Runs the load against a started server."""
    ordinary = small_requests()
    small = [[head_of(r, len(r.body)), memoryview(r.body)] for r in ordinary]
    # A sensible beginning; the rest of a slow one hardly ever matters.
    zeros = memoryview(bytes(SLOW_PIECE))
    slow_pieces = [head_of(ordinary[0], SLOW_SIZE), memoryview(ordinary[0].body)[:SLOW_PIECE],
                   *[zeros] * (SLOW_SIZE // SLOW_PIECE - 1)]
    for r in ordinary:  # what is loaded and allocated once
        assert server.send(r).status == 200
    pid = server.process.pid
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # VmHWM starts here
    idle = resident_mib(pid, "VmRSS")
    small_ends, slow_ends, took, sampled = asyncio.run(load_and_sample(server, small, slow_pieces))
    peak = resident_mib(pid, "VmHWM")
    wait_until(lambda: server.metric("budget_bytes_used") == 0, "the budget given back", 30.0)
    refused = [a for a in [*small_ends, *slow_ends] if status_of(a) == "503"]
    return Figures(round(idle, 1), round(sampled, 1), round(peak, 1), round((peak - idle) * MIB / BUDGET, 3),
                   round(server.metric("budget_bytes_peak") / MIB, 1),
                   dict(Counter(map(status_of, small_ends))), dict(Counter(map(status_of, slow_ends))),
                   sum(b"\r\nretry-after: " not in a.lower() for a in refused), round(took, 1),
                   [server.send(r).status for r in ordinary])


@contextlib.contextmanager
def enough_files() -> Iterator[None]:
    """For 700 connections, and as many of the server, which inherits the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 4096), hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def run(binary: Path, settings: dict, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder, enough_files():
        server = Server(binary.resolve(), Path(folder) / "relay", settings).start()
        try:
            for _ in range(rounds):
                print(json.dumps(asdict(measure(server))), flush=True)
            assert server.stop() == 0, server.log()[-3000:]
        finally:
            server.kill()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--binary", type=Path, default=HERE.parent / "build" / "release" / "profile-relay")
    parser.add_argument("--kafka", action="store_true", help="with a real broker instead of the spool alone")
    parser.add_argument("--rounds", type=int, default=1, help="the same load again, on the same server")
    arguments = parser.parse_args()
    if arguments.kafka:
        from local_kafka import LocalKafka
        with LocalKafka() as broker:
            broker.create_default_topics()
            run(arguments.binary, {**configuration(), **broker_configuration(broker.bootstrap)}, arguments.rounds)
    else:
        run(arguments.binary, configuration(), arguments.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
