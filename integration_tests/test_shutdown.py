"""The end of the process: what was answered 200 is never lost."""
from __future__ import annotations

import http.client
import signal
import threading
from typing import Callable

import pytest

from local_kafka import LocalKafka
from support.envelopes import compound, plain, request
from support.messages import check_message
from support.perfetto_writer import Trace
from support.projects import PROJECT
from support.server import Server, broker_configuration
from support.topics import Profiles
from support.waiting import wait_until
from test_spool import spool_rows

pytestmark = pytest.mark.binary_only("ends its own servers")

SENDERS = 4


class Load:
    """Clients that send chunks until the server hangs up, and remember what was promised to them."""

    def __init__(self, server: Server):
        self.server = server
        self.promised: dict[str, object] = {}
        self.refused: list[int] = []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._run) for _ in range(SENDERS)]
        for thread in self.threads:
            thread.start()

    def _run(self) -> None:
        trace = Trace(samples=400).encode()
        while True:
            chunk = compound(trace)
            try:
                answer = self.server.send(request(chunk))
            except (OSError, http.client.HTTPException):
                return
            with self.lock:
                if answer.status == 200:
                    self.promised[chunk.chunk_id] = chunk
                else:
                    self.refused.append(answer.status)

    def wait(self) -> None:
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()


def test_sigterm_under_load_loses_nothing(make_server: Callable[..., Server], kafka: LocalKafka) -> None:
    kafka.create_topic("profiles-load")
    server = make_server(broker_configuration(kafka.bootstrap, profiles="profiles-load")).start()
    load = Load(server)
    wait_until(lambda: len(load.promised) >= 50, "fifty answers")
    assert server.stop() == 0, server.log()[-3000:]
    load.wait()
    assert set(load.refused) <= {503}, "a server that ends may refuse, never blame the client"

    reader = Profiles(kafka.bootstrap, "profiles-load")
    spooled = {r["chunk_id"] for r in spool_rows(server)}
    for chunk_id, chunk in load.promised.items():
        records = reader.by_chunk(chunk_id)
        assert records or chunk_id in spooled, f"{chunk_id} was answered 200 and is nowhere"
        if records:
            check_message(records[0], chunk, PROJECT)
    reader.close()


def test_sigkill_under_load_loses_nothing_in_spool_only_mode(make_server: Callable[..., Server]) -> None:
    server = make_server().start()
    load = Load(server)
    wait_until(lambda: len(load.promised) >= 50, "fifty answers")
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    load.wait()
    server.start()
    spooled = {r["chunk_id"] for r in spool_rows(server)}
    assert set(load.promised) <= spooled


def test_sigterm_with_a_hanging_broker_spools_what_is_in_flight(make_server: Callable[..., Server],
                                                                own_kafka: LocalKafka) -> None:
    server = make_server(broker_configuration(own_kafka.bootstrap)).start()
    assert server.send(request(plain())).status == 200
    own_kafka.pause()
    try:
        chunk, answers = plain(), []
        sender = threading.Thread(target=lambda: answers.append(server.send(request(chunk)).status))
        sender.start()
        wait_until(lambda: server.metric("kafka_inflight_records") > 0, "a record in flight")
        assert server.stop() == 0, server.log()[-3000:]
        sender.join(30)
        assert answers == [200]
        assert chunk.chunk_id in {r["chunk_id"] for r in spool_rows(server)}
    finally:
        own_kafka.resume()
