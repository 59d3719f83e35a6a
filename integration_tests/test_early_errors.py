"""Requests that are refused while their client still sends: the reply can be read, and what comes costs no memory.

Also the other way round: a client that is gone before its reply.
"""
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator

import pytest

from conformance import AUTH, BODY, CHUNKED, HOST, PATH, in_chunks, post, post_chunked, split_head
from matrix import ENCODERS, encoded, packed_zeros
from support.envelopes import Request, auth, plain, request
from support.projects import MATRIX_LIMITS, PROJECT
from support.raw_connection import RawConnection
from support.server import Server
from support.waiting import wait_until

pytestmark = pytest.mark.binary_only("reads the memory of its own server")

MIB = 1 << 20
BLOCK = bytes(MIB)
CHUNK = b"100000\r\n" + BLOCK + b"\r\n"
FLOOD = 20  # blocks that a client sends before it reads: more than the buffers of both kernels hold
STRANGER = AUTH.replace(PROJECT.key.encode(), b"0" * 32)
STRANGER_DSN = b'{"dsn":"http://' + b"0" * 32 + b'@127.0.0.1/%d"}\n' % PROJECT.id


def head(headers: bytes, blocks: int = FLOOD, path: bytes = PATH, method: bytes = b"POST") -> bytes:
    """A head with a length, unless it is for chunks."""
    framing = b"" if CHUNKED in headers else b"Content-Length: %d\r\n" % (blocks * MIB)
    return method + b" " + path + b" HTTP/1.1\r\n" + HOST + framing + headers + b"\r\n"


@dataclass(frozen=True)
class Row:
    name: str
    opening: Callable[[], bytes]
    status: int
    block: bytes = BLOCK


ROWS = [
    Row("stranger", lambda: head(STRANGER), 403),
    Row("stranger, in chunks", lambda: head(STRANGER + CHUNKED), 403, CHUNK),
    # In chunks, since the length of a body is looked at before its first line, and before its coding.
    Row("stranger by the DSN of the envelope", lambda: head(CHUNKED) + in_chunks(STRANGER_DSN, last=b"")[:-4], 403, CHUNK),
    Row("nobody", lambda: head(CHUNKED) + b"3\r\n{}\n\r\n", 401, CHUNK),
    Row("nobody, without an end of the first line", lambda: head(CHUNKED), 401, CHUNK),
    Row("bad project id", lambda: head(AUTH, path=b"/api/shop/envelope/"), 400),
    Row("unknown route", lambda: head(AUTH, path=b"/nowhere"), 404),
    Row("wrong method", lambda: head(AUTH, method=b"PUT"), 405),
    Row("unknown coding", lambda: head(AUTH + CHUNKED + b"Content-Encoding: lzma\r\n"), 415, CHUNK),
    Row("too large by its length", lambda: head(AUTH), 413),
    Row("too large, in chunks", lambda: head(AUTH + CHUNKED), 413, CHUNK),
    Row("malformed chunk in the middle", lambda: head(AUTH + CHUNKED) + CHUNK + b"zz\r\n", 400, CHUNK),
    Row("chunk longer than its size", lambda: head(AUTH + CHUNKED) + b"1\r\n", 400),
    Row("damaged coding", lambda: head(AUTH + CHUNKED + b"Content-Encoding: gzip\r\n"), 400, CHUNK),
    *(Row(f"bomb: {coding}", lambda c=coding: head(AUTH + CHUNKED + b"Content-Encoding: %s\r\n" % c.encode())
          + in_chunks(packed_zeros(c), MIB)[:-len(b"0\r\n\r\n")], 413, CHUNK)
      for coding in ("gzip", "deflate", "br", "zstd")),
]


@pytest.fixture(scope="module")
def server(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(binary, tmp_path_factory.mktemp("early"), {"limits": MATRIX_LIMITS}).start()
    yield started
    assert started.stop() == 0, started.log()[-3000:]


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.name)
def test_a_client_that_writes_all_before_it_reads(server: Server, row: Row) -> None:
    opening = row.opening()
    with RawConnection(server.url, patience=20) as connection:
        connection.send(opening)
        for _ in range(FLOOD):
            connection.send(row.block)
        reply = connection.receive()
        assert reply.status == row.status and reply.json()["detail"]
        assert reply.headers["connection"] == "close"
        assert connection.rest() == b""
    assert server.metric("budget_bytes_used") == 0


def test_a_stranger_is_refused_before_the_body(server: Server) -> None:
    with RawConnection(server.url) as connection:
        connection.send(head(STRANGER, blocks=200))
        assert connection.receive().status == 403


def memory(server: Server, name: str) -> int:
    """VmRSS now, or VmHWM: the most since reset_peak()."""
    for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) << 10
    raise AssertionError(name)


def reset_peak(server: Server) -> int:
    """-> the memory resident now, from where the peak counts anew."""
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")
    return memory(server, "VmRSS")


def warm_up(server: Server) -> None:
    """Whatever the first request of a kind takes for good."""
    for coding in ENCODERS:
        assert server.send(encoded(coding, ENCODERS[coding])).status == 200


def stream(url: str, opening: bytes, block: bytes, blocks: int) -> int:
    """Sends until all is sent or the server resets the connection. -> blocks sent"""
    with RawConnection(url, patience=60) as connection:
        try:
            connection.send(opening)
            for sent in range(blocks):
                connection.send(block)
            connection.rest()
        except (ConnectionResetError, BrokenPipeError):
            return sent
    return blocks


@pytest.mark.parametrize("opening, block, budget", [
    (head(STRANGER, 200), BLOCK, 0),
    (head(STRANGER + CHUNKED), CHUNK, 0),
    # 64 KiB until its first line is there; without one a MiB, and as much again while the room for it grows.
    (head(b"", 200) + STRANGER_DSN, BLOCK, 4 * (64 << 10)),
    (head(CHUNKED), CHUNK, 4 * 3 * MIB),
], ids=["by header", "by header, in chunks", "by the envelope", "without an envelope header"])
def test_strangers_cost_no_memory(make_server: Callable[..., Server], opening: bytes, block: bytes, budget: int) -> None:
    """Four at once, 200 MiB each: the bytes leased for them, and the memory of the whole process, stay where they were."""
    server = make_server().start()
    warm_up(server)
    known = server.metric("budget_bytes_peak")
    before = reset_peak(server)
    with ThreadPoolExecutor(4) as pool:
        assert min(pool.map(lambda _: stream(server.url, opening, block, 200), range(4))) > 0
    assert server.metric("budget_bytes_peak") <= max(known, budget)
    assert memory(server, "VmHWM") - before < 8 * MIB + budget
    # Nobody of them is held for longer than the second that contract 13 gives.
    wait_until(lambda: server.metric("connections") == 1, "the end of the connections")
    assert server.metric("budget_bytes_used") == 0
    assert server.metric("requests_total", status="403") + server.metric("requests_total", status="401") == 4


def test_bombs_take_no_more_than_the_limit(make_server: Callable[..., Server]) -> None:
    """1 GiB of zeros in each coding: the largest body, the largest window of a coding, and some slack."""
    server = make_server({"limits": MATRIX_LIMITS}).start()
    warm_up(server)
    bombs = [Request(packed_zeros(c), headers={**auth(), "Content-Encoding": c}) for c in ("gzip", "deflate", "br", "zstd")]
    before = reset_peak(server)
    assert [server.send(bomb).status for bomb in bombs] == [413] * 4
    assert memory(server, "VmHWM") - before < MATRIX_LIMITS["max_envelope_size"] + 16 * MIB + 8 * MIB
    assert server.metric("budget_bytes_peak") <= 2 * MATRIX_LIMITS["max_envelope_size"]
    assert server.metric("budget_bytes_used") == 0


@pytest.mark.parametrize("wire", [post(), post_chunked(in_chunks())], ids=["sized", "in chunks"])
@pytest.mark.parametrize("end", ["close", "reset", "reset before it is read"])
def test_a_client_gone_after_its_body_leaves_its_chunk(server: Server, wire: bytes, end: str) -> None:
    """Contract 13: processing and delivery go on."""
    kept = server.metric("chunks_total", end="spooled")
    connection = RawConnection(server.url)
    if end == "reset before it is read":
        connection.send(wire)
        connection.reset()
    else:
        opening, content = split_head(wire)
        connection.send(opening)
        wait_until(lambda: server.metric("connections") == 2, "the connection")
        connection.send(content)
        connection.reset() if end == "reset" else connection.socket.close()
    wait_until(lambda: server.metric("chunks_total", end="spooled") == kept + 1, "the chunk in the spool")
    wait_until(lambda: server.metric("connections") == 1, "the end of the connection")
    assert server.metric("budget_bytes_used") == 0
