"""The judges themselves: a check that lets everything through proves nothing."""
from __future__ import annotations

import copy
import json
from typing import Any, Callable

import msgpack
import pytest
from sentry_kafka_schemas import get_codec
from sentry_kafka_schemas.codecs import ValidationError

import sample_v2_check
from support import metrics
from support.envelopes import metadata, new_id, sample_v2


def good() -> dict[str, Any]:
    chunk_id = new_id()
    document = {**metadata(chunk_id), **sample_v2(chunk_id, "android")}
    document["debug_meta"]["images"].append({
        "code_file": "lib/libshop.so", "debug_id": "7f4a3eb0-885e-8d4c-a04b-05fa32cc4cbd", "type": "symbolic",
        "image_addr": "0x7a10000000", "image_vmaddr": "0x0", "image_size": 65536})
    document["profile"]["frames"][0]["instruction_addr"] = "0x7a10001234"
    return document


def test_a_good_chunk_has_no_fault() -> None:
    assert sample_v2_check.faults(good()) == []


def put(*path: Any) -> Callable[[dict[str, Any]], None]:
    """put(key, ..., value): sets one place of a document; the value `del` takes it away."""
    *way, last, value = path

    def apply(document: Any) -> None:
        for step in way:
            document = document[step]
        if value == "del":
            del document[last]
        else:
            document[last] = value
    return apply


BREACHES = {
    "numeric thread id": put("profile", "samples", 0, "thread_id", 7),
    "time in nanoseconds": put("profile", "samples", 0, "timestamp", 1_790_000_000_000_000_000),
    "time in milliseconds": put("profile", "samples", 0, "timestamp", 1_790_000_000_000),
    "dashed chunk id": put("chunk_id", "01234567-89ab-cdef-0123-456789abcdef"),
    "uppercase profiler id": put("profiler_id", "A" * 32),
    "version as a number": put("version", 2),
    "client_sdk without version": put("client_sdk", "version", "del"),
    "address as a number": put("profile", "frames", 0, "instruction_addr", 0x1234),
    "stack that is not there": put("profile", "samples", 3, "stack_id", 2),
    "negative stack": put("profile", "samples", 3, "stack_id", -1),
    "frame that is not there": put("profile", "stacks", 0, [0, 2]),
    "negative frame": put("profile", "stacks", 0, [-1]),
    "fractional line": put("profile", "frames", 0, "lineno", 1.5),
    "no samples": put("profile", "samples", []),
    "measurement of strings": put("measurements", {"cpu_usage": {"unit": "percent", "values": [
        {"timestamp": 1.0, "value": "12"}]}}),
    "image without debug id": put("debug_meta", "images", 1, "debug_id", "del"),
    "thread_metadata null": put("profile", "thread_metadata", None),
    "thread_metadata missing": put("profile", "thread_metadata", "del"),
    "thread_metadata of nobody": put("profile", "thread_metadata", "99", {"name": "ghost"}),
    "time runs backwards": put("profile", "samples", 0, "timestamp", 1_999_999_999.0),
    "a lone sample": put("profile", "samples", 0, "thread_id", "99"),
    "a frame with nothing to show": put("profile", "frames", 1, {"lineno": 1}),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_each_breach_is_found(breach: str) -> None:
    document = copy.deepcopy(good())
    BREACHES[breach](document)
    assert sample_v2_check.faults(document)


def test_a_long_chunk_is_found() -> None:
    document = good()
    samples = document["profile"]["samples"]
    samples[-1]["timestamp"] = samples[0]["timestamp"] + 66.5
    assert sample_v2_check.faults(document) == ["the chunk spans 66.500 s"]


def test_the_official_message_schema_wants_a_key_id() -> None:
    """Why project files should know numericId: Relay's own form of the message fails the official schema."""
    message = {"type": "profile_chunk", "organization_id": 1, "project_id": 42, "key_id": 1054, "received": 1790000003,
               "retention_days": 90, "payload": json.dumps(good()).encode()}
    codec = get_codec("profiles")
    assert codec.decode(msgpack.packb(message), validate=True)["key_id"] == 1054
    for key_id in ({}, {"key_id": None}):
        without = {k: v for k, v in message.items() if k != "key_id"} | key_id
        with pytest.raises(ValidationError):
            codec.decode(msgpack.packb(without), validate=True)


def test_metrics_are_read_with_their_labels() -> None:
    text = ('# HELP profile_relay_chunks_total Chunks\n# TYPE profile_relay_chunks_total counter\n'
            'profile_relay_chunks_total{end="delivered"} 3\nprofile_relay_up 1\n')
    read = metrics.parse(text)
    assert read[metrics.series("chunks_total", end="delivered")] == 3
    assert metrics.delta({}, read, ["chunks_total"]) == {metrics.series("chunks_total", end="delivered"): 3}
    with pytest.raises(AssertionError):
        metrics.parse("not a metric line at all\n")
    with pytest.raises(AssertionError):
        metrics.parse("a 1\na 2\n")
