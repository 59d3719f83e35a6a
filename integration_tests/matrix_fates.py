"""Rows of contract 13, "several chunks with different ends": every set of fates in one request."""
from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import Callable, Sequence

from matrix import BACKEND, FLAG_PERFETTO, RATE_LIMITED, UI, Case, Outcome, trace
from support.envelopes import Chunk, Request, compound, plain, request
from support.metrics import Series, series
from support.projects import MATRIX_LIMITS, MIXED


@dataclass(frozen=True)
class Fate:
    """How one chunk must end. Without a reason: delivered."""

    reason: str = ""
    outcome: Outcome | None = None
    flag: str = ""  # the missing feature, where that is the reason
    status: int = 200  # of a request whose chunks all end so


DELIVERED = Fate()
FLAGGED = Fate("feature_disabled", flag=FLAG_PERFETTO)
UNSUPPORTED = Fate("profiling_platform_not_supported", Outcome("profiling_platform_not_supported", BACKEND))
TOO_LARGE = Fate("too_large", Outcome("too_large:profile_chunk", BACKEND), status=413)
TOO_MANY = Fate("too_many_chunks", Outcome("too_large:profile_chunk", BACKEND), status=413)
UI_OFF_TOLD = {"x-sentry-rate-limits": "60:profile_chunk_ui:project:ui_off"}
UI_OFF = Fate("rate_limited", Outcome("ui_off", UI, RATE_LIMITED), status=429)


def status_of(fates: Sequence[Fate]) -> int:
    """The rule of contract 13, without 503: 200 if any chunk was accepted or ended by its content, 429 before 413."""
    statuses = {f.status for f in fates} or {200}
    return next(s for s in (200, 429, 413) if s in statuses)


def several(name: str, build: Callable[[], Request], fates: Sequence[Fate], headers: dict[str, str] | None = None,
            counts: dict[Series, float] | None = None) -> Case:
    """The chunks of the request end so, in order; the status and all counters follow."""
    moved: Counter[Series] = Counter()
    for fate in fates:
        moved[series("chunks_total", end="rejected" if fate.reason else "delivered")] += 1
        if fate.reason:
            moved[series("chunks_rejected_total", reason=fate.reason)] += 1
        if fate.flag:
            moved[series("profile_chunks_feature_disabled_total", flag=fate.flag)] += 1
        if fate.outcome:
            moved[series("outcomes_total", end="delivered")] += 1
    return Case(name, build, status_of(fates), tuple(i for i, f in enumerate(fates) if not f.reason),
                tuple(f.outcome for f in fates if f.outcome), {**moved, **(counts or {})}, headers=headers or {})


def oversize(by: int = 1) -> Chunk:
    return plain(payload=b"[" * (MATRIX_LIMITS["max_profile_size"] + by))


# A project without the Perfetto flag and with a quota of 0 for profile_chunk_ui.
KINDS: dict[str, tuple[Callable[[], Chunk], Fate]] = {
    "delivered": (plain, DELIVERED),
    "content": (lambda: plain(version="1"), UNSUPPORTED),
    "flag": (lambda: compound(trace()), FLAGGED),
    "limited": (lambda: plain("cocoa"), UI_OFF),
    "too large": (oversize, TOO_LARGE),
}


def mixed(names: Sequence[str]) -> Case:
    fates = [KINDS[n][1] for n in names]
    headers = dict(UI_OFF_TOLD) if UI_OFF in fates else {}
    if status_of(fates) == 429:
        headers["retry-after"] = "60"
    return several("fates: " + ", ".join(names), lambda: request(*[KINDS[n][0]() for n in names], project=MIXED), fates,
                   headers)


FATES = [
    *(mixed(names) for size in range(1, len(KINDS) + 1) for names in itertools.combinations(KINDS, size)),
    mixed(list(reversed(KINDS))),
    mixed(["limited", "limited"]),
    mixed(["too large", "limited", "limited"]),
    mixed(["content", "content", "delivered", "delivered"]),
]
