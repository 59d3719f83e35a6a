"""Whatever comes in over HTTP, the server answers or hangs up, and goes on serving."""
from __future__ import annotations

import random
import time

import pytest

from conftest import Target
from support import http_client
from support.envelopes import Request, auth, compound, pair, plain, request
from support.perfetto_writer import Trace
from support.projects import PROJECT

PLAUSIBLE = {200, 400, 401, 403, 404, 405, 408, 411, 413, 414, 415, 431, 501, 505}


def still_serves(target: Target) -> None:
    chunk = plain()
    assert target.send(request(chunk)).status == 200
    assert len(target.profiles.by_chunk(chunk.chunk_id)) == 1


def check_statuses(answer: bytes) -> None:
    if answer:
        assert answer.startswith(b"HTTP/1.1 "), answer[:80]
        assert int(answer[9:12]) in PLAUSIBLE, answer[:200]


def mutate(data: bytes, rng: random.Random) -> bytes:
    """A few bytes changed, a piece cut out, doubled or moved: near enough to the truth to reach deep."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(out)) if out else 0
        length = rng.choice((1, 2, 8, 100))
        match rng.randrange(5):
            case 0:
                out[at:at + 1] = bytes([rng.randrange(256)])
            case 1:
                del out[at:at + length]
            case 2:
                out[at:at] = rng.randbytes(length)
            case 3:
                out[at:at] = out[at:at + length]
            case 4:
                out[at:at + 1] = rng.choice((b"\n", b"\x00", b"\xff", b'"', b"{", b"}", b"\x80" * 10))
    return bytes(out)


def fuzz_bodies(target: Target, rounds: int, seed: int) -> None:
    rng = random.Random(seed)
    trace = Trace(samples=60).encode()
    for i in range(rounds):
        good = request(rng.choice((lambda: compound(trace), lambda: pair(trace), plain))())
        answer = target.send(Request(mutate(good.body, rng), headers=good.headers))
        assert answer.status in PLAUSIBLE, (seed, i, answer)
    still_serves(target)


def fuzz_traces(target: Target, rounds: int, seed: int) -> None:
    """The envelope is sound, the trace in it is not: each chunk ends by name or arrives."""
    rng = random.Random(seed)
    trace = Trace(samples=60).encode()
    for i in range(rounds):
        answer = target.send(request(*[compound(mutate(trace, rng)) for _ in range(8)]))
        assert answer.status == 200, (seed, i, answer)
    still_serves(target)


def test_random_bytes_as_http(target: Target) -> None:
    rng = random.Random(3)
    for size in [1, 2, 10, 100, 1000, 20_000] * 5:
        check_statuses(http_client.send_raw(target.url, rng.randbytes(size)))
    still_serves(target)


@pytest.mark.parametrize("data", [
    b"\r\n\r\n", b"GET\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20_000 + b"\r\n",
    b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
    b"POST /api/42/envelope/ HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /api/42/envelope/ HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /api/42/envelope/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /api/42/envelope/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /api/99999999999999999999999/envelope/ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"POST /api/%00/envelope/ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
], ids=range(11))
def test_malformed_http(target: Target, data: bytes) -> None:
    check_statuses(http_client.send_raw(target.url, data))
    still_serves(target)


def test_a_body_cut_off_by_the_client(target: Target) -> None:
    body = request(compound(Trace().encode())).body
    head = (f"POST /api/{PROJECT.id}/envelope/ HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
            f"X-Sentry-Auth: {auth()['X-Sentry-Auth']}\r\n\r\n").encode()
    for cut in (0, 1, len(body) // 2, len(body) - 1) * 25:  # the end of input may come with the bytes or after them
        check_statuses(http_client.send_raw(target.url, head + body[:cut]))
    still_serves(target)


def test_random_envelopes(target: Target) -> None:
    fuzz_bodies(target, 300, seed=1)


def test_random_traces(target: Target) -> None:
    fuzz_traces(target, 60, seed=2)


@pytest.mark.long
def test_random_input_for_minutes(target: Target) -> None:
    """Two minutes of each; a failure names the seed."""
    for fuzz, rounds in ((fuzz_bodies, 200), (fuzz_traces, 30)):
        end = time.monotonic() + 120
        while time.monotonic() < end:
            fuzz(target, rounds, seed=random.randrange(1 << 30))
