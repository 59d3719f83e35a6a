"""One test per row of all_rows.py, through HTTP, against what arrives on Kafka and what the counters say."""
from __future__ import annotations

import time

import pytest

from all_rows import ALL_ROWS
from conformance import CANARY
from conftest import Target
from matrix import FAMILIES, Case
from support import metrics
from support.envelopes import Request
from support.messages import check_message
from support.reasons import REASONS
from support.replies import check_reply
from support.waiting import wait_until


@pytest.mark.parametrize("case", ALL_ROWS, ids=lambda c: c.name)
def test_row(target: Target, case: Case) -> None:
    built = case.build()
    before = target.metrics()
    answer = target.send(built)

    assert answer.status == case.status, answer.body
    if case.status == 200:
        assert answer.json() == ({"id": built.event_id} if built.event_id else {})
    else:
        assert case.detail in answer.json()["detail"]
    check_reply(answer)
    assert CANARY not in answer.body and CANARY.decode() not in str(answer.headers)
    if case.refused_by:
        row = REASONS[case.refused_by]
        assert (answer.status, answer.json()["detail"]) == (row.status, row.detail)
    for name, value in case.headers.items():
        assert answer.headers.get(name) == value
    assert ("x-sentry-rate-limits" in answer.headers) == ("x-sentry-rate-limits" in case.headers)

    # A 200 says that the broker has it, so one look is enough; nothing is waited for.
    for index, chunk in enumerate(built.chunks):
        records = target.profiles.by_chunk(chunk.chunk_id)
        assert len(records) == (1 if index in case.delivered else 0), (index, len(records))
        if index in case.delivered:
            check_message(records[0], chunk, built.project)

    expect_outcomes(target, case, built)
    expect_counts(target, case, before)


def expect_outcomes(target: Target, case: Case, built: Request) -> None:
    event_id = built.event_id
    if event_id is None:
        assert not case.outcomes, "a row with outcomes needs an event id"
        return
    wait_until(lambda: len(target.outcomes.by_event(event_id)) >= len(case.outcomes), "the outcomes")
    found = target.outcomes.by_event(event_id)
    assert sorted((o["outcome"], o.get("reason", ""), o["category"], o["quantity"]) for o in found) == sorted(
        (o.id, o.reason or "", o.category, 1) for o in case.outcomes)
    for outcome in found:
        assert outcome["project_id"] == built.project.id and outcome["org_id"] == 1 and outcome["key_id"] == 1054
        assert outcome["remote_addr"]
        time.strptime(outcome["timestamp"], "%Y-%m-%dT%H:%M:%S.%fZ")


def expect_counts(target: Target, case: Case, before: dict[metrics.Series, float]) -> None:
    """Every counter of FAMILIES moved as the row says and no other moved."""
    def moved() -> dict[metrics.Series, float]:
        return metrics.delta(before, target.metrics(), FAMILIES)

    # Outcomes are counted when the broker has them, which may be after the answer.
    wait_until(lambda: moved() == case.counts or sum(moved().values()) > sum(case.counts.values()),
               f"the counters of the row: {case.counts}, now {moved()}", 5.0)
    assert moved() == case.counts
    after = target.metrics()
    if case.status != 200:
        status = metrics.series("requests_total", status=str(case.status))
        assert after[status] - before.get(status, 0.0) == 1
    for counter, expected in case.decode_counts.items():
        key = metrics.series("decode_total", counter=counter)
        assert after.get(key, 0.0) - before.get(key, 0.0) == expected
