"""The ONE table of reasons (docs/reasons.md) against requests: each row is reached by one, and says what its reply says.

Most are rows of the matrix; those that need a server in a special state have a scenario here. A reason that neither
shows fails, and so does one that is excused but shown.
"""
from __future__ import annotations

from typing import Callable

import pytest

from all_rows import ALL_ROWS
from conftest import Target
from local_kafka import LocalKafka
from matrix import Case
from support import http_client
from support.envelopes import compound, plain, request
from support.http_client import Response
from support.perfetto_writer import Trace
from support.raw_connection import RawConnection
from support.reasons import REASONS, Reason
from support.replies import check_reply
from support.server import Server, broker_configuration
from support.topics import Outcomes
from support.waiting import wait_until

# No request of a client is known to end by these. As short as possible.
EXCUSED = {
    "internal": "our own mistake; as the outcome of what a broker refuses for good it has a test below",
    "profiling_failed_serialization": "our own mistake: all text was checked to be UTF-8 when it was read",
}

MakeServer = Callable[..., Server]
Scenario = Callable[[MakeServer, LocalKafka], tuple[Server, Response]]
SCENARIOS: dict[str, Scenario] = {}


def shows(name: str) -> Callable[[Scenario], Scenario]:
    def register(scenario: Scenario) -> Scenario:
        SCENARIOS[name] = scenario
        return scenario
    return register


def rejected_in(case: Case) -> set[str]:
    return {dict(labels)["reason"] for name, labels in case.counts if "_rejected_total" in name}


def row_for(name: str) -> Case | None:
    """The row with the fewest ends besides this one; of equals the last, since the first are bombs of 1 GiB."""
    rows = [c for c in reversed(ALL_ROWS) if name in rejected_in(c)]
    return min(rows, key=lambda c: sum(c.counts.values()), default=None)


def seen(name: str, read: Callable[..., float]) -> float:
    return sum(read(family, reason=name) for family in ("requests_rejected_total", "chunks_rejected_total"))


def check_reply_of(reply: Response, reason: Reason) -> None:
    check_reply(reply)
    assert reply.status == reason.status, reply.body
    if reason.status != 200:
        assert reply.json()["detail"] == reason.detail
    if reason.retry_after.isdigit():
        assert reply.headers["retry-after"] == reason.retry_after
    else:
        assert ("retry-after" in reply.headers) == bool(reason.retry_after)


@pytest.mark.parametrize("name", [n for n in REASONS if n not in SCENARIOS and row_for(n)])
def test_a_row_of_the_matrix_shows_it(target: Target, name: str) -> None:
    case = row_for(name)
    before = seen(name, target.metric)
    reply = target.send(case.build())
    assert seen(name, target.metric) == before + 1
    if sum(v for (family, _), v in case.counts.items() if family.endswith("chunks_total")) <= 1:
        check_reply_of(reply, REASONS[name])


@shows("bad_request")
def malformed(make_server: MakeServer, kafka: LocalKafka) -> tuple[Server, Response]:
    server = make_server().start()
    with RawConnection(server.url) as connection:
        connection.send(b"hello\r\n\r\n")
        return server, connection.receive()


def stalled(server: Server, part: bytes) -> tuple[Server, Response]:
    with RawConnection(server.url) as connection:
        connection.socket.settimeout(20.0)  # a second of the server's on a busy machine
        connection.send(part)
        return server, connection.receive()


@shows("timeout_header")
def head_that_stalls(make_server: MakeServer, kafka: LocalKafka) -> tuple[Server, Response]:
    return stalled(make_server({"limits": {"header_timeout": 1}}).start(), b"POST /api/42/envelope/ HTTP/1.1\r\nHos")


@shows("timeout_body")
def body_that_stalls(make_server: MakeServer, kafka: LocalKafka) -> tuple[Server, Response]:
    built = request(plain())
    head = "".join(f"{k}: {v}\r\n" for k, v in {"Host": "x", "Content-Length": len(built.body), **built.headers}.items())
    return stalled(make_server({"limits": {"body_timeout": 1}}).start(),
                   f"POST {built.path} HTTP/1.1\r\n{head}\r\n".encode() + built.body[:100])


@shows("memory_watermark")
def memory_over_its_mark(make_server: MakeServer, kafka: LocalKafka) -> tuple[Server, Response]:
    server = make_server({"health": {"max_memory_bytes": 1}}).start()
    ready = http_client.get(server.url, "/api/relay/healthcheck/ready/")
    check_reply(ready)
    assert ready.status == 503 and ready.body.startswith(b'{"is_healthy":false') and b"max_memory_bytes" in ready.body
    assert http_client.get(server.url, "/api/relay/healthcheck/live/").status == 200
    return server, server.send(request(plain()))


@shows("byte_budget")
def body_over_the_byte_budget(make_server: MakeServer, kafka: LocalKafka) -> tuple[Server, Response]:
    server = make_server({"limits": {"max_inflight_bytes": 1 << 20}}).start()
    assert server.send(request(plain())).status == 200
    return server, server.send(request(compound(Trace(padding=3 << 20).encode())))


@shows("unavailable")
def spool_without_room(make_server: MakeServer, kafka: LocalKafka) -> tuple[Server, Response]:
    """No broker and a full disk. What is rejected by its content still gets its 200: outcomes have a reserve."""
    server = make_server({"spool": {"envelopes": {"max_disk_size": "1MiB"}}}).start()
    replies = [server.send(request(compound(Trace(random_padding=300_000).encode()))) for _ in range(5)]
    statuses = [r.status for r in replies]
    assert statuses[0] == 200 and statuses == sorted(statuses) and statuses[-1] == 503, statuses
    assert server.metric("chunks_total", end="spooled") == statuses.count(200)
    assert server.metric("chunks_rejected_total", reason="unavailable") == statuses.count(503)
    assert server.send(request(plain(version="1"))).status == 200
    assert http_client.get(server.url, "/api/relay/healthcheck/ready/").status == 503
    return server, replies[-1]


@pytest.mark.binary_only("starts its own servers")
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_shows_it(make_server: MakeServer, kafka: LocalKafka, name: str) -> None:
    server, reply = SCENARIOS[name](make_server, kafka)
    assert seen(name, server.metric) >= 1
    check_reply_of(reply, REASONS[name])


@pytest.mark.binary_only("starts its own server")
def test_internal_is_the_outcome_of_what_a_broker_refuses_for_good(make_server: MakeServer, kafka: LocalKafka) -> None:
    """`internal` as the end of a request would be a bug; after a 200 it is how a refused record is told."""
    kafka.create_topic("profiles-compact", compact=True)
    kafka.create_topic("outcomes-internal")
    server = make_server(broker_configuration(kafka.bootstrap, "profiles-compact", "outcomes-internal")).start()
    assert server.send(request(plain())).status == 200
    outcomes = Outcomes(kafka.bootstrap, "outcomes-internal")
    try:
        wait_until(outcomes.all, "the outcome", 30.0)
        told = [(o["outcome"], o["reason"], o["category"]) for o in outcomes.all()]
        assert told == [(REASONS["internal"].outcome, REASONS["internal"].outcome_reason, 18)]
    finally:
        outcomes.close()
    wait_until(lambda: server.metric("spool_dead_records") == 1, "the dead record", 30.0)
    assert server.stop() == 0


def test_every_reason_is_shown_by_a_request() -> None:
    shown = {n for n in REASONS if row_for(n)} | set(SCENARIOS)
    assert set(REASONS) - shown == set(EXCUSED), "a reason that no request reaches, or one that is excused and shown"
