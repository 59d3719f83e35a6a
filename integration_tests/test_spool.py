"""Spool-only mode: no broker is configured, every record waits on disk and survives whatever happens to the process."""
from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any, Callable

import pytest

from local_kafka import LocalKafka
from support.envelopes import compound, plain, request
from support.messages import check_message, unpack
from support.perfetto_writer import Trace
from support.projects import PROJECT
from support.server import Server, broker_configuration
from support.topics import Outcomes, Profiles, Record
from support.waiting import wait_until

pytestmark = pytest.mark.binary_only("starts its own servers")


def spool_rows(server: Server) -> list[dict[str, Any]]:
    done = server.command("spool", "ls", "--json", "-c", str(server.folder))
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    return document["records"] if isinstance(document, dict) else document


def test_records_are_listed_and_exported_beside_a_running_server(make_server: Callable[..., Server]) -> None:
    server = make_server().start()
    chunks = [compound(Trace().encode()), plain()]
    assert [server.send(request(c)).status for c in chunks] == [200, 200]

    assert {r["chunk_id"] for r in spool_rows(server)} == {c.chunk_id for c in chunks}
    table = server.command("spool", "ls", "-c", str(server.folder)).stdout
    assert all(c.chunk_id in table for c in chunks)

    out = server.folder / "exported"
    done = server.command("spool", "export", "-c", str(server.folder), "--out", str(out))
    assert done.returncode == 0, done.stderr
    by_chunk = {json.loads((f / "payload.json").read_bytes())["chunk_id"]: f for f in out.iterdir()}
    for chunk in chunks:
        folder = by_chunk[chunk.chunk_id]
        record = Record(None, [("project_id", str(PROJECT.id).encode())], (folder / "message.msgpack").read_bytes())
        check_message(record, chunk, PROJECT)
        assert (folder / "payload.json").read_bytes() == unpack(record)["payload"]
        assert json.loads((folder / "record.json").read_text())["chunk_id"] == chunk.chunk_id
    assert (by_chunk[chunks[0].chunk_id] / "profile.pftrace").read_bytes() == chunks[0].trace
    assert not (by_chunk[chunks[1].chunk_id] / "profile.pftrace").exists()
    assert len(spool_rows(server)) == 2, "export takes nothing away"


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_keeps_everything_and_a_broker_drains_it(make_server: Callable[..., Server], kafka: LocalKafka,
                                                           ending: signal.Signals) -> None:
    topics = {"profiles": f"profiles-{ending.name}", "outcomes": f"outcomes-{ending.name}"}
    for topic in topics.values():
        kafka.create_topic(topic)
    server = make_server().start()
    chunks = [plain() for _ in range(20)] + [compound(Trace().encode()) for _ in range(5)]
    bad = request(plain(version="1"))
    assert {server.send(request(c)).status for c in chunks} == {200}
    assert server.send(bad).status == 200
    server.process.send_signal(ending)
    assert server.process.wait(30) == (0 if ending is signal.SIGTERM else -ending)

    server.start()
    assert {r["chunk_id"] for r in spool_rows(server) if r["chunk_id"]} >= {c.chunk_id for c in chunks}
    assert server.stop() == 0

    configured = broker_configuration(kafka.bootstrap, **topics)["processing"]
    config = json.loads((server.folder / "config.yml").read_text())
    (server.folder / "config.yml").write_text(json.dumps({**config, "processing": configured}))
    server.start()
    wait_until(lambda: spool_rows(server) == [], "an empty spool", 30.0)
    profiles, outcomes = Profiles(kafka.bootstrap, topics["profiles"]), Outcomes(kafka.bootstrap, topics["outcomes"])
    for chunk in chunks:
        [record] = profiles.by_chunk(chunk.chunk_id)
        check_message(record, chunk, PROJECT)
    assert [o["reason"] for o in outcomes.by_event(bad.event_id)] == ["profiling_platform_not_supported"]
    profiles.close()
    outcomes.close()
    assert server.stop() == 0


def test_a_second_server_on_the_spool_names_the_path(make_server: Callable[..., Server]) -> None:
    first = make_server().start()
    second = make_server({"spool": {"envelopes": {"path": str(first.folder / "spool")}}})
    second.spawn()
    assert second.process.wait(20) != 0
    assert str(first.folder / "spool") in second.log()
    assert first.send(request(plain())).status == 200


def test_a_full_spool_refuses_and_keeps_what_it_has(make_server: Callable[..., Server]) -> None:
    server = make_server({"spool": {"envelopes": {"max_disk_size": 2_000_000}}}).start()
    kept, answer = [], None
    for _ in range(100):
        chunk = compound(Trace(random_padding=100_000).encode())
        answer = server.send(request(chunk))
        if answer.status != 200:
            break
        kept.append(chunk.chunk_id)
    assert answer.status == 503 and int(answer.headers["retry-after"]) > 0
    assert answer.json()["detail"]
    assert len(kept) >= 5
    assert {r["chunk_id"] for r in spool_rows(server)} >= set(kept)
    assert server.metric("chunks_total", end="spooled") == len(kept)


def test_ack_spool_answers_before_the_broker(make_server: Callable[..., Server], kafka: LocalKafka) -> None:
    """processing.ack: spool. The record is durable at the answer and reaches the broker afterwards."""
    kafka.create_topic("profiles-ack")
    configuration = broker_configuration(kafka.bootstrap, profiles="profiles-ack")
    configuration["processing"]["ack"] = "spool"
    server = make_server(configuration).start()
    chunk = plain()
    assert server.send(request(chunk)).status == 200
    assert server.metric("chunks_total", end="spooled") == 1
    reader = Profiles(kafka.bootstrap, "profiles-ack")
    wait_until(lambda: reader.by_chunk(chunk.chunk_id), "the chunk on its topic")
    reader.close()


def test_an_unwritable_spool_ends_the_start(make_server: Callable[..., Server]) -> None:
    server = make_server({"spool": {"envelopes": {"path": "/proc/no-such-place"}}})
    server.spawn()
    assert server.process.wait(20) != 0
    lines = [line for line in server.log().splitlines() if "/proc/no-such-place" in line]
    assert len(lines) == 1, server.log()


def spool_files(server: Server) -> list[Path]:
    return list((server.folder / "spool").rglob("*"))


def test_the_spool_lies_in_the_configuration_folder_by_default(make_server: Callable[..., Server]) -> None:
    server = make_server().start()
    assert server.send(request(plain())).status == 200
    assert spool_files(server)
