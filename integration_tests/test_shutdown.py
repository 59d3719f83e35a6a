"""The end of the process: what was answered 200 is never lost."""
from __future__ import annotations

import http.client
import re
import signal
import threading
from typing import Callable

import pytest

from local_kafka import LocalKafka
from support.envelopes import compound, plain, request
from support.messages import check_message
from support.perfetto_writer import Trace
from support.projects import PROJECT, write_configuration
from support.server import Server, broker_configuration
from support.topics import Profiles
from support.waiting import wait_until
from test_spool import spool_rows

pytestmark = pytest.mark.binary_only("ends its own servers")

SENDERS = 4


class Load:
    """Clients that send chunks until the server hangs up, or with `again` until `end`, and remember what was promised to
    them."""

    def __init__(self, server: Server, again: bool = False):
        self.server = server
        self.promised: dict[str, object] = {}
        self.refused: list[int] = []
        self.again, self.ended = again, threading.Event()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._run) for _ in range(SENDERS)]
        for thread in self.threads:
            thread.start()

    def _run(self) -> None:
        trace = Trace(samples=400).encode()
        while not self.ended.is_set():
            chunk = compound(trace)
            try:
                answer = self.server.send(request(chunk))
            except (OSError, http.client.HTTPException):
                if not self.again:
                    return
                self.ended.wait(0.01)  # as a client that retries: not in a busy loop
                continue
            with self.lock:
                if answer.status == 200:
                    self.promised[chunk.chunk_id] = chunk
                else:
                    self.refused.append(answer.status)

    def end(self) -> None:
        self.ended.set()
        self.wait()

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


def counts_of_the_end(server: Server) -> dict[str, int]:
    """The numbers of the one line that tells how the server ended."""
    [line] = [line for line in server.log().splitlines() if re.search(r"\bstopped\b", line) and "records_" in line]
    return {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", line)}


def test_the_counts_of_a_drain_add_up_with_a_broker(make_server: Callable[..., Server], kafka: LocalKafka) -> None:
    """At full load: every open request ends with the broker's acknowledgement, so the flush finds nothing left."""
    kafka.create_topic("profiles-drain")
    server = make_server(broker_configuration(kafka.bootstrap, profiles="profiles-drain")).start()
    load = Load(server)
    wait_until(lambda: len(load.promised) >= 50, "fifty answers")
    assert server.stop() == 0
    load.wait()
    counts = counts_of_the_end(server)
    assert counts["finished_before_flush"] == counts["connections"] <= SENDERS
    assert counts["connections_cut"] == 0
    assert (counts["records_delivered"], counts["records_spooled"], counts["records_failed"]) == (0, 0, 0)
    assert spool_rows(server) == []


def test_the_counts_of_a_drain_add_up_without_a_broker(make_server: Callable[..., Server],
                                                       own_kafka: LocalKafka) -> None:
    """Each client waits for a broker that hangs: the drain spools exactly these, and answers them."""
    server = make_server({**broker_configuration(own_kafka.bootstrap, message_timeout_ms=60_000),
                          "limits": {"shutdown_timeout": 2}}).start()
    assert server.send(request(plain())).status == 200
    own_kafka.pause()
    try:
        load = Load(server)
        wait_until(lambda: server.metric("kafka_inflight_records") == SENDERS, "a record in flight for each client")
        assert load.promised == {}
        assert server.stop() == 0, server.log()[-3000:]
        load.wait()
    finally:
        own_kafka.resume()
    counts = counts_of_the_end(server)
    assert (counts["connections"], counts["finished_before_flush"], counts["connections_cut"]) == (SENDERS, 0, 0)
    assert (counts["records_delivered"], counts["records_spooled"], counts["records_failed"]) == (0, SENDERS, 0)
    assert {r["chunk_id"] for r in spool_rows(server)} == set(load.promised) and load.refused == []


def test_a_second_sigterm_is_hard_and_loses_nothing_answered(make_server: Callable[..., Server],
                                                             own_kafka: LocalKafka) -> None:
    configuration = broker_configuration(own_kafka.bootstrap, message_timeout_ms=60_000)
    configuration["processing"]["ack"] = "spool"
    server = make_server(configuration).start()
    own_kafka.pause()  # the drain would wait for it
    try:
        load = Load(server)
        wait_until(lambda: len(load.promised) >= 50, "fifty answers")
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "shutting down" in server.log(), "the shutdown begun")
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 1
        load.wait()
    finally:
        own_kafka.resume()
    assert not re.search(r"\bstopped\b.*records_", server.log())
    # Nobody has drained it: all that was answered lies there.
    assert set(load.promised) <= {r["chunk_id"] for r in spool_rows(server)}
    assert set(load.refused) <= {503}


def test_a_new_server_takes_over_under_load_and_nothing_answered_is_lost(make_server: Callable[..., Server],
                                                                         kafka: LocalKafka) -> None:
    """As a deployment does it: the old one ends, the new one starts on the same spool, and clients go on sending."""
    kafka.create_topic("profiles-deploy")
    configuration = broker_configuration(kafka.bootstrap, profiles="profiles-deploy")
    server = make_server(configuration).start()
    load = Load(server, again=True)
    try:
        for ack in ("spool", "broker", "spool"):
            before = len(load.promised)
            wait_until(lambda: len(load.promised) >= before + 50, "fifty more answers")
            assert server.stop() == 0, server.log()[-3000:]
            configuration["processing"]["ack"] = ack
            write_configuration(server.folder, configuration)
            server.start()
        before = len(load.promised)
        wait_until(lambda: len(load.promised) >= before + 50, "fifty more answers")
    finally:
        load.end()
    assert set(load.refused) <= {503}, "a server that ends may refuse, never blame the client"
    wait_until(lambda: spool_rows(server) == [], "a drained spool", 30.0)
    reader = Profiles(kafka.bootstrap, "profiles-deploy")
    lost = set(load.promised) - reader.count_chunks().keys()
    reader.close()
    assert not lost
    assert server.stop() == 0


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
