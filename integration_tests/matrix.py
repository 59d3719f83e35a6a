"""The request matrix as data: what is sent, and all that must come of it. test_matrix.py runs one test per row.

Further rows stand in matrix_*.py, by section of the contract; all_rows.py joins them.

A row names the status, which chunks arrive on the topic `profiles`, which outcomes arrive on `outcomes`, and every
counter of FAMILIES that moves; a counter that a row does not name must stand still.
"""
from __future__ import annotations

import base64
import functools
import gzip
import json
import random
import zlib
from dataclasses import dataclass, field
from typing import Callable

import brotli
import zstandard

from support.envelopes import (Chunk, Request, auth, compound, item, metadata, new_id, pair, plain, request, sample_v2)
from support.metrics import Series, series
from support.perfetto_writer import MAIN, Thread, Trace, packet
from support.projects import (BLOCKED, DISABLED_KEY, DISABLED_PROJECT, LIMITED, MATRIX_LIMITS, NO_FLAGS, NO_NUMERIC_ID,
                              NO_PERFETTO, NOT_BLOCKED, ONE_DOMAIN, PERFETTO_ONLY, PROJECT)

UI, BACKEND = 26, 18  # data categories profile_chunk_ui and profile_chunk
FILTERED, RATE_LIMITED, INVALID = 1, 2, 3
FLAG = "organizations:continuous-profiling"
FLAG_PERFETTO = "organizations:continuous-profiling-perfetto"

# Counters that count requests and chunks. Byte counts, gauges and durations are no business of the matrix.
FAMILIES = ("chunks_total", "chunks_rejected_total", "profile_chunks_feature_disabled_total", "requests_rejected_total",
            "items_not_served_total", "items_unknown_total", "profile_chunk_data_replaced_total",
            "profile_chunk_data_orphaned_total", "raw_profile_not_stored_total", "outcomes_total", "envelopes_empty_total",
            "profile_chunks_without_platform_total", "client_sdk_missing_total", "client_profile_kept_total",
            "untracked_chunks_total")


@dataclass(frozen=True)
class Outcome:
    reason: str | None  # None: the record has no such key
    category: int = UI
    id: int = INVALID


@dataclass(frozen=True)
class Case:
    name: str
    build: Callable[[], Request]
    status: int = 200
    delivered: tuple[int, ...] = ()  # indices into Request.chunks
    outcomes: tuple[Outcome, ...] = ()
    counts: dict[Series, float] = field(default_factory=dict)
    decode_counts: dict[str, float] = field(default_factory=dict)  # counters of decode_total that must move
    detail: str = ""  # part of the error body's `detail`
    headers: dict[str, str] = field(default_factory=dict)  # that the answer must have, by name in lowercase

    @property
    def refused_by(self) -> str:
        """The reason that the whole request is refused by, or nothing."""
        reasons = [dict(labels)["reason"] for (name, labels) in self.counts
                   if name == "profile_relay_requests_rejected_total"]
        return reasons[0] if reasons else ""


def delivered(name: str, build: Callable[[], Request], chunks: int = 1, counts: dict[Series, float] | None = None,
              decode_counts: dict[str, float] | None = None) -> Case:
    """Every chunk of the request arrives."""
    return Case(name, build, 200, tuple(range(chunks)), (),
                {series("chunks_total", end="delivered"): chunks, **(counts or {})}, decode_counts or {})


def rejected(name: str, build: Callable[[], Request], reason: str, category: int = UI, status: int = 200,
             counts: dict[Series, float] | None = None) -> Case:
    """The only chunk of the request is rejected with an outcome of this reason."""
    label = reason.replace(":profile_chunk", "")
    return Case(name, build, status, (), (Outcome(reason, category),),
                {series("chunks_total", end="rejected"): 1, series("chunks_rejected_total", reason=label): 1,
                 series("outcomes_total", end="delivered"): 1, **(counts or {})})


def refused(name: str, build: Callable[[], Request], status: int, reason: str, detail: str = "") -> Case:
    """The request is refused as a whole; none of its chunks is even counted."""
    return Case(name, build, status, (), (), {series("requests_rejected_total", reason=reason): 1}, detail=detail)


def dropped_by_flag(name: str, build: Callable[[], Request], flag: str, arrives: tuple[int, ...] = ()) -> Case:
    counts = {series("chunks_total", end="rejected"): 1, series("chunks_rejected_total", reason="feature_disabled"): 1,
              series("profile_chunks_feature_disabled_total", flag=flag): 1}
    if arrives:
        counts[series("chunks_total", end="delivered")] = len(arrives)
    return Case(name, build, 200, arrives, (), counts)


def trace(**options: object) -> bytes:
    return Trace(**options).encode()


def cut_short(trace_bytes: bytes) -> bytes:
    return trace_bytes[:-3]


def broken_in_the_middle() -> bytes:
    """150 whole packets, then a length that no packet may have."""
    packets = Trace().packets()
    return b"".join(packets[:150]) + b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" + b"".join(packets[150:])


def random_bytes(size: int) -> bytes:
    # 0xff: field 31 of wire type 7, which does not exist, so that no seed happens to be a legal packet.
    return b"\xff" + random.Random(659).randbytes(size)


def stack_out_of_range() -> Request:
    chunk = new_id()
    document = sample_v2(chunk)
    document["profile"]["samples"][5]["stack_id"] = 99
    return request(plain(payload=json.dumps(document).encode()))


def frame_out_of_range() -> Request:
    document = sample_v2(new_id())
    document["profile"]["stacks"][0] = [0, 77]
    return request(plain(payload=json.dumps(document).encode()))


def numeric_thread_ids() -> Request:
    document = sample_v2(new_id())
    for sample in document["profile"]["samples"]:
        sample["thread_id"] = int(sample["thread_id"])
    return request(plain(payload=json.dumps(document).encode()))


def client_profile_wins() -> Request:
    profile = sample_v2(new_id(), "android")["profile"]
    return request(compound(trace(), profile=profile))


def dsn(project_id: int = PROJECT.id, key: str = PROJECT.key) -> str:
    return f"http://{key}@127.0.0.1/{project_id}"


def with_dsn(**dsn_parts: object) -> Request:
    return request(plain(), headers={}, envelope_header={"dsn": dsn(**dsn_parts)})


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress}


def encoded(coding: str, encode: Callable[[bytes], bytes]) -> Request:
    built = request(compound(trace()))
    built.body = encode(built.body)
    built.headers["Content-Encoding"] = coding
    return built


def query_auth() -> Request:
    built = request(plain(), headers={})
    built.path += f"?sentry_key={PROJECT.key}&sentry_version=7&sentry_client=sentry.javascript.node%2F11.0.0"
    return built


def to(path: str, method: str = "POST") -> Callable[[], Request]:
    def build() -> Request:
        built = request(plain())
        built.path, built.method = path, method
        return built
    return build


def body(content: bytes) -> Callable[[], Request]:
    return lambda: Request(content, headers=auth())


def one_chunk_truncated() -> Request:
    built = request(plain(), plain())
    built.body = built.body[:-200]
    return built


def big_item() -> Chunk:
    return compound(trace(padding=MATRIX_LIMITS["max_profile_size"]))


def big_envelope() -> Request:
    return request(plain(), item({"type": "attachment"}, bytes(MATRIX_LIMITS["max_envelope_size"])))


def damaged(coding: str, stream: bytes) -> bytes:
    """The checksum changed; brotli has none, so there the size of the window is one that does not exist."""
    if coding == "br":
        return b"\x11" + stream[1:]
    at = -6 if coding in ("gzip", "x-gzip") else -1  # gzip ends with the size, behind its checksum
    return stream[:at] + bytes([stream[at] ^ 0x55]) + stream[at:][1:]


@functools.cache
def packed_zeros(coding: str) -> bytes:
    """1 GiB of zeros as a stream of this coding."""
    zeros = bytes(1 << 20)
    match coding:
        case "br":
            compressor = brotli.Compressor(quality=5)
            packed = b"".join([*(compressor.process(zeros) for _ in range(1024)), compressor.finish()])
        case "zstd":
            compressor = zstandard.ZstdCompressor().compressobj()
            packed = b"".join([*(compressor.compress(zeros) for _ in range(1024)), compressor.flush()])
        case _:
            compressor = zlib.compressobj(9, wbits=15 if coding == "deflate" else 31)
            packed = b"".join([*(compressor.compress(zeros) for _ in range(1024)), compressor.flush()])
    assert len(packed) <= 1 << 20, (coding, len(packed))
    return packed


def bomb(coding: str) -> Request:
    """A client that sends all of it before it reads must get its answer."""
    return Request(packed_zeros(coding.removeprefix("x-")), headers={**auth(), "Content-Encoding": coding})


SESSION = item({"type": "session"}, b'{"sid":"1"}')
CLIENT_REPORT = item({"type": "client_report"}, b'{"timestamp":1,"discarded_events":[]}')
EVENT = item({"type": "event"}, b'{"message":"x"}')
UNKNOWN = item({"type": "from_the_future"}, b"\x00\x01 anything \xff")
DATA_ITEM = item({"type": "profile_chunk_data", "content_type": "application/octet-stream"}, b"\x0a\x00")
LONE = (Thread(1, 1, "a"), Thread(1, 2, "b"))
INVALID_TRACE = "profiling_invalid_sampled_profile"

FORMS = [
    delivered("compound chunk", lambda: request(compound(trace()))),
    delivered("compound chunk, one thread", lambda: request(compound(trace(threads=(MAIN,))))),
    delivered("item type profile_chunk_ui", lambda: request(compound(trace(), item_type="profile_chunk_ui"))),
    delivered("separate pair", lambda: request(pair(trace()))),
    delivered("separate pair, trace first", lambda: request(pair(trace(), data_first=True))),
    delivered("plain JSON chunk", lambda: request(plain())),
    delivered("plain JSON chunk, content type of released SDKs",
              lambda: request(plain(header={"content_type": "application-json"}))),
    delivered("plain JSON chunk without length", lambda: request(_without_length())),
    delivered("plain JSON chunk without header platform", lambda: request(plain(header={"platform": None})),
              counts={series("profile_chunks_without_platform_total"): 1}),
    delivered("chunk without client_sdk", lambda: request(compound(trace(), client_sdk=None)),
              counts={series("client_sdk_missing_total"): 1}),
    delivered("ids with dashes", lambda: request(_dashed())),
    delivered("three forms in one envelope", lambda: request(compound(trace()), plain(), pair(trace())), chunks=3),
    delivered("compound known from its metadata only",
              lambda: request(compound(trace(), header={"content_type": "application/octet-stream"},
                                       content_type="perfetto"))),
    delivered("key without a numeric id", lambda: request(compound(trace()), project=NO_NUMERIC_ID)),
    Case("metadata with a profile: the client's data wins", client_profile_wins, 200, (0,), (),
         {series("chunks_total", end="delivered"): 1, series("client_profile_kept_total"): 1}),
]

OTHER_ITEMS = [
    delivered("JSON chunk beside items of Relay's", lambda: request(SESSION, plain(), CLIENT_REPORT, EVENT), counts={
        series("items_not_served_total", type="session"): 1, series("items_not_served_total", type="event"): 1,
        series("items_not_served_total", type="client_report"): 1}),
    delivered("unknown items beside a chunk", lambda: request(UNKNOWN, compound(trace()), UNKNOWN),
              counts={series("items_unknown_total"): 2}),
    Case("unknown items only", lambda: request(UNKNOWN), counts={series("items_unknown_total"): 1}),
    Case("empty envelope", lambda: request(), counts={series("envelopes_empty_total"): 1}),
    Case("header only, no newline", body(b"{}"), counts={series("envelopes_empty_total"): 1}),
    Case("data item without a chunk", lambda: request(DATA_ITEM),
         counts={series("profile_chunk_data_orphaned_total"): 1}),
    delivered("data item beside a compound chunk", lambda: request(compound(trace()), DATA_ITEM),
              counts={series("profile_chunk_data_orphaned_total"): 1}),
    delivered("two data items, the last wins", lambda: request(_two_data_items()),
              counts={series("profile_chunk_data_replaced_total"): 1}),
]

FLAGS = [
    dropped_by_flag("no flag, plain JSON", lambda: request(plain(), project=NO_FLAGS), FLAG),
    dropped_by_flag("no flag, compound", lambda: request(compound(trace()), project=NO_FLAGS), FLAG),
    dropped_by_flag("perfetto flag alone", lambda: request(compound(trace()), project=PERFETTO_ONLY), FLAG),
    dropped_by_flag("no perfetto flag, compound", lambda: request(compound(trace()), project=NO_PERFETTO), FLAG_PERFETTO),
    dropped_by_flag("no perfetto flag, pair", lambda: request(pair(trace()), project=NO_PERFETTO), FLAG_PERFETTO),
    dropped_by_flag("no perfetto flag, known from metadata only", lambda: request(
        compound(trace(), header={"content_type": None}, content_type="perfetto"), project=NO_PERFETTO), FLAG_PERFETTO),
    dropped_by_flag("no perfetto flag, plain JSON goes on", lambda: request(
        compound(trace()), plain(), project=NO_PERFETTO), FLAG_PERFETTO, arrives=(1,)),
    dropped_by_flag("no flag, payload is not even looked at", lambda: request(
        plain(payload=b"not json"), project=NO_FLAGS), FLAG),
]

WHO = [
    delivered("auth in the query", query_auth),
    delivered("auth as Authorization: Sentry", lambda: request(plain(), headers={
        "Authorization": auth()["X-Sentry-Auth"]})),
    delivered("auth as Basic", lambda: request(plain(), headers={
        "Authorization": "Basic " + base64.b64encode(f"{PROJECT.key}:".encode()).decode()})),
    delivered("DSN in the envelope", with_dsn),
    delivered("path without trailing slash", to(f"/api/{PROJECT.id}/envelope")),
    delivered("path with repeated slashes", to(f"//api/{PROJECT.id}//envelope//")),
    delivered("allowed origin", lambda: request(plain(), project=ONE_DOMAIN, headers={
        **auth(ONE_DOMAIN.key), "Origin": "https://shop.example"})),
    refused("other origin", lambda: request(plain(), project=ONE_DOMAIN, headers={
        **auth(ONE_DOMAIN.key), "Origin": "https://evil.example"}), 403, "origin_not_allowed"),
    refused("unknown key", lambda: request(plain(), headers=auth("0" * 32)), 403, "unknown_key"),
    refused("key of another project", lambda: request(plain(), headers=auth(NO_FLAGS.key)), 403, "wrong_project"),
    refused("disabled key", lambda: request(plain(), project=DISABLED_KEY), 403, "disabled_key"),
    refused("disabled project", lambda: request(plain(), project=DISABLED_PROJECT), 403, "disabled_project"),
    refused("no auth", lambda: request(plain(), headers={}), 401, "auth_missing"),
    refused("two auths", lambda: request(plain(), headers={**auth(), "Authorization": auth()["X-Sentry-Auth"]}),
            401, "auth_multiple", "multiple authorization payloads detected"),
    refused("unusable DSN in the envelope", lambda: request(plain(), headers={}, envelope_header={"dsn": "nonsense"}),
            401, "auth_bad_envelope_header", "bad envelope authentication header"),
    refused("DSN of another project in the envelope", lambda: request(plain(), envelope_header={
        "dsn": dsn(NO_FLAGS.id)}), 400, "envelope_header_mismatch"),
    refused("DSN with another key in the envelope", lambda: request(plain(), envelope_header={
        "dsn": dsn(key=NO_FLAGS.key)}), 400, "envelope_header_mismatch"),
    refused("key that is not hex", lambda: request(plain(), headers=auth("z" * 32)), 400, "bad_public_key",
            "bad sentry DSN public key"),
    refused("version from the future", lambda: request(plain(), headers=auth(version="8")), 400, "bad_version"),
    refused("project id that is no number", to("/api/shop/envelope/"), 400, "bad_project_id"),
    refused("route that Relay serves", to(f"/api/{PROJECT.id}/store/"), 404, "route_not_served"),
    refused("unknown route", to("/nowhere"), 404, "route_not_found"),
    refused("wrong method", to(f"/api/{PROJECT.id}/envelope/", "PUT"), 405, "method_not_allowed"),
]

BROKEN_ENVELOPES = [
    refused("empty body", body(b""), 400, "empty_body"),
    refused("blanks only", body(b" \n\t"), 400, "envelope_missing_header"),
    refused("header is not JSON", body(b"hello\n"), 400, "envelope_invalid_header", "invalid event envelope"),
    refused("header is an array", body(b"[]\n"), 400, "envelope_invalid_header"),
    refused("text after the header", body(b"{} x\n"), 400, "envelope_missing_newline"),
    refused("malformed event id", body(b'{"event_id":"abc"}\n'), 400, "envelope_invalid_header"),
    refused("item header without type", body(b'{}\n{"length":2}\nab\n'), 400, "envelope_invalid_item_header"),
    refused("length is a string", body(b'{}\n{"type":"event","length":"2"}\nab\n'), 400, "envelope_invalid_item_header"),
    refused("length beyond the end", body(b'{}\n{"type":"event","length":99}\nab\n'), 400, "envelope_unexpected_eof"),
    refused("no newline after the payload", body(b'{}\n{"type":"event","length":1}\nab\n'), 400,
            "envelope_missing_newline"),
    refused("internal item type", body(b'{}\n{"type":"integration","length":0}\n\n'), 400,
            "envelope_internal_item_type"),
    refused("one good chunk, the second cut off", one_chunk_truncated, 400, "envelope_unexpected_eof"),
]

# None of them changes the body (contract 5.3); released SDKs send the last two.
NO_ENCODINGS = ("identity", "utf-8", "")

ENCODINGS = [
    *(delivered(coding, lambda c=coding: encoded(c, ENCODERS[c])) for coding in ENCODERS),
    *(delivered(f"no coding: {coding!r}", lambda c=coding: encoded(c, bytes)) for coding in NO_ENCODINGS),
    delivered("name of a coding in upper case", lambda: encoded("GZip", gzip.compress)),
    *(refused(f"{coding}: not such a stream", lambda c=coding: encoded(c, lambda _: b"\xff" * 500), 400, "bad_encoding")
      for coding in ENCODERS),
    *(refused(f"{coding}: damaged", lambda c=coding: encoded(c, lambda b: damaged(c, ENCODERS[c](b))), 400, "bad_encoding")
      for coding in ENCODERS),
    *(refused(f"{coding}: cut off", lambda c=coding: encoded(c, lambda b: ENCODERS[c](b)[:-9]), 400, "bad_encoding")
      for coding in ENCODERS),
    *(refused(f"{coding}: data after its end", lambda c=coding: encoded(c, lambda b: ENCODERS[c](b) + b"x"), 400,
              "bad_encoding") for coding in ENCODERS),
    *(refused(f"{coding}: a second stream", lambda c=coding: encoded(c, lambda b: ENCODERS[c](b) * 2), 400,
              "bad_encoding") for coding in ENCODERS),
    *(refused(f"{coding}: bomb of 1 GiB", lambda c=coding: bomb(c), 413, "body_too_large") for coding in ENCODERS),
    refused("unknown coding", lambda: encoded("lzma", bytes), 415, "unsupported_encoding"),
    *(refused(f"several codings: {several}", lambda s=several: encoded(s, gzip.compress), 415, "unsupported_encoding")
      for several in ("gzip, gzip", "gzip, br", "gzip,identity", "identity, gzip", "gzip,")),
]

SIZES = [
    rejected("oversize item", lambda: request(big_item()), "too_large:profile_chunk", status=413),
    Case("oversize item beside a good one", lambda: request(big_item(), plain()), 200, (1,),
         (Outcome("too_large:profile_chunk"),),
         {series("chunks_total", end="rejected"): 1, series("chunks_total", end="delivered"): 1,
          series("chunks_rejected_total", reason="too_large"): 1, series("outcomes_total", end="delivered"): 1}),
    refused("oversize envelope", big_envelope, 413, "body_too_large"),
]

BACKEND_OFF = {"x-sentry-rate-limits": "60:profile_chunk:project:backend_off"}


def limited(name: str, build: Callable[[], Request], chunks: int = 1, unknown_items: int = 0) -> Case:
    """All chunks of the request meet the quota of LIMITED."""
    others = {series("items_unknown_total"): unknown_items} if unknown_items else {}
    return Case(name, build, 429, (), (Outcome("backend_off", BACKEND, RATE_LIMITED),) * chunks,
                {series("chunks_total", end="rejected"): chunks,
                 series("chunks_rejected_total", reason="rate_limited"): chunks,
                 series("outcomes_total", end="delivered"): chunks, **others},
                detail="rate limited", headers={**BACKEND_OFF, "retry-after": "60"})


QUOTAS = [
    limited("rate limited", lambda: request(plain(), project=LIMITED)),
    limited("rate limited, every chunk", lambda: request(plain(), plain(), project=LIMITED), 2),
    limited("rate limited before the payload is parsed", lambda: request(plain(payload=b"[1,2"), project=LIMITED)),
    limited("rate limited before the size is looked at", lambda: request(
        plain(payload=bytes(MATRIX_LIMITS["max_profile_size"] + 1)), project=LIMITED)),
    delivered("rate limits of another category", lambda: request(compound(trace()), project=LIMITED)),
    Case("rate limited beside a chunk of another category", lambda: request(plain(), compound(trace()), project=LIMITED),
         200, (1,), (Outcome("backend_off", BACKEND, RATE_LIMITED),),
         {series("chunks_total", end="rejected"): 1, series("chunks_total", end="delivered"): 1,
          series("chunks_rejected_total", reason="rate_limited"): 1, series("outcomes_total", end="delivered"): 1},
         headers=BACKEND_OFF),
]

def filtered(name: str, build: Callable[[], Request], category: int, chunks: int = 1) -> Case:
    """The project drops what the client's address sends (contract 10)."""
    return Case(name, build, 200, (), (Outcome("ip-address", category, FILTERED),) * chunks,
                {series("chunks_total", end="rejected"): chunks,
                 series("chunks_rejected_total", reason="filtered_ip_address"): chunks,
                 series("outcomes_total", end="delivered"): chunks})


FILTERS = [
    filtered("blocked network", lambda: request(plain(), project=BLOCKED), BACKEND),
    filtered("blocked network, a trace", lambda: request(compound(trace()), project=BLOCKED), UI),
    filtered("blocked network, every chunk", lambda: request(plain(), plain(), project=BLOCKED), BACKEND, 2),
    # Contract 3.6: filters come after expansion and before normalisation.
    rejected("blocked network, a broken chunk keeps its own reason",
             lambda: request(plain(payload=b"[1,2"), project=BLOCKED), "profiling_invalid_json", BACKEND),
    filtered("blocked network, before the samples are counted", lambda: request(
        compound(trace(samples=2, threads=LONE)), project=BLOCKED), UI),
    # Only a proxy that http.trusted_proxies names is believed; the target has none.
    filtered("blocked network, whatever X-Forwarded-For says", lambda: request(
        plain(), project=BLOCKED, headers={**auth(BLOCKED.key), "X-Forwarded-For": "nonsense"}), BACKEND),
    delivered("not blocked", lambda: request(plain(), project=NOT_BLOCKED)),
    delivered("not blocked, whatever X-Forwarded-For says", lambda: request(
        plain(), project=NOT_BLOCKED, headers={**auth(NOT_BLOCKED.key), "X-Forwarded-For": "198.51.100.7"})),
]

TRACES = [
    delivered("trace cut off in its last packet", lambda: request(compound(cut_short(trace()))),
              decode_counts={"packet_truncated": 1}),
    delivered("trace broken in the middle keeps what precedes", lambda: request(compound(broken_in_the_middle())),
              decode_counts={"packet_corrupt": 1}),
    rejected("random bytes as trace", lambda: request(compound(random_bytes(5000))), INVALID_TRACE),
    rejected("one byte as trace, a packet cut off", lambda: request(compound(b"\xff")), "profiling_not_enough_samples"),
    rejected("trace without samples", lambda: request(compound(trace(samples=0))), "profiling_not_enough_samples"),
    rejected("trace of empty packets", lambda: request(compound(packet() * 50)), "profiling_not_enough_samples"),
    rejected("one sample per thread", lambda: request(compound(trace(samples=2, threads=LONE))),
             "profiling_not_enough_samples"),
    rejected("no wall clock in the trace", lambda: request(compound(trace(realtime=False))), INVALID_TRACE),
    delivered("66 seconds exactly", lambda: request(compound(trace(duration_ns=66_000_000_000)))),
    rejected("66.5 seconds", lambda: request(compound(trace(duration_ns=66_500_000_000))),
             "profiling_duration_is_too_long"),
    Case("a damaged chunk beside good ones", lambda: request(compound(trace()), compound(random_bytes(99)), plain()),
         200, (0, 2), (Outcome(INVALID_TRACE),),
         {series("chunks_total", end="rejected"): 1, series("chunks_total", end="delivered"): 2,
          series("chunks_rejected_total", reason=INVALID_TRACE): 1, series("outcomes_total", end="delivered"): 1}),
]

DOCUMENTS = [
    rejected("meta_length missing", lambda: request(compound(trace(), header={"meta_length": None})), INVALID_TRACE),
    rejected("meta_length 0", lambda: request(compound(trace(), header={"meta_length": 0})), INVALID_TRACE),
    rejected("meta_length of the whole payload", lambda: request(compound(b"", header={})), INVALID_TRACE),
    rejected("meta_length on plain JSON", lambda: request(plain(header={"meta_length": 5})), INVALID_TRACE, BACKEND),
    rejected("Perfetto without header platform", lambda: request(compound(trace(), header={"platform": None})),
             "profiling_invalid_profile_type"),
    rejected("header platform differs", lambda: request(compound(trace(), header={"platform": "cocoa"})),
             "profiling_invalid_profile_type"),
    rejected("header platform differs, plain JSON", lambda: request(plain(header={"platform": "node"})),
             "profiling_invalid_profile_type", BACKEND),
    rejected("metadata is not JSON", lambda: request(compound(trace(), meta=b"{not json")), "profiling_invalid_json"),
    rejected("metadata without chunk_id", lambda: request(compound(trace(), meta=json.dumps(
        {k: v for k, v in metadata(new_id()).items() if k != "chunk_id"}).encode())), "profiling_invalid_json"),
    rejected("empty payload", lambda: request(item({"type": "profile_chunk", "length": 0}, b"")),
             "profiling_invalid_json", BACKEND),
    rejected("plain JSON that is not JSON", lambda: request(plain(payload=b"[1,2")), "profiling_invalid_json", BACKEND),
    rejected("numeric thread ids", numeric_thread_ids, "profiling_invalid_json", BACKEND),
    rejected("version 1", lambda: request(plain(version="1")), "profiling_platform_not_supported", BACKEND),
    rejected("version unknown", lambda: request(plain(version="3")), "profiling_platform_not_supported", BACKEND),
    rejected("version missing", lambda: request(plain(version=None)), "profiling_platform_not_supported", BACKEND),
    rejected("legacy Android trace chunk", lambda: request(plain("android", sampled_profile="AAAA", profile=None)),
             "profiling_platform_not_supported"),
    rejected("stack index out of range", stack_out_of_range, "profiling_malformed_samples", BACKEND),
    rejected("frame index out of range", frame_out_of_range, "profiling_malformed_stacks", BACKEND),
]


def _without_length() -> Chunk:
    chunk = plain()
    payload = chunk.items[0].split(b"\n", 1)[1].rstrip(b"\n")
    chunk.items = [item({"type": "profile_chunk", "platform": "python"}, payload, length=False)]
    return chunk


def _dashed() -> Chunk:
    """The ids of the message must come out without the dashes."""
    chunk = plain()
    dashed = "-".join((chunk.chunk_id[:8], chunk.chunk_id[8:12], chunk.chunk_id[12:16], chunk.chunk_id[16:20],
                       chunk.chunk_id[20:]))
    payload = json.dumps(sample_v2(dashed)).encode()
    chunk.items = [item({"type": "profile_chunk", "platform": "python"}, payload)]
    return chunk


def _two_data_items() -> Chunk:
    chunk = pair(trace())
    data = chunk.items.pop()
    chunk.items += [DATA_ITEM, data]
    return chunk


MATRIX = [*FORMS, *OTHER_ITEMS, *FLAGS, *WHO, *BROKEN_ENVELOPES, *ENCODINGS, *SIZES, *QUOTAS, *FILTERS, *TRACES, *DOCUMENTS]
