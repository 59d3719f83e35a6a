"""Routes and methods (contract 5.1, 5.4), as a table: what each is answered with, over a real socket."""
from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable, Iterator

import pytest

from conformance import CANARY
from conftest import Target
from support import http_client, metrics
from support.envelopes import auth, plain, request
from support.http_client import Response
from support.projects import PROJECT
from support.reasons import REASONS
from support.replies import check_reply
from support.server import Server

ENVELOPE = f"/api/{PROJECT.id}/envelope/"
LIVE, READY, OTHER_LIVE = "/api/relay/healthcheck/live/", "/api/relay/healthcheck/ready/", "/api/0/relays/live/"
GETS = (LIVE, READY, OTHER_LIVE, "/metrics", LIVE.rstrip("/"), "//api//relay/healthcheck///ready//", LIVE + "?x=1")

# Relay has them all (its endpoints/mod.rs), with one of its methods; here they are named as not served.
RELAYS = (
    ("POST", "/api/store/"), ("GET", "/api/42/store/"), ("POST", "/api/42/store/"), ("POST", "/api/42/store"),
    ("POST", "/api/42/security/"), ("POST", "/api/42/csp-report/"), ("POST", "/api/42/nel/"), ("POST", "/api/42/minidump/"),
    ("POST", "/api/42/unreal/abc/"), ("POST", "/api/42/playstation/"), ("POST", "/api/42/upload/"),
    ("POST", "/api/42/events/0123456789abcdef0123456789abcdef/attachments/"), ("POST", "/api/42/cron/nightly/"),
    ("GET", "/api/42/cron/nightly/abc/"), ("POST", "/api/42/otlp/v1/traces/"), ("POST", "/api/42/otlp/v1/logs"),
    ("POST", "/api/42/integration/otlp/v1/traces/"), ("POST", "/api/42/integration/vercel/logs/"),
    ("POST", "/api/0/relays/register/challenge/"), ("POST", "/api/0/relays/register/response/"),
    ("POST", "/api/0/relays/projectconfigs/"), ("POST", "/api/0/relays/publickeys/"), ("POST", "/api/0/relays/outcomes/"),
    ("OPTIONS", "/api/42/store/"))
NOWHERE = (
    ("GET", "/"), ("GET", "/api"), ("GET", "/api/42/"), ("POST", "/envelope/"), ("POST", "/api/envelope/"),
    ("POST", "/api/42/envelope/more/"), ("POST", "/api/42/ENVELOPE/"), ("GET", "/api/relay/"),
    ("GET", "/api/relay/healthcheck/"), ("GET", "/api/relay/healthcheck/alive/"), ("GET", "/api/relay/events/1/"),
    ("GET", "/api/relay/stats/"), ("POST", "/api/relay/envelope/"), ("GET", "/api/0/"), ("GET", "/metrics/more"),
    ("GET", "/api/%34%32/../42/envelope/"), ("GET", "/favicon.ico"), ("OPTIONS", "/nowhere"),
    ("POST", f"/{CANARY.decode()}"))
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    status: int
    reason: str = ""  # which refuses it
    allow: str = ""


def routes() -> Iterator[Route]:
    yield from (Route(m, p, 404, "route_not_served") for m, p in RELAYS)
    yield from (Route(m, p, 404, "route_not_found") for m, p in NOWHERE)
    for path in GETS:
        yield from (Route(m, path, 200) if m in ("GET", "HEAD") else Route(m, path, 405, "method_not_allowed", "GET, HEAD")
                    for m in METHODS)
    for path in (ENVELOPE, ENVELOPE.rstrip("/"), "/api/shop/envelope/"):
        yield Route("OPTIONS", path, 200, allow="POST, OPTIONS")
        yield from (Route(m, path, 405, "method_not_allowed", "POST, OPTIONS") for m in METHODS
                    if m not in ("POST", "OPTIONS"))


def ask(target: Target, method: str, path: str, headers: dict[str, str]) -> Response:
    return http_client.exchange(target.url, method, path, b"{}" if method == "POST" else None, headers, 10.0)


@pytest.mark.parametrize("route", routes(), ids=lambda r: f"{r.method} {r.path}")
def test_route(target: Target, route: Route) -> None:
    """With credentials and as a browser: neither makes a route that is not there."""
    before = target.metrics()
    answer = ask(target, route.method, route.path, {**auth(), "Origin": "https://shop.example"})
    assert answer.status == route.status, answer.body
    check_reply(answer, has_body=route.method != "HEAD")
    assert answer.headers.get("allow", "") == route.allow
    if route.method == "HEAD":
        assert answer.body == b""
    elif route.reason:
        assert answer.json() == {"detail": REASONS[route.reason].detail}
    moved = metrics.delta(before, target.metrics(), ["requests_rejected_total", "chunks_total"])
    assert moved == ({metrics.series("requests_rejected_total", reason=route.reason): 1} if route.reason else {})


@pytest.mark.parametrize("path", GETS)
def test_head_tells_the_length_of_the_answer_to_get(target: Target, path: str) -> None:
    got, head = (ask(target, method, path, {}) for method in ("GET", "HEAD"))
    assert head.headers["content-type"] == got.headers["content-type"]
    if "metrics" not in path:  # they change from one look to the next
        assert head.headers["content-length"] == str(len(got.body))


def test_the_preflight_of_a_browser(target: Target) -> None:
    """No credentials, and the headers that the browser of an SDK asks for."""
    wanted = ("x-sentry-auth", "content-type", "content-encoding")
    answer = ask(target, "OPTIONS", ENVELOPE, {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST",
                                               "Access-Control-Request-Headers": ",".join(wanted)})
    assert answer.status == 200 and answer.body == b""
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert set(wanted) <= set(answer.headers["access-control-allow-headers"].split(", "))


@pytest.mark.binary_only("configures its own server")
def test_an_internal_address_takes_the_metrics_and_no_envelopes(make_server: Callable[..., Server]) -> None:
    """Health answers on both, so that a balancer and an orchestrator each find it."""
    server = make_server({"relay": {"internal_port": 0}}).start()
    internal = "http://" + re.search(r"internal=(127\.0\.0\.1:\d+)", server.log())[1]
    statuses = {path: tuple(http_client.get(url, path).status for url in (server.url, internal))
                for path in (LIVE, READY, OTHER_LIVE, "/metrics", ENVELOPE, "/api/42/store/")}
    assert statuses == {LIVE: (200, 200), READY: (200, 200), OTHER_LIVE: (200, 200), "/metrics": (404, 200),
                        ENVELOPE: (405, 404), "/api/42/store/": (404, 404)}
    assert server.send(request(plain())).status == 200
    assert http_client.send(internal, request(plain())).status == 404
