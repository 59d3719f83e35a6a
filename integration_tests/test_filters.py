"""Inbound filters by the client's address (contract 10), and which address that is behind proxies (contract 13)."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator

import pytest

from support.envelopes import auth, plain, request
from support.projects import Project
from support.server import Server
from support.waiting import wait_until

pytestmark = pytest.mark.binary_only("configures its own servers")

SHOP = Project(61, "c" * 32, blocked=("198.51.100.7", "203.0.113.0/24", "2001:db8::/32", "::ffff:192.0.2.0/120"))
HOME = Project(62, "d" * 32, blocked=("127.0.0.1",))


@dataclass(frozen=True)
class Row:
    name: str
    forwarded: str | None
    blocked: bool
    project: Project = SHOP


ROWS = [
    Row("the peer's own address", None, True, HOME),
    Row("the proxy's own address is not the client's", "198.51.100.8", False, HOME),
    Row("an address", "198.51.100.7", True),
    Row("its neighbour", "198.51.100.8", False),
    Row("in a network", "203.0.113.255", True),
    Row("beside a network", "203.0.114.0", False),
    Row("v4 in the form of v6", "::ffff:203.0.113.9", True),
    Row("a network in the form of v6", "192.0.2.9", True),
    Row("v6, in another notation", "2001:0DB8:0::0:1", True),
    Row("v6, beside the network", "2001:db9::1", False),
    Row("the first of several", "203.0.113.9, 10.0.0.1", True),
    Row("not the last of several", "10.0.0.1, 203.0.113.9", False),
    Row("no address: the peer's own", "unknown", True, HOME),
]


@pytest.fixture(scope="module", params=[True, False], ids=["trusted", "not trusted"])
def server(request: pytest.FixtureRequest, binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    trusted = ["127.0.0.0/8"] if request.param else ["10.0.0.0/8", "::1"]
    started = Server(binary, tmp_path_factory.mktemp("filters"), {"http": {"trusted_proxies": trusted}},
                     projects=(SHOP, HOME)).start()
    started.trusted = request.param
    yield started
    assert started.stop() == 0


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.name)
def test_row(server: Server, row: Row) -> None:
    headers = auth(row.project.key)
    if row.forwarded is not None:
        headers["X-Forwarded-For"] = row.forwarded
    # Nobody's word is believed: then it is the peer's own address that counts.
    blocked = row.blocked if server.trusted else row.project is HOME
    ends = lambda: (server.metric("chunks_total", end="spooled"),  # noqa: E731
                    server.metric("chunks_rejected_total", reason="filtered_ip_address"))
    kept, dropped = ends()
    assert server.send(request(plain(), project=row.project, headers=headers)).status == 200
    assert ends() == ((kept, dropped + 1) if blocked else (kept + 1, dropped))


def test_a_filter_changes_with_the_project_file(make_server: Callable[..., Server]) -> None:
    server = make_server(projects=(Project(HOME.id, HOME.key),)).start()
    sent = lambda: server.send(request(plain(), project=HOME)).status  # noqa: E731
    assert sent() == 200
    assert server.metric("chunks_rejected_total", reason="filtered_ip_address") == 0
    HOME.write(server.folder)
    wait_until(lambda: sent() == 200 and server.metric("chunks_rejected_total", reason="filtered_ip_address") > 0,
               "the filter of the new file")


def test_filters_that_are_not_built_are_named(make_server: Callable[..., Server]) -> None:
    server = make_server(projects=(SHOP,))
    path = server.folder / "projects" / f"{SHOP.id}.json"
    path.write_text(path.read_text().replace(
        '"filterSettings": {', '"filterSettings": {"releases": {"releases": ["1.*"]}, "generic": {"version": 1}, '))
    server.start()
    for name in ("releases", "generic"):
        assert len([line for line in server.log().splitlines() if f"filterSettings.{name} has no effect" in line]) == 1
    assert server.send(request(plain(), project=SHOP)).status == 200
    assert server.metric("chunks_total", end="spooled") == 1
