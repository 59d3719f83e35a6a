"""Reading Kafka topics through confluent-kafka, from their beginning, as an independent consumer."""
from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any, Iterator

import msgpack
from confluent_kafka import Consumer, KafkaException, TopicPartition

LARGEST_MESSAGE = 60_000_000


@dataclass
class Record:
    key: bytes | None
    headers: list[tuple[str, bytes]]
    value: bytes


class TopicReader:
    """All messages of one single-partition topic so far; read_to_end() adds what has arrived since."""

    def __init__(self, bootstrap: str, topic: str):
        self.topic = topic
        self.records: list[Record] = []
        self._bootstrap, self._next = bootstrap, 0
        self._consumer = self._connect()

    def _connect(self) -> Consumer:
        consumer = Consumer({
            "bootstrap.servers": self._bootstrap, "group.id": f"reader-{self.topic}", "enable.auto.commit": False,
            "fetch.message.max.bytes": LARGEST_MESSAGE, "receive.message.max.bytes": 2 * LARGEST_MESSAGE,
            "fetch.wait.max.ms": 50, "reconnect.backoff.max.ms": 500})
        consumer.assign([TopicPartition(self.topic, 0, self._next)])
        return consumer

    def close(self) -> None:
        self._consumer.close()

    def read_to_end(self, deadline: float = 30.0) -> list[Record]:
        """Reads up to what the broker holds now. What was acknowledged before this call is in the result."""
        self.records.extend(self.follow(deadline))
        return self.records

    def follow(self, deadline: float = 30.0) -> Iterator[Record]:
        """The same one by one, and none is kept: for more than fits the memory."""
        end = time.monotonic() + deadline
        high = self._end_offset(end)
        while self._next < high:
            assert time.monotonic() < end, f"{self.topic}: offset {self._next} of {high} after {deadline:.0f} s"
            message = self._consumer.poll(1.0)
            if message is None or message.error() is not None:
                continue
            self._next = message.offset() + 1
            yield Record(message.key(), list(message.headers() or []), message.value())

    def _end_offset(self, end: float) -> int:
        """Asked again until `end`: a broker that has just been started does not know its topics yet. A consumer that
        was told so believes it for minutes, so it is a new one that asks again."""
        while True:
            try:
                return self._consumer.get_watermark_offsets(TopicPartition(self.topic, 0), timeout=10.0)[1]
            except KafkaException:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)
                self._consumer.close()
                self._consumer = self._connect()


def chunk_id_of(record: Record) -> str:
    return json.loads(msgpack.unpackb(record.value, raw=False)["payload"])["chunk_id"]


class Profiles(TopicReader):
    """The topic of chunks, looked up by chunk id."""

    def __init__(self, bootstrap: str, topic: str = "profiles"):
        super().__init__(bootstrap, topic)
        self._by_chunk: dict[str, list[Record]] = {}
        self._sorted = 0

    def by_chunk(self, chunk_id: str) -> list[Record]:
        records = self.read_to_end()
        for record in records[self._sorted:]:
            self._by_chunk.setdefault(chunk_id_of(record), []).append(record)
        self._sorted = len(records)
        return self._by_chunk.get(chunk_id, [])

    def count_chunks(self) -> Counter[str]:
        """How often each chunk has come."""
        return Counter(chunk_id_of(r) for r in self.read_to_end())


class Outcomes(TopicReader):
    def __init__(self, bootstrap: str, topic: str = "outcomes"):
        super().__init__(bootstrap, topic)

    def all(self) -> list[dict[str, Any]]:
        return [json.loads(r.value) for r in self.read_to_end()]

    def by_event(self, event_id: str) -> list[dict[str, Any]]:
        return [o for o in self.all() if o.get("event_id") == event_id]
