"""The smallest part of a random trace that still shows a difference: python tests/property/minimise.py SEED [WORD].

With WORD, only differences that name it count. For people: the test does not use this.
"""

import sys

from google.protobuf import text_format
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as official

from difference import compare
from generate.container import item
from generate.trace import generate
from model.container import decompressed_file
from model.wire import Corrupt, field


def items(data):
    """The top-level fields of a trace as bytes; what is damaged is the last one."""
    out, at = [], 0
    while at < len(data):
        try:
            end = field(data, at)[3]
        except Corrupt:
            end = len(data)
        out.append(data[at:end])
        at = end
    return out


def flattened(parts):
    """Bundles opened, if the difference survives that."""
    from model.container import inflated_bundle, is_bundle
    from model.wire import parse

    for part in parts:
        packet = parse("TracePacket", field(part, 0)[2]) if part[0] == 0x0A else {}
        if packet and is_bundle(packet):
            yield from items(inflated_bundle(packet))
        else:
            yield part


def fewer_fields(part, differs):
    """One packet without the fields that do not matter."""
    try:
        packet = official.TracePacket.FromString(field(part, 0)[2])
    except Exception:  # a damaged or odd packet stays as it is
        return part
    changed = True
    while changed:
        changed = False
        for without in list(reduced(packet)):
            candidate = item(without.SerializeToString())
            if differs(candidate):
                packet, part, changed = without, candidate, True
                break
    return part


def reduced(message):
    """Copies of a message, each with one thing less, large things first."""
    for descriptor, value in message.ListFields():
        copy = type(message)()
        copy.CopyFrom(message)
        copy.ClearField(descriptor.name)
        yield copy
    for descriptor, value in message.ListFields():
        if descriptor.is_repeated:
            for i in range(len(value)):
                copy = type(message)()
                copy.CopyFrom(message)
                del getattr(copy, descriptor.name)[i]
                yield copy
                if descriptor.message_type:
                    for smaller in reduced(value[i]):
                        copy = type(message)()
                        copy.CopyFrom(message)
                        getattr(copy, descriptor.name)[i].CopyFrom(smaller)
                        yield copy
        elif descriptor.message_type:
            for smaller in reduced(value):
                copy = type(message)()
                copy.CopyFrom(message)
                getattr(copy, descriptor.name).CopyFrom(smaller)
                yield copy


def minimise(data, word=""):
    def differs(parts):
        try:
            return any(word in d for d in compare(b"".join(parts))[0])
        except Exception:  # no trace any more
            return False

    parts = items(decompressed_file(data))
    try:
        opened = list(flattened(parts))
        parts = opened if differs(opened) else parts
    except Corrupt:
        pass
    size = len(parts)
    while size:
        at = 0
        while at < len(parts):
            fewer = parts[:at] + parts[at + size :]
            if differs(fewer):
                parts = fewer
            else:
                at += size
        size //= 2
    for i in range(len(parts)):
        parts[i] = fewer_fields(parts[i], lambda c, i=i: differs(parts[:i] + [c] + parts[i + 1 :]))
    return parts


def main(seed, word=""):
    parts = minimise(generate(int(seed)), word)
    for part in parts:
        try:
            packet = official.TracePacket.FromString(field(part, 0)[2])
            print("packet {", text_format.MessageToString(packet, as_one_line=True), "}")
        except Exception:
            print(part)
    differences, model, _ = compare(b"".join(parts))
    print("\n".join(differences))
    print("model:", dict(model.counters), model.samples)


if __name__ == "__main__":
    main(*sys.argv[1:])
