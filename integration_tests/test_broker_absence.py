"""A broker away under load, in short: what broker_absence.py measures over ten minutes."""
from __future__ import annotations

from typing import Callable

import pytest

import broker_absence
from local_kafka import LocalKafka
from support.server import Server


@pytest.mark.binary_only("stops its own broker")
@pytest.mark.parametrize("how, away_s", [("stopped", 8), *(pytest.param(how, 60, marks=pytest.mark.long)
                                                          for how in ("stopped", "killed", "hanging"))])
def test_a_broker_that_is_away_under_load_costs_nothing_answered(make_server: Callable[..., Server],
                                                                 own_kafka: LocalKafka, how: str, away_s: int) -> None:
    server = make_server(broker_absence.configuration(own_kafka, message_timeout_ms=1000)).start()
    figures = broker_absence.measure(server, own_kafka, how, away_s, around_s=2, rate=20)
    print(figures)
    assert figures.lost == figures.refused == figures.unanswered == 0
    assert figures.answered == figures.sent == figures.spooled + figures.delivered
    # The circuit was open for most of the absence, and closed before and after it.
    assert figures.spooled > 20 * away_s / 2 and figures.delivered >= 20 * 2
    assert server.metric("kafka_away") == 0
    assert server.stop() == 0
