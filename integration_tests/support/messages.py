"""check_message(): everything that must hold for any message on the topic `profiles`, whatever chunk it carries.

The judges are the libraries the consumers themselves use: msgpack, sentry-kafka-schemas, vroomrs.
"""
from __future__ import annotations

import json
from typing import Any

import msgpack
import vroomrs
from sentry_kafka_schemas import get_codec

import sample_v2_check

from .envelopes import Chunk
from .projects import Project
from .topics import Record

HEAD = ["type", "organization_id", "project_id", "key_id", "received", "retention_days", "payload"]
INLINE = ["raw_profile", "raw_profile_content_type"]
PAYLOAD_ORDER = ["measurements", "chunk_id", "profiler_id", "debug_meta", "environment", "platform", "content_type",
                 "release", "client_sdk", "version", "profile"]
FRAME_ORDER = ["abs_path", "colno", "filename", "function", "in_app", "instruction_addr", "lineno", "module", "package",
               "platform"]


def unpack(record: Record) -> dict[str, Any]:
    """The fields in wire order; fails on a key that comes twice."""
    def fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len({k for k, _ in pairs}) == len(pairs), f"a key comes twice: {[k for k, _ in pairs]}"
        return dict(pairs)
    return msgpack.unpackb(record.value, raw=False, object_pairs_hook=fields)


def in_order(keys: list[str], order: list[str]) -> bool:
    return [k for k in order if k in keys] == keys


def vroomrs_chunk(message: dict[str, Any], payload: dict[str, Any]) -> Any:
    """Parsed as Sentry's task does it: four fields of the message are added to the payload first."""
    stored = {**payload, **{k: message[k] for k in ("organization_id", "project_id", "received", "retention_days")}}
    return vroomrs.profile_chunk_from_json_str_and_version(json.dumps(stored), payload["version"])


def check_vroomrs(message: dict[str, Any], payload: dict[str, Any]) -> None:
    chunk = vroomrs_chunk(message, payload)
    chunk.normalize()
    samples = payload["profile"]["samples"]
    assert abs(chunk.start_timestamp() - samples[0]["timestamp"]) < 1e-6
    assert abs(chunk.end_timestamp() - samples[-1]["timestamp"]) < 1e-6
    place = f"{message['organization_id']}/{message['project_id']}/{payload['profiler_id']}/{payload['chunk_id']}"
    assert chunk.storage_path() == place
    chunk.extract_functions_metrics(min_depth=1, filter_system_frames=False, max_unique_functions=100)
    again = vroomrs.decompress_profile_chunk(chunk.compress())
    assert again.storage_path() == place and again.get_platform() == payload["platform"]


def check_message(record: Record, chunk: Chunk, project: Project, raw: bool | None = None) -> dict[str, Any]:
    """-> the payload. `raw` says whether the raw trace must be inline; by default, if the chunk has one."""
    message = unpack(record)
    raw = chunk.trace is not None if raw is None else raw
    expected = [k for k in HEAD if k != "key_id" or project.numeric_id is not None] + (INLINE if raw else [])
    assert list(message) == expected
    # Packed again by another library it is the same bytes: integers in their shortest form, bin and str where they belong.
    assert msgpack.packb(message, use_bin_type=True) == record.value
    assert message["type"] == "profile_chunk"
    assert message["organization_id"] == project.organization and message["project_id"] == project.id
    assert message.get("key_id") == project.numeric_id
    assert message["retention_days"] == project.retention
    assert record.key is None and record.headers == [("project_id", str(project.id).encode())]
    if project.numeric_id is not None:
        get_codec("profiles").decode(record.value, validate=True)
    if raw:
        assert message["raw_profile"] == chunk.trace
    payload = json.loads(message["payload"])
    assert message["payload"][:1] == b"{" and message["payload"][-1:] == b"}"
    assert payload["chunk_id"] == chunk.chunk_id and payload["platform"] == chunk.platform
    assert in_order(list(payload), PAYLOAD_ORDER), list(payload)
    assert all(in_order(list(f), FRAME_ORDER) for f in payload["profile"]["frames"])
    assert sample_v2_check.faults(payload) == []
    check_vroomrs(message, payload)
    return payload
