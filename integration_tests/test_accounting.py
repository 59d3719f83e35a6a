"""Nothing vanishes and nothing comes twice: after thousands of random requests every chunk has exactly one end.

The topics and the counters are added up against what accounting_model.py expects, request by request and in sum.
"""
from __future__ import annotations

import random
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Callable

import pytest

from accounting_model import (COUNTED, DELIVERED, FULL, LIMITS, PROJECTS, REFUSALS, End, Sent, good_request, limited,
                              refused_request)
from local_kafka import LocalKafka
from matrix import BACKEND
from support import metrics
from support.metrics import series
from support.reasons import REASONS
from support.server import Server, broker_configuration
from support.topics import Outcomes, Profiles

pytestmark = pytest.mark.binary_only("starts its own servers")

SENDERS = 4
FAMILIES = ("chunks_total", "chunks_rejected_total", "requests_rejected_total", "requests_total", "outcomes_total",
            "untracked_chunks_total")


def send_all(server: Server, sent: list[Sent]) -> None:
    def one(s: Sent) -> None:
        s.status = server.send(s.request).status
    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(one, sent))


def settle_counted(sent: list[Sent], arrived: Counter[str]) -> None:
    """Who came first decides, so there the topic says which of the chunks the quota let through; how many is known."""
    counted = [s for s in sent if s.request.project is COUNTED]
    for s in counted:
        s.ends = [DELIVERED if arrived[c.chunk_id] else limited("full", BACKEND) for c in s.request.chunks]
    assert sum(s.ends.count(DELIVERED) for s in counted) == FULL


def status_of(s: Sent) -> int:
    """Contract 13, in the words of the page of reasons."""
    if s.refused_by:
        return REASONS[s.refused_by].status
    statuses = {REASONS[e[0]].status if e[0] else 200 for e in s.ends} or {200}
    return next(status for status in (200, 429, 413) if status in statuses)


def expected_counts(sent: list[Sent]) -> Counter[metrics.Series]:
    counts: Counter[metrics.Series] = Counter()
    for s in sent:
        counts[series("requests_total", status=str(s.status))] += 1
        if s.refused_by:
            counts[series("requests_rejected_total", reason=s.refused_by)] += 1
        for reason, outcome, _, _ in s.ends:
            counts[series("chunks_total", end="rejected" if reason else "delivered")] += 1
            if reason:
                counts[series("chunks_rejected_total", reason=reason)] += 1
            if outcome:
                counts[series("outcomes_total", end="delivered")] += 1
    return counts


@pytest.mark.parametrize(("count", "seed"), [
    pytest.param(2_000, 659, id="2000 requests"),
    *(pytest.param(20_000, seed, id=f"20000 requests, seed {seed}", marks=pytest.mark.long) for seed in (1, 2, 3))])
def test_every_chunk_ends_exactly_once(make_server: Callable[..., Server], kafka: LocalKafka, count: int,
                                       seed: int) -> None:
    topics = {"profiles": f"profiles-accounting-{seed}", "outcomes": f"outcomes-accounting-{seed}"}
    for topic in topics.values():
        kafka.create_topic(topic)
    server = make_server({**broker_configuration(kafka.bootstrap, **topics), "limits": LIMITS}, projects=PROJECTS).start()
    before = server.metrics()
    rng = random.Random(seed)
    sent: list[Sent] = []
    # In portions, so that the bodies of all requests need not be held at once.
    while len(sent) < count:
        portion = [(refused_request if rng.random() < 0.25 else good_request)(rng) for _ in range(500)]
        send_all(server, portion)
        for s in portion:
            s.request.body = b""
            for chunk in s.request.chunks:
                chunk.items, chunk.trace = [], None
        sent += portion

    # Nothing is waited for: a reply is sent when the messages and outcomes of its chunks have their places.
    after = server.metrics()
    profiles, outcomes = Profiles(kafka.bootstrap, topics["profiles"]), Outcomes(kafka.bootstrap, topics["outcomes"])
    try:
        arrived = profiles.count_chunks()
        told: dict[str, Counter[End]] = defaultdict(Counter)
        for o in outcomes.all():
            assert o["quantity"] == 1
            told[o["event_id"]][o["outcome"], o["category"], o["reason"]] += 1
    finally:
        profiles.close()
        outcomes.close()
    settle_counted(sent, arrived)
    for s in sent:
        assert s.status == status_of(s), s
        for i, chunk in enumerate(s.request.chunks):
            wanted = not s.refused_by and s.ends[i] == DELIVERED
            assert arrived.pop(chunk.chunk_id, 0) == wanted, (s.refused_by, s.ends, i)
        assert told.pop(s.request.event_id, Counter()) == Counter(e[1:] for e in s.ends if e[1]), s.ends
    assert not arrived and not told, "messages or outcomes that no request asked for"
    moved = metrics.delta(before, after, FAMILIES)
    asked = series("requests_total", status="200")  # one look at /metrics counts when it has been answered
    assert moved.pop(asked) - expected_counts(sent)[asked] == 1
    assert moved == {k: v for k, v in expected_counts(sent).items() if k != asked}
    assert len({e for s in sent for e in s.ends}) > 12 and {s.refused_by for s in sent} == {"", *REFUSALS}, "a poor mix"
    assert server.stop() == 0
