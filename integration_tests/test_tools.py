"""`decode` and `inspect` as a person uses them: on files, on standard input, on compressed files. No Kafka, no server."""
from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path
from typing import Any, Callable

import pytest

from support.perfetto_writer import (BOOT_OFFSET_NS, MAIN, WORKER, Trace, block, clock_snapshot, interned_stacks, number,
                                     packet)

pytestmark = pytest.mark.binary_only("runs the binary on files")

SECOND = 1_000_000_000
START = 1_790_000_000 * SECOND
Run = Callable[..., subprocess.CompletedProcess]


def stored_zstd(data: bytes) -> bytes:
    """A zstd frame of raw blocks: no compressor needed."""
    largest = 128 << 10
    pieces = [data[at:at + largest] for at in range(0, len(data), largest)] or [b""]
    frame = bytes.fromhex("28b52ffd") + bytes([0xA0]) + len(data).to_bytes(4, "little")
    for i, piece in enumerate(pieces):
        frame += (len(piece) << 3 | (i == len(pieces) - 1)).to_bytes(3, "little") + piece
    return frame


PACKINGS: dict[str, Callable[[bytes], bytes]] = {"plain": bytes, "gzip": gzip.compress, "zstd": stored_zstd}


@pytest.fixture
def run(binary: Path, tmp_path: Path) -> Run:
    """run("inspect", data, ...): the file's name as the first argument, or "-" with stdin=True."""
    def run(command: str, data: bytes, *options: str, stdin: bool = False) -> subprocess.CompletedProcess:
        file = tmp_path / "trace"
        file.write_bytes(data)
        return subprocess.run([binary, command, "-" if stdin else str(file), *options], capture_output=True,
                              input=data if stdin else None, timeout=60, check=False)
    return run


def json_of(done: subprocess.CompletedProcess) -> dict[str, Any]:
    return json.loads(done.stdout)


def empty_but_healthy(packets: int = 2_000) -> bytes:
    """What a phone writes when the app used no CPU: a profiler that announced itself, and packets without samples."""
    timebase = block(12, block(1, number(2, 101), number(4, 1)))
    return b"".join([
        clock_snapshot(BOOT_OFFSET_NS, START),
        packet(number(10, 3), number(13, 1), block(59, number(58, 3), timebase)),
        *[packet(number(10, 3), number(13, 2), number(8, BOOT_OFFSET_NS + i), block(60, number(1, i + 1)))
          for i in range(packets - 2)],
    ])


def two_threads() -> Trace:
    return Trace(samples=200, start_ns=START)


def long_and_single() -> bytes:
    """Two samples of one thread 70 s apart, and one sample of another."""
    trace = Trace(samples=3, duration_ns=70 * SECOND, threads=(MAIN, WORKER), start_ns=START)
    return trace.encode()


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("stdin", [False, True], ids=["file", "stdin"])
def test_decode_prints_what_the_server_would_send(run: Run, packing: str, stdin: bool) -> None:
    done = run("decode", PACKINGS[packing](two_threads().encode()), stdin=stdin)
    assert done.returncode == 0, done.stderr
    profile = json_of(done)
    assert len(profile["profile"]["samples"]) == 200
    assert {s["thread_id"] for s in profile["profile"]["samples"]} == {str(MAIN.tid), str(WORKER.tid)}
    assert profile["version"] == "2" and profile["platform"] == "android"


def test_decode_pretty_changes_only_the_spaces(run: Run, tmp_path: Path) -> None:
    metadata = tmp_path / "metadata.json"
    metadata.write_text(json.dumps({"chunk_id": "1" * 32, "profiler_id": "2" * 32, "platform": "android", "version": "2"}))
    data = two_threads().encode()
    compact = run("decode", data, "--metadata", str(metadata))
    pretty = run("decode", data, "--metadata", str(metadata), "--pretty")
    assert json_of(compact) == json_of(pretty) and json_of(compact)["chunk_id"] == "1" * 32
    assert compact.stdout.count(b"\n") == 1 and pretty.stdout.count(b"\n") > 1000
    assert run("decode", data, "--metadata", str(metadata), "--json").stdout == compact.stdout


def test_decode_without_normalising_keeps_long_chunks_and_single_samples(run: Run) -> None:
    data = long_and_single()
    refused = run("decode", data)
    assert refused.returncode == 1 and b"profiling_duration_is_too_long" in refused.stderr and refused.stdout == b""
    kept = json_of(run("decode", data, "--no-normalize"))["profile"]["samples"]
    assert [s["thread_id"] for s in kept] == [str(MAIN.tid), str(WORKER.tid), str(MAIN.tid)]
    assert kept[-1]["timestamp"] - kept[0]["timestamp"] == pytest.approx(70)


@pytest.mark.parametrize("missing", ["chunk_id", "profiler_id", "platform", "version"])
def test_decode_names_the_metadata_that_is_missing(run: Run, tmp_path: Path, missing: str) -> None:
    metadata = {"chunk_id": "1" * 32, "profiler_id": "2" * 32, "platform": "android", "version": "2"}
    del metadata[missing]
    file = tmp_path / "metadata.json"
    file.write_text(json.dumps(metadata))
    done = run("decode", two_threads().encode(), "--metadata", str(file))
    assert done.returncode == 1 and f"{missing}: is required".encode() in done.stderr


@pytest.mark.parametrize("options", [(), ("--no-normalize",)], ids=["normalised", "not"])
def test_decode_tells_a_rejection_as_json(run: Run, options: tuple[str, ...]) -> None:
    snapshot, *rest = two_threads().packets()
    data = snapshot + b"".join(rest) * 600  # 120,000 samples
    done = run("decode", data, "--json", *options)
    assert done.returncode == 1 and done.stderr == b""
    error = json_of(done)["error"]
    assert error["reason"] == "profiling_exceed_size_limit" and error["cause"] == "trace_limit"
    assert "profiling.max_samples" in error["detail"] and 0 < error["offset"] < len(data)


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("stdin", [False, True], ids=["file", "stdin"])
def test_inspect_shows_what_is_inside(run: Run, packing: str, stdin: bool) -> None:
    data = PACKINGS[packing](two_threads().encode())
    done = run("inspect", data, stdin=stdin)
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    assert text.startswith("USABLE   200 samples")
    for line in ("packets: 204", "perf_sample", "sequences: 1", "clocks: 1 snapshot", "6 BOOTTIME", "PriceWorker",
                 "libshop.so", "all zero: nothing was lost"):
        assert line in text, text
    assert ("packing" in text) == (packing != "plain")

    shown = json_of(run("inspect", data, "--json", stdin=stdin))
    assert shown["verdict_code"] == "usable" and shown["bytes"] == len(data) and shown["packing"] == packing
    assert shown["packets"] == 204 and shown["sample_records"] == shown["usable_samples"] == shown["sent_samples"] == 200
    assert shown["packets_by_kind"]["perf_sample"]["packets"] == 200
    assert [(s["id"], s["samples"], s["clears"], s["valid_at_end"]) for s in shown["sequences"]] == [(1, 200, 1, True)]
    assert shown["sample_kinds"]["perf_sample_with_stack"] == 200
    assert [(p["pid"], p["threads"], p["samples"]) for p in shown["processes"]] == [(MAIN.pid, 2, 200)]
    assert shown["images"][0]["code_file"].endswith("libshop.so")
    assert shown["counters"] == {} and "error" not in shown and "samples" not in shown


def test_inspect_makes_an_empty_trace_unmistakable(run: Run) -> None:
    done = run("inspect", empty_but_healthy())
    assert done.returncode == 0
    first, second, third = done.stdout.decode().splitlines()[:3]
    assert first == "EMPTY   healthy trace, 2,000 packets, no CPU sample"
    assert "a profiler was running (sequence 3: SW_CPU_CLOCK, 101 Hz)" in second
    assert "no CPU" in third
    shown = json_of(run("inspect", empty_but_healthy(), "--json"))
    assert shown["verdict_code"] == "empty" and shown["usable_samples"] == 0 and shown["advice"]

    without_profiler = run("inspect", clock_snapshot(BOOT_OFFSET_NS, START)).stdout.decode()
    assert without_profiler.startswith("EMPTY   healthy trace, 1 packet, no CPU sample\n  -> no profiler announced itself")


def test_inspect_lists_samples_for_comparison(run: Run) -> None:
    shown = json_of(run("inspect", two_threads().encode(), "--json", "--samples"))
    assert len(shown["samples"]) == 200
    sample = shown["samples"][0]
    assert sample["trace_time"] == BOOT_OFFSET_NS and sample["wall_time"] == START
    assert (sample["pid"], sample["tid"], sample["source"]) == (MAIN.pid, MAIN.tid, "perf_sample")
    assert [f["function"] for f in sample["stack"]][-1] == "android.app.ActivityThread.main", "leaf first"
    assert b"samples, leaf first" in run("inspect", two_threads().encode(), "--samples").stdout


def test_inspect_sees_suspends_and_steps_of_the_clock(run: Run) -> None:
    def snapshot(boot: int, mono: int, real: int) -> bytes:
        clocks = [block(1, number(1, clock), number(2, at * SECOND)) for clock, at in ((6, boot), (3, mono), (1, real))]
        return packet(number(10, 1), block(6, *clocks, number(2, 6)))

    data = snapshot(10, 4, 1000) + snapshot(20, 7, 1010) + snapshot(21, 8, 1008)
    text = run("inspect", data).stdout.decode()
    assert "suspended for 7.000 s between the snapshots at BOOTTIME 10.000 s and 20.000 s" in text
    assert "REALTIME was set back by 3.000 s" in text
    shown = json_of(run("inspect", data, "--json"))
    assert [s["ns"] for s in shown["suspends"]] == [7 * SECOND]
    assert [s["ns"] for s in shown["realtime_steps"]] == [-3 * SECOND]
    assert len(shown["snapshots"]) == shown["snapshot_count"] == 3


def test_inspect_names_losses_with_reason_and_advice(run: Run) -> None:
    snapshot, *rest = two_threads().packets()
    lost = packet(number(10, 1), number(13, 2), number(42, 1 | 256), block(66, number(4, 1)))
    data = snapshot + b"".join(rest) + lost
    text = run("inspect", data).stdout.decode()
    assert text.startswith("USABLE, WITH LOSSES   200 samples")
    counters = text[text.index("\ncounters\n"):]
    assert "previous_packet_dropped" in counters and "shared memory full: 1" in counters and "larger buffer" in counters
    shown = json_of(run("inspect", data, "--json"))
    assert shown["verdict_code"] == "losses"
    assert shown["sequences"][0]["losses_by_reason"] == {"present": 1, "shared memory full": 1}
    assert shown["sequences"][0]["valid_at_end"] is False


def test_inspect_shows_what_can_be_shown_of_a_trace_that_is_refused(run: Run) -> None:
    snapshot, *rest = two_threads().packets()
    data = snapshot + b"".join(rest) * 600
    done = run("inspect", data)
    assert done.returncode == 1
    text = done.stdout.decode()
    assert text.startswith("REJECTED   samples reach profiling.max_samples") and "at byte" in text.splitlines()[0]
    assert "120,000" in text and "packets: 121,801" in text
    done = run("inspect", data, "--json")
    shown = json_of(done)
    assert done.returncode == 1 and shown["verdict_code"] == "rejected"
    assert shown["error"]["reason"] == "profiling_exceed_size_limit" and shown["error"]["offset"] > 0
    assert shown["packets_by_kind"]["perf_sample"]["packets"] == 120_000


def test_inspect_tells_other_files_from_traces(run: Run) -> None:
    done = run("inspect", b"this is no trace")
    assert done.returncode == 1 and done.stdout.startswith(b"REJECTED   the input is not a Perfetto trace")
    assert json_of(run("inspect", b"this is no trace", "--json"))["error"]["cause"] == "trace_unreadable"


def test_inspect_says_where_a_trace_is_damaged_or_cut(run: Run) -> None:
    data = two_threads().encode()
    shown = json_of(run("inspect", data + b"\x07", "--json"))
    assert shown["verdict_code"] == "losses" and shown["corrupt_offset"] == len(data)
    cut = run("inspect", data + b"\x0a\x20\x08").stdout.decode()
    assert f"cut off         in the packet that begins at byte {len(data):,}" in cut


def test_inspect_knows_a_trace_without_a_wall_clock(run: Run) -> None:
    data = Trace(samples=10, realtime=False).encode()
    assert run("inspect", data).stdout.startswith(b"NO WALL CLOCK   no sample can be placed in time")
    assert json_of(run("inspect", data, "--json"))["verdict_code"] == "no_wall_clock"


def test_inspect_cuts_long_lists_unless_told_otherwise(run: Run) -> None:
    data = b"".join([clock_snapshot(BOOT_OFFSET_NS, START),
                     *[packet(number(10, i), number(13, 1), interned_stacks()) for i in range(1, 31)]])
    short, full = (run("inspect", data, *options).stdout.decode() for options in ((), ("--all",)))
    assert "... and 10 more (--all shows them)" in short and "more (--all" not in full
    assert "snapshots\n" in full and "snapshots\n" not in short
    assert len(json_of(run("inspect", data, "--json"))["sequences"]) == 30
