"""Health endpoints, the healthcheck command, and metrics as a whole."""
from __future__ import annotations

import re
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Callable, Iterator

import pytest

from conftest import Target
from support import http_client, metrics
from support.envelopes import Chunk, compound, plain, request
from support.perfetto_writer import Trace
from support.projects import NO_FLAGS
from support.raw_connection import RawConnection
from support.server import Server, broker_configuration
from support.waiting import wait_until

LIVE, READY = "/api/relay/healthcheck/live/", "/api/relay/healthcheck/ready/"


@pytest.mark.parametrize("path", [LIVE, READY, "/api/0/relays/live/"])
def test_a_healthy_server_says_so(target: Target, path: str) -> None:
    answer = http_client.get(target.url, path)
    assert answer.status == 200
    assert answer.body.startswith(b'{"is_healthy":true')


def test_every_chunk_has_exactly_one_end(target: Target) -> None:
    """However mixed the requests, the ends add up to the chunks sent."""
    before = target.metrics()
    mixed = [
        request(compound(Trace().encode()), plain(), compound(b"\xff")),
        request(plain(version="1"), plain()),
        request(plain(), project=NO_FLAGS),
        request(compound(Trace(samples=0).encode())),
        request(compound(Trace().encode()), compound(Trace().encode())),
    ]
    for built in mixed:
        assert target.send(built).status == 200
    sent = sum(len(b.chunks) for b in mixed)
    ends = metrics.delta(before, target.metrics(), ["chunks_total"])
    assert sum(ends.values()) == sent == 9
    assert {dict(labels)["end"]: n for (_, labels), n in ends.items()} == {"delivered": 5, "rejected": 4}


@dataclass(frozen=True)
class Unready:
    """A server in some trouble: how it is configured, what it is sent, and what `ready` then says."""

    configuration: dict[str, Any]
    sent: tuple[Chunk, ...]
    status: int
    checks: dict[str, str]  # how the text of a check begins; all others begin as on a healthy server


# Nothing listens there. The numbers are the smallest that the options take, or nearly.
NO_BROKER_THERE: dict[str, Any] = {
    **broker_configuration("127.0.0.1:1", message_timeout_ms=1500), "health": {"kafka_max_ack_age": 1}}
SMALL_SPOOL = {"spool": {"envelopes": {"max_disk_size": "1MiB"}}}


def large_chunks() -> tuple[Chunk, ...]:
    return tuple(compound(Trace(random_padding=300_000).encode()) for _ in range(5))


HEALTHY = {"draining": "no", "memory": "", "kafka": "ok", "spool": "ok", "projects": ""}
SPOOL_ONLY = {**HEALTHY, "kafka": "not configured"}
TROUBLES = {
    "no broker is configured": Unready({}, (plain(),), 200, SPOOL_ONLY),
    "memory over its mark": Unready({"health": {"max_memory_bytes": 1}}, (), 503, {
        **SPOOL_ONLY, "memory": "failed: "}),
    "no broker, the spool is full": Unready(SMALL_SPOOL, large_chunks(), 503, {**SPOOL_ONLY, "spool": "failed: full"}),
    "no progress at Kafka, the spool has room": Unready(NO_BROKER_THERE, (plain(),), 200, {
        **HEALTHY, "kafka": "failed: no progress"}),
    "no progress at Kafka, the spool is full": Unready({**NO_BROKER_THERE, **SMALL_SPOOL}, large_chunks(), 503, {
        **HEALTHY, "kafka": "failed: no progress", "spool": "failed: full"}),
}


def says(answer: http_client.Response, expected: Unready) -> bool:
    assert answer.body.startswith(b'{"is_healthy":true,' if answer.status == 200 else b'{"is_healthy":false,')
    checks = answer.json()["checks"]
    assert list(checks) == list(HEALTHY)
    return answer.status == expected.status and all(checks[k].startswith(v) for k, v in expected.checks.items())


@pytest.mark.binary_only("configures its own server")
@pytest.mark.parametrize("name", TROUBLES)
def test_ready_names_what_is_wrong(make_server: Callable[..., Server], name: str) -> None:
    """`live` is not concerned by any of it."""
    trouble = TROUBLES[name]
    server = make_server(trouble.configuration).start()
    with ThreadPoolExecutor(5) as pool:
        sending = [pool.submit(server.send, request(chunk)) for chunk in trouble.sent]
        last: list[http_client.Response] = []

        def seen() -> bool:
            last[:] = [http_client.get(server.url, READY)]
            return says(last[0], trouble)

        try:
            wait_until(seen, name)
        except AssertionError:
            raise AssertionError(f"the last answer was {last}")
        assert http_client.get(server.url, LIVE).body == b'{"is_healthy":true}'
        assert {s.result().status for s in sending} <= {200, 503}


@pytest.mark.binary_only("stops its own server")
def test_ready_while_the_server_shuts_down(make_server: Callable[..., Server]) -> None:
    """Idle connections are closed at once; who has begun a request is still told."""
    server = make_server().start()
    with RawConnection(server.url) as asking, RawConnection(server.url) as other:
        for connection, path in ((asking, READY), (other, LIVE)):
            connection.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n".encode())
        wait_until(lambda: server.metric("connections") == 3, "both connections and the one that asks")
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "shutting down" in server.log() and not accepts(server.url), "the listener closed")
        asking.send(b"\r\n")
        answer = asking.receive()
        assert says(answer, Unready({}, (), 503, {**SPOOL_ONLY, "draining": "failed: shutting down"})), answer
        other.send(b"\r\n")
        assert other.receive().body == b'{"is_healthy":true}'
    assert server.process.wait(30) == 0, server.log()[-3000:]


def accepts(url: str) -> bool:
    try:
        http_client.get(url, LIVE)
        return True
    except OSError:
        return False


def healthcheck(server: Server, mode: str, *settings: str) -> subprocess.CompletedProcess[str]:
    sets = [a for s in settings for a in ("--set", s)]
    return server.command("healthcheck", "--mode", mode, "-c", str(server.folder), *sets)


def check_bad(done: subprocess.CompletedProcess[str], mode: str, *words: str) -> None:
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith(f"profile-relay: not {mode}: ") and done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Bound, so that nobody else gets it, but not listening."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        yield s.getsockname()[1]


@pytest.mark.binary_only("runs the command on its own server")
@pytest.mark.parametrize("mode,path", [("live", LIVE), ("ready", READY)])
def test_healthcheck_says_what_the_server_says(make_server: Callable[..., Server], mode: str, path: str) -> None:
    server = make_server().start()
    by_port = healthcheck(server, mode, f"relay.port={port_of(server.url)}")
    by_url = server.command("healthcheck", "--mode", mode, "--url", server.url)
    for done in (by_port, by_url):
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith('{"is_healthy":true')


@pytest.mark.binary_only("runs the command on its own server")
def test_healthcheck_of_a_server_that_is_not_ready(make_server: Callable[..., Server]) -> None:
    server = make_server({"health": {"max_memory_bytes": 1}}).start()
    port = f"relay.port={port_of(server.url)}"
    assert healthcheck(server, "live", port).returncode == 0
    check_bad(healthcheck(server, "ready", port), "ready", "503", '"is_healthy":false', "max_memory_bytes")


@pytest.mark.binary_only("runs the command on its own server")
def test_healthcheck_asks_the_internal_address(make_server: Callable[..., Server], closed_port: int) -> None:
    server = make_server({"relay": {"internal_port": 0}}).start()
    internal = re.search(r"internal=127\.0\.0\.1:(\d+)", server.log())[1]
    assert healthcheck(server, "ready", f"relay.port={closed_port}", f"relay.internal_port={internal}").returncode == 0
    check_bad(healthcheck(server, "ready", f"relay.port={port_of(server.url)}", f"relay.internal_port={closed_port}"),
              "ready", f"127.0.0.1:{closed_port}")


@pytest.mark.binary_only("runs the command")
@pytest.mark.parametrize("mode", ["live", "ready"])
def test_healthcheck_without_a_server(make_server: Callable[..., Server], closed_port: int, mode: str) -> None:
    check_bad(healthcheck(make_server(), mode, f"relay.port={closed_port}"), mode, f"127.0.0.1:{closed_port}", "refused")


@pytest.mark.binary_only("runs the command")
@pytest.mark.parametrize("mode", ["live", "ready"])
def test_healthcheck_of_a_server_that_is_too_slow(make_server: Callable[..., Server], mode: str) -> None:
    """It is connected to, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        check_bad(healthcheck(make_server(), mode, f"relay.port={port}", "health.probe_timeout_ms=300"), mode,
                  f"127.0.0.1:{port} did not answer within 300 ms")


def port_of(url: str) -> str:
    return url.rsplit(":", 1)[1]
