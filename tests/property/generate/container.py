"""Bytes around packets: bundles, whole-file compression, damage. Source: perfetto-decoding 2."""

import gzip
import zlib

import zstandard


def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def bytes_field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def serialized(dice, packet):
    """The official encoding; at times with unknown fields around it, or with a known one of another wire type."""
    data = official_bytes(dice, packet)
    if dice.hazard("odd_packets", 0.1):
        data += dice.choice((varint(900 << 3 | 2) + b"\x02hi", varint(1001 << 3) + b"\x05", varint(8 << 3 | 2) + b"\x01a"))
    if dice.hazard("odd_packets", 0.1):
        data = varint(2000 << 3 | 5) + b"abcd" + data
    return data


def official_bytes(dice, packet):
    """As the schema declares it; streaming packets at times with packed numbers, which a reader has to accept too."""
    streaming = packet.streaming_profile_packet
    if not packet.HasField("streaming_profile_packet") or not dice.chance(0.2):
        return packet.SerializeToString()
    packed = b""
    for number, values in ((1, streaming.callstack_iid), (2, streaming.timestamp_delta_us)):
        if values:
            packed += bytes_field(number, b"".join(varint(v & (1 << 64) - 1) for v in values))
    packet.ClearField("streaming_profile_packet")
    return packet.SerializeToString() + bytes_field(54, packed)


def item(packet):
    return bytes_field(1, packet)


def zlib_stream(dice, data):
    wbits = 31 if dice.chance(0.3) else 15
    stream = zlib.compressobj(level=1, wbits=wbits)
    return stream.compress(data) + stream.flush()


def bundle(dice, packets, codec):
    data = b"".join(item(p) for p in packets)
    sibling = b""
    if dice.chance(0.2):
        sibling = b"\x50\x03\x68\x01"  # sequence 3, flags 1: ignored beside a bundle
    if codec == "zlib":
        return sibling + bytes_field(50, zlib_stream(dice, data))
    return sibling + bytes_field(133, zstandard.ZstdCompressor(level=1).compress(data))


def broken_bundle(dice, packets):
    data = b"".join(item(p) for p in packets)
    how = dice.randrange(6)
    packed = zlib.compress(data)
    if how == 0:
        return bytes_field(50, packed[: len(packed) // 2])
    if how == 1:
        return bytes_field(50, packed + b"x")
    if how == 2:
        return bytes_field(50, packed + packed)
    if how == 3:
        return bytes_field(133, zstandard.ZstdCompressor().compress(data) * 2)
    if how == 4:
        return bytes_field(50, b"not a stream")
    return bytes_field(50, zlib.compress(data + b"\x10\x05"))


def bundled(dice, packets):
    """Some runs of packets become bundles."""
    codecs = dice.choice((("zlib",), ("zstd",), ("zlib", "zstd")))
    out, at = [], 0
    while at < len(packets):
        size = dice.randrange(1, 6)
        run = packets[at : at + size]
        at += size
        if dice.chance(0.5):
            out += run
        else:
            out.append(bundle(dice, run, dice.choice(codecs)))
    return out


def damaged(dice, packets):
    """A list of packets with one damage in it, or the name of a damage to the file."""
    how = dice.choice(("corrupt", "corrupt", "bundle", "bundle", "nested", "cut", "between"))
    at = dice.randrange(len(packets))
    if how in ("cut", "between"):
        return how
    if how == "corrupt":
        bad = packets[at] + dice.choice((b"\x0f", b"\x40", b"\x52\x7f", b"\x08" + b"\xff" * 11))
    elif how == "bundle":
        bad = broken_bundle(dice, packets[at : at + 2])
    else:
        bad = bundle(dice, [bundle(dice, packets[at : at + 2], "zlib")], dice.choice(("zlib", "zstd")))
    return packets[:at] + [bad] + packets[at + 1 :]


def pack(dice, packets):
    """The whole file."""
    if "bundles" in dice.hazards:
        packets = bundled(dice, packets)
    damage = damaged(dice, packets) if "damage" in dice.hazards else None
    if isinstance(damage, list):
        packets = damage
    items = [item(p) for p in packets]
    if dice.hazard("odd_packets", 0.5):
        items.insert(dice.randrange(len(items) + 1), dice.choice((b"\x10\x05", b"\x1a\x02hi")))
    if damage == "between":
        items.insert(dice.randrange(len(items) + 1), b"\x0f")
    data = b"".join(items)
    if damage == "cut":
        data = data[: -dice.randrange(1, len(items[-1]))] if len(items[-1]) > 1 else data
    if dice.hazard("packed_file", 1):
        return packed_file(dice, data)
    return data


def packed_file(dice, data):
    how = dice.randrange(3)
    if how == 0:
        return zstandard.ZstdCompressor(level=1).compress(data)
    at = dice.randrange(len(data) + 1) if how == 1 else 0
    return b"".join(gzip.compress(part, 1) for part in (data[:at], data[at:]) if part)
