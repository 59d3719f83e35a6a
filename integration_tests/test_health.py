"""Health endpoints, the healthcheck command, and metrics as a whole."""
from __future__ import annotations

from typing import Callable

import pytest

from conftest import Target
from support import http_client, metrics
from support.envelopes import compound, plain, request
from support.perfetto_writer import Trace
from support.projects import NO_FLAGS
from support.server import Server


@pytest.mark.parametrize("path", ["/api/relay/healthcheck/live/", "/api/relay/healthcheck/ready/",
                                  "/api/0/relays/live/"])
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


@pytest.mark.binary_only("runs the command on its own server")
@pytest.mark.parametrize("mode", ["live", "ready"])
def test_the_healthcheck_command(make_server: Callable[..., Server], mode: str) -> None:
    server = make_server()
    server.start()
    port = server.url.rsplit(":", 1)[1]
    arguments = ["healthcheck", "--mode", mode, "-c", str(server.folder), "--set", f"relay.port={port}"]
    assert server.command(*arguments).returncode == 0
    server.stop()
    gone = server.command(*arguments)
    assert gone.returncode == 1 and gone.stderr.strip()


@pytest.mark.binary_only("configures its own server")
def test_ready_in_spool_only_mode_says_that_no_broker_is_configured(make_server: Callable[..., Server]) -> None:
    server = make_server().start()
    answer = http_client.get(server.url, "/api/relay/healthcheck/ready/")
    assert answer.status == 200 and b"not configured" in answer.body
