"""One test per row of conformance.py, over raw sockets, against a server without a broker: good chunks go to the spool."""
from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from conformance import CANARY, CONFORMANCE, Case, get
from support.http_client import Response
from support.raw_connection import RawConnection
from support.replies import check_reply as check_any_reply
from support.server import Server

pytestmark = pytest.mark.binary_only("counts chunks in a server of its own")


@pytest.fixture(scope="module")
def server(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(binary, tmp_path_factory.mktemp("conformance")).start()
    yield started
    assert started.stop() == 0, started.log()[-3000:]


@pytest.mark.parametrize("case", CONFORMANCE, ids=lambda c: c.name)
def test_row(server: Server, case: Case) -> None:
    run(server, case, piece=1 << 20)


@pytest.mark.parametrize("case", [c for c in CONFORMANCE if c.in_pieces], ids=lambda c: c.name)
def test_row_in_pieces(server: Server, case: Case) -> None:
    """The network may cut anywhere, also between CR and LF; 3 divides none of the lengths that matter."""
    run(server, case, piece=3)


def run(server: Server, case: Case, piece: int) -> None:
    before = server.metric("chunks_total", end="spooled")
    replies: list[Response] = []
    with RawConnection(server.url) as connection:
        for step in case.steps:
            for at in range(0, len(step.send), piece):
                connection.send(step.send[at:at + piece])
            if case.half_close and step is case.steps[-1]:
                connection.shutdown_send()
            for status in step.statuses:
                replies.append(connection.receive(to_head=len(replies) in case.head_replies))
                check_reply(replies[-1], status, len(replies) - 1 in case.head_replies)
        if case.stays_open:
            connection.send(get())
            check_reply(connection.receive(), 200, False)
        else:
            assert connection.rest() == b""
            # A client that has ended its half needs no telling, and the server may not know yet.
            assert case.half_close or replies[-1].headers["connection"] == "close"
    assert server.metric("chunks_total", end="spooled") - before == case.chunks


def check_reply(reply: Response, status: int, to_head: bool) -> None:
    assert reply.status == status, (reply.status, reply.body)
    assert CANARY not in reply.body
    if status != 100:
        check_any_reply(reply, has_body=not to_head)
