"""HTTP conformance as data: bytes that go over the wire, and the replies that must come. test_conformance.py runs it.

The rules are RFC 9112 (messages), RFC 9110 (semantics) and the ingestion contract, sections 5.5, 5.6 and 13. Where the
RFCs leave a choice we take the strict one: a message that two readers may end in different places is refused and its
connection closed, so that no proxy in front of us can be used to smuggle a request.
"""
from __future__ import annotations

from dataclasses import dataclass

from support.envelopes import auth, plain, request
from support.projects import PROJECT

# Stands somewhere in most requests; no error reply may repeat what came in.
CANARY = b"canary-659"

BODY = request(plain()).body + b'{"type":"from_the_future"}\n' + CANARY + b"\n"
PATH = f"/api/{PROJECT.id}/envelope/".encode()
AUTH = b"X-Sentry-Auth: " + auth()["X-Sentry-Auth"].encode() + b"\r\n"
HOST = b"Host: relay.example:3000\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
LIVE = b"/api/relay/healthcheck/live/"
MAX_HEAD = 32 << 10  # http_parser::max_head


@dataclass(frozen=True)
class Step:
    """Bytes to send, then the statuses of the replies to wait for."""

    send: bytes
    statuses: tuple[int, ...]


@dataclass(frozen=True)
class Case:
    name: str
    steps: tuple[Step, ...]
    stays_open: bool  # afterwards the connection serves another request; otherwise nothing but its end comes
    chunks: int = 0  # profile chunks that the server must have taken
    half_close: bool = False  # the client ends its sending half after the last step
    head_replies: tuple[int, ...] = ()  # which replies answer a HEAD and so have no body
    in_pieces: bool = True  # the same comes of it when the bytes come a few at a time


def served(name: str, *sends: bytes, chunks: int = 1, status: int = 200, **more: object) -> Case:
    """Every piece is answered with `status`, and the connection goes on."""
    return Case(name, tuple(Step(s, (status,)) for s in sends), True, chunks, **more)


def refused(name: str, send: bytes, status: int = 400, **more: object) -> Case:
    """One error reply and the end of the connection, whatever else was sent on it."""
    return Case(name, (Step(send, (status,)),), False, **more)


def post(headers: bytes = b"", body: bytes = BODY, length: bool = True, version: bytes = b"1.1",
         target: bytes = PATH, host: bytes = HOST, close: bool = False) -> bytes:
    framing = b"Content-Length: %d\r\n" % len(body) if length else b""
    end = b"Connection: close\r\n" if close else b""
    return b"POST %s HTTP/%s\r\n%s%s%s%s%s\r\n%s" % (target, version, host, AUTH, framing, headers, end, body)


def get(line: bytes = b"GET " + LIVE + b" HTTP/1.1", headers: bytes = HOST) -> bytes:
    return line + b"\r\n" + headers + b"\r\n"


def in_chunks(data: bytes = BODY, size: int = 500, extension: bytes = b"", trailers: bytes = b"", digits: str = "%x",
              last: bytes = b"0") -> bytes:
    out = b""
    for at in range(0, len(data), size):
        piece = data[at:at + size]
        out += (digits % len(piece)).encode() + extension + b"\r\n" + piece + b"\r\n"
    return out + last + extension + b"\r\n" + trailers + b"\r\n"


def post_chunked(body: bytes, headers: bytes = b"") -> bytes:
    return post(CHUNKED + headers, body, length=False)


def split_head(message: bytes) -> tuple[bytes, bytes]:
    end = message.index(b"\r\n\r\n") + 4
    return message[:end], message[end:]


# What an attacker would like to see answered: it must never be, behind a message that is refused.
SMUGGLED = post()
FIRST, REST = BODY[:500], BODY[500:]
FIRST_CHUNK = b"1f4\r\n" + FIRST + b"\r\n"

REQUEST_LINES = [
    served("GET", get(), chunks=0),
    served("empty lines before a request", b"\r\n\r\n" + get(), chunks=0),
    served("HEAD has the head of GET only", get(b"HEAD " + LIVE + b" HTTP/1.1"), chunks=0, head_replies=(0,)),
    served("preflight of CORS", get(b"OPTIONS " + PATH + b" HTTP/1.1"), chunks=0),
    served("absolute form", post(target=b"http://relay.example:3000" + PATH)),
    served("lower-case method is another method", get(b"get " + LIVE + b" HTTP/1.1"), chunks=0, status=405),
    served("unknown method", get(b"BREW " + LIVE + b" HTTP/1.1"), chunks=0, status=405),
    served("asterisk form", get(b"OPTIONS * HTTP/1.1"), chunks=0, status=404),
    served("authority form of CONNECT", get(b"CONNECT relay.example:80 HTTP/1.1"), chunks=0, status=404),
    served("percent-encoded canary in the path", get(b"GET /" + CANARY + b"%00 HTTP/1.1"), chunks=0, status=404),
    refused("asterisk form with another method", get(b"GET * HTTP/1.1")),
    refused("path without its slash", get(b"GET api/relay/healthcheck/live/ HTTP/1.1")),
    refused("absolute form of another scheme", get(b"GET file:///etc/passwd HTTP/1.1")),
    refused("absolute form without a host", get(b"GET http:///api/relay/healthcheck/live/ HTTP/1.1")),
    refused("method with a bad character", get(b"G(T " + LIVE + b" HTTP/1.1")),
    refused("method with a control character", get(b"G\x01T " + LIVE + b" HTTP/1.1")),
    refused("no method", get(b" " + LIVE + b" HTTP/1.1")),
    refused("no target", get(b"GET HTTP/1.1")),
    refused("empty target", get(b"GET  HTTP/1.1")),
    refused("two spaces before the version", get(b"GET " + LIVE + b"  HTTP/1.1")),
    refused("tab instead of a space", get(b"GET\t" + LIVE + b" HTTP/1.1")),
    refused("space in the target", get(b"GET /" + CANARY + b" x HTTP/1.1")),
    refused("space at the end of the line", get(b"GET " + LIVE + b" HTTP/1.1 ")),
    refused("NUL in the target", get(b"GET /" + CANARY + b"\x00 HTTP/1.1")),
    refused("control character in the target", get(b"GET /" + CANARY + b"\x1f HTTP/1.1")),
    refused("bare CR in the target", get(b"GET /" + CANARY + b"\rx HTTP/1.1")),
    refused("no version", get(b"GET " + LIVE)),
    refused("HTTP/0.9", b"GET " + LIVE + b"\r\n\r\n"),
    refused("HTTP/2.0", get(b"GET " + LIVE + b" HTTP/2.0")),
    refused("preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    # RFC 9110 6.2 would have a higher minor version served; nobody sends one, so we do not guess what it means.
    refused("HTTP/1.2", get(b"GET " + LIVE + b" HTTP/1.2")),
    refused("version in lower case", get(b"GET " + LIVE + b" http/1.1")),
    refused("version of three numbers", get(b"GET " + LIVE + b" HTTP/1.1.1")),
    refused("version with two digits", get(b"GET " + LIVE + b" HTTP/01.1")),
    refused("line longer than a head may be", get(b"GET /" + b"x" * MAX_HEAD + b" HTTP/1.1")),
    refused("something else than HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + CANARY + b"\r\n\r\n"),
]

HEADERS = [
    served("names in any case, blanks around values",
           post(b"cOnTeNt-EnCoDiNg:\t identity \t\r\n")),
    served("bytes above 127 in a value", post(b"X-Name: caf\xe9 \xff\r\n")),
    served("empty value", post(b"X-Empty:\r\n")),
    # Which of two would count depends on the reader, so there are several authorizations (contract 5.2).
    served("X-Sentry-Auth twice", post(AUTH), status=401, chunks=0),
    served("Authorization twice", post(b"Authorization: Bearer x\r\nAuthorization: Bearer y\r\n"), status=401, chunks=0),
    served("a head nearly as long as allowed", post(b"X-Long: " + b"x" * (MAX_HEAD - 1000) + b"\r\n")),
    served("empty Host", get(headers=b"Host:\r\n"), chunks=0),
    served("Host with an IPv6 address", get(headers=b"Host: [::1]:3000\r\n"), chunks=0),
    refused("line without a colon", post(CANARY + b"\r\n") + SMUGGLED),
    refused("space before the colon", post(b"X-Name : " + CANARY + b"\r\n") + SMUGGLED),
    refused("tab before the colon", post(b"X-Name\t: " + CANARY + b"\r\n") + SMUGGLED),
    refused("no name", post(b": " + CANARY + b"\r\n") + SMUGGLED),
    refused("bad character in a name", post(b"X(Name: " + CANARY + b"\r\n") + SMUGGLED),
    refused("byte above 127 in a name", post(b"X-N\xe4me: " + CANARY + b"\r\n") + SMUGGLED),
    refused("folded line", post(b"X-Name: a\r\n " + CANARY + b"\r\n") + SMUGGLED),
    refused("line folded by a tab", post(b"X-Name: a\r\n\t" + CANARY + b"\r\n") + SMUGGLED),
    refused("folded first line", get(headers=b" " + CANARY + b": x\r\n" + HOST)),
    refused("folded Transfer-Encoding", post(b"Transfer-Encoding:\r\n chunked\r\n") + SMUGGLED),
    refused("bare LF after a header", post(b"X-Name: a\n") + SMUGGLED),
    refused("bare LF hides a header", post(b"X-Name: a\nTransfer-Encoding: chunked\r\n") + SMUGGLED),
    refused("bare LF everywhere", post().replace(b"\r\n", b"\n") + SMUGGLED),
    refused("bare CR hides a header", post(b"X-Name: a\rTransfer-Encoding: chunked\r\n") + SMUGGLED),
    refused("bare LF before a request", b"\n" + get()),
    refused("NUL in a value", post(b"X-Name: a\x00b\r\n") + SMUGGLED),
    refused("control character in a value", post(b"X-Name: a\x08b\r\n") + SMUGGLED),
    refused("delete in a value", post(b"X-Name: a\x7fb\r\n") + SMUGGLED),
    refused("header longer than a head may be", get(headers=HOST + b"X-Long: " + b"x" * MAX_HEAD + b"\r\n")),
    refused("too many headers", get(headers=HOST + b"a: b\r\n" * (MAX_HEAD // 6))),
    refused("no Host", get(headers=b"")),
    refused("two Hosts", get(headers=HOST + b"Host: other.example\r\n")),
    refused("the same Host twice", get(headers=HOST + HOST)),
    refused("two Hosts in HTTP/1.0", get(b"GET " + LIVE + b" HTTP/1.0", HOST + HOST)),
    refused("Host with a blank", get(headers=b"Host: a " + CANARY + b"\r\n")),
    refused("Host with a path", get(headers=b"Host: a/" + CANARY + b"\r\n")),
    refused("Host with a user", get(headers=b"Host: " + CANARY + b"@b\r\n")),
]

LENGTHS = [
    served("Content-Length", post()),
    served("Content-Length with leading zeros", post(b"Content-Length: 000%d\r\n" % len(BODY), length=False)),
    served("Content-Length 0", post(body=b""), chunks=0, status=400),
    served("neither length nor chunked: no body", post(body=b"", length=False), chunks=0, status=400),
    served("GET with a body", get(headers=HOST + b"Content-Length: 5\r\n") + b"hello", chunks=0),
    refused("two equal lengths", post(b"Content-Length: %d\r\n" % len(BODY)) + SMUGGLED),
    refused("two different lengths", post(b"Content-Length: 5\r\n") + SMUGGLED),
    refused("list of equal lengths", post(b"Content-Length: %d, %d\r\n" % (len(BODY), len(BODY)), length=False) + SMUGGLED),
    refused("list of different lengths", post(b"Content-Length: 5, %d\r\n" % len(BODY), length=False) + SMUGGLED),
    refused("list with an empty member", post(b"Content-Length: %d,\r\n" % len(BODY), length=False) + SMUGGLED),
    refused("empty length", post(b"Content-Length:\r\n", length=False) + SMUGGLED),
    refused("negative length", post(b"Content-Length: -1\r\n", length=False) + SMUGGLED),
    refused("length with a plus sign", post(b"Content-Length: +%d\r\n" % len(BODY), length=False) + SMUGGLED),
    refused("hexadecimal length", post(b"Content-Length: 0x10\r\n", length=False) + SMUGGLED),
    refused("length with a fraction", post(b"Content-Length: 5.0\r\n", length=False) + SMUGGLED),
    refused("length in words", post(b"Content-Length: " + CANARY + b"\r\n", length=False) + SMUGGLED),
    refused("length with a blank inside", post(b"Content-Length: 1 0\r\n", length=False) + SMUGGLED),
    refused("length over 64 bits", post(b"Content-Length: 18446744073709551616\r\n", length=False) + SMUGGLED),
    refused("length of 64 bits", post(b"Content-Length: 18446744073709551615\r\n", length=False), 413),
    refused("both lengths", post(CHUNKED, in_chunks()) + SMUGGLED),
    refused("both lengths, the other way round",
            post(CHUNKED + b"Content-Length: 5\r\n", in_chunks(), length=False) + SMUGGLED),
    refused("Transfer-Encoding gzip", post(b"Transfer-Encoding: gzip\r\n", length=False) + SMUGGLED),
    refused("Transfer-Encoding gzip, chunked", post(b"Transfer-Encoding: gzip, chunked\r\n", in_chunks(), length=False)
            + SMUGGLED),
    refused("Transfer-Encoding identity", post(b"Transfer-Encoding: identity\r\n", length=False) + SMUGGLED),
    refused("Transfer-Encoding identity beside a length", post(b"Transfer-Encoding: identity\r\n") + SMUGGLED),
    refused("Transfer-Encoding unknown beside a length", post(b"Transfer-Encoding: xchunked\r\n") + SMUGGLED),
    refused("Transfer-Encoding empty beside a length", post(b"Transfer-Encoding:\r\n") + SMUGGLED),
    refused("Transfer-Encoding with a vertical tab", post(b"Transfer-Encoding: \x0bchunked\r\n") + SMUGGLED),
    refused("Transfer-Encoding quoted", post(b'Transfer-Encoding: "chunked"\r\n') + SMUGGLED),
    refused("chunked is not the last", post(b"Transfer-Encoding: chunked, gzip\r\n", in_chunks(), length=False) + SMUGGLED),
    refused("chunked twice in a list", post(b"Transfer-Encoding: chunked, chunked\r\n", in_chunks(), length=False)
            + SMUGGLED),
    refused("chunked twice in two lines", post_chunked(in_chunks(), CHUNKED) + SMUGGLED),
    refused("chunked in HTTP/1.0", post(CHUNKED, in_chunks(), length=False, version=b"1.0") + SMUGGLED),
]

CHUNKS = [
    served("chunked", post_chunked(in_chunks())),
    served("chunked in upper case", post(b"Transfer-Encoding: CHUNKED\r\n", in_chunks(), length=False)),
    served("chunks of one byte", post_chunked(in_chunks(size=1))),
    served("sizes with leading zeros, in upper case", post_chunked(in_chunks(digits="%08X", last=b"0000"))),
    served("extensions", post_chunked(in_chunks(extension=b';a;b=c;d="q; \\" \\\\" ; e = f'))),
    served("trailers", post_chunked(in_chunks(trailers=b"X-Sum: 1\r\nX-Other:\r\n"))),
    # A trailer is never merged into the head (RFC 9110 6.5.1): these mean nothing.
    served("trailers with names of the head",
           post_chunked(in_chunks(trailers=b"Content-Length: 3\r\nContent-Encoding: gzip\r\nHost: b\r\n"))),
    served("empty chunked body", post_chunked(b"0\r\n\r\n"), chunks=0, status=400),
    refused("size that is no number", post_chunked(b"zz\r\n" + CANARY + b"\r\n0\r\n\r\n") + SMUGGLED),
    refused("no size", post_chunked(b"\r\n" + CANARY + b"\r\n0\r\n\r\n") + SMUGGLED),
    refused("negative size", post_chunked(b"-1f4\r\n" + FIRST + b"\r\n") + SMUGGLED),
    refused("size with a plus sign", post_chunked(b"+1f4\r\n" + FIRST + b"\r\n") + SMUGGLED),
    refused("size with 0x", post_chunked(b"0x1f4\r\n" + FIRST + b"\r\n") + SMUGGLED),
    refused("size after a blank", post_chunked(b" 1f4\r\n" + FIRST + b"\r\n") + SMUGGLED),
    refused("size before a blank", post_chunked(b"1f4 \r\n" + FIRST + b"\r\n0\r\n\r\n") + SMUGGLED),
    refused("size with a blank inside", post_chunked(b"1 f4\r\n" + FIRST + b"\r\n") + SMUGGLED),
    refused("size with an underscore", post_chunked(b"1_f4\r\n" + FIRST + b"\r\n") + SMUGGLED),
    refused("last size before something", post_chunked(FIRST_CHUNK + b"0 " + CANARY + b"\r\n")),
    refused("size over 64 bits", post_chunked(b"10000000000000000\r\n" + FIRST) + SMUGGLED),
    refused("size that wraps around to the right one", post_chunked(b"100000000000001f4\r\n" + FIRST + b"\r\n") + SMUGGLED),
    refused("size over the limit", post_chunked(b"ffffffffffffffff\r\n" + FIRST), half_close=True),
    refused("no CRLF after the data", post_chunked(b"1f4\r\n" + FIRST + b"0\r\n\r\n") + SMUGGLED),
    refused("more data than the size says", post_chunked(b"1f3\r\n" + FIRST + b"\r\n0\r\n\r\n") + SMUGGLED),
    refused("bare LF after a size", post_chunked(b"1f4\n" + FIRST + b"\r\n0\r\n\r\n")),
    refused("bare LF everywhere in the chunks", post_chunked(in_chunks().replace(b"\r\n", b"\n"))),
    refused("bare LF after the data", post_chunked(b"1f4\r\n" + FIRST + b"\n0\r\n\r\n")),
    refused("bare CR after a size", post_chunked(b"1f4\rx" + FIRST + b"\r\n0\r\n\r\n")),
    refused("bare LF in an extension", post_chunked(b"1f4;a\nb\r\n" + FIRST + b"\r\n0\r\n\r\n")),
    refused("bare LF after the last size", post_chunked(FIRST_CHUNK + b"0\n\n")),
    refused("NUL in an extension", post_chunked(b"1f4;a\x00\r\n" + FIRST + b"\r\n0\r\n\r\n")),
    refused("extension without a name", post_chunked(b"1f4;=" + CANARY + b"\r\n" + FIRST + b"\r\n0\r\n\r\n")),
    refused("extension that never ends", post_chunked(b"1f4;" + b"x" * MAX_HEAD)),
    refused("trailer without a colon", post_chunked(in_chunks(trailers=CANARY + b"\r\n")) + SMUGGLED),
    refused("trailer with a space before the colon", post_chunked(in_chunks(trailers=b"X-Sum : 1\r\n")) + SMUGGLED),
    refused("folded trailer", post_chunked(in_chunks(trailers=b"X-Sum: 1\r\n 2\r\n")) + SMUGGLED),
    refused("bare LF in a trailer", post_chunked(in_chunks(trailers=b"X-Sum: 1\n")) + SMUGGLED),
    refused("NUL in a trailer", post_chunked(in_chunks(trailers=b"X-Sum: \x00\r\n")) + SMUGGLED),
    refused("trailers that never end", post_chunked(b"0\r\n" + b"X-Sum: 1\r\n" * (MAX_HEAD // 8))),
    refused("cut off in a size", post_chunked(FIRST_CHUNK + b"1f"), half_close=True),
    refused("cut off in the data", post_chunked(FIRST_CHUNK + b"1f4\r\n" + REST[:100]), half_close=True),
    refused("cut off before the last chunk", post_chunked(FIRST_CHUNK), half_close=True),
    refused("cut off before the empty line", post_chunked(in_chunks()[:-2]), half_close=True),
]

EXPECT_HEAD, EXPECT_BODY = split_head(post(b"Expect: 100-continue\r\n"))
EXPECT_CHUNKED_HEAD, EXPECT_CHUNKED_BODY = split_head(post_chunked(in_chunks(), b"Expect: 100-Continue\r\n"))
STRANGER_HEAD, _ = split_head(post(b"Expect: 100-continue\r\n").replace(PROJECT.key.encode(), b"0" * 32))

EXPECTATIONS = [
    Case("100-continue", (Step(EXPECT_HEAD, (100,)), Step(EXPECT_BODY, (200,))), True, 1),
    Case("100-continue before chunks", (Step(EXPECT_CHUNKED_HEAD, (100,)), Step(EXPECT_CHUNKED_BODY, (200,))), True, 1),
    # The client did not wait, so there is nobody to tell (RFC 9110 10.1.1).
    served("100-continue with the body at once", EXPECT_HEAD + EXPECT_BODY, in_pieces=False),
    served("100-continue without a body", get(headers=HOST + b"Expect: 100-continue\r\n"), chunks=0),
    refused("100-continue of a stranger: the final status at once", STRANGER_HEAD, 403),
    refused("100-continue with a body over the limit",
            post(b"Expect: 100-continue\r\nContent-Length: 1073741824\r\n", b"", length=False), 413),
    refused("100-continue with an unknown coding",
            split_head(post(b"Expect: 100-continue\r\nContent-Encoding: lzma\r\n"))[0], 415),
    # RFC 9110 10.1.1: 417 is a MAY; what we do not know we ignore.
    served("another expectation", post(b"Expect: 200-ok\r\n")),
    Case("100-continue from HTTP/1.0 means nothing",
         (Step(post(b"Expect: 100-continue\r\n", version=b"1.0"), (200,)),), False, 1),
]

CONNECTIONS = [
    served("one after the other", post(), get(), post(), chunks=2),
    Case("two at once", (Step(post() + post(), (200, 200)),), True, 2),
    Case("three kinds at once", (Step(post() + post_chunked(in_chunks()) + get(), (200, 200, 200)),), True, 2),
    Case("good, then malformed", (Step(post() + get(headers=b""), (200, 400)),), False, 1),
    Case("good, malformed, good: the last is not read", (Step(post() + get(headers=b"") + post(), (200, 400)),), False, 1),
    Case("HEAD, then malformed: the error has its body",
         (Step(get(b"HEAD " + LIVE + b" HTTP/1.1") + b"GET / HTTP/1.1\nHost: a\r\n\r\n", (200, 400)),), False,
         head_replies=(0,)),
    Case("HTTP/1.0 kept alive, then malformed", (Step(
        get(b"GET " + LIVE + b" HTTP/1.0", b"Connection: keep-alive\r\n") + get(headers=b""), (200, 400)),), False),
    Case("refused, but whole: the next is served",
         (Step(post(body=b"hello " + CANARY) + get() + post(), (400, 200, 200)),), True, 1),
    Case("unknown route with a body: the next is served", (Step(post(target=b"/" + CANARY) + post(), (404, 200)),), True, 1),
    Case("malformed, then good: never read", (Step(get(headers=b"") + post(), (400,)),), False),
    Case("close", (Step(post(close=True), (200,)),), False, 1),
    Case("close: what follows is not read", (Step(post(close=True) + SMUGGLED, (200,)),), False, 1),
    Case("close among others", (Step(get(headers=HOST + b"Connection: x-a, Close\r\n"), (200,)),), False),
    Case("HTTP/1.0 closes", (Step(post(version=b"1.0"), (200,)),), False, 1),
    Case("HTTP/1.0 without Host", (Step(post(version=b"1.0", host=b""), (200,)),), False, 1),
    served("HTTP/1.0 with keep-alive", post(b"Connection: Keep-Alive\r\n", version=b"1.0"), post(),
           chunks=2),
    Case("half-closed after the request", (Step(post(), (200,)),), False, 1, half_close=True),
    Case("half-closed after chunks", (Step(post_chunked(in_chunks()), (200,)),), False, 1, half_close=True),
    Case("half-closed after two requests", (Step(post() + post(), (200, 200)),), False, 2, half_close=True),
    # Nothing was asked for, so nothing is answered.
    Case("half-closed without a word", (Step(b"", ()),), False, half_close=True),
    Case("half-closed in the head", (Step(post()[:60], ()),), False, half_close=True),
    refused("half-closed in the body", post()[:-10], half_close=True),
]

CONFORMANCE = [*REQUEST_LINES, *HEADERS, *LENGTHS, *CHUNKS, *EXPECTATIONS, *CONNECTIONS]
assert len({c.name for c in CONFORMANCE}) == len(CONFORMANCE), "two rows with one name"
