"""A recorded request of the Node SDK, and a real consumer, sentry-arroyo. More clients: test_python_sdk.py, test_curl.py."""
from __future__ import annotations

import json
from pathlib import Path

from arroyo.backends.kafka import KafkaConsumer, build_kafka_consumer_configuration
from arroyo.backends.kafka.consumer import KafkaPayload
from arroyo.types import Topic

from conftest import Target
from support import http_client
from support.envelopes import Chunk, plain, request
from support.messages import check_message
from support.projects import PROJECT
from support.topics import Record, chunk_id_of
from support.waiting import wait_until

HERE = Path(__file__).resolve().parent


def test_a_recorded_request_of_the_node_sdk(target: Target) -> None:
    """Chunked transfer, auth in the query with %2F in it, no length in the item header."""
    recorded = (HERE / "recorded" / "node_profile_chunk.http").read_bytes()
    assert b"Transfer-Encoding: chunked" in recorded and b"%2F" in recorded.split(b"\r\n", 1)[0]
    answer = http_client.send_raw(target.url, recorded)
    assert answer.startswith(b"HTTP/1.1 200 "), answer[:300]
    chunk_id = json.loads(recorded.split(b"\n{\"chunk_id\"", 1)[1].join([b'{"chunk_id"', b""]).split(b"\r\n")[0])["chunk_id"]
    records = target.profiles.by_chunk(chunk_id)
    assert records
    payload = check_message(records[-1], Chunk([], chunk_id, "node"), PROJECT)
    assert payload["environment"] == ""
    assert set(payload["measurements"]) == {"memory_footprint", "cpu_usage"}


def test_a_real_consumer_group_reads_and_commits(target: Target) -> None:
    """sentry-arroyo's consumer, as Sentry runs it: what one member has committed the next one does not see again."""
    chunks = [plain() for _ in range(3)]
    for chunk in chunks:
        assert target.send(request(chunk)).status == 200
    assert set(consume_group(target.bootstrap, chunks[-1].chunk_id)) >= {c.chunk_id for c in chunks}
    later = plain()
    assert target.send(request(later)).status == 200
    assert consume_group(target.bootstrap, later.chunk_id) == [later.chunk_id]


def consume_group(bootstrap: str, last: str) -> list[str]:
    """Chunk ids read by a member of the group `arroyo` until `last` has come; they are committed then."""
    consumer = KafkaConsumer(build_kafka_consumer_configuration(
        {}, auto_offset_reset="earliest", group_id=f"arroyo-{bootstrap}", bootstrap_servers=[bootstrap]))
    found: list[str] = []

    def poll() -> bool:
        value = consumer.poll(0.5)
        if value is not None:
            assert isinstance(value.payload, KafkaPayload)
            assert value.payload.headers[0][0] == "project_id"
            found.append(chunk_id_of(Record(value.payload.key, [], value.payload.value)))
            consumer.stage_offsets(value.committable)
        return last in found

    try:
        consumer.subscribe([Topic("profiles")])
        wait_until(poll, f"chunk {last} in the group", 60.0)
        consumer.commit_offsets()
    finally:
        consumer.close()
    return found
