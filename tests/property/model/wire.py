"""The protobuf wire format, and messages as dictionaries by field name. Source: perfetto-decoding 1."""

from model.schema import MESSAGES

U64 = (1 << 64) - 1


class Corrupt(Exception):
    """The bytes do not parse to their end."""


class Truncated(Corrupt):
    """The bytes end inside a field."""


def varint(data, at):
    """The number at `at`, and where the next thing starts."""
    value = 0
    for i in range(10):
        if at + i >= len(data):
            raise Truncated
        byte = data[at + i]
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return value & U64, at + i + 1
    raise Corrupt


def field(data, at):
    """(field number, wire type, value, end) of the field that starts at `at`."""
    tag, at = varint(data, at)
    number, wire_type = tag >> 3, tag & 7
    if number == 0 or number >= 1 << 29:
        raise Corrupt
    if wire_type == 0:
        value, end = varint(data, at)
        return number, wire_type, value, end
    if wire_type == 2:
        size, at = varint(data, at)
    elif wire_type in (1, 5):
        size = 8 if wire_type == 1 else 4
    else:
        raise Corrupt
    if at + size > len(data):
        raise Truncated
    return number, wire_type, data[at : at + size], at + size


def fields(data):
    at = 0
    while at < len(data):
        number, wire_type, value, at = field(data, at)
        yield number, wire_type, value


def signed(value, bits):
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


SCALARS = {
    "u32": lambda v: v & 0xFFFFFFFF,
    "u64": lambda v: v,
    "i32": lambda v: signed(v, 32),
    "i64": lambda v: signed(v, 64),
    "bool": bool,
}


class Message(dict):
    """Field name to value; an absent field is None, an absent repeated field is []."""

    def __init__(self, type_name):
        super().__init__()
        self.type_name = type_name

    def __getattr__(self, name):
        if name in self:
            return self[name]
        for known, _, repeated in MESSAGES[self.type_name].values():
            if known == name:
                return [] if repeated else None
        raise AttributeError(f"{self.type_name} has no field {name}")


def parse(type_name, data):
    """Unknown fields, and known ones with another wire type, are skipped; repeated scalars come in both forms."""
    out = Message(type_name)
    known = MESSAGES[type_name]
    for number, wire_type, value in fields(data):
        if number not in known:
            continue
        name, kind, repeated = known[number]
        if kind in SCALARS:
            if wire_type == 0:
                values = [value]
            elif wire_type == 2 and repeated:
                values, at = [], 0
                while at < len(value):
                    one, at = varint(value, at)
                    values.append(one)
            else:
                continue
            values = [SCALARS[kind](v) for v in values]
        elif wire_type != 2:
            continue
        else:
            values = [value if kind == "bytes" else parse(kind, value)]
        if repeated:
            out.setdefault(name, []).extend(values)
        else:
            out[name] = values[-1]
    return out
