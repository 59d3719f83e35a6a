"""Rows of contract 5.5, order of checks: each request breaks two neighbours of that order, and the first answers.

Also what no reply may do: repeat what came in.
"""
from __future__ import annotations

import gzip
import json
from typing import Callable

from conformance import CANARY
from matrix import BACKEND, FLAG, UNKNOWN, Case, Outcome, dropped_by_flag, dsn, limited, refused
from matrix_fates import DELIVERED, TOO_LARGE, TOO_MANY, UI_OFF, UI_OFF_TOLD, Fate, oversize, several
from support.envelopes import Request, auth, plain, request
from support.projects import FLAGLESS_AND_LIMITED, LIMITED, MATRIX_LIMITS, MIXED, NO_FLAGS, PROJECT

STRANGER = auth("0" * 32)
OVERSIZE = MATRIX_LIMITS["max_envelope_size"] + 1
MOST_CHUNKS = MATRIX_LIMITS["max_profile_chunk_count"]
BROKEN_ITEM = b'\n{"type":"profile_chunk","length":99}\nab'


def post(body: bytes = b"{}", path: str = f"/api/{PROJECT.id}/envelope/", method: str = "POST",
         headers: dict[str, str] | None = None, **more: str) -> Callable[[], Request]:
    return lambda: Request(body, path=path, method=method, headers={**(auth() if headers is None else headers), **more})


def order(first: str, second: str, build: Callable[[], Request], status: int, reason: str) -> Case:
    return refused(f"order: {first} before {second}", build, status, reason)


ORDER = [
    order("route", "method", post(path="/nowhere", method="PUT"), 404, "route_not_found"),
    order("route", "authorization", post(path="/api/42/store/", headers={}), 404, "route_not_served"),
    order("method", "headers", post(path="/api/shop/envelope/", method="PUT", headers={}), 405, "method_not_allowed"),
    order("project id", "authorization", post(path="/api/shop/envelope/", headers={}), 400, "bad_project_id"),
    order("several authorizations", "their contents",
          post(headers=STRANGER, Authorization=auth("z" * 32)["X-Sentry-Auth"]), 401, "auth_multiple"),
    order("version", "key", post(headers=auth("z" * 32, "8")), 400, "bad_version"),
    order("key", "body limit", post(bytes(OVERSIZE), headers=STRANGER), 403, "unknown_key"),
    order("key", "coding", post(headers=STRANGER, **{"Content-Encoding": "lzma"}), 403, "unknown_key"),
    order("key", "empty body", post(b"", headers=STRANGER), 403, "unknown_key"),
    order("key in the envelope", "coding's damage", lambda: Request(
        gzip.compress(json.dumps({"dsn": dsn(key="0" * 32)}).encode() + b"\n" + bytes(5000))[:-1],
        headers={"Content-Encoding": "gzip"}), 403, "unknown_key"),
    order("body limit", "decoding", post(b"\xff" * OVERSIZE, **{"Content-Encoding": "gzip"}), 413, "body_too_large"),
    order("decoding", "parse", post(gzip.compress(b"{}" + BROKEN_ITEM) + b"x", **{"Content-Encoding": "gzip"}), 400,
          "bad_encoding"),
    order("parse", "header match", lambda: Request(
        json.dumps({"dsn": dsn(NO_FLAGS.id)}).encode() + BROKEN_ITEM, headers=auth()), 400, "envelope_unexpected_eof"),
    order("header match", "removal of items", lambda: request(UNKNOWN, envelope_header={"dsn": dsn(NO_FLAGS.id)}), 400,
          "envelope_header_mismatch"),
    limited("order: removal of items before quotas", lambda: request(UNKNOWN, plain(), UNKNOWN, project=LIMITED),
            unknown_items=2),
    dropped_by_flag("order: flags before quotas", lambda: request(plain(), project=FLAGLESS_AND_LIMITED), FLAG),
    dropped_by_flag("order: flags before sizes", lambda: request(oversize(), project=NO_FLAGS), FLAG),
    # Quotas before sizes and before contents are rows of QUOTAS.
    several("order: quotas before the count", lambda: request(
        *[plain() for _ in range(MOST_CHUNKS)], plain("cocoa"), project=MIXED),
        [DELIVERED] * MOST_CHUNKS + [UI_OFF], UI_OFF_TOLD),
    several("order: size before content", lambda: request(oversize()), [TOO_LARGE]),
    several("order: count before content", lambda: request(
        *[plain() for _ in range(MOST_CHUNKS)], plain(payload=b"not json")), [DELIVERED] * MOST_CHUNKS + [TOO_MANY]),
    several("order: size before the count", lambda: request(
        *[plain() for _ in range(MOST_CHUNKS)], oversize()), [DELIVERED] * MOST_CHUNKS + [TOO_LARGE]),
]

MARK = CANARY.decode()
INVALID_JSON = Fate("profiling_invalid_json", Outcome("profiling_invalid_json", BACKEND))

NO_ECHO = [
    refused("echo: path", post(path=f"/{MARK}"), 404, "route_not_found"),
    refused("echo: path of Relay's", post(path=f"/api/42/store/{MARK}"), 404, "route_not_served"),
    refused("echo: project id", post(path=f"/api/{MARK}/envelope/"), 400, "bad_project_id"),
    refused("echo: method", post(method="CANARY-659"), 405, "method_not_allowed"),
    refused("echo: key", post(headers=auth(MARK)), 400, "bad_public_key"),
    refused("echo: version", post(headers=auth(version=MARK)), 401, "auth_malformed"),
    refused("echo: auth", post(headers={"X-Sentry-Auth": MARK}), 401, "auth_malformed"),
    refused("echo: query", post(path=f"/api/42/envelope/?sentry_{MARK}", headers={}), 401, "auth_malformed"),
    refused("echo: coding", post(**{"Content-Encoding": MARK}), 415, "unsupported_encoding"),
    refused("echo: origin", lambda: request(plain(), project=MIXED, envelope_header={"origin": f"https://{MARK}"}), 400,
            "envelope_header_mismatch"),
    refused("echo: DSN", post(json.dumps({"dsn": f"http://{MARK}@x/1"}).encode()), 400, "envelope_invalid_header"),
    refused("echo: event id", post(json.dumps({"event_id": MARK}).encode()), 400, "envelope_invalid_header"),
    refused("echo: no JSON", post(CANARY), 400, "envelope_invalid_header"),
    refused("echo: item type", post(b'{}\n{"type":{"%s":1}}\n' % CANARY), 400, "envelope_invalid_item_header"),
    refused("echo: length", post(b'{}\n{"type":"event","length":"%s"}\nx' % CANARY), 400, "envelope_invalid_item_header"),
    refused("echo: key of an item header", post(b'{}\n{"%s":}\nx' % CANARY), 400, "envelope_invalid_item_header"),
    refused("echo: payload", post(b'{}\n{"type":"event","length":1}\n' + CANARY), 400, "envelope_missing_newline"),
    several("echo: chunk", lambda: request(plain(payload=b'{"version":"2","%s":' % CANARY, header={"filename": MARK})),
            [INVALID_JSON]),
]
