"""show_message.py: reads the last message of a topic with profiles, prints its fields, writes its parts to a folder.
Runs in .venv (confluent-kafka, msgpack)."""
from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import msgpack
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

LARGEST_MESSAGE = 60_000_000


def last_message(bootstrap: str, topic: str, deadline: float) -> Message | None:
    """The newest message of partition 0, waiting for the first one up to `deadline` seconds."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "show-message", "enable.auto.commit": False,
                         "fetch.message.max.bytes": LARGEST_MESSAGE, "receive.message.max.bytes": 2 * LARGEST_MESSAGE})
    end = time.monotonic() + deadline
    try:
        while time.monotonic() < end:
            partition = TopicPartition(topic, 0)
            _, high = consumer.get_watermark_offsets(partition, timeout=10)
            if high == 0:
                time.sleep(0.05)
                continue
            partition.offset = high - 1
            consumer.assign([partition])
            message = consumer.poll(max(0.1, end - time.monotonic()))
            if message is not None and message.error() is None:
                return message
        return None
    finally:
        consumer.close()


def show(message: Message, out: Path) -> None:
    record = msgpack.unpackb(message.value(), raw=False)
    print(f"topic {message.topic()}, partition {message.partition()}, offset {message.offset()}, "
          f"{len(message.value())} bytes, headers {dict(message.headers() or [])}")
    for name, value in record.items():
        print(f"  {name:26} {f'{len(value)} bytes' if isinstance(value, bytes) else value}")
    out.mkdir(parents=True, exist_ok=True)
    (out / "message.msgpack").write_bytes(message.value())
    (out / "payload.json").write_bytes(record["payload"])
    if "raw_profile" in record:
        (out / "profile.pftrace").write_bytes(record["raw_profile"])
    payload = json.loads(record["payload"])
    print(f"  in the payload: platform {payload['platform']}, {len(payload['profile']['samples'])} samples, "
          f"{len(payload['profile']['stacks'])} stacks, {len(payload['profile']['frames'])} frames")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--topic", default="profiles")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        message = last_message(arguments.bootstrap, arguments.topic, deadline=20.0)
    except KafkaException as error:
        print(f"show_message: {error}", file=sys.stderr)
        return 1
    if message is None:
        print(f"show_message: no message on {arguments.topic} of {arguments.bootstrap}", file=sys.stderr)
        return 1
    show(message, arguments.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
