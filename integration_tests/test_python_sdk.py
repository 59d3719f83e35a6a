"""The Python SDK, its newest version and one of two years ago, each as a program of its own (sdk_program.py).

What the SDK did is seen on the wire, by a proxy that records. The old version sends no `platform` in the item header.
"""
from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import pytest

from conftest import Target
from support import metrics
from support.envelopes import Chunk
from support.messages import check_message, unpack, vroomrs_chunk
from support.projects import DISABLED_KEY, NO_FLAGS, PROJECT, Project
from support.recording_proxy import Exchange, RecordingProxy
from support.server import Server
from support.waiting import wait_until

HERE = Path(__file__).resolve().parent
# Enough for some samples of each thread at the SDK's 101 Hz.
SHORT = "0.2"


@dataclass(frozen=True)
class Sdk:
    python: Path
    version: str
    names_platform: bool  # in the item header

    def start(self, dsn: str, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen([str(self.python), str(HERE / "sdk_program.py"), dsn, *arguments], text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def end(self, program: subprocess.Popen[str]) -> int:
        """Ends its input and waits -> rounds. It must have ended as if it had nothing to do with us."""
        try:
            out, err = program.communicate("", timeout=60)
        except subprocess.TimeoutExpired:
            program.kill()
            program.communicate()
            raise
        assert (program.returncode, err) == (0, "")
        said = json.loads(out)
        assert said["version"] == self.version
        return said["rounds"]

    def run(self, dsn: str, *arguments: str) -> int:
        return self.end(self.start(dsn, *arguments))


def pinned(requirements: str) -> str:
    return re.search(r"^sentry-sdk==(\S+)$", (HERE / requirements).read_text(), re.MULTILINE)[1]


@pytest.fixture(params=["newest", "old"])
def sdk(request: pytest.FixtureRequest) -> Sdk:
    if request.param == "newest":
        return Sdk(Path(sys.executable), pinned("requirements.txt"), True)
    python = request.config.getoption("--old-sdk-python")
    assert python.exists(), f"{python} is missing: run ./dev setup, or name one with --old-sdk-python"
    return Sdk(python, pinned("requirements-old-sdk.txt"), False)


def dsn(url: str, key: str = PROJECT.key, project: int = PROJECT.id) -> str:
    return f"http://{key}@{url.removeprefix('http://')}/{project}"


@pytest.mark.parametrize("coding, arguments", [("br", []), ("gzip", ["--without-brotli"])])
def test_a_profile_arrives(target: Target, sdk: Sdk, coding: str, arguments: list[str]) -> None:
    with RecordingProxy(target.url) as proxy:
        assert sdk.run(dsn(proxy.url), *arguments) == 1
        [exchange] = proxy.with_items("profile_chunk")
    assert (exchange.status, exchange.coding) == (200, coding)
    [(header, sent)] = exchange.items("profile_chunk")
    assert ("platform" in header) == sdk.names_platform
    chunk_id = json.loads(sent)["chunk_id"]
    [record] = target.profiles.by_chunk(chunk_id)
    payload = check_message(record, Chunk([], chunk_id, "python"), PROJECT)
    assert payload["client_sdk"] == {"name": "sentry.python", "version": sdk.version}
    profile = payload["profile"]
    assert {"price_the_cart", "main"} <= {f["function"] for f in profile["frames"]}
    # The main thread and the worker, which has no name: the SDK looks for names when the worker has ended.
    busy = {i for i, stack in enumerate(profile["stacks"])
            if any(profile["frames"][f]["function"] == "price_the_cart" for f in stack)}
    assert len({s["thread_id"] for s in profile["samples"] if s["stack_id"] in busy}) == 2
    chunk = vroomrs_chunk(unpack(record), payload)
    chunk.normalize()
    assert "price_the_cart" in {m.get_function() for m in chunk.extract_functions_metrics(1, False, 100)}


@pytest.mark.parametrize("reason, key, project", [
    ("unknown_key", "0" * 32, PROJECT.id),
    ("disabled_key", DISABLED_KEY.key, DISABLED_KEY.id),
    ("wrong_project", PROJECT.key, NO_FLAGS.id),
])
def test_a_wrong_dsn_harms_nobody_and_is_counted(target: Target, sdk: Sdk, reason: str, key: str, project: int) -> None:
    before = target.metrics()
    with RecordingProxy(target.url) as proxy:
        assert sdk.run(dsn(proxy.url, key, project), "--rounds", "2", "--seconds", SHORT) == 2
        exchanges, with_chunks = proxy.exchanges(), proxy.with_items("profile_chunk")
    assert len(with_chunks) == 2 and {e.status for e in exchanges} == {403}
    moved = metrics.delta(before, target.metrics(), ["requests_rejected_total", "chunks_total"])
    assert moved == {metrics.series("requests_rejected_total", reason=reason): len(exchanges)}


def lost(exchange: Exchange) -> dict[str, int]:
    """What the SDK reports of chunks that it could not send: reason -> number."""
    reports = [json.loads(payload)["discarded_events"] for _, payload in exchange.items("client_report")]
    return {d["reason"]: d["quantity"] for report in reports for d in report if d["category"] == "profile_chunk"}


@pytest.mark.binary_only("configures its own server")
@pytest.mark.parametrize("limits, counter, reason", [
    ({"max_profile_size": 1000}, "chunks_rejected_total", "too_large"),
    # Large enough for the SDK's report of the loss.
    ({"max_envelope_size": 1000}, "requests_rejected_total", "body_too_large"),
])
def test_too_large_chunks_are_counted_and_the_sdk_goes_on(
        make_server: Callable[..., Server], sdk: Sdk, limits: dict[str, int], counter: str, reason: str) -> None:
    server = make_server({"limits": limits}).start()
    with RecordingProxy(server.url) as proxy:
        assert sdk.run(dsn(proxy.url), "--rounds", "2", "--seconds", SHORT) == 2
        chunks = proxy.with_items("profile_chunk")
        reports = [e for e in proxy.exchanges() if lost(e)]
    assert [e.status for e in chunks] == [413, 413]
    assert [(e.status, sum(lost(e).values())) for e in reports] == [(200, 1), (200, 1)]
    moved = metrics.delta({}, server.metrics(), ["chunks_rejected_total", "requests_rejected_total"])
    assert moved == {metrics.series(counter, reason=reason): 2}


@pytest.mark.binary_only("configures its own server")
@pytest.mark.parametrize("window, max_rate_limit, next_status", [
    (2, 300, 200),  # told until the window ends, and the next one has room
    (1000 * 366 * 86400, 2, 429),  # told less than that, so that a lifted limit is soon noticed
], ids=["end of the window", "max_rate_limit"])
def test_the_sdk_pauses_for_as_long_as_it_was_told(make_server: Callable[..., Server], sdk: Sdk, window: int,
                                                   max_rate_limit: int, next_status: int) -> None:
    quota: dict[str, Any] = {"id": "q", "categories": ["profile_chunk", "profile_chunk_ui"], "limit": 1,
                             "window": window, "scope": "project", "reasonCode": "full"}
    project = Project(61, "c" * 32, quotas=(quota,))
    server = make_server({"processing": {"max_rate_limit": max_rate_limit}}, projects=(project,)).start()
    with RecordingProxy(server.url) as proxy:
        program = sdk.start(dsn(proxy.url, project.key, project.id), "--rounds", "0", "--seconds", SHORT)

        def pauses() -> list[tuple[Exchange, Exchange]]:
            """Refused chunks, each with the next one that was sent."""
            chunks = proxy.with_items("profile_chunk")
            return [(a, b) for a, b in zip(chunks, chunks[1:]) if a.status == 429]

        try:
            # The second begins early in its window, wherever in a window the first did.
            wait_until(lambda: len(pauses()) >= 2, "the end of two pauses")
        finally:
            sdk.end(program)
        exchanges = proxy.exchanges()
    held_back = 0
    for refused, after in pauses():
        told = int(refused.reply.headers["retry-after"])
        assert refused.reply.headers["x-sentry-rate-limits"] == f"{told}:profile_chunk;profile_chunk_ui:project:full"
        assert 1 <= told <= 2
        # The SDK reckons with the wall clock, which may be corrected meanwhile.
        assert after.request.time - refused.reply.time > told - 0.1
        assert after.status == next_status
        meanwhile = exchanges[exchanges.index(refused) + 1:exchanges.index(after)]
        held_back += sum(lost(e).get("ratelimit_backoff", 0) for e in meanwhile)
    assert held_back > 0, "the SDK reports no chunk that it had and did not send"
    limited = [e for e in exchanges if e.status == 429]
    assert server.metric("chunks_rejected_total", reason="rate_limited") == len(limited)
