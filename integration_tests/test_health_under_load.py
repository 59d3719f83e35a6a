"""Contract 8 and 13: live and ready answer within health.probe_timeout_ms, whatever the server works on."""
from __future__ import annotations

import itertools
import os
import subprocess
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator

import pytest

from support import http_client
from support.envelopes import Chunk, Request, compound, item, new_id, plain, request, sample_v2
from support.perfetto_writer import Trace, block, number, packet
from support.raw_connection import RawConnection
from support.server import Server

PROBE_TIMEOUT = 0.9  # s; the default of health.probe_timeout_ms
PATHS = ["/api/relay/healthcheck/live/", "/api/relay/healthcheck/ready/"]
MIB = 1 << 20
LARGEST_ITEM = 50 * MIB  # limits.max_profile_size
LARGEST_INLINE = 128 << 10  # bodies up to this may be expanded by the thread that reads them


@dataclass
class Span:
    begin: float
    end: float

    def holds(self, other: "Span") -> bool:
        return self.begin <= other.begin and other.end <= self.end


@pytest.fixture
def busy_server(make_server: Callable[..., Server]) -> Server:
    """Room for everything: nobody waits for memory instead of working."""
    return make_server({"limits": {"max_inflight_bytes": "4GiB"}, "spool": {"envelopes": {"max_disk_size": "8GB"}}}).start()


def upload(url: str, built: Request) -> Span:
    """The time from the last byte of the request to its answer: what the server does then is expand it."""
    with RawConnection(url) as connection:
        connection.socket.settimeout(http_client.ANSWER_DEADLINE + 20.0)
        headers = {"Host": "relay", "Content-Length": str(len(built.body)), **built.headers}
        connection.send(f"POST {built.path} HTTP/1.1\r\n".encode() +
                        "".join(f"{k}: {v}\r\n" for k, v in headers.items()).encode() + b"\r\n")
        connection.send(built.body)
        begin = time.monotonic()
        answer = connection.receive()
        assert answer.status == 200, answer
        return Span(begin, time.monotonic())


def probe(url: str, paths: Iterator[str]) -> Span:
    begin = time.monotonic()
    answer = http_client.get(url, next(paths), timeout=PROBE_TIMEOUT)
    assert answer.status == 200, answer
    return Span(begin, time.monotonic())


def probe_during(url: str, bodies: list[Request], rounds: int) -> tuple[list[Span], list[Span]]:
    """Each body is sent `rounds` times, all bodies at once; probes go on until the last answer."""
    over = threading.Event()
    paths = itertools.cycle(PATHS)

    def probe_on() -> list[Span]:
        probes = []
        while not over.is_set():
            probes.append(probe(url, paths))
        return probes

    with ThreadPoolExecutor(len(bodies) + 1) as pool:
        probing = pool.submit(probe_on)
        try:
            sending = [pool.submit(lambda b=b: [upload(url, b) for _ in range(rounds)]) for b in bodies]
            uploads = [span for s in sending for span in s.result()]
        finally:
            over.set()
        return uploads, probing.result()


def check(uploads: list[Span], probes: list[Span], at_once: int) -> None:
    """Every probe has been answered in time; enough of them while so many uploads were being expanded."""
    slowest = max(p.end - p.begin for p in probes)
    during = [p for p in probes if sum(u.holds(p) for u in uploads) >= at_once]
    print(f"{len(probes)} probes, slowest {slowest * 1000:.0f} ms, {len(during)} of them while {at_once} were expanded; "
          f"uploads {min(u.end - u.begin for u in uploads):.2f} to {max(u.end - u.begin for u in uploads):.2f} s")
    assert slowest <= PROBE_TIMEOUT
    assert len(during) >= 5, (len(probes), len(during))


def largest_trace(make_trace: Path) -> bytes:
    """99,000 samples, and intern tables that are cleared and filled anew until the size limit: all of it is work."""
    made = subprocess.run([str(make_trace), "--kind", "bench", "--size", "large", "--samples", "99000"],
                          capture_output=True, check=True).stdout
    names = [block(5, number(1, i), block(2, f"f{i}")) for i in range(1, 1001)]
    interval = packet(number(13, 1), number(10, 77), block(12, *names))
    return made + interval * ((LARGEST_ITEM - (64 << 10) - len(made)) // len(interval))


@pytest.mark.binary_only("configures its own server")
def test_every_core_decodes_traces_of_50_mib(busy_server: Server, make_trace: Path) -> None:
    cores = len(os.sched_getaffinity(0))
    trace = largest_trace(make_trace)
    bodies = [request(compound(trace)) for _ in range(2 * cores)]
    assert 49 * MIB < len(bodies[0].body) < LARGEST_ITEM + 1024
    uploads, probes = probe_during(busy_server.url, bodies, rounds=2)
    check(uploads, probes, at_once=cores)
    accepted = busy_server.metric("chunks_total", end="spooled")
    assert accepted == 4 * cores, "the traces are to be decoded, not refused at a limit"


def chunks_up_to(size: int, make: Callable[[], Chunk | bytes]) -> Request:
    """As many of these as fit in a body of this size."""
    one = len(request(make()).body)
    built = request(*[make() for _ in range(max(1, (size - 200) // one))])
    assert len(built.body) <= size
    return built


def tiny_chunk() -> bytes:
    return item({"type": "profile_chunk"}, b"{")


def hidden_bundle() -> Chunk:
    """A plain packet, and behind it one that inflates a thousandfold."""
    inflated = packet(block(500, bytes(3 * MIB))) * 15
    return compound(Trace(samples=2).encode() + packet(block(50, zlib.compress(inflated, 9))))


def many_mappings() -> Chunk:
    """The kind of plain trace that costs most for its size: each mapping becomes an image of the output."""
    count = 2200
    tables = block(12, block(17, number(1, 1), block(2, "a.so")),
                   *[block(19, number(1, i), number(4, i << 12), number(5, (i + 1) << 12), number(7, 1))
                     for i in range(1, count + 1)],
                   *[block(6, number(1, i), number(3, i), number(4, 1)) for i in range(1, count + 1)],
                   *[block(7, number(1, i), number(2, i)) for i in range(1, count + 1)])
    sequence = number(10, 9)
    return compound(Trace(samples=2).encode() + packet(number(13, 1), sequence, block(59, number(58, 6)), tables) + b"".join(
        packet(number(8, 10**12 + i), sequence, number(13, 2),
               block(66, number(2, 4100), number(3, 4100), number(4, i))) for i in range(1, 1001)))


def long_json() -> Chunk:
    document = sample_v2(new_id())["profile"]
    document["samples"] *= 8
    return plain(profile=document)


# Bodies of which kind, and how often each of the clients sends one: a second or two of work.
SMALL_AND_COSTLY = {"tiny chunks": (tiny_chunk, 20), "hidden bundles": (hidden_bundle, 1), "mappings": (many_mappings, 80),
                    "JSON": (long_json, 160)}


@pytest.mark.binary_only("configures its own server")
@pytest.mark.parametrize("kind", SMALL_AND_COSTLY)
def test_a_flood_of_small_bodies_that_cost_most(busy_server: Server, kind: str) -> None:
    cores = len(os.sched_getaffinity(0))
    make, rounds = SMALL_AND_COSTLY[kind]
    uploads, probes = probe_during(busy_server.url, [chunks_up_to(LARGEST_INLINE, make)] * (2 * cores), rounds)
    check(uploads, probes, at_once=1)
