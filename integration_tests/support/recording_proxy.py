"""A TCP proxy that passes every byte on unchanged and keeps what clients asked and the server answered, with times."""
from __future__ import annotations

import gzip
import json
import select
import socket
import socketserver
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import brotli

DECODERS = {"": bytes, "gzip": gzip.decompress, "br": brotli.decompress}


@dataclass
class Message:
    """A request or a reply. `time` is when its last byte came, on the monotonic clock."""

    first_line: str
    headers: dict[str, str]
    body: bytes
    time: float


@dataclass
class Exchange:
    request: Message
    reply: Message

    @property
    def status(self) -> int:
        return int(self.reply.first_line.split(" ")[1])

    @property
    def coding(self) -> str:
        return self.request.headers.get("content-encoding", "")

    def items(self, item_type: str) -> list[tuple[dict[str, Any], bytes]]:
        """Header and payload of each item of this type; all items must have a length, as the Python SDK writes them."""
        found = []
        _, _, rest = DECODERS[self.coding](self.request.body).partition(b"\n")
        while rest:
            line, _, rest = rest.partition(b"\n")
            header = json.loads(line)
            if header["type"] == item_type:
                found.append((header, rest[:header["length"]]))
            rest = rest[header["length"]:].removeprefix(b"\n")
        return found


class RecordingProxy:
    """As a context manager. It stands between clients and the server at `url`, and listens at its own `url`."""

    def __init__(self, url: str):
        parts = urlsplit(url)
        proxy = self

        class Connection(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with socket.create_connection((parts.hostname, parts.port)) as server:
                    proxy._carry(self.request, server)

        class Listener(socketserver.ThreadingTCPServer):
            daemon_threads = True

        self._listener = Listener(("127.0.0.1", 0), Connection)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)
        self._exchanges: list[Exchange] = []
        self.url = f"http://127.0.0.1:{self._listener.server_address[1]}"

    def __enter__(self) -> "RecordingProxy":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown()
        self._listener.server_close()

    def exchanges(self) -> list[Exchange]:
        """Those that are complete, in the order of their requests."""
        return sorted(self._exchanges, key=lambda e: e.request.time)

    def with_items(self, item_type: str) -> list[Exchange]:
        return [e for e in self.exchanges() if e.items(item_type)]

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        """Both directions until both have ended; a half-closed one stays half-closed for the peer too."""
        onward = {client: server, server: client}
        received = {client: b"", server: b""}
        messages: dict[socket.socket, list[Message]] = {client: [], server: []}
        try:
            while onward:
                for end in select.select(list(onward), [], [])[0]:
                    block = end.recv(65536)
                    if not block:
                        onward.pop(end).shutdown(socket.SHUT_WR)
                        continue
                    received[end] += block
                    while (cut := first_message(received[end])) is not None:
                        message, received[end] = cut
                        messages[end].append(message)
                    # Kept before it is passed on: who has the reply finds the exchange here.
                    while messages[client] and messages[server]:
                        self._exchanges.append(Exchange(messages[client].pop(0), messages[server].pop(0)))
                    onward[end].sendall(block)
        except OSError:
            return  # one side is gone; the caller closes both


def first_message(received: bytes) -> tuple[Message, bytes] | None:
    """The first message, framed by its Content-Length, and what follows it; None while it is not complete."""
    head, found, rest = received.partition(b"\r\n\r\n")
    if not found:
        return None
    first_line, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
    assert "transfer-encoding" not in headers, first_line
    length = int(headers.get("content-length", 0))
    if len(rest) < length:
        return None
    return Message(first_line, headers, rest[:length], time.monotonic()), rest[length:]
