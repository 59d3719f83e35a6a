"""HTTP as a client speaks it: whole requests through http.client, and raw bytes through a socket."""
from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .envelopes import Request

# The contract: every request is answered within 10 s of its last byte.
ANSWER_DEADLINE = 10.0


@dataclass
class Response:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def send(url: str, request: Request, timeout: float = ANSWER_DEADLINE + 5.0) -> Response:
    return exchange(url, request.method, request.path, request.body, request.headers, timeout)


def get(url: str, path: str, timeout: float = ANSWER_DEADLINE) -> Response:
    return exchange(url, "GET", path, None, {}, timeout)


def exchange(url: str, method: str, path: str, body: bytes | None, headers: dict[str, str], timeout: float) -> Response:
    connection = http.client.HTTPConnection(urlsplit(url).hostname, urlsplit(url).port, timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        return Response(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def send_raw(url: str, data: bytes, timeout: float = ANSWER_DEADLINE) -> bytes:
    """Sends these bytes, closes the sending half, and returns all that comes back (nothing, if the server hung up)."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=timeout) as connection:
        received = b""
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while block := connection.recv(65536):
                received += block
        except (ConnectionResetError, BrokenPipeError):
            pass
        return received
