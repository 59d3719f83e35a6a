"""limits.max_connections, the backlog behind it, and limits.max_inflight_bytes with the real binary (contract 5.6, 13)."""
from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, Callable
from urllib.parse import urlsplit

import pytest

from conformance import get, post, split_head
from support import http_client
from support.envelopes import Request, auth, item, plain, request
from support.raw_connection import RawConnection
from support.server import Server
from support.waiting import wait_until

pytestmark = pytest.mark.binary_only("configures its own servers")

A_WHILE = 0.5  # in which what must not happen would have happened
MIB = 1 << 20


def limits(**more: Any) -> dict[str, Any]:
    return {"limits": {"keepalive_timeout": 60, "body_timeout": 60, **more}}


def is_connected(client: socket.socket) -> bool:
    try:
        client.getpeername()
    except OSError:
        return False
    return True


def served(connection: RawConnection) -> None:
    connection.send(get())
    assert connection.receive().status == 200


@pytest.mark.parametrize("threads", [1, 4])
def test_connections_over_the_limit_wait_for_a_place(make_server: Callable[..., Server], threads: int) -> None:
    server = make_server(limits(max_connections=2, max_thread_count=threads)).start()
    with ExitStack() as stack:
        def connect() -> RawConnection:
            return stack.enter_context(RawConnection(server.url, patience=20))

        first, second = connect(), connect()
        served(first)
        served(second)
        waiting = [connect() for _ in range(6)]
        for connection in waiting:
            connection.send(get())
        time.sleep(A_WHILE)
        assert not any(c.is_answered(0) for c in waiting)
        served(first)  # who has a place keeps it
        # One place comes free after the other, and each is taken by one that waited.
        for connection in (first, second):
            answered = sum(c.is_answered(0) for c in waiting)
            connection.socket.close()
            wait_until(lambda: sum(c.is_answered(0) for c in waiting) == answered + 1, "a reply to one that waited")
        while left := [c for c in waiting if c.socket.fileno() >= 0]:
            done = wait_until(lambda: [c for c in left if c.is_answered(0)], "the next reply")
            assert len(done) <= 2
            assert done[0].receive().status == 200
            done[0].socket.close()


def test_health_has_a_listener_of_its_own(make_server: Callable[..., Server]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = make_server({**limits(max_connections=1), "relay": {"internal_host": "127.0.0.1", "internal_port": port}})
    server.start()
    with RawConnection(server.url) as only:
        only.send(post())
        assert only.receive().status == 200
        for path in ("/api/relay/healthcheck/live/", "/api/relay/healthcheck/ready/", "/metrics"):
            assert http_client.get(f"http://127.0.0.1:{port}", path).status == 200


@pytest.mark.parametrize("backlog, all_connect", [(1, False), (1024, True)])
def test_the_backlog_is_as_long_as_configured(make_server: Callable[..., Server], backlog: int, all_connect: bool) -> None:
    """The kernel completes no more connections than the backlog has room for while nobody accepts them."""
    server = make_server(limits(max_connections=1, max_thread_count=1, tcp_listen_backlog=backlog)).start()
    address = urlsplit(server.url)
    with ExitStack() as stack:
        only = stack.enter_context(RawConnection(server.url))
        served(only)
        others = [stack.enter_context(socket.socket()) for _ in range(8)]
        for other in others:
            other.setblocking(False)
            other.connect_ex((address.hostname, address.port))

        if all_connect:
            wait_until(lambda: sum(map(is_connected, others)) == len(others), "all connections")
        else:
            time.sleep(A_WHILE)
            assert 0 < sum(map(is_connected, others)) < len(others)
    assert server.send(request(plain())).status == 200


def big(size: int) -> Request:
    """An envelope with one chunk and something that is not served, of `size` bytes in all."""
    small = request(plain(), item({"type": "attachment"}, b""))
    return request(plain(), item({"type": "attachment"}, bytes(size - len(small.body) - 10)))


def test_without_bytes_left_requests_wait_and_then_are_refused(make_server: Callable[..., Server]) -> None:
    server = make_server(limits(max_inflight_bytes=MIB)).start()
    head, body = split_head(post(body=big(900_000).body))
    with RawConnection(server.url, patience=30) as holder, ThreadPoolExecutor(2) as pool:
        holder.send(head + body[:700_000])
        wait_until(lambda: server.metric("budget_bytes_used") > 700_000, "the bytes of the first")
        refused = pool.submit(server.send, big(400_000), timeout=30)
        probes = 0
        while not refused.done():
            for path in ("/api/relay/healthcheck/live/", "/api/relay/healthcheck/ready/"):
                assert http_client.get(server.url, path).status == 200
            probes += 1
        answer = refused.result()
        assert answer.status == 503 and int(answer.headers["retry-after"]) > 0 and answer.json()["detail"]
        assert probes > 1
        assert server.metric("requests_rejected_total", reason="byte_budget") == 1
        # The next waits as well, and is served when what the first holds comes free in its time.
        waits = pool.submit(server.send, big(400_000), timeout=30)
        time.sleep(A_WHILE)
        assert not waits.done()
        holder.socket.close()
        assert waits.result().status == 200
    assert server.metric("budget_bytes_used") == 0
    assert server.metric("budget_bytes_peak") <= MIB
    assert server.metric("chunks_total", end="spooled") == 1


def test_a_body_larger_than_all_the_bytes_there_are_is_refused_at_once(make_server: Callable[..., Server]) -> None:
    server = make_server(limits(max_inflight_bytes=MIB)).start()
    begun = time.monotonic()
    answer = server.send(big(3 * MIB), timeout=30)
    assert answer.status == 503 and answer.headers["retry-after"]
    assert time.monotonic() - begun < 5  # nothing to wait for
    assert server.metric("budget_bytes_used") == 0
    assert server.send(Request(big(300_000).body, headers=auth())).status == 200
