"""Our .proto subset against the official schema, which the PyPI package `perfetto` carries as descriptors.

Run with pytest (tools/requirements-perfetto.txt); PROFILE_RELAY_DESC names the descriptor set that CMake writes to
build/<preset>/proto/profile_relay.desc. Without it the newest one under build/ is taken.
"""

import os
import pathlib

import pytest
from google.protobuf import descriptor_pb2
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as official

FieldProto = descriptor_pb2.FieldDescriptorProto
ROOT = pathlib.Path(__file__).resolve().parents[2]


def descriptor_file():
    named = os.environ.get("PROFILE_RELAY_DESC")
    if named:
        return pathlib.Path(named)
    built = sorted(ROOT.glob("build/*/proto/profile_relay.desc"), key=lambda p: p.stat().st_mtime)
    if not built:
        pytest.fail("no profile_relay.desc under build/: build the target profile_relay_proto, or set PROFILE_RELAY_DESC")
    return built[-1]


def flatten(container, prefix, messages, enums):
    for message in container:
        name = f"{prefix}.{message.name}"
        messages[name] = message
        for enum in message.enum_type:
            enums[f"{name}.{enum.name}"] = enum
        flatten(message.nested_type, name, messages, enums)


def by_name(files):
    messages, enums = {}, {}
    for file in files:
        for enum in file.enum_type:
            enums[f"{file.package}.{enum.name}"] = enum
        flatten(file.message_type, file.package, messages, enums)
    return messages, enums


@pytest.fixture(scope="module")
def ours():
    files = descriptor_pb2.FileDescriptorSet.FromString(descriptor_file().read_bytes())
    return by_name(files.file)


@pytest.fixture(scope="module")
def theirs():
    file = descriptor_pb2.FileDescriptorProto()
    official.DESCRIPTOR.CopyToProto(file)
    return by_name([file])


def describe(message, field):
    """What must agree: number, type, label, packing, and the oneof that holds the field."""
    return {
        "number": field.number,
        "type": FieldProto.Type.Name(field.type),
        "type_name": field.type_name.lstrip("."),
        "label": FieldProto.Label.Name(field.label),
        "packed": field.options.packed,
        "oneof": message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else None,
    }


def test_every_message_and_field_is_official(ours, theirs):
    deviations, fields = [], 0
    for name, message in ours[0].items():
        reference = theirs[0].get(name)
        if reference is None:
            deviations.append(f"{name}: no such message")
            continue
        known = {f.name: f for f in reference.field}
        for field in message.field:
            fields += 1
            if field.name not in known:
                deviations.append(f"{name}.{field.name}: no such field")
                continue
            mine, official_field = describe(message, field), describe(reference, known[field.name])
            deviations += [
                f"{name}.{field.name}: {key} is {mine[key]}, officially {official_field[key]}"
                for key in mine
                if mine[key] != official_field[key]
            ]
    print(f"{len(ours[0])} messages, {fields} fields compared, {len(deviations)} deviations")
    assert fields > 0
    assert not deviations, "\n".join(deviations)


def test_every_enum_value_is_official(ours, theirs):
    deviations, values = [], 0
    for name, enum in ours[1].items():
        reference = theirs[1].get(name)
        if reference is None:
            deviations.append(f"{name}: no such enum")
            continue
        known = {v.name: v.number for v in reference.value}
        for value in enum.value:
            values += 1
            if known.get(value.name) != value.number:
                deviations.append(f"{name}.{value.name}: {value.number}, officially {known.get(value.name)}")
    print(f"{len(ours[1])} enums, {values} values compared, {len(deviations)} deviations")
    assert values > 0
    assert not deviations, "\n".join(deviations)
