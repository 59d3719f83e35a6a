"""Rows of contract 5.2 and 10: who may send what. Sources of authorization, their faults, origins."""
from __future__ import annotations

import base64
from typing import Any

from matrix import Case, delivered, dsn, refused
from support.envelopes import Request, auth, plain, request
from support.projects import (DISABLED_KEY, DISABLED_PROJECT, NO_DOMAIN, NO_FLAGS, ONE_DOMAIN, PATTERNS, PROJECT, Project)

KEY = PROJECT.key
STRANGER = "0" * 32


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def sentry(key: str = KEY, more: str = ", sentry_version=7") -> str:
    return f"Sentry sentry_key={key}{more}"


def ask(headers: dict[str, str] | None = None, query: str = "", project: Project = PROJECT, path: str = "",
        **envelope_header: Any) -> Request:
    built = request(plain(), project=project, headers=headers or {}, envelope_header=envelope_header)
    built.path = (path or built.path) + (f"?{query}" if query else "")
    return built


def by_x(key: str = KEY) -> dict[str, Any]:
    return {"headers": {"X-Sentry-Auth": sentry(key)}}


def by_authorization(key: str = KEY) -> dict[str, Any]:
    return {"headers": {"Authorization": sentry(key)}}


def by_basic(key: str = KEY) -> dict[str, Any]:
    return {"headers": {"Authorization": basic(f"{key}:")}}


def by_query(key: str = KEY) -> dict[str, Any]:
    return {"query": f"sentry_key={key}&sentry_version=7"}


def by_envelope(key: str = KEY) -> dict[str, Any]:
    return {"dsn": dsn(key=key)}


# Contract 5.2, 1 to 4. The fifth stands in the path of routes that are not served here.
SOURCES = {"X-Sentry-Auth": by_x, "Authorization: Sentry": by_authorization, "Basic": by_basic, "query": by_query}
# One header has one value: Authorization twice is a row of conformance.py.
TOGETHER = [("X-Sentry-Auth", "Authorization: Sentry"), ("X-Sentry-Auth", "Basic"), ("X-Sentry-Auth", "query"),
            ("Authorization: Sentry", "query"), ("Basic", "query"), ("X-Sentry-Auth", "Authorization: Sentry", "query")]


def all_of(names: tuple[str, ...]) -> Request:
    parts = [SOURCES[n]() for n in names]
    return ask({k: v for p in parts for k, v in p.get("headers", {}).items()},
               "&".join(p["query"] for p in parts if "query" in p))


def with_x(value: str, **more: Any) -> Request:
    return ask({"X-Sentry-Auth": value}, **more)


def ok(name: str, build: Any) -> Case:
    return delivered(f"auth: {name}", build)


def no(name: str, build: Any, status: int, reason: str) -> Case:
    return refused(f"auth: {name}", build, status, reason)


AUTH = [
    *(ok(f"{name} alone", lambda s=s: ask(**s())) for name, s in SOURCES.items()),
    *(no(f"{name} of a stranger", lambda s=s: ask(**s(STRANGER)), 403, "unknown_key")
      for name, s in (*SOURCES.items(), ("envelope", by_envelope))),
    *(no(f"{name} with a key that is none", lambda s=s: ask(**s("abc")), 400, "bad_public_key")
      for name, s in SOURCES.items()),
    *(no(" and ".join(names), lambda n=names: all_of(n), 401, "auth_multiple") for names in TOGETHER),
    # What is counted as a source is decided before any is parsed.
    no("two sources, both broken", lambda: ask({"X-Sentry-Auth": "nonsense"}, "sentry_nonsense"), 401, "auth_multiple"),
    *(ok(f"{name} and the envelope agree", lambda s=s: ask(**s(), **by_envelope())) for name, s in SOURCES.items()),
    *(no(f"{name}, and the envelope names another project", lambda s=s: ask(**s(), dsn=dsn(NO_FLAGS.id)), 400,
         "envelope_header_mismatch") for name, s in SOURCES.items()),
    *(no(f"{name}, and the envelope names another key", lambda s=s: ask(**s(), dsn=dsn(key=NO_FLAGS.key)), 400,
         "envelope_header_mismatch") for name, s in SOURCES.items()),
    no("a good header, and the envelope's DSN is none", lambda: ask(**by_x(), dsn="nonsense"), 400,
       "envelope_invalid_header"),
    no("the envelope alone names another project than the path", lambda: ask(dsn=dsn(NO_FLAGS.id)), 400,
       "envelope_header_mismatch"),
    no("the envelope alone, a disabled key", lambda: ask(project=DISABLED_KEY, dsn=dsn(DISABLED_KEY.id, DISABLED_KEY.key)),
       403, "disabled_key"),
    no("the envelope's first line is no JSON", lambda: Request(b"hello\n" + request(plain()).body), 401,
       "auth_bad_envelope_header"),
    no("nothing at all", lambda: Request(b""), 401, "auth_bad_envelope_header"),
    no("an envelope without a DSN", lambda: ask(), 401, "auth_missing"),

    ok("prefix in any case", lambda: with_x(f"sEnTrY sentry_key={KEY}")),
    ok("blanks, secrets and unknown words",
       lambda: with_x(f"Sentry  sentry_timestamp=1 ,sentry_secret=x,x=y , sentry_key = {KEY},,sentry_client=a/1")),
    ok("key in upper case", lambda: with_x(sentry(KEY.upper()))),
    ok("key with a flag", lambda: with_x(sentry(KEY + ":no-cache"))),
    ok("key with a flag, the other form", lambda: with_x(sentry(KEY + "-no-cache"))),
    no("key with something else behind", lambda: with_x(sentry(KEY + "/no-cache")), 400, "bad_public_key"),
    no("key of 31 digits", lambda: with_x(sentry(KEY[1:])), 400, "bad_public_key"),
    no("key of 33 digits", lambda: with_x(sentry(KEY + "0")), 400, "bad_public_key"),
    no("empty key", lambda: with_x(sentry("")), 400, "bad_public_key"),
    no("X-Sentry-Auth without a key", lambda: with_x("Sentry sentry_version=7"), 401, "auth_malformed"),
    no("X-Sentry-Auth without its prefix", lambda: with_x(f"sentry_key={KEY}"), 401, "auth_malformed"),
    no("X-Sentry-Auth empty", lambda: with_x(""), 401, "auth_malformed"),
    no("query without a key", lambda: ask(query="sentry_version=7"), 401, "auth_malformed"),
    no("query that only looks so", lambda: ask(query="x=sentry_"), 401, "auth_malformed"),
    ok("other words in the query", lambda: ask({"X-Sentry-Auth": sentry()}, "glitchtip_key=x&y=%zz")),
    *(ok(f"version {v}", lambda v=v: with_x(sentry(more=f",sentry_version={v}"))) for v in ("7", "5", "0", "7.0", " 7 ")),
    ok("no version", lambda: with_x(sentry(more=""))),
    *(no(f"version {v}", lambda v=v: with_x(sentry(more=f",sentry_version={v}")), 400, "bad_version")
      for v in ("8", "8.0", "18446744073709551616")),
    *(no(f"version {v!r}", lambda v=v: with_x(sentry(more=f",sentry_version={v}")), 401, "auth_malformed")
      for v in ("", "-1", "seven", "7a", "7.x")),
    no("version from the future in the query", lambda: ask(query=f"sentry_key={KEY}&sentry_version=8"), 400, "bad_version"),

    # What cannot be decoded counts as absent, and so do other schemes.
    *(no(f"{name} alone", lambda v=v: ask({"Authorization": v}), 401, "auth_missing")
      for name, v in (("Basic that is no base64", "Basic %%%"), ("Basic without a colon", basic(KEY)),
                      ("Basic empty", "Basic"), ("Bearer", "Bearer " + KEY))),
    *(ok(f"{name} beside X-Sentry-Auth", lambda v=v: ask({"Authorization": v, "X-Sentry-Auth": sentry()}))
      for name, v in (("Basic that is no base64", "Basic %%%"), ("Bearer", "Bearer " + KEY))),
    ok("Basic that is no base64 beside the envelope's DSN", lambda: ask({"Authorization": "Basic %%%"}, dsn=dsn())),
    ok("Basic with a password", lambda: ask({"Authorization": basic(f"{KEY}:secret:x")})),

    *(no(f"project id {p!r}", lambda p=p: ask(path=f"/api/{p}/envelope/", **by_x()), 400, "bad_project_id")
      for p in ("18446744073709551616", "-1", "+42", "0x2a", "42a", "%34%32", "42.0")),
    no("project id of 64 bits", lambda: ask(path="/api/18446744073709551615/envelope/", **by_x()), 403, "wrong_project"),
    no("a disabled key of another project", lambda: ask(**by_x(DISABLED_KEY.key)), 403, "wrong_project"),
    no("a disabled project and a bad origin", lambda: ask(
        {"X-Sentry-Auth": sentry(DISABLED_PROJECT.key), "Origin": "https://evil.example"}, project=DISABLED_PROJECT), 403,
       "disabled_project"),
]


def from_origin(project: Project, sent: str | None, referer: str | None = None, **envelope_header: Any) -> Request:
    headers = {"Origin": sent, "Referer": referer, **auth(project.key)}
    return ask({k: v for k, v in headers.items() if v is not None}, project=project, **envelope_header)


def passes(project: Project, origin: str | None, referer: str | None = None) -> Case:
    return delivered(f"origin: {project.domains} let {origin} pass, Referer {referer}",
                     lambda: from_origin(project, origin, referer))


def stopped(project: Project, origin: str | None, referer: str | None = None) -> Case:
    return refused(f"origin: {project.domains} stop {origin}, Referer {referer}",
                   lambda: from_origin(project, origin, referer), 403, "origin_not_allowed")


SHOP, EVIL = "https://shop.example", "https://evil.example"

ORIGINS = [
    passes(PROJECT, EVIL),
    passes(PROJECT, None, EVIL),
    passes(ONE_DOMAIN, None),
    passes(ONE_DOMAIN, SHOP),
    passes(ONE_DOMAIN, "HTTPS://SHOP.EXAMPLE"),
    passes(ONE_DOMAIN, SHOP, EVIL),
    passes(ONE_DOMAIN, None, SHOP + "/cart?x=1"),
    passes(ONE_DOMAIN, "null"),
    passes(ONE_DOMAIN, "chrome-extension://abc"),
    passes(ONE_DOMAIN, "file://", SHOP),
    stopped(ONE_DOMAIN, EVIL, SHOP),
    stopped(ONE_DOMAIN, None, EVIL + "/shop.example"),
    stopped(ONE_DOMAIN, "null", EVIL),
    stopped(ONE_DOMAIN, "HTTPS://evil.example"),
    stopped(ONE_DOMAIN, "http://shop.example"),
    stopped(ONE_DOMAIN, "https://www.shop.example"),
    stopped(ONE_DOMAIN, SHOP + ".evil.example"),
    stopped(ONE_DOMAIN, "https://shop.example@evil.example"),
    passes(NO_DOMAIN, None),
    passes(NO_DOMAIN, "null"),
    stopped(NO_DOMAIN, SHOP),
    stopped(NO_DOMAIN, None, SHOP),
    passes(PATTERNS, "https://wide.example"),
    passes(PATTERNS, "http://a.b.wide.example:1234"),
    passes(PATTERNS, "https://anything.example:8443"),
    passes(PATTERNS, "http://exact.example:8080"),
    stopped(PATTERNS, "https://notwide.example"),
    stopped(PATTERNS, "https://anything.example:8444"),
    stopped(PATTERNS, "https://exact.example:8080"),
    stopped(PATTERNS, "http://exact.example:8081"),
    stopped(PATTERNS, "http://exact.example"),
    delivered("origin: the envelope's is the request's", lambda: from_origin(ONE_DOMAIN, SHOP, origin=SHOP)),
    delivered("origin: the envelope's is the request's Referer", lambda: from_origin(ONE_DOMAIN, None, SHOP, origin=SHOP)),
    refused("origin: the envelope's is another one", lambda: from_origin(ONE_DOMAIN, SHOP, origin=SHOP + ":8443"), 400,
            "envelope_header_mismatch"),
    refused("origin: only the envelope has one", lambda: from_origin(ONE_DOMAIN, None, origin=SHOP), 400,
            "envelope_header_mismatch"),
    refused("origin: of the request, with the envelope's DSN", lambda: ask(
        {"Origin": EVIL}, project=ONE_DOMAIN, dsn=dsn(ONE_DOMAIN.id, ONE_DOMAIN.key)), 403, "origin_not_allowed"),
]
