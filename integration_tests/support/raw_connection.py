"""A connection that sends exactly the bytes it is given and reads replies as RFC 9112 frames them."""
from __future__ import annotations

import select
import socket
import struct
from urllib.parse import urlsplit

from .http_client import Response


class RawConnection:
    # Shorter than every timeout of the server (contract 5.6): what it only ends by a timeout counts as no answer.
    PATIENCE = 4.0

    def __init__(self, url: str, patience: float = PATIENCE):
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=patience)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # small pieces leave as they are
        self.received = b""

    def __enter__(self) -> "RawConnection":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def shutdown_send(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Ends the connection as a crashed client does: at once, and the server's TCP is told so."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def is_answered(self, within: float) -> bool:
        return bool(self.received or select.select([self.socket], [], [], within)[0])

    def receive(self, to_head: bool = False) -> Response:
        """The next reply; one to HEAD, and one without content, end with their head."""
        while b"\r\n\r\n" not in self.received:
            self._more()
        head, _, self.received = self.received.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("ascii").split("\r\n")
        version, status, _ = status_line.split(" ", 2)
        assert version == "HTTP/1.1", status_line
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        length = 0 if to_head or status == "100" else int(headers["content-length"])
        while len(self.received) < length:
            self._more()
        body, self.received = self.received[:length], self.received[length:]
        return Response(int(status), headers, body)

    def rest(self) -> bytes:
        """All that comes until the server ends the connection."""
        while block := self.socket.recv(65536):
            self.received += block
        return self.received

    def _more(self) -> None:
        block = self.socket.recv(65536)
        assert block, f"the connection ended; received so far: {self.received!r}"
        self.received += block
