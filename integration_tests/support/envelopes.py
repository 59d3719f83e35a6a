"""Requests as SDKs build them: envelopes, items, metadata, plain JSON chunks, auth."""
from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from .projects import PROJECT, Project

PERFETTO = "application/x-perfetto-trace"


def new_id() -> str:
    return uuid.uuid4().hex


@dataclass
class Chunk:
    """One profile chunk of a request: its id, how it is written as items, and what must come out again."""

    items: list[bytes]
    chunk_id: str
    platform: str
    trace: bytes | None = None  # what the message must carry as raw_profile


@dataclass
class Request:
    body: bytes
    chunks: list[Chunk] = field(default_factory=list)
    event_id: str | None = None
    project: Project = PROJECT
    path: str = ""
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.path = self.path or f"/api/{self.project.id}/envelope/"


def auth(key: str = PROJECT.key, version: str = "7") -> dict[str, str]:
    return {"X-Sentry-Auth": f"Sentry sentry_key={key}, sentry_version={version}, sentry_client=integration-tests/1.0"}


def item(header: dict[str, Any], payload: bytes, length: bool = True) -> bytes:
    if length:
        header = {**header, "length": len(payload)}
    return json.dumps(header, separators=(",", ":")).encode() + b"\n" + payload + b"\n"


def envelope(*items: bytes, **header: Any) -> bytes:
    return json.dumps(header, separators=(",", ":")).encode() + b"\n" + b"".join(items)


def request(*chunks_or_items: Chunk | bytes, project: Project = PROJECT, headers: dict[str, str] | None = None,
            envelope_header: dict[str, Any] | None = None, **more: Any) -> Request:
    """A complete request with an event id, by which its outcomes can be told from others'."""
    event_id = new_id()
    chunks = [c for c in chunks_or_items if isinstance(c, Chunk)]
    items = [i for c in chunks_or_items for i in (c.items if isinstance(c, Chunk) else [c])]
    return Request(body=envelope(*items, event_id=event_id, **(envelope_header or {})), chunks=chunks, event_id=event_id,
                   project=project, headers=auth(project.key) if headers is None else headers, **more)


def metadata(chunk_id: str, platform: str = "android", **changes: Any) -> dict[str, Any]:
    """What a client says of its trace. A value of None among `changes` takes the key away."""
    document = {
        "chunk_id": chunk_id, "profiler_id": new_id(), "platform": platform, "version": "2",
        "client_sdk": {"name": "sentry.java.android", "version": "8.53.0"}, "release": "shop@4.2.0+118",
        "environment": "production", "content_type": PERFETTO,
        "debug_meta": {"images": [{"type": "proguard", "uuid": "4f2d1c86-6a0b-4b7e-9a51-0c6f2b6a7d11"}]},
        "measurements": {"cpu_usage": {"unit": "percent", "values": [{"timestamp": 1790000000.05, "value": 12.5}]}},
    }
    document.update(changes)
    return {k: v for k, v in document.items() if v is not None}


def compound(trace: bytes, platform: str = "android", header: dict[str, Any] | None = None,
             meta: bytes | None = None, item_type: str = "profile_chunk", **meta_changes: Any) -> Chunk:
    """The contract's form: JSON metadata, then the trace, split at meta_length. `header` None-values remove keys."""
    chunk_id = new_id()
    if meta is None:
        meta = json.dumps(metadata(chunk_id, platform, **meta_changes)).encode()
    fields = {"type": item_type, "content_type": PERFETTO, "filename": "profile.pftrace", "platform": platform,
              "meta_length": len(meta), **(header or {})}
    fields = {k: v for k, v in fields.items() if v is not None}
    return Chunk([item(fields, meta + trace)], chunk_id, platform, trace)


def pair(trace: bytes, platform: str = "android", data_first: bool = False) -> Chunk:
    """The older form: the metadata as one item, the trace as another."""
    chunk_id = new_id()
    items = [
        item({"type": "profile_chunk", "platform": platform, "content_type": PERFETTO},
             json.dumps(metadata(chunk_id, platform)).encode()),
        item({"type": "profile_chunk_data", "content_type": "application/octet-stream"}, trace),
    ]
    return Chunk(items[::-1] if data_first else items, chunk_id, platform, trace)


def sample_v2(chunk_id: str, platform: str = "python", **changes: Any) -> dict[str, Any]:
    """A Sample v2 chunk as an SDK without Perfetto sends it."""
    start = time.time() - 10.0
    samples = [{"timestamp": round(start + i * 0.01, 6), "thread_id": str(7 + i % 2), "stack_id": i // 2 % 2}
               for i in range(200)]
    document = {
        "chunk_id": chunk_id, "profiler_id": new_id(), "platform": platform, "version": "2",
        "client_sdk": {"name": "sentry.python", "version": "2.75.0"}, "release": "shop@1", "environment": "production",
        "profile": {
            "samples": samples,
            "stacks": [[0, 1], [1]],
            "frames": [
                {"function": "price", "module": "shop.cart", "filename": "cart.py", "lineno": 12, "in_app": True},
                {"function": "main", "module": "shop", "filename": "__main__.py", "lineno": 3, "in_app": True},
            ],
            "thread_metadata": {"7": {"name": "MainThread"}, "8": {"name": "worker"}},
        },
    }
    document.update(changes)
    return {k: v for k, v in document.items() if v is not None}


def plain(platform: str = "python", header: dict[str, Any] | None = None, payload: bytes | None = None,
          **changes: Any) -> Chunk:
    """A JSON chunk without a trace. `header` None-values remove keys."""
    chunk_id = new_id()
    if payload is None:
        payload = json.dumps(sample_v2(chunk_id, platform, **changes)).encode()
    fields = {"type": "profile_chunk", "platform": platform, "content_type": "application/json", **(header or {})}
    return Chunk([item({k: v for k, v in fields.items() if v is not None}, payload)], chunk_id, platform)
