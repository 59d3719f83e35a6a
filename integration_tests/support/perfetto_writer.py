"""Small Perfetto traces, written byte by byte: an encoder that shares no code with the server's decoder.

Only what the tests need: varints, length-delimited fields, and one kind of trace (PerfSample packets of one sequence).
"""
from __future__ import annotations

import random
import time
from dataclasses import dataclass, field

BUILTIN_REALTIME = 1
BUILTIN_BOOTTIME = 6
BOOT_OFFSET_NS = 1_000_000_000_000  # BOOTTIME of the first sample


def varint(value: int) -> bytes:
    out = bytearray()
    value &= (1 << 64) - 1
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field_id: int, value: int) -> bytes:
    return varint(field_id << 3) + varint(value)


def block(field_id: int, *parts: bytes | str) -> bytes:
    content = b"".join(p.encode() if isinstance(p, str) else p for p in parts)
    return varint(field_id << 3 | 2) + varint(len(content)) + content


def packet(*parts: bytes) -> bytes:
    return block(1, *parts)


@dataclass(frozen=True)
class Thread:
    pid: int
    tid: int
    name: str


MAIN = Thread(4100, 4100, "main")
WORKER = Thread(4100, 4117, "PriceWorker")

LIBRARY = ("data", "app", "com.example.shop", "lib", "arm64", "libshop.so")
OAT = ("system", "framework", "arm64", "boot-framework.oat")
LIBRARY_START = 0x7A10000000
BUILD_ID = bytes.fromhex("b03e4a7f5e884c8da04b05fa32cc4cbd69faff51")
DEBUG_ID = "7f4a3eb0-885e-8d4c-a04b-05fa32cc4cbd"


def clock_snapshot(boot_ns: int, real_ns: int | None) -> bytes:
    clocks = [block(1, number(1, BUILTIN_BOOTTIME), number(2, boot_ns))]
    if real_ns is not None:
        clocks.append(block(1, number(1, BUILTIN_REALTIME), number(2, real_ns)))
    return packet(block(6, *clocks, number(2, BUILTIN_BOOTTIME)))


def interned_stacks() -> bytes:
    """Two stacks. 1: ActivityThread.main > CartView.render > decode_price; 2: ActivityThread.main > unnamed native."""
    names = ["android.app.ActivityThread.main", "com.example.shop.CartView.render", "decode_price"]
    paths = sorted({*LIBRARY, *OAT})
    path_ids = {path: i for i, path in enumerate(paths, 1)}
    return block(
        12,
        *[block(5, number(1, i), block(2, name)) for i, name in enumerate(names, 1)],
        *[block(17, number(1, i), block(2, path)) for path, i in path_ids.items()],
        block(16, number(1, 1), block(2, BUILD_ID)),
        block(19, number(1, 1), number(2, 1), number(4, LIBRARY_START), number(5, LIBRARY_START + 65536),
              *[number(7, path_ids[p]) for p in LIBRARY]),
        block(19, number(1, 2), number(4, 0x70000000), number(5, 0x70010000), *[number(7, path_ids[p]) for p in OAT]),
        block(6, number(1, 1), number(2, 1), number(3, 2), number(4, 0x100)),
        block(6, number(1, 2), number(2, 2), number(3, 2), number(4, 0x200)),
        block(6, number(1, 3), number(2, 3), number(3, 1), number(4, 0x1234)),
        block(6, number(1, 4), number(3, 1), number(4, 0x2A40)),
        block(7, number(1, 1), number(2, 1), number(2, 2), number(2, 3)),  # outermost frame first
        block(7, number(1, 2), number(2, 1), number(2, 4)),
    )


@dataclass
class Trace:
    """A trace of `samples` PerfSamples, the threads in turn, evenly spread over `duration_ns`."""

    samples: int = 200
    duration_ns: int = 2_000_000_000
    threads: tuple[Thread, ...] = (MAIN, WORKER)
    realtime: bool = True
    start_ns: int = field(default_factory=lambda: time.time_ns() - 10_000_000_000)
    padding: int = 0  # bytes of a field no reader knows, to reach a size
    random_padding: int = 0  # the same, incompressible

    def packets(self) -> list[bytes]:
        sequence = number(10, 1)
        out = [
            clock_snapshot(BOOT_OFFSET_NS, self.start_ns if self.realtime else None),
            packet(number(13, 1), sequence, block(59, number(58, BUILTIN_BOOTTIME)), interned_stacks()),
        ]
        for thread in self.threads:
            out.append(packet(sequence, number(13, 2), block(
                60, number(1, thread.tid), block(4, number(1, thread.pid), number(2, thread.tid), block(5, thread.name)))))
        if self.padding:
            out.append(packet(block(500, bytes(self.padding))))
        for at in range(0, self.random_padding, 1 << 20):  # no packet may exceed 4 MiB
            out.append(packet(block(500, random.Random(at).randbytes(min(1 << 20, self.random_padding - at)))))
        step = self.duration_ns / max(1, self.samples - 1)
        for i in range(self.samples):
            thread = self.threads[i % len(self.threads)]
            out.append(packet(
                number(8, BOOT_OFFSET_NS + round(i * step)), sequence, number(13, 2),
                block(66, number(1, 0), number(2, thread.pid), number(3, thread.tid),
                      number(4, 1 + (i // len(self.threads)) % 2))))
        return out

    def encode(self) -> bytes:
        return b"".join(self.packets())
