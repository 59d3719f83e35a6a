"""check_reply(): what holds for every reply, whatever its status (contract 5.4 and 5.5)."""
from __future__ import annotations

from .http_client import Response

CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "x-sentry-auth, x-requested-with, x-forwarded-for, origin, referer, accept, "
                                    "content-type, authentication, authorization, content-encoding, transfer-encoding",
    "access-control-expose-headers": "x-sentry-error, x-sentry-rate-limits, retry-after",
    "access-control-max-age": "3600",
}
FIXED = {**CORS, "server": "profile-relay", "cross-origin-resource-policy": "cross-origin"}


def check_reply(reply: Response, has_body: bool = True) -> None:
    """`has_body` is false for replies to HEAD."""
    for name, value in FIXED.items():
        assert reply.headers.get(name) == value, (name, reply.headers.get(name))
    assert ("allow" in reply.headers) >= (reply.status == 405)
    if reply.status >= 400 and has_body and not reply.body.startswith(b'{"is_healthy"'):
        check_error_body(reply)
        assert ("retry-after" in reply.headers) == (reply.status in (429, 503))


def check_error_body(reply: Response) -> None:
    assert reply.headers["content-type"] == "application/json"
    body = reply.json()
    assert list(body) in (["detail"], ["detail", "causes"]), body
    assert isinstance(body["detail"], str) and body["detail"]
    # Left out when empty; otherwise the outer cause first, which is the detail itself.
    assert body.get("causes", [body["detail"]])[0] == body["detail"]
    assert all(isinstance(c, str) and c for c in body.get("causes", []))
