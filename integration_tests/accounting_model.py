"""Random requests, and what must become of each of their chunks, known from how they were built. test_accounting.py.

All shapes of chunks, good and broken, other items, quotas, missing flags, and requests that are refused as a whole.
"""
from __future__ import annotations

import gzip
import json
import random
from dataclasses import dataclass
from typing import Callable

from matrix import BACKEND, CLIENT_REPORT, DATA_ITEM, EVENT, SESSION, UI, UNKNOWN, dsn, random_bytes, trace
from support.envelopes import Chunk, Request, auth, compound, item, pair, plain, request, sample_v2
from support.projects import LIMITED, MIXED, NO_FLAGS, NO_PERFETTO, PROJECT, Project

LIMITS = {"max_profile_size": 128 << 10, "max_envelope_size": 1 << 20, "max_profile_chunk_count": 4}
FULL = 50  # chunks that the counted quota lets through
# Windows are aligned to the epoch. One of a thousand years does not turn while a test runs.
COUNTED = Project(60, "c" * 31 + "1", quotas=(
    {"id": "full", "categories": ["profile_chunk"], "limit": FULL, "window": 1000 * 366 * 86400, "scope": "project",
     "reasonCode": "full"},))
PROJECTS = (PROJECT, NO_FLAGS, NO_PERFETTO, MIXED, LIMITED, COUNTED)

End = tuple[str, int, int, str]  # counter's reason, outcome id, category, outcome reason; id 0: no outcome
DELIVERED: End = ("", 0, 0, "")


def invalid(reason: str, category: int = BACKEND) -> End:
    return reason, 3, category, reason


def limited(reason: str, category: int) -> End:
    return "rate_limited", 2, category, reason


@dataclass(frozen=True)
class Kind:
    build: Callable[[], Chunk]
    end: End = DELIVERED  # if neither flag nor quota nor size is in its way
    category: int = BACKEND
    perfetto: bool = False
    oversize: bool = False


GOOD, IDLE, TORN = trace(), trace(samples=0), random_bytes(3000)


def bad_stack() -> Chunk:
    chunk = plain()
    document = sample_v2(chunk.chunk_id)
    document["profile"]["samples"][5]["stack_id"] = 99
    chunk.items = [item({"type": "profile_chunk", "platform": "python"}, json.dumps(document).encode())]
    return chunk


KINDS = (
    Kind(plain), Kind(plain), Kind(lambda: plain("cocoa"), category=UI), Kind(lambda: plain("node")),
    Kind(lambda: compound(GOOD), category=UI, perfetto=True), Kind(lambda: pair(GOOD), category=UI, perfetto=True),
    # Not with its trace first: that would join a JSON chunk before it (contract 3.3).
    Kind(lambda: compound(GOOD, item_type="profile_chunk_ui"), category=UI, perfetto=True),
    Kind(lambda: compound(TORN), invalid("profiling_invalid_sampled_profile", UI), UI, True),
    Kind(lambda: compound(IDLE), invalid("profiling_not_enough_samples", UI), UI, True),
    Kind(lambda: compound(GOOD, meta=b"{"), invalid("profiling_invalid_json", UI), UI, True),
    Kind(lambda: compound(GOOD, header={"meta_length": 0}), invalid("profiling_invalid_sampled_profile", UI), UI, True),
    Kind(lambda: plain(version="1"), invalid("profiling_platform_not_supported")),
    Kind(lambda: plain(payload=b"[1,2"), invalid("profiling_invalid_json")),
    Kind(lambda: plain(header={"platform": "node"}), invalid("profiling_invalid_profile_type")),
    Kind(bad_stack, invalid("profiling_malformed_samples")),
    Kind(lambda: plain(payload=b"[" * (LIMITS["max_profile_size"] + 1)), oversize=True),
)
REFUSALS = ("unknown_key", "wrong_project", "auth_missing", "auth_multiple", "bad_version", "bad_encoding",
            "unsupported_encoding", "envelope_unexpected_eof", "envelope_header_mismatch", "method_not_allowed",
            "route_not_served", "body_too_large", "bad_project_id")
OTHERS = (SESSION, CLIENT_REPORT, EVENT, UNKNOWN)


def static_limit(project: Project, category: int) -> End | None:
    name = {BACKEND: "profile_chunk", UI: "profile_chunk_ui"}[category]
    for q in project.quotas:
        if q["limit"] == 0 and name in q["categories"]:
            return limited(q["reasonCode"], category)
    return None


def ends_of(kinds: list[Kind], project: Project) -> list[End]:
    """Contract 3.6 and 7, in order: flags, quotas, size, count, content."""
    ends: list[End] = []
    admitted = 0
    for kind in kinds:
        if "organizations:continuous-profiling" not in project.features or (
                kind.perfetto and "organizations:continuous-profiling-perfetto" not in project.features):
            ends.append(("feature_disabled", 0, 0, ""))
        elif limit := static_limit(project, kind.category):
            ends.append(limit)
        elif kind.oversize or admitted == LIMITS["max_profile_chunk_count"]:
            why = "too_large" if kind.oversize else "too_many_chunks"
            ends.append((why, 3, kind.category, "too_large:profile_chunk"))
        else:
            admitted += 1
            ends.append(kind.end)
    return ends


@dataclass
class Sent:
    request: Request
    ends: list[End]  # of its chunks, in order; empty if the request is refused as a whole
    refused_by: str = ""
    status: int = 0  # of the reply


def good_request(rng: random.Random) -> Sent:
    project = rng.choice((PROJECT, PROJECT, *PROJECTS))
    kinds = rng.choices(KINDS, k=rng.randint(0, LIMITS["max_profile_chunk_count"] + 2))
    if project is COUNTED:
        kinds = [Kind(plain)] * rng.randint(1, LIMITS["max_profile_chunk_count"])
    parts: list[Chunk | bytes] = [k.build() for k in kinds]
    for _ in range(rng.choice((0, 0, 1, 3))):
        parts.insert(rng.randint(0, len(parts)), rng.choice(OTHERS))
    if not kinds:
        parts.append(DATA_ITEM)
    built = request(*parts, project=project)
    if rng.random() < 0.2:
        built.body = gzip.compress(built.body, 1)
        built.headers["Content-Encoding"] = "gzip"
    return Sent(built, ends_of(kinds, project))


def refused_request(rng: random.Random) -> Sent:
    """What would be two good chunks, in a request that is refused for what it is itself."""
    built = request(plain(), compound(GOOD))
    match reason := rng.choice(REFUSALS):
        case "unknown_key":
            built.headers = auth("0" * 32)
        case "wrong_project":
            built.headers = auth(LIMITED.key)
        case "auth_missing":
            built.headers = {}
        case "auth_multiple":
            built.path += f"?sentry_key={PROJECT.key}"
        case "bad_version":
            built.headers = auth(version="8")
        case "bad_encoding":
            built.body = gzip.compress(built.body, 1)[:-1]
            built.headers["Content-Encoding"] = "gzip"
        case "unsupported_encoding":
            built.headers["Content-Encoding"] = "lzma"
        case "envelope_unexpected_eof":
            built.body = built.body[:-100]
        case "envelope_header_mismatch":
            built.body = json.dumps({"dsn": dsn(LIMITED.id)}).encode() + built.body[built.body.index(b"\n"):]
        case "method_not_allowed":
            built.method = "PUT"
        case "route_not_served":
            built.path = built.path.replace("envelope", "store")
        case "body_too_large":
            built.body += b'{"type":"x"}\n' + bytes(LIMITS["max_envelope_size"])
        case "bad_project_id":
            built.path = "/api/shop/envelope/"
    return Sent(built, [], reason)
