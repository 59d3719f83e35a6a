"""What is inside the messages: the fields that check_message() cannot know, chunk by chunk."""
from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from conftest import Target
from support.envelopes import compound, envelope, metadata, new_id, plain, request, sample_v2
from support.messages import check_message, unpack, vroomrs_chunk
from support.perfetto_writer import DEBUG_ID, LIBRARY_START, MAIN, WORKER, Trace
from support.projects import PROJECT


def deliver(target: Target, chunk, raw=None):
    assert target.send(request(chunk)).status == 200
    [record] = target.profiles.by_chunk(chunk.chunk_id)
    return unpack(record), check_message(record, chunk, PROJECT, raw)


def test_a_trace_becomes_times_threads_and_stacks(target: Target) -> None:
    trace = Trace(samples=200, duration_ns=2_000_000_000, start_ns=1_790_000_000_123_456_789)
    message, payload = deliver(target, compound(trace.encode()))
    profile = payload["profile"]
    assert len(profile["samples"]) == 200
    assert profile["samples"][0]["timestamp"] == 1_790_000_000.123456789
    assert profile["samples"][-1]["timestamp"] == 1_790_000_002.123456789
    assert b'"timestamp":1790000000.123456789,' in message["payload"]
    assert profile["thread_metadata"] == {"4100": {"name": MAIN.name}, "4117": {"name": WORKER.name}}
    assert {s["thread_id"] for s in profile["samples"]} == {"4100", "4117"}
    stacks = [[profile["frames"][f] for f in stack] for stack in profile["stacks"]]
    library, oat = "data/app/com.example.shop/lib/arm64/libshop.so", "system/framework/arm64/boot-framework.oat"
    main = {"function": "main", "module": "android.app.ActivityThread", "package": oat, "platform": "java"}
    assert stacks == [  # leaf first
        [{"function": "decode_price", "instruction_addr": hex(LIBRARY_START + 0x1234), "package": library,
          "platform": "native"},
         {"function": "render", "module": "com.example.shop.CartView", "package": oat, "platform": "java"}, main],
        [{"instruction_addr": hex(LIBRARY_START + 0x2A40), "package": library, "platform": "native"}, main]]


def test_the_client_comes_first_among_the_images(target: Target) -> None:
    _, payload = deliver(target, compound(Trace().encode()))
    assert payload["debug_meta"]["images"] == [
        {"type": "proguard", "uuid": "4f2d1c86-6a0b-4b7e-9a51-0c6f2b6a7d11"},
        {"code_file": "data/app/com.example.shop/lib/arm64/libshop.so", "debug_id": DEBUG_ID, "type": "symbolic",
         "image_addr": hex(LIBRARY_START), "image_vmaddr": "0x0", "image_size": 65536}]


def test_metadata_is_carried_over(target: Target) -> None:
    chunk = compound(Trace().encode(), unheard_of={"x": 1})
    message, payload = deliver(target, chunk)
    sent = metadata(chunk.chunk_id)
    for key in ("measurements", "environment", "platform", "content_type", "release", "client_sdk", "version"):
        assert payload[key] == sent[key], key
    assert "unheard_of" not in payload
    assert message["raw_profile_content_type"] == "application/x-perfetto-trace"


def test_function_metrics_of_a_stored_chunk(target: Target) -> None:
    """The names of the trace reach Sentry's own function metrics, with the time they were sampled."""
    message, payload = deliver(target, compound(Trace(threads=(MAIN,)).encode()))
    chunk = vroomrs_chunk(message, payload)
    chunk.normalize()
    found = {m.get_function(): m for m in chunk.extract_functions_metrics(1, False, 100)}
    # Every second sample of the two seconds has it as its leaf.
    assert 0.9e9 < sum(found["decode_price"].get_self_times_ns()) < 1.1e9


def test_frames_of_a_json_chunk_are_not_touched(target: Target) -> None:
    sent = sample_v2(new_id())
    chunk = plain(payload=json.dumps(sent).encode())
    chunk.chunk_id = sent["chunk_id"]
    _, payload = deliver(target, chunk)
    assert payload["profile"] == sent["profile"]


def test_unsorted_samples_are_sorted_and_lone_threads_dropped(target: Target) -> None:
    chunk_id = new_id()
    sent = sample_v2(chunk_id)
    sent["profile"]["samples"].reverse()
    sent["profile"]["samples"].append({"timestamp": sent["profile"]["samples"][0]["timestamp"] + 1, "thread_id": "99",
                                       "stack_id": 0})
    sent["profile"]["thread_metadata"]["99"] = {"name": "lone"}
    chunk = plain(payload=json.dumps(sent).encode())
    chunk.chunk_id = chunk_id
    _, payload = deliver(target, chunk)
    times = [s["timestamp"] for s in payload["profile"]["samples"]]
    assert times == sorted(times) and len(times) == 200
    assert set(payload["profile"]["thread_metadata"]) == {"7", "8"}


def test_an_envelope_without_event_id_is_answered_without_one(target: Target) -> None:
    chunk = plain()
    built = request(chunk)
    built.body = envelope(*chunk.items)
    answer = target.send(built)
    assert (answer.status, answer.json()) == (200, {})
    assert len(target.profiles.by_chunk(chunk.chunk_id)) == 1


@pytest.mark.binary_only("needs the generator's program from the build folder")
def test_a_realistic_trace(target: Target, make_trace: Path, tmp_path: Path) -> None:
    """The generator's Android-like trace, thousands of samples over a dozen threads, through every judge."""
    path = tmp_path / "android.pftrace"
    subprocess.run([make_trace, "--kind", "android", "--now", str(int(time.time())), "-o", path], check=True,
                   capture_output=True)
    _, payload = deliver(target, compound(path.read_bytes()))
    assert len(payload["profile"]["samples"]) >= 1000
    assert len(payload["profile"]["thread_metadata"]) >= 12
    assert {f["platform"] for f in payload["profile"]["frames"]} == {"java", "native"}
