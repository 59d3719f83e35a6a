"""Clients that are slow at one stage each, over real sockets: how each ends, and that nothing of it stays behind.

All of them run at the same time against one server with timeouts of a second, so the whole takes as long as the slowest.
"""
from __future__ import annotations

import re
import select
import socket
import time
import zlib
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

import pytest

from conformance import BODY, get, in_chunks, post, post_chunked, split_head
from support.envelopes import plain, request
from support.raw_connection import RawConnection
from support.server import Server
from support.waiting import wait_until

pytestmark = pytest.mark.binary_only("configures its own server")

# Seconds. A body may take three body_timeouts for as many bytes as limits.min_body_rate wants in that time.
LIMITS = {"header_timeout": 1, "body_timeout": 1, "keepalive_timeout": 1}
PAUSE = 0.15  # of a client that trickles: far below every timeout

GZIP = b"Content-Encoding: gzip\r\n"
EMPTY_BLOCK = b"\x00\x00\x00\xff\xff"  # deflate: decodes to nothing


def gzipped(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=31)
    return compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)


def sized(body: bytes, length: int, headers: bytes = b"") -> bytes:
    return split_head(post(headers + b"Content-Length: %d\r\n" % length, length=False))[0] + body


def chunked(body: bytes, headers: bytes = b"") -> bytes:
    """The chunks so far, without the last one."""
    return post_chunked(in_chunks(body), headers)[:-len(b"0\r\n\r\n")]


@dataclass(frozen=True)
class Slow:
    name: str
    opening: bytes
    statuses: tuple[int, ...]
    trickle: bytes = b""  # sent again and again, until the last of `statuses` has come
    trickle_on: bool = False  # ... and after it
    half_close: bool = False
    reason: str = ""


def head(name: str, opening: bytes, trickle: bytes = b"") -> Slow:
    return Slow(name, opening, (408,), trickle, reason="timeout_header")


def body(name: str, opening: bytes, trickle: bytes = b"") -> Slow:
    return Slow(name, opening, (408,), trickle, reason="timeout_body")


HEAD = split_head(post())[0]
ROWS = [
    # Nothing was asked for, so nothing is answered.
    Slow("nothing after connecting", b"", ()),
    Slow("nothing after a reply", get(), (200,)),
    Slow("half-closed after a reply", get(), (200,), half_close=True),
    head("half a head", HEAD[:40]),
    head("an empty line before a head", b"\r\n"),
    head("head in single bytes", HEAD[:40], b"x"),
    body("half a body", sized(BODY[:500], len(BODY))),
    body("no body at all", sized(b"", len(BODY))),
    Slow("no body after 100 Continue", sized(b"", len(BODY), b"Expect: 100-continue\r\n"), (100, 408),
         reason="timeout_body"),
    body("half a coded body", sized(gzipped(BODY[:500]), len(BODY), GZIP)),
    body("between chunks", chunked(BODY[:500])),
    body("in a chunk", chunked(BODY[:500])[:-100]),
    body("in the size of a chunk", chunked(BODY[:500]) + b"1"),
    body("before the trailers' end", chunked(BODY) + b"0\r\n"),
    body("coded chunks", chunked(gzipped(BODY[:500]), GZIP)),
    body("body in single bytes", sized(BODY[:500], len(BODY)), b"x"),
    body("chunks of single bytes", chunked(BODY[:500]), b"1\r\nx\r\n"),
    body("chunks of mostly framing", chunked(BODY[:500]), b"1;" + b"x" * 500 + b"\r\nx\r\n"),
    body("trailers in small pieces", chunked(BODY) + b"0\r\n", b"X: y\r\n"),
    body("coded body in small pieces", sized(gzipped(BODY[:500]), 10_000, GZIP), EMPTY_BLOCK),
    body("coded chunks in small pieces", chunked(gzipped(BODY[:500]), GZIP), b"5\r\n" + EMPTY_BLOCK + b"\r\n"),
    Slow("half-closed in the body", sized(BODY[:500], len(BODY)), (400,), half_close=True, reason="bad_request"),
    # The rest of a small body is read for the sake of the next request, but not for ever.
    Slow("rest of a refused body in single bytes", post(b"Content-Length: 1000\r\n", b"x", False, target=b"/nowhere"),
         (404,), b"x", True, reason="route_not_found"),
]
assert len({r.name for r in ROWS}) == len(ROWS), "two rows with one name"


def play(url: str, row: Slow) -> bytes:
    """All that the server says until it ends the connection."""
    received, end = b"", time.monotonic() + 60
    with RawConnection(url) as connection:
        connection.send(row.opening)
        if row.half_close:
            connection.shutdown_send()
        while time.monotonic() < end:
            try:
                if connection.is_answered(PAUSE):
                    block = connection.socket.recv(65536)
                    if not block:
                        return received
                    received += block
                elif row.trickle and (row.trickle_on or len(statuses(received)) < len(row.statuses)):
                    connection.send(row.trickle)
            except (ConnectionResetError, BrokenPipeError):
                # Whoever sends on is reset in the end; a reply that it had not read yet would be missing.
                return received
    raise AssertionError(f"the server goes on: {received[:200]!r}")


def statuses(received: bytes) -> tuple[int, ...]:
    return tuple(int(s) for s in re.findall(rb"HTTP/1\.1 (\d{3}) ", received))


@dataclass
class Played:
    server: Server
    ends: dict[str, Future[bytes]]
    held: float  # bytes of the budget, seen while the clients were at it


@pytest.fixture(scope="module")
def played(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    server = Server(binary, tmp_path_factory.mktemp("slow"), {"limits": LIMITS}).start()
    with ThreadPoolExecutor(len(ROWS)) as pool:
        ends = {row.name: pool.submit(play, server.url, row) for row in ROWS}
        held = wait_until(lambda: server.metric("budget_bytes_used"), "slow bodies that hold bytes of the budget")
        yield Played(server, ends, held)
    assert server.stop() == 0, server.log()[-3000:]


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.name)
def test_row(played: Played, row: Slow) -> None:
    received = played.ends[row.name].result()
    assert statuses(received) == row.statuses
    if row.statuses and row.statuses[-1] in (400, 408):
        assert b"\r\nconnection: close\r\n" in received.lower()


def test_nothing_stays_behind(played: Played) -> None:
    """Connections, bytes of the budget and chunks: all given back; and every end was counted by its name."""
    for end in played.ends.values():
        end.result()
    server = played.server
    wait_until(lambda: server.metric("connections") == 1, "the end of all connections but the one that asks")
    assert played.held > 0 and server.metric("budget_bytes_used") == 0
    for reason in {row.reason for row in ROWS} - {""}:
        assert server.metric("requests_rejected_total", reason=reason) == len([r for r in ROWS if r.reason == reason])
    assert server.metric("chunks_total", end="spooled") == 0
    assert server.send(request(plain())).status == 200


def test_a_client_that_never_reads_its_replies(played: Played) -> None:
    """Its replies fill the buffers of both kernels, then the server waits for as long as a body may pause."""
    server = played.server
    url = server.url.rsplit(":", 1)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", int(url[1])))
        asked = get(b"GET /metrics HTTP/1.1") * 2000
        answered = server.metric("requests_total", status="200")
        client.settimeout(60)
        client.sendall(asked[:1000])
        wait_until(lambda: server.metric("connections") == 2, "the connection")
        try:
            client.sendall(asked[1000:])
        except (ConnectionResetError, BrokenPipeError):
            pass  # it was given up before it had asked for everything
        wait_until(lambda: server.metric("connections") == 1, "the end of the connection")
        assert 0 < server.metric("requests_total", status="200") - answered < 2000
        assert select.select([client], [], [], 0)[0]
    assert server.send(request(plain())).status == 200


def test_a_slow_client_that_is_fast_enough(played: Played) -> None:
    """It takes longer than any timeout, but brings its bytes."""
    before = played.server.metric("chunks_total", end="spooled")
    opening = BODY + b'{"type":"attachment"}\n'
    content = opening.ljust(35 * 500, b"x")
    begun = time.monotonic()
    with RawConnection(played.server.url) as connection:
        connection.send(sized(b"", len(content)))
        for at in range(0, len(content), 500):  # 5 KB a second where 1 KiB is asked for
            connection.send(content[at:at + 500])
            time.sleep(0.1)
        assert connection.receive().status == 200
    assert time.monotonic() - begun > 3 * LIMITS["body_timeout"]
    assert played.server.metric("chunks_total", end="spooled") == before + 1
