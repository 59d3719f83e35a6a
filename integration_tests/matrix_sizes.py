"""Rows of contract 7: each limit exactly, and one byte over it."""
from __future__ import annotations

import dataclasses
import json
from typing import Callable

from matrix import ENCODERS, Case, Outcome, delivered, refused
from matrix_fates import DELIVERED, TOO_LARGE, TOO_MANY, Fate, several
from support.envelopes import PERFETTO, Chunk, Request, compound, item, metadata, new_id, plain, request, sample_v2
from support.metrics import series
from support.perfetto_writer import Trace
from support.projects import MATRIX_LIMITS

ENVELOPE, PROFILE, COUNT = (MATRIX_LIMITS[k] for k in ("max_envelope_size", "max_profile_size", "max_profile_chunk_count"))
UI_TOO_LARGE = dataclasses.replace(TOO_LARGE, outcome=Outcome("too_large:profile_chunk"))
EXPANDED = Fate("profiling_exceed_size_limit", Outcome("profiling_exceed_size_limit"))


def envelope(size: int, coding: str = "") -> Request:
    """One chunk and an item of an unknown type, which has the rest of the bytes."""
    built = request(plain())
    built.body += b'{"type":"from_the_future"}\n'
    built.body += b"x" * (size - len(built.body))
    assert len(built.body) == size
    if coding:
        built.body = ENCODERS[coding](built.body)
        built.headers["Content-Encoding"] = coding
    return built


def padded(document: dict, size: int) -> bytes:
    """JSON may end with blanks."""
    return json.dumps(document).encode().ljust(size)


def plain_of(size: int) -> Chunk:
    chunk = plain()
    chunk.items = [item({"type": "profile_chunk", "platform": "python"}, padded(sample_v2(chunk.chunk_id), size))]
    return chunk


def compound_of(size: int) -> Chunk:
    chunk_id, trace = new_id(), Trace().encode()
    meta = padded(metadata(chunk_id), 1 << 20)  # as long as metadata may be
    trace = Trace(padding=size - len(meta) - len(trace)).encode()
    meta = padded(metadata(chunk_id), size - len(trace))
    header = {"type": "profile_chunk", "content_type": PERFETTO, "platform": "android", "meta_length": len(meta)}
    return Chunk([item(header, meta + trace)], chunk_id, "android", trace)


def pair_of(size: int) -> Chunk:
    chunk_id, trace = new_id(), Trace(padding=PROFILE // 2).encode()
    meta = padded(metadata(chunk_id), size - len(trace))
    return Chunk([item({"type": "profile_chunk", "platform": "android", "content_type": PERFETTO}, meta),
                  item({"type": "profile_chunk_data"}, trace)], chunk_id, "android", trace)


def big_when_expanded() -> Chunk:
    trace = Trace(samples=40_000).encode()
    assert len(trace) < PROFILE - 10_000
    return compound(trace)


def fits(name: str, build: Callable[[], Request], counts: dict | None = None) -> Case:
    return delivered(f"sizes: {name}", build, counts=counts)


SHAPES = {"plain JSON": (plain_of, TOO_LARGE), "compound": (compound_of, UI_TOO_LARGE), "pair": (pair_of, UI_TOO_LARGE)}
UNKNOWN_ITEM = {series("items_unknown_total"): 1}
A, B, C = PROFILE // 2, PROFILE - PROFILE // 2, 100_000

EDGES = [
    fits("an envelope as large as allowed", lambda: envelope(ENVELOPE), UNKNOWN_ITEM),
    refused("sizes: an envelope one byte over", lambda: envelope(ENVELOPE + 1), 413, "body_too_large"),
    *(fits(f"an envelope as large as allowed, {c}", lambda c=c: envelope(ENVELOPE, c), UNKNOWN_ITEM) for c in ENCODERS),
    *(refused(f"sizes: an envelope one byte over, {c}", lambda c=c: envelope(ENVELOPE + 1, c), 413, "body_too_large")
      for c in ENCODERS),
    *(fits(f"{name} as large as allowed", lambda m=make: request(m(PROFILE))) for name, (make, _) in SHAPES.items()),
    *(several(f"sizes: {name} one byte over", lambda m=make: request(m(PROFILE + 1)), [fate])
      for name, (make, fate) in SHAPES.items()),
    several("sizes: two chunks as large together as one may be", lambda: request(plain_of(A), plain_of(B)),
            [DELIVERED] * 2),
    several("sizes: one byte over together: the last is refused", lambda: request(plain_of(A), plain_of(B + 1)),
            [DELIVERED, TOO_LARGE]),
    several("sizes: what fits behind one that does not goes on", lambda: request(
        plain_of(A), plain_of(PROFILE), plain_of(C)), [DELIVERED, TOO_LARGE, DELIVERED]),
    several("sizes: a chunk refused for its size takes no room from others", lambda: request(
        plain_of(PROFILE + 1), plain_of(C)), [TOO_LARGE, DELIVERED]),
    several("sizes: as many chunks as allowed", lambda: request(*[plain() for _ in range(COUNT)]), [DELIVERED] * COUNT),
    several("sizes: two chunks more", lambda: request(*[plain() for _ in range(COUNT + 2)]),
            [DELIVERED] * COUNT + [TOO_MANY] * 2),
    several("sizes: a trace whose JSON is over the limit", lambda: request(big_when_expanded()), [EXPANDED]),
    several("sizes: a trace whose JSON is over the limit, beside another", lambda: request(big_when_expanded(), plain()),
            [EXPANDED, DELIVERED]),
]

