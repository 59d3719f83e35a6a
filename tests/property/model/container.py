"""From the bytes of a file to its packets in order. Source: perfetto-decoding 2."""

import zlib
from collections import Counter

import zstandard

from model.wire import Corrupt, Truncated, field, parse


class CorruptPacket(Exception):
    """A packet inside a bundle does not parse."""


class Rejected(Exception):
    """The whole trace is refused."""


def decompressed_file(data, seen=None):
    seen = Counter() if seen is None else seen
    if data[:2] == b"\x1f\x8b":
        seen["gzip file"] += 1
        out = b""
        while data:
            seen["gzip file of several members"] += bool(out)
            member = zlib.decompressobj(wbits=31)
            out += member.decompress(data)
            data = member.unused_data
        return out
    if data[:4] == b"\x28\xb5\x2f\xfd":
        seen["zstd file"] += 1
        return zstandard.ZstdDecompressor().decompressobj(read_across_frames=True).decompress(data)
    return data


def inflated_bundle(packet):
    """The bytes of one bundle: exactly one stream, nothing behind it."""
    if packet.compressed_packets is not None:
        stream = zlib.decompressobj(wbits=47)  # zlib or gzip header
        packed = packet.compressed_packets
    else:
        stream = zstandard.ZstdDecompressor().decompressobj()
        packed = packet.zstd_compressed_packets
    try:
        out = stream.decompress(packed)
    except (zlib.error, zstandard.ZstdError) as broken:
        raise Corrupt from broken
    if not stream.eof or stream.unused_data:
        raise Corrupt
    return out


def note_bundle(packet, seen):
    packed = packet.compressed_packets
    codec = "zstd bundle" if packed is None else "gzip bundle" if packed[:2] == b"\x1f\x8b" else "zlib bundle"
    seen[codec] += 1
    seen["fields beside a bundle"] += len(packet) > 1
    if seen["zstd bundle"] and seen["gzip bundle"] + seen["zlib bundle"]:
        seen["both codecs in one trace"] += 1


def is_bundle(packet):
    return packet.compressed_packets is not None or packet.zstd_compressed_packets is not None


def take_bundle(data, out, seen):
    """Appends the packets of a bundle up to what is no packet."""
    at = 0
    while at < len(data):
        if data[at] != 0x0A:
            raise Corrupt
        _, _, body, at = field(data, at)
        try:
            packet = parse("TracePacket", body)
        except Corrupt as broken:
            raise CorruptPacket from broken
        if is_bundle(packet):
            raise Rejected("nested_bundle")
        seen["packet in a bundle"] += 1
        out.append(packet)


def packets_of(data, counters, seen):
    """All packets before the first damage; counts the damage."""
    data = decompressed_file(data, seen)
    out, at = [], 0
    while at < len(data):
        try:
            number, wire_type, body, at = field(data, at)
        except Truncated:
            counters["packet_truncated"] += 1
            return out
        except Corrupt:
            counters["packet_corrupt"] += 1
            break
        if (number, wire_type) != (1, 2):
            seen["unknown field between packets"] += 1
            continue
        try:
            packet = parse("TracePacket", body)
        except Corrupt:
            seen["corrupt packet"] += 1
            counters["packet_corrupt"] += 1
            break
        if not is_bundle(packet):
            out.append(packet)
            continue
        note_bundle(packet, seen)
        try:
            take_bundle(inflated_bundle(packet), out, seen)
        except CorruptPacket:
            seen["corrupt packet"] += 1
            counters["packet_corrupt"] += 1
            break
        except Corrupt:
            seen["corrupt bundle"] += 1
            counters["bundle_corrupt"] += 1
            break
    else:
        return out
    if not out:
        raise Rejected("unreadable")
    return out
