"""Rows of contract 6: which quotas refuse a chunk, and how the client is told. Counted ones: test_rate_limits.py."""
from __future__ import annotations

from dataclasses import replace

from matrix import BACKEND, RATE_LIMITED, UI, Outcome, trace
from matrix_fates import DELIVERED, Fate, several
from support.envelopes import compound, plain, request
from support.projects import MANY_LIMITS, NO_LIMITS

# All hold for 60 s, and of equals the first is the longest: its quota has no reason, so the outcome has none.
NO_REASON = Fate("rate_limited", Outcome(None, BACKEND, RATE_LIMITED), status=429)
# An unknown scope counts as the most specific one. Characters that would end a field are replaced in reasons.
FOR_ALL = ["60::organization", "60:profile_chunk;profile_chunk_ui:project:both", "60::key:this_key", "60::project:a_b_c_d"]
FOR_BACKEND = ["60:profile_chunk:organization:this_organization", "60:profile_chunk:key:unknown_scope"]


def told(*limits: str) -> dict[str, str]:
    return {"x-sentry-rate-limits": ", ".join(limits)}


TOLD = [
    several("quotas: every limit that a chunk met is told", lambda: request(plain(), project=MANY_LIMITS), [NO_REASON],
            {**told(*FOR_ALL, *FOR_BACKEND), "retry-after": "60"}),
    several("quotas: those of the other category are not", lambda: request(compound(trace()), project=MANY_LIMITS),
            [replace(NO_REASON, outcome=Outcome(None, UI, RATE_LIMITED))], {**told(*FOR_ALL), "retry-after": "60"}),
    several("quotas: those of all chunks of a request are told once", lambda: request(
        plain(), compound(trace()), plain(), project=MANY_LIMITS),
        [NO_REASON, replace(NO_REASON, outcome=Outcome(None, UI, RATE_LIMITED)), NO_REASON],
        {**told(*FOR_ALL, *FOR_BACKEND), "retry-after": "60"}),
    several("quotas: null counts only; a wrong quota refuses nothing", lambda: request(
        plain(), compound(trace()), plain(), project=NO_LIMITS), [DELIVERED] * 3),
]
