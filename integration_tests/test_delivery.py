"""With a broker: what happens when it is away, hangs, is too small for a message, or was never there."""
from __future__ import annotations

import time
from typing import Callable

import pytest

from broker_absence import bring_back, take_away
from local_kafka import LocalKafka, free_ports
from support import http_client
from support.envelopes import compound, plain, request
from support.messages import check_message, unpack
from support.metrics import series
from support.perfetto_writer import Trace
from support.projects import NO_FLAGS, PROJECT
from support.server import Server, broker_configuration
from support.topics import Outcomes, Profiles
from support.waiting import wait_until
from test_spool import spool_rows

pytestmark = pytest.mark.binary_only("starts its own servers, stops brokers")

READY = "/api/relay/healthcheck/ready/"
ANSWERED_WITHIN_S = 10.0
WELL_BELOW_MESSAGE_TIMEOUT_S = 2.5  # of our default of 5 s


def send_timed(server: Server, chunk) -> float:
    begin = time.monotonic()
    answer = server.send(request(chunk))
    assert answer.status == 200, answer.body
    return time.monotonic() - begin


def arrives(kafka: LocalKafka, chunk, topic: str = "profiles") -> None:
    reader = Profiles(kafka.bootstrap, topic)
    try:
        wait_until(lambda: reader.by_chunk(chunk.chunk_id), f"chunk {chunk.chunk_id} on {topic}", 60.0)
        check_message(reader.by_chunk(chunk.chunk_id)[0], chunk, PROJECT)
    finally:
        reader.close()


@pytest.mark.parametrize("how", ["stopped", "killed", "hanging"])
def test_a_broker_away_means_the_spool_and_delivery_later(make_server: Callable[..., Server], own_kafka: LocalKafka,
                                                          how: str) -> None:
    server = make_server(broker_configuration(own_kafka.bootstrap)).start()
    before, during, after = compound(Trace().encode()), compound(Trace().encode()), plain()
    assert server.metric("kafka_last_ack_age_seconds") == -1
    send_timed(server, before)
    assert server.metric("chunks_total", end="delivered") == 1
    first = server.metrics()
    assert 0 <= first[series("kafka_last_ack_age_seconds")] < ANSWERED_WITHIN_S
    assert first[series("spool_records")] == first[series("spool_oldest_age_seconds")] == first[series("spool_bytes")] == 0
    take_away(own_kafka, how)
    try:
        assert send_timed(server, during) < ANSWERED_WITHIN_S
        assert server.metric("chunks_total", end="spooled") == 1
        assert during.chunk_id in {r["chunk_id"] for r in spool_rows(server)}
        assert server.metric("kafka_away") == 1
        # The broker is known to be away: nobody waits for it again.
        later = [plain() for _ in range(3)]
        for chunk in later:
            assert send_timed(server, chunk) < WELL_BELOW_MESSAGE_TIMEOUT_S
        assert server.metric("chunks_total", end="spooled") == 1 + len(later)
        away = server.metrics()
        # The ages run: since the broker's last word, since the oldest record was stored.
        assert away[series("kafka_last_ack_age_seconds")] > away[series("spool_oldest_age_seconds")] > 0
        wait_until(lambda: server.metric("spool_oldest_age_seconds") > away[series("spool_oldest_age_seconds")],
                   "an age that grows")
        assert away[series("spool_records")] == 1 + len(later)
        assert away[series("spool_bytes")] > len(during.trace)
        kafka_check = http_client.get(server.url, READY).json()["checks"]["kafka"]
        assert ", away: new records go to the spool, " in kafka_check and ", last acknowledgement " in kafka_check
    finally:
        bring_back(own_kafka, how)
    wait_until(lambda: spool_rows(server) == [], "a drained spool", 60.0)
    assert server.metric("kafka_away") == 0
    send_timed(server, after)
    assert server.metric("chunks_total", end="delivered") == 2
    assert server.metric("kafka_producers_recreated_total") == 0
    for chunk in (before, during, *later, after):
        arrives(own_kafka, chunk)
    assert server.stop() == 0


def test_a_rejected_chunk_is_answered_only_when_its_outcome_has_a_place(make_server: Callable[..., Server],
                                                                        own_kafka: LocalKafka) -> None:
    """The broker hangs: the reply waits until the spool has the outcome, and the broker gets it later."""
    server = make_server(broker_configuration(own_kafka.bootstrap, message_timeout_ms=1000)).start()
    assert server.send(request(plain())).status == 200
    built = request(plain(version="1"))
    own_kafka.pause()
    try:
        answer = server.send(built)
        # Read after the reply, so what they say was so when it was sent.
        at_reply = server.metrics()
        waiting = spool_rows(server)
    finally:
        own_kafka.resume()
    assert answer.status == 200
    assert at_reply[series("outcomes_total", end="spooled")] == 1
    assert at_reply[series("chunks_rejected_total", reason="profiling_platform_not_supported")] == 1
    assert [r["topic"] for r in waiting] == ["outcomes"]

    outcomes = Outcomes(own_kafka.bootstrap)
    try:
        wait_until(lambda: outcomes.by_event(built.event_id), "the outcome out of the spool", 60.0)
        assert [o["reason"] for o in outcomes.by_event(built.event_id)] == ["profiling_platform_not_supported"]
    finally:
        outcomes.close()
    assert server.stop() == 0


def test_a_broker_unreachable_at_the_start(make_server: Callable[..., Server]) -> None:
    """The server starts, says so once, takes chunks into the spool."""
    address = f"127.0.0.1:{free_ports(1)[0]}"
    server = make_server(broker_configuration(address)).start()
    chunk = compound(Trace().encode())
    assert send_timed(server, chunk) < ANSWERED_WITHIN_S
    assert chunk.chunk_id in {r["chunk_id"] for r in spool_rows(server)}
    named = [line for line in server.log().splitlines() if address in line]
    assert named, server.log()
    assert server.stop() == 0
    assert chunk.chunk_id in {r["chunk_id"] for r in spool_rows(server)}


def small_messages(kafka: LocalKafka, topic: str) -> dict:
    """The producer's own limit is below the trace's size, above the payload's."""
    return broker_configuration(kafka.bootstrap, profiles=topic, message_max_bytes=200_000)


def test_a_raw_trace_over_the_message_limit_is_left_out(make_server: Callable[..., Server], kafka: LocalKafka) -> None:
    kafka.create_topic("profiles-small")
    server = make_server(small_messages(kafka, "profiles-small")).start()
    chunk = compound(Trace(padding=300_000).encode())
    send_timed(server, chunk)
    reader = Profiles(kafka.bootstrap, "profiles-small")
    [record] = reader.by_chunk(chunk.chunk_id)
    reader.close()
    check_message(record, chunk, PROJECT, raw=False)
    assert server.metric("chunks_total", end="delivered") == 1
    assert server.metric("raw_profile_not_stored_total", cause="message_size") == 1


def test_a_payload_over_the_message_limit_is_rejected_by_name(make_server: Callable[..., Server],
                                                              kafka: LocalKafka) -> None:
    server = make_server(small_messages(kafka, "profiles")).start()
    built = request(compound(Trace(samples=9000).encode()))
    assert server.send(built).status == 200
    assert server.metric("chunks_rejected_total", reason="profiling_exceed_size_limit") == 1
    outcomes = Outcomes(kafka.bootstrap)
    wait_until(lambda: outcomes.by_event(built.event_id), "the outcome")
    assert [o["reason"] for o in outcomes.by_event(built.event_id)] == ["profiling_exceed_size_limit"]
    outcomes.close()


def test_a_topic_smaller_than_the_producer_thinks(make_server: Callable[..., Server], kafka: LocalKafka) -> None:
    """The broker refuses the size after the fact: sent once more without the raw trace."""
    kafka.create_topic("profiles-tight", max_message_bytes=100_000)
    server = make_server(broker_configuration(kafka.bootstrap, profiles="profiles-tight")).start()
    chunk = compound(Trace(random_padding=300_000).encode())
    send_timed(server, chunk)
    reader = Profiles(kafka.bootstrap, "profiles-tight")
    wait_until(lambda: reader.by_chunk(chunk.chunk_id), "the message without its raw trace", 30.0)
    check_message(reader.by_chunk(chunk.chunk_id)[0], chunk, PROJECT, raw=False)
    reader.close()


def test_forty_megabytes_through_a_real_broker(make_server: Callable[..., Server], kafka: LocalKafka) -> None:
    server = make_server(broker_configuration(kafka.bootstrap)).start()
    chunk = compound(Trace(random_padding=40_000_000).encode())
    send_timed(server, chunk)
    arrives(kafka, chunk)
    assert server.metric("chunks_total", end="delivered") == 1


def test_raw_profile_drop(make_server: Callable[..., Server], kafka: LocalKafka) -> None:
    kafka.create_topic("profiles-drop")
    configuration = broker_configuration(kafka.bootstrap, profiles="profiles-drop")
    configuration["processing"]["raw_profile"] = "drop"
    server = make_server(configuration).start()
    chunk = compound(Trace().encode())
    send_timed(server, chunk)
    reader = Profiles(kafka.bootstrap, "profiles-drop")
    [record] = reader.by_chunk(chunk.chunk_id)
    reader.close()
    check_message(record, chunk, PROJECT, raw=False)


def test_key_id_never(make_server: Callable[..., Server], kafka: LocalKafka) -> None:
    """The upstream form of the message."""
    kafka.create_topic("profiles-never")
    configuration = broker_configuration(kafka.bootstrap, profiles="profiles-never")
    configuration["processing"]["profiles_key_id"] = "never"
    server = make_server(configuration).start()
    chunk = plain()
    send_timed(server, chunk)
    reader = Profiles(kafka.bootstrap, "profiles-never")
    [record] = reader.by_chunk(chunk.chunk_id)
    reader.close()
    assert "key_id" not in unpack(record)


def test_feature_drops_as_outcomes_when_asked_for(make_server: Callable[..., Server], kafka: LocalKafka) -> None:
    configuration = {**broker_configuration(kafka.bootstrap), "outcomes": {"emit_feature_disabled": True,
                                                                           "source": "edge-1"}}
    server = make_server(configuration).start()
    built = request(plain(), project=NO_FLAGS)
    assert server.send(built).status == 200
    outcomes = Outcomes(kafka.bootstrap)
    wait_until(lambda: outcomes.by_event(built.event_id), "the outcome")
    [outcome] = outcomes.by_event(built.event_id)
    assert (outcome["outcome"], outcome["reason"], outcome["source"]) == (3, "feature_disabled", "edge-1")
    outcomes.close()


def test_outcomes_can_be_switched_off(make_server: Callable[..., Server], kafka: LocalKafka) -> None:
    kafka.create_topic("outcomes-off")
    configuration = {**broker_configuration(kafka.bootstrap, outcomes="outcomes-off"),
                     "outcomes": {"emit_outcomes": False}}
    server = make_server(configuration).start()
    assert server.send(request(plain(version="1"))).status == 200
    assert server.metric("chunks_rejected_total", reason="profiling_platform_not_supported") == 1
    assert server.stop() == 0  # everything in flight is flushed by the orderly end
    reader = Outcomes(kafka.bootstrap, "outcomes-off")
    assert reader.read_to_end() == []
    reader.close()
