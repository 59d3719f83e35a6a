"""`spool ls`, `rm` and `retry` as an operator uses them: beside a running server, on a real Kafka."""
from __future__ import annotations

import random
import signal
import subprocess
import threading
from typing import Any, Callable

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from local_kafka import LocalKafka
from support.envelopes import Chunk, plain, request
from support.messages import check_message
from support.projects import PROJECT
from support.server import Server, broker_configuration
from support.topics import Outcomes, Profiles
from support.waiting import wait_until
from test_spool import spool_rows

pytestmark = pytest.mark.binary_only("starts its own servers, stops brokers")


def spool(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    return server.command("spool", *arguments, "-c", str(server.folder))


def row_of(server: Server, chunk: Chunk) -> dict[str, Any] | None:
    """The record of a chunk; its outcome carries the same chunk id on another topic."""
    rows = [r for r in spool_rows(server) if r["chunk_id"] == chunk.chunk_id and r["topic"] == "profiles"]
    return rows[0] if rows else None


def in_state(server: Server, chunk: Chunk, state: str) -> dict[str, Any]:
    return wait_until(lambda: (row := row_of(server, chunk)) and row["state"] == state and row,
                      f"the record of {chunk.chunk_id} {state}", 60.0)


def sends(server: Server, *chunks: Chunk) -> None:
    assert {server.send(request(c)).status for c in chunks} == {200}


def internal_outcomes(kafka: LocalKafka, topic: str) -> list[dict[str, Any]]:
    reader = Outcomes(kafka.bootstrap, topic)
    reader.read_to_end()
    found = reader.by_event(None)  # the record of a chunk does not say which event it came with
    reader.close()
    return [o for o in found if o.get("reason") == "internal"]


def test_a_removed_chunk_is_not_delivered_and_has_its_outcome(make_server: Callable[..., Server],
                                                              own_kafka: LocalKafka) -> None:
    """The broker is away, the server runs, a chunk that waits is taken out beside it."""
    kafka = own_kafka
    for topic in ("profiles-rm", "outcomes-rm"):
        kafka.create_topic(topic)
    kafka.stop()
    server = make_server(broker_configuration(kafka.bootstrap, "profiles-rm", "outcomes-rm", message_timeout_ms=1000,
                                              reconnect_backoff_max_ms=200)).start()
    unwanted, kept, later = plain(), plain(), plain()
    try:
        sends(server, unwanted, kept)
        # Now and then the server tries whether the broker is back, with one record: that one is in flight for a second.
        done = wait_until(lambda: (tried := spool(server, "rm", str(row_of(server, unwanted)["id"]))).returncode == 0
                          and tried, "the removal of a record that waits")
        assert "outcome (internal)" in done.stdout
        assert row_of(server, unwanted) is None and row_of(server, kept)
        assert [r["topic"] for r in spool_rows(server) if r["chunk_id"] == unwanted.chunk_id] == ["outcomes"]
    finally:
        kafka.start()
    sends(server, later)
    wait_until(lambda: spool_rows(server) == [], "an empty spool", 60.0)
    profiles = Profiles(kafka.bootstrap, "profiles-rm")
    for chunk in (kept, later):
        check_message(profiles.by_chunk(chunk.chunk_id)[0], chunk, PROJECT)
    assert profiles.by_chunk(unwanted.chunk_id) == []
    profiles.close()
    [outcome] = internal_outcomes(kafka, "outcomes-rm")
    assert (outcome["outcome"], outcome["project_id"], outcome["org_id"]) == (3, PROJECT.id, PROJECT.organization)
    assert (outcome["category"], outcome["quantity"]) == (18, 1)
    assert server.metric("spool_records") == 0
    assert server.stop() == 0


def test_a_record_in_flight_is_not_removed_until_its_server_is_gone(make_server: Callable[..., Server],
                                                                    own_kafka: LocalKafka) -> None:
    configuration = broker_configuration(own_kafka.bootstrap, message_timeout_ms=60_000)
    configuration["processing"]["ack"] = "spool"
    server = make_server(configuration).start()
    warm, delivered, left = plain(), plain(), plain()
    sends(server, warm)
    wait_until(lambda: spool_rows(server) == [], "a drained spool", 60.0)

    for chunk, ending in ((delivered, "resume"), (left, "kill")):
        own_kafka.pause()
        try:
            sends(server, chunk)
            row = in_state(server, chunk, "in flight")
            assert "in flight" in spool(server, "ls").stdout
            refused = spool(server, "rm", str(row["id"]))
            assert refused.returncode == 1 and "in flight" in refused.stderr and str(row["id"]) in refused.stderr
            assert row_of(server, chunk) == row
            if ending == "kill":
                server.process.send_signal(signal.SIGKILL)
                server.process.wait()
                assert row_of(server, chunk)["state"] == "waiting", "the mark of a dead server means nothing"
                assert spool(server, "rm", str(row["id"])).returncode == 0
        finally:
            own_kafka.resume()
        if ending == "resume":
            wait_until(lambda: spool_rows(server) == [], "a drained spool", 60.0)
    server.start()
    wait_until(lambda: spool_rows(server) == [], "the outcome on its way", 60.0)
    reader = Profiles(own_kafka.bootstrap)
    assert len(reader.by_chunk(delivered.chunk_id)) == 1
    reader.close()
    assert server.stop() == 0


def allow_messages_of(kafka: LocalKafka, topic: str, size: int) -> None:
    entry = ConfigEntry("max.message.bytes", str(size), incremental_operation=AlterConfigOpType.SET)
    client = AdminClient({"bootstrap.servers": kafka.bootstrap})
    for done in client.incremental_alter_configs([ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])]
                                                 ).values():
        done.result(30)


def test_dead_records_are_retried_or_removed_without_a_restart(make_server: Callable[..., Server],
                                                               kafka: LocalKafka) -> None:
    """A topic that is too small kills records that were answered 200; then the operator mends the topic."""
    kafka.create_topic("profiles-dead", max_message_bytes=20_000)
    kafka.create_topic("outcomes-dead")
    configuration = broker_configuration(kafka.bootstrap, "profiles-dead", "outcomes-dead")
    configuration["processing"]["ack"] = "spool"
    server = make_server(configuration).start()
    noise = random.Random(1)
    wanted, unwanted = (plain(environment=noise.randbytes(60_000).hex()) for _ in range(2))
    sends(server, wanted, unwanted)
    dead = [in_state(server, chunk, "dead") for chunk in (wanted, unwanted)]
    assert all(row["why"] for row in dead)
    assert server.metric("spool_dead_records") == 2
    table = spool(server, "ls").stdout
    assert f"dead: {dead[0]['why']}" in table

    removed = spool(server, "rm", str(dead[1]["id"]))
    assert removed.returncode == 0 and "without an outcome" in removed.stdout, removed.stderr
    again = spool(server, "retry", str(dead[0]["id"]))
    assert again.returncode == 0, again.stderr
    in_state(server, wanted, "dead")  # the topic is still what it was

    allow_messages_of(kafka, "profiles-dead", 1_000_000)
    assert spool(server, "retry", str(dead[0]["id"])).returncode == 0
    wait_until(lambda: spool_rows(server) == [], "the record that was dead delivered", 60.0)
    reader = Profiles(kafka.bootstrap, "profiles-dead")
    check_message(reader.by_chunk(wanted.chunk_id)[0], wanted, PROJECT)
    assert reader.by_chunk(unwanted.chunk_id) == []
    reader.close()
    assert server.metric("spool_dead_records") == 0
    assert server.stop() == 0
    outcomes = Outcomes(kafka.bootstrap, "outcomes-dead")
    reasons = [o["reason"] for o in outcomes.by_event(None)]
    outcomes.close()
    assert reasons == ["profiling_exceed_size_limit"] * 2, "one for each death that was the first"


@pytest.mark.parametrize("ack", ["broker", "spool"])
def test_what_a_200_waits_for(make_server: Callable[..., Server], own_kafka: LocalKafka, ack: str) -> None:
    """A broker that stands still: in one mode the answer comes from the disk, in the other not before the broker."""
    configuration = broker_configuration(own_kafka.bootstrap, message_timeout_ms=60_000)
    configuration["processing"]["ack"] = ack
    server = make_server(configuration).start()
    first, chunk, answers = plain(), plain(), []
    sends(server, first)
    end = "spooled" if ack == "spool" else "delivered"
    own_kafka.pause()
    try:
        sender = threading.Thread(target=lambda: answers.append(server.send(request(chunk), timeout=60.0).status))
        sender.start()
        wait_until(lambda: server.metric("kafka_inflight_records") > 0, "a record in flight")
        if ack == "spool":
            sender.join(30)
            assert answers == [200]
            assert row_of(server, chunk)
        else:
            assert answers == [] and spool_rows(server) == []
    finally:
        own_kafka.resume()
    sender.join(60)
    assert answers == [200]
    assert server.metric("chunks_total", end=end) == 2
    wait_until(lambda: spool_rows(server) == [], "an empty spool", 60.0)
    reader = Profiles(own_kafka.bootstrap)
    for c in (first, chunk):
        check_message(reader.by_chunk(c.chunk_id)[0], c, PROJECT)
    reader.close()
    assert server.stop() == 0


ERRORS = [
    ("unknown", ["rm", "77"], 1, "there is no record 77 in "),
    ("unknown", ["retry", "77"], 1, "there is no record 77 in "),
    ("waiting", ["retry", "1"], 1, "is not dead"),
    ("waiting", ["rm"], 2, "id is required"),
    ("waiting", ["rm", "one"], 2, "one"),
    ("no spool", ["rm", "1"], 1, "there is no spool at "),
    ("no spool", ["retry", "1"], 1, "there is no spool at "),
    ("other format", ["rm", "1"], 1, "newer profile-relay (format 99"),
    ("other format", ["retry", "1"], 1, "newer profile-relay (format 99"),
    ("other format", ["ls"], 1, "newer profile-relay (format 99"),
    ("damaged", ["rm", "1"], 1, "is damaged or not an SQLite file"),
]


def test_what_commands_refuse(make_server: Callable[..., Server]) -> None:
    server = make_server().start()
    sends(server, plain())
    database = server.folder / "spool" / "spool.sqlite"
    faults = []

    def check(wanted: str) -> None:
        for situation, arguments, status, text in ERRORS:
            if situation != wanted:
                continue
            done = spool(server, *arguments)
            if done.returncode != status or text not in done.stderr or done.stdout:
                faults.append((situation, arguments, done))

    check("unknown")
    check("waiting")
    assert server.stop() == 0
    content = bytearray(database.read_bytes())
    content[60:64] = (99).to_bytes(4, "big")  # user_version
    database.write_bytes(content)
    check("other format")
    database.write_bytes(b"x" * 9000)
    check("damaged")
    for file in (server.folder / "spool").iterdir():
        file.unlink()
    check("no spool")
    assert faults == []
    assert list((server.folder / "spool").iterdir()) == [], "a command makes nothing"


def test_several_ids_are_taken_one_by_one(make_server: Callable[..., Server]) -> None:
    server = make_server().start()
    chunks = [plain() for _ in range(3)]
    sends(server, *chunks)
    ids = [str(row_of(server, c)["id"]) for c in chunks]
    done = spool(server, "rm", ids[0], "999", ids[2])
    assert done.returncode == 1 and "999" in done.stderr
    assert [row_of(server, c) is None for c in chunks] == [True, False, True]
