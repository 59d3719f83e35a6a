"""The byte budget bounds the memory of the process, and large uploads that arrive slowly do not keep small ones out."""
from __future__ import annotations

from typing import Callable

import pytest

import memory_under_load as under_load
from local_kafka import LocalKafka
from support.server import Server, broker_configuration

MOST = 1.3  # resident memory above idle, of the budget: the rest is connections, code, and what the allocator keeps


def check(figures: under_load.Figures) -> None:
    print(figures)
    assert figures.ratio <= MOST, figures
    assert set(figures.small) <= {"200", "503"}, figures
    assert figures.small.get("200", 0) >= under_load.SMALL // 5, figures
    # The load is one that the budget does not take; who finds no place is told so.
    assert figures.slow.get("503", 0) > 0 and set(figures.slow) <= {"503", "still sending"}, figures
    assert figures.refused_without_retry_after == 0, figures
    assert figures.afterwards == [200, 200], figures


@pytest.mark.binary_only("configures its own server")
def test_hundreds_of_uploads_at_once(make_server: Callable[..., Server]) -> None:
    with under_load.enough_files():
        server = make_server(under_load.configuration()).start()
        check(under_load.measure(server))
        assert server.stop() == 0


@pytest.mark.long
@pytest.mark.binary_only("configures its own server")
@pytest.mark.parametrize("with_broker", [False, True], ids=["spool", "kafka"])
def test_again_and_again_on_the_same_server(make_server: Callable[..., Server], kafka: LocalKafka,
                                            with_broker: bool) -> None:
    """What one round leaves behind in the allocator does not add up: all rounds are held against the first idle."""
    more = broker_configuration(kafka.bootstrap) if with_broker else {}
    with under_load.enough_files():
        server = make_server({**under_load.configuration(), **more}).start()
        rounds = [under_load.measure(server) for _ in range(4)]
        for figures in rounds:
            check(figures)
        highest = max(f.peak_mib for f in rounds) - rounds[0].idle_mib
        assert highest * under_load.MIB <= MOST * under_load.BUDGET, rounds
        assert server.stop() == 0
