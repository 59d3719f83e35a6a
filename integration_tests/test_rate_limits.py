"""Counted quotas of the real binary: each test has a server of its own, since counters live as long as the server."""
from __future__ import annotations

import time
from typing import Any, Callable

import pytest

from local_kafka import LocalKafka
from support import http_client
from support.envelopes import Chunk, compound, plain, request
from support.messages import check_message
from support.perfetto_writer import Trace
from support.projects import NO_LIMITS, Project
from support.server import Server, broker_configuration
from support.topics import Outcomes, Profiles
from support.waiting import wait_until

pytestmark = pytest.mark.binary_only("configures its own servers")

BOTH = ["profile_chunk", "profile_chunk_ui"]
# Windows are aligned to the epoch. One of a thousand years does not turn while a test runs.
ENDLESS = 1000 * 366 * 86400


def shop(*quotas: dict[str, Any]) -> Project:
    return Project(61, "c" * 32, quotas=quotas)


def quota(limit: int | None, **more: Any) -> dict[str, Any]:
    return {"id": "q", "categories": BOTH, "limit": limit, "window": ENDLESS, "scope": "project", "reasonCode": "full",
            **more}


def test_a_counted_rate_limit_refuses_what_is_over_it(make_server: Callable[..., Server], kafka: LocalKafka) -> None:
    project = shop(quota(2))
    server = make_server(broker_configuration(kafka.bootstrap), projects=(project,)).start()
    chunks = [plain(), plain("python", payload=b"not json"), compound(Trace().encode()), plain()]
    sent = [request(c, project=project) for c in chunks]
    answers = [server.send(r) for r in sent]
    # The broken one is rejected by its content and uses nothing up.
    assert [a.status for a in answers] == [200, 200, 200, 429]
    assert ["x-sentry-rate-limits" in a.headers for a in answers] == [False, False, False, True]
    # The end of the window is far away: what is told is processing.max_rate_limit.
    assert answers[3].headers["x-sentry-rate-limits"] == "300:profile_chunk;profile_chunk_ui:project:full"
    assert answers[3].headers["retry-after"] == "300"
    assert server.metric("rate_counters") == 1

    profiles, outcomes = Profiles(kafka.bootstrap), Outcomes(kafka.bootstrap)
    try:
        for index in (0, 2):
            [record] = profiles.by_chunk(chunks[index].chunk_id)
            check_message(record, chunks[index], project)
        assert profiles.by_chunk(chunks[3].chunk_id) == []
        wait_until(lambda: outcomes.by_event(sent[3].event_id), "the outcome")
        [outcome] = outcomes.by_event(sent[3].event_id)
        assert (outcome["outcome"], outcome["reason"], outcome["category"], outcome["quantity"]) == (2, "full", 18, 1)
    finally:
        profiles.close()
        outcomes.close()
    assert server.stop() == 0


def test_rate_limits_within_one_request(make_server: Callable[..., Server]) -> None:
    """Spool-only: what a quota lets through is kept, the rest is told."""
    project = shop(quota(2))
    server = make_server({"processing": {"max_rate_limit": 7}}, projects=(project,)).start()
    answer = server.send(request(plain(), plain(), plain(), project=project))
    assert answer.status == 200
    assert answer.headers["x-sentry-rate-limits"] == "7:profile_chunk;profile_chunk_ui:project:full"
    assert "retry-after" not in answer.headers
    assert server.metric("chunks_total", end="spooled") == 2
    assert server.metric("chunks_rejected_total", reason="rate_limited") == 1
    assert server.metric("outcomes_total", end="spooled") == 1


def test_several_full_quotas_are_told_and_the_longest_is_the_retry_after(make_server: Callable[..., Server]) -> None:
    """Windows of some decades, which end at different times and not while this runs."""
    project = shop(quota(1, id="short", window=3_000_000_000, reasonCode="short"),
                   quota(1, id="long", window=4_000_000_000, scope="organization", reasonCode="long"),
                   quota(None, id="counts", reasonCode="counts"), quota(5, id="roomy", reasonCode="roomy"))
    server = make_server({"processing": {"max_rate_limit": 4_294_967_295}}, projects=(project,)).start()
    assert server.send(request(plain(), project=project)).status == 200
    now = time.time()
    answer = server.send(request(plain(), project=project))
    assert answer.status == 429
    fields = [limit.split(":") for limit in answer.headers["x-sentry-rate-limits"].split(", ")]
    assert [f[1:] for f in fields] == [["profile_chunk;profile_chunk_ui", "project", "short"],
                                       ["profile_chunk;profile_chunk_ui", "organization", "long"]]
    for field, window in zip(fields, (3_000_000_000, 4_000_000_000)):
        assert abs(int(field[0]) - (window - now % window)) < 60
    assert answer.headers["retry-after"] == fields[1][0]


def test_a_window_ends(make_server: Callable[..., Server]) -> None:
    project = shop(quota(1, window=2))
    server = make_server(projects=(project,)).start()

    def answer() -> http_client.Response:
        return server.send(request(plain(), project=project))

    assert answer().status == 200
    # The first window may end between two requests, so it may take three to meet a full one.
    refused = wait_until(lambda: next((a for a in (answer(),) if a.status == 429), None), "a full window")
    assert refused.headers["retry-after"] in ("1", "2")
    wait_until(lambda: answer().status == 200, "the next window")


def test_without_a_platform_in_the_header_the_quota_is_asked_after_parsing(make_server: Callable[..., Server]) -> None:
    """A chunk that does not parse is then rejected for that, a good one is refused by its payload's category."""
    project = shop(quota(0, categories=["profile_chunk"]))
    server = make_server(projects=(project,)).start()

    def status(chunk: Chunk) -> int:
        return server.send(request(chunk, project=project)).status

    assert status(plain(header={"platform": None})) == 429
    assert status(plain("cocoa", header={"platform": None})) == 200
    assert status(plain(header={"platform": None}, payload=b"not json")) == 200
    assert server.metric("chunks_rejected_total", reason="rate_limited") == 1
    assert server.metric("chunks_rejected_total", reason="profiling_invalid_json") == 1


def test_a_dropped_quota_is_told_at_the_start(make_server: Callable[..., Server]) -> None:
    server = make_server(projects=(NO_LIMITS,)).start()
    told = [line for line in server.log().splitlines() if f"{NO_LIMITS.id}.json" in line and "is dropped: " in line]
    # One line each, which says which entry and by which rule.
    rules = {1: "one unit", 2: "id is required", 3: "window is required", 4: "must name its categories",
             5: "only unknown categories", 7: "scopeId is not a number"}
    assert len(told) == len(rules), told
    for (index, rule), line in zip(rules.items(), told):
        assert f"config.quotas[{index}]" in line and rule in line, line


def test_rate_limits_change_with_the_project_file(make_server: Callable[..., Server]) -> None:
    def status(platform: str) -> int:
        return server.send(request(plain(platform), project=counting)).status

    counting = shop(quota(None, categories=["profile_chunk"]))
    server = make_server(projects=(counting,)).start()
    assert [status("python") for _ in range(3)] == [200, 200, 200]
    # The other category tells when the new file is in force, without counting.
    shop(quota(4, categories=["profile_chunk"]), quota(0, categories=["profile_chunk_ui"])).write(server.folder)
    wait_until(lambda: status("cocoa") == 429, "the new quotas")
    # What had only been counted counts: three of the four have passed already.
    assert [status("python") for _ in range(3)] == [200, 429, 429]


def test_the_start_says_where_rate_limits_are_counted(make_server: Callable[..., Server]) -> None:
    server = make_server({"processing": {"redis": "redis://127.0.0.1:1"}}).start()
    log = server.log().splitlines()
    assert len([line for line in log if "quotas are counted in this process" in line]) == 1
    assert len([line for line in log if "processing.redis (rate limit counters are kept per instance)" in line]) == 1
    assert server.stop() == 0
