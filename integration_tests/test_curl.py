"""curl, which many clients and scripts are: what it does by itself, what it can be told to do, and the README's call."""
from __future__ import annotations

import gzip
import json
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

import pytest

from conftest import Target
from support.envelopes import Chunk, Request, auth, item, new_id, plain, request, sample_v2
from support.messages import check_message
from support.projects import MATRIX_LIMITS, PROJECT

HERE = Path(__file__).resolve().parent
EXPECT = ["-H", "Expect: 100-continue"]
NO_EXPECT = ["-H", "Expect:"]
CHUNKED = ["-H", "Transfer-Encoding: chunked"]
# Over this size curl sends `Expect: 100-continue` by itself.
CURL_EXPECTS = 1 << 20


@dataclass
class Transfers:
    """What curl's -w tells of each transfer, and of a single one the statuses of all replies, 100 among them."""

    told: list[dict[str, Any]]
    statuses: list[int]
    bodies: list[bytes]


def curl(folder: Path, *arguments: str, transfers: int = 1) -> Transfers:
    heads, outputs = folder / "heads", [folder / f"output{i}" for i in range(transfers)]
    done = subprocess.run(["curl", "-sS", "--max-time", "20", *arguments], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), (done.returncode, done.stderr)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == transfers
    statuses = [int(s) for s in re.findall(r"^HTTP/1\.1 (\d+)", heads.read_text(), re.MULTILINE)]
    return Transfers(told, statuses, [o.read_bytes() for o in outputs])


def transfer(folder: Path, url: str, index: int = 0, headers: dict[str, str] | None = None) -> list[str]:
    """The arguments of one transfer."""
    listed = [a for name, value in (headers or {}).items() for a in ("-H", f"{name}: {value}")]
    return [*listed, "-D", str(folder / "heads"), "-o", str(folder / f"output{index}"), "-w", "%{json}\\n", url]


def large() -> Request:
    """A chunk beside an item of another type, so that the body is over 1 MiB."""
    built = request(plain(), item({"type": "attachment"}, b"x" * CURL_EXPECTS))
    assert len(built.body) > CURL_EXPECTS
    return built


def too_large(key: str = PROJECT.key) -> Request:
    """So far over the limit that the kernel's buffers cannot hold what nobody reads."""
    return Request(b"{}\n" + item({"type": "attachment"}, b"x" * (MATRIX_LIMITS["max_envelope_size"] + (16 << 20))),
                   headers=auth(key))


def zipped() -> Request:
    built = request(plain())
    built.body, built.headers = gzip.compress(built.body), {**built.headers, "Content-Encoding": "gzip"}
    return built


def one() -> Request:
    return request(plain())


def of_a_stranger() -> Request:
    return too_large("0" * 32)


def without_headers() -> Request:
    return request(plain(), headers={})


@dataclass
class Row:
    id: str
    build: Callable[[], Request]
    arguments: list[str]
    statuses: list[int]  # of all replies
    uploaded: Callable[[int, int], bool] = field(default=lambda sent, size: sent == size)


def nothing(sent: int, size: int) -> bool:
    return sent == 0


def not_all(sent: int, size: int) -> bool:
    return sent < size


def with_framing(sent: int, size: int) -> bool:
    return sent > size


ROWS = [
    Row("as it is", one, [], [200]),
    Row("a large body, for which curl expects a 100", large, [], [100, 200]),
    Row("a large body without expectation", large, NO_EXPECT, [200]),
    Row("a small body with Expect", one, EXPECT, [100, 200]),
    Row("HTTP/1.0", one, ["-0"], [200]),
    Row("HTTP/1.0, large", large, ["-0"], [200]),
    Row("chunked", one, CHUNKED, [200], with_framing),
    Row("chunked with Expect", one, [*CHUNKED, *EXPECT], [100, 200], with_framing),
    Row("--compressed", one, ["--compressed"], [200]),
    Row("--tr-encoding", one, ["--tr-encoding"], [200]),
    Row("an offer to upgrade to HTTP/2", one, ["--http2"], [200]),
    Row("gzip", zipped, [], [200]),
    Row("gzip, chunked", zipped, CHUNKED, [200], with_framing),
    Row("Basic", without_headers, ["-u", f"{PROJECT.key}:"], [200]),
    Row("a stranger: nothing of the body leaves", of_a_stranger, [], [403], nothing),
    Row("a stranger, chunked", of_a_stranger, [*CHUNKED, *EXPECT], [403], nothing),
    Row("a stranger who does not ask", of_a_stranger, NO_EXPECT, [403], not_all),
    Row("too large: nothing of the body leaves", too_large, [], [413], nothing),
    Row("too large, the length unknown", too_large, [*CHUNKED, *EXPECT], [100, 413], not_all),
    Row("too large, and does not ask", too_large, NO_EXPECT, [413], not_all),
]


@pytest.mark.parametrize("row", ROWS, ids=[r.id for r in ROWS])
def test_curl(target: Target, tmp_path: Path, row: Row) -> None:
    built = row.build()
    (tmp_path / "body").write_bytes(built.body)
    done = curl(tmp_path, *row.arguments, "--data-binary", f"@{tmp_path / 'body'}",
                *transfer(tmp_path, target.url + built.path, headers=built.headers))
    assert done.statuses == row.statuses
    sent = done.told[0]["size_upload"]
    assert row.uploaded(sent, len(built.body)), (sent, len(built.body))
    answer = json.loads(done.bodies[0])
    if row.statuses[-1] == 200:
        assert answer == {"id": built.event_id}
        for chunk in built.chunks:
            [record] = target.profiles.by_chunk(chunk.chunk_id)
            check_message(record, chunk, PROJECT)
    else:
        assert answer["detail"]


def two_transfers(target: Target, folder: Path, first: Request, second: Request) -> Transfers:
    arguments: list[str] = []
    for index, built in enumerate((first, second)):
        (folder / f"body{index}").write_bytes(built.body)
        arguments += ["--next"] if index else []
        arguments += ["-sS", "--data-binary", f"@{folder / f'body{index}'}",
                      *transfer(folder, target.url + built.path, index, built.headers)]
    return curl(folder, *arguments, transfers=2)


def test_two_requests_share_a_connection(target: Target, tmp_path: Path) -> None:
    first, second = large(), one()
    done = two_transfers(target, tmp_path, first, second)
    assert [t["response_code"] for t in done.told] == [200, 200]
    assert [t["num_connects"] for t in done.told] == [1, 0]
    assert [json.loads(b)["id"] for b in done.bodies] == [first.event_id, second.event_id]


def test_a_request_after_one_whose_body_was_not_wanted(target: Target, tmp_path: Path) -> None:
    good = one()
    done = two_transfers(target, tmp_path, of_a_stranger(), good)
    assert [t["response_code"] for t in done.told] == [403, 200]
    assert target.profiles.by_chunk(good.chunks[0].chunk_id)


def test_health_and_metrics(target: Target, tmp_path: Path) -> None:
    done = curl(tmp_path, "-I", *transfer(tmp_path, f"{target.url}/api/relay/healthcheck/live/"))
    assert done.statuses == [200]
    done = curl(tmp_path, "--compressed", *transfer(tmp_path, f"{target.url}/metrics"))
    assert done.statuses == [200] and b"profile_relay_chunks_total" in done.bodies[0]


def test_the_call_in_the_readme(target: Target, tmp_path: Path) -> None:
    """As written but for key, address and project; the JSON is one with line breaks, as tools write it."""
    text = (HERE.parent / "README.md").read_text()
    [call] = re.findall(r"^With curl.*?^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    for placeholder, value in (("sentry_key=KEY", f"sentry_key={PROJECT.key}"),
                               ("http://127.0.0.1:3000/api/1/", f"{target.url}/api/{PROJECT.id}/")):
        assert call.count(placeholder) == 1
        call = call.replace(placeholder, value)
    chunk_id = new_id()
    (tmp_path / "chunk.json").write_text(json.dumps(sample_v2(chunk_id), indent=2))
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", call], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "{}", "")
    [record] = target.profiles.by_chunk(chunk_id)
    check_message(record, Chunk([], chunk_id, "python"), PROJECT)
