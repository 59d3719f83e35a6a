"""A trace of the real sampler and writer, read with the official schema: its shape, and the same stacks as our decoder's.

Run with pytest (tools/requirements-perfetto.txt); SDK_PROFILE_SELF names the program, else that of build/dev is taken.
"""

import json
import os
import pathlib
import subprocess

import pytest
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as official

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("SDK_PROFILE_SELF", ROOT / "build" / "dev" / "sdk-profile-self")
BOOTTIME, REALTIME, MONOTONIC = 6, 1, 3


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sdk")
    subprocess.run([PROGRAM, folder / "trace", folder / "json"], check=True)
    trace = official.Trace.FromString((folder / "trace").read_bytes())
    return trace, json.loads((folder / "json").read_text())


def unknown_fields(message):
    """How many fields the official schema does not know, at any depth."""
    from google.protobuf import unknown_fields as unknown
    count = len(unknown.UnknownFieldSet(message))
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            count += sum(unknown_fields(m) for m in (value if field.is_repeated else [value]))
    return count


def test_every_field_is_official(made):
    assert unknown_fields(made[0]) == 0


def test_order_of_the_packets(made):
    packets = made[0].packet
    for end in (packets[0], packets[-1]):
        snapshot = end.clock_snapshot
        assert {c.clock_id for c in snapshot.clocks} == {BOOTTIME, REALTIME, MONOTONIC}
        assert snapshot.primary_trace_clock == BOOTTIME
    first = packets[1]
    assert first.sequence_flags == 1
    assert first.trace_packet_defaults.timestamp_clock_id == BOOTTIME
    timebase = first.trace_packet_defaults.perf_sample_defaults.timebase
    assert (timebase.frequency, timebase.counter) == (101, official.PerfEvents.SW_CPU_CLOCK)
    process = packets[2].track_descriptor
    assert process.process.process_name == "sdk-profile-sel"
    between = packets[1:-1]
    assert {p.trusted_packet_sequence_id for p in between} == {1}
    assert all(packets[0].clock_snapshot.clocks[0].timestamp <= p.timestamp
               <= packets[-1].clock_snapshot.clocks[0].timestamp for p in between)
    named = {p.track_descriptor.thread.tid for p in between if p.track_descriptor.HasField("thread")}
    samples = [p for p in between if p.HasField("perf_sample")]
    assert named == {p.perf_sample.tid for p in samples}
    assert all(p.sequence_flags == 2 for p in samples)
    assert all(p.track_descriptor.parent_uuid == process.uuid for p in between if p.track_descriptor.HasField("thread"))


def test_the_stacks_are_those_that_our_decoder_reads(made):
    """By the simplest reading: what a sample needs is interned with it or before it."""
    trace, ours = made
    tables = {name: {} for name in ("function_names", "frames", "callstacks", "build_ids", "mapping_paths", "mappings")}
    theirs = []
    for packet in trace.packet:
        for name, table in tables.items():
            for entry in getattr(packet.interned_data, name):
                assert table.setdefault(entry.iid, entry) is entry, f"{name} {entry.iid} twice"
        if not packet.HasField("perf_sample"):
            continue
        stack = []
        for frame in (tables["frames"][i] for i in reversed(tables["callstacks"][packet.perf_sample.callstack_iid].frame_ids)):
            one = {}
            if frame.function_name_id:
                one["function"] = tables["function_names"][frame.function_name_id].str.decode()
            if frame.mapping_id:
                mapping = tables["mappings"][frame.mapping_id]
                one["mapping"] = "/" + "/".join(tables["mapping_paths"][i].str.decode() for i in mapping.path_string_ids)
                one["pc"] = mapping.start + frame.rel_pc
                assert one["pc"] < mapping.end
                if mapping.build_id:
                    one["build_id"] = tables["build_ids"][mapping.build_id].str.hex()
            stack.append(one)
        theirs.append((packet.timestamp, packet.perf_sample.pid, packet.perf_sample.tid, stack))
    keys = ("function", "mapping", "pc", "build_id")
    read = [(s["trace_time"], s["pid"], s["tid"], [{k: f[k] for k in keys if k in f} for f in s["stack"]])
            for s in ours["samples"]]
    assert len(theirs) >= 100
    assert sorted(theirs, key=lambda s: s[:3]) == sorted(read, key=lambda s: s[:3])
    assert ours["counters"] == {}
    assert any(f.get("function", "").endswith("spin()") for _, _, _, stack in theirs for f in stack)
