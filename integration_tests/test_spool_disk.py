"""The disk under the spool: it fails and heals, it damages the database, it is synced before each 200."""
from __future__ import annotations

import json
import re
import shutil
import signal
import threading
from pathlib import Path
from typing import Any, Callable

import pytest

from local_kafka import LocalKafka
from support import http_client
from support.envelopes import compound, plain, request
from support.perfetto_writer import Trace
from support.server import Server, broker_configuration
from support.topics import Profiles
from support.waiting import wait_until
from test_spool import spool_rows

pytestmark = pytest.mark.binary_only("starts its own servers")


class Disk:
    """What lies under the spool of one server; see support/failing_disk.c."""

    def __init__(self, binary: Path, control: Path):
        self.library = binary.parent / "libfailing-disk.so"
        assert self.library.exists(), f"{self.library} is missing: run ./dev build"
        self.control = control

    def environment(self, folder: Path) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library), "FAILING_DISK": str(self.control),
                "FAILING_DISK_FOLDER": str(folder) + "/"}

    def fail(self, how: str) -> None:
        part = self.control.with_suffix(".part")
        part.write_text(how)
        part.rename(self.control)

    def heal(self) -> None:
        self.control.unlink()


@pytest.fixture
def disk(binary: Path, tmp_path: Path) -> Disk:
    return Disk(binary, tmp_path / "failing")


def on_disk(make_server: Callable[..., Server], disk: Disk, tmp_path: Path,
            configuration: dict[str, Any] | None = None) -> Server:
    folder = tmp_path / "the-spool"
    merged = {**(configuration or {}), "spool": {"envelopes": {"path": str(folder)}}}
    return make_server(merged, environment=disk.environment(folder))


def ready(server: Server) -> tuple[int, dict[str, Any]]:
    answer = http_client.get(server.url, "/api/relay/healthcheck/ready/")
    return answer.status, answer.json()


def chunk_ids(server: Server) -> set[str]:
    return {r["chunk_id"] for r in spool_rows(server)}


@pytest.mark.parametrize("how", ["ENOSPC", "EIO"])
def test_a_disk_that_fails_is_told_and_heals_by_itself(make_server: Callable[..., Server], disk: Disk, tmp_path: Path,
                                                       how: str) -> None:
    server = on_disk(make_server, disk, tmp_path).start()
    before, refused, after = [plain() for _ in range(3)], compound(Trace().encode()), plain()
    assert {server.send(request(c)).status for c in before} == {200}
    assert ready(server)[0] == 200

    disk.fail(how)
    answer = server.send(request(refused))
    assert answer.status == 503 and int(answer.headers["retry-after"]) > 0 and answer.json()["detail"]
    status, body = ready(server)
    assert status == 503 and body["checks"]["spool"].startswith("failed: the last write failed")
    assert (server.metric("spool_failed"), server.metric("spool_has_room"), server.metric("ready")) == (1, 0, 0)
    assert server.send(request(plain())).status == 503
    assert chunk_ids(server) == {c.chunk_id for c in before}
    refusal = server.command("spool", "rm", str(spool_rows(server)[0]["id"]), "-c", str(server.folder))
    assert refusal.returncode == 1 and "cannot use" in refusal.stderr, refusal

    disk.heal()
    # Nobody sends anything: a server that is not ready gets no traffic.
    wait_until(lambda: ready(server)[0] == 200, "a server that is ready again by itself")
    assert server.metric("spool_failed") == 0
    assert server.send(request(after)).status == 200
    lines = [line for line in server.log().splitlines() if "spool.sqlite" in line]
    assert sum("cannot write" in line for line in lines) == 1, lines
    assert sum("can be written again" in line for line in lines) == 1, lines
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    server.start()
    assert chunk_ids(server) == {c.chunk_id for c in [*before, after]}
    assert server.stop() == 0


def test_under_load_a_disk_that_comes_and_goes_loses_nothing(make_server: Callable[..., Server], disk: Disk,
                                                             tmp_path: Path) -> None:
    server = on_disk(make_server, disk, tmp_path).start()
    promised: set[str] = set()
    statuses: list[int] = []
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            chunk = plain()
            status = server.send(request(chunk)).status
            statuses.append(status)
            if status == 200:
                promised.add(chunk.chunk_id)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for how in ("ENOSPC", "EIO", "ENOSPC"):
            good, bad = statuses.count(200), statuses.count(503)
            wait_until(lambda: statuses.count(200) > good + 20, "chunks that are taken")
            disk.fail(how)
            wait_until(lambda: statuses.count(503) > bad + 20, "chunks that are refused")
            disk.heal()
        good = statuses.count(200)
        wait_until(lambda: statuses.count(200) > good + 20, "chunks that are taken again")
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert set(statuses) == {200, 503}
    assert promised <= chunk_ids(server)
    assert server.metric("chunks_total", end="spooled") == len(promised)
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    server.start()
    assert promised <= chunk_ids(server)
    assert server.metric("spool_damaged_files") == 0
    assert server.stop() == 0


def test_with_a_broker_a_failing_disk_refuses_nobody(make_server: Callable[..., Server], disk: Disk, tmp_path: Path,
                                                     kafka: LocalKafka) -> None:
    """processing.ack: spool. What the spool cannot take now waits for the broker instead."""
    kafka.create_topic("profiles-disk")
    configuration = broker_configuration(kafka.bootstrap, "profiles-disk")
    configuration["processing"]["ack"] = "spool"
    server = on_disk(make_server, disk, tmp_path, configuration).start()
    first, second = plain(), plain()
    assert server.send(request(first)).status == 200
    wait_until(lambda: spool_rows(server) == [], "a drained spool")
    disk.fail("ENOSPC")
    assert server.send(request(second)).status == 200
    assert server.metric("chunks_total", end="delivered") == 1
    assert ready(server)[0] == 200
    disk.heal()
    reader = Profiles(kafka.bootstrap, "profiles-disk")
    assert reader.by_chunk(first.chunk_id) and reader.by_chunk(second.chunk_id)
    reader.close()
    assert server.stop() == 0


@pytest.mark.parametrize("damage", ["header", "not a database", "log"])
def test_a_damaged_spool_is_set_aside_and_told(make_server: Callable[..., Server], damage: str) -> None:
    server = make_server().start()
    chunks = [plain() for _ in range(5)] + [compound(Trace().encode()) for _ in range(3)]
    assert {server.send(request(c)).status for c in chunks} == {200}
    folder = server.folder / "spool"
    database, log = folder / "spool.sqlite", folder / "spool.sqlite-wal"
    if damage == "log":
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        content = bytearray(log.read_bytes())
        at = 32 + 3 * (24 + 8192) + 1000  # well inside the first transactions
        content[at:at + 8] = b"damaged!"
        log.write_bytes(content)
    else:
        assert server.stop() == 0
        content = bytearray(database.read_bytes())
        database.write_bytes(b"x" * 100 + content[100:] if damage == "header" else b"not a database" * 1000)
    wrong = {p.name: p.read_bytes() for p in (database, log) if p.exists()}

    server.start()
    [line] = [line for line in server.log().splitlines() if "set aside as" in line]
    [aside] = [p for p in folder.glob("spool.sqlite.damaged-*") if not p.name.endswith(("-wal", "-shm"))]
    assert str(aside) in line and str(database) in line
    assert aside.read_bytes() == wrong["spool.sqlite"], "what was set aside is what was found"
    if "spool.sqlite-wal" in wrong:
        assert Path(f"{aside}-wal").read_bytes() == wrong["spool.sqlite-wal"]
    status, body = ready(server)
    assert status == 200 and "1 damaged database(s) set aside" in body["checks"]["spool"]
    assert server.metric("spool_damaged_files") == 1
    back = chunk_ids(server)
    expected = {"header": 8, "not a database": 0, "log": 8}[damage]
    # A page of the log that is damaged may have been the newest of its kind.
    assert expected - (damage == "log") <= len(back) <= expected
    assert back <= {c.chunk_id for c in chunks}
    assert server.metric("spool_records_salvaged") == len(back)
    assert server.send(request(plain())).status == 200

    for path in folder.glob("spool.sqlite.damaged-*"):
        path.unlink()
    wait_until(lambda: server.metric("spool_damaged_files") == 0, "the file's removal noticed")
    assert "damaged" not in ready(server)[1]["checks"]["spool"]
    assert server.stop() == 0


# strace -f -y: PID, then the call with the names of its files, perhaps in two lines.
CALL = re.compile(r"^(?P<pid>\d+) +(?P<name>\w+)\((?P<rest>.*)$")
RESUMED = re.compile(r"^(?P<pid>\d+) +<\.\.\. (?P<name>\w+) resumed>(?P<rest>.*)$")


def events_of(trace: str) -> list[str]:
    """In the order they happened: "written" (a write to the log returned), "sync" (of it began), "synced" (it
    returned 0), "answered" (a 200 was about to leave)."""
    events: list[str] = []
    open_calls: dict[str, str] = {}  # by thread
    for line in trace.splitlines():
        if found := CALL.match(line):
            name, rest = found["name"], found["rest"]
            to_log = "spool.sqlite-wal>" in rest
            if name in ("fdatasync", "fsync") and to_log:
                events.append("sync")
            if name in ("sendmsg", "sendto", "write", "writev") and "HTTP/1.1 200" in rest:
                events.append("answered")
            if rest.endswith("<unfinished ...>"):
                open_calls[found["pid"]] = rest
                continue
        elif found := RESUMED.match(line):
            name, rest = found["name"], found["rest"]
            to_log = "spool.sqlite-wal>" in open_calls.pop(found["pid"], "")
        else:
            continue
        if to_log and name == "pwrite64" and not rest.rstrip().split(" = ")[-1].startswith("-1"):
            events.append("written")
        if to_log and name in ("fdatasync", "fsync") and rest.rstrip().endswith("= 0"):
            events.append("synced")
    return events


def test_each_spooled_200_leaves_after_the_sync_of_its_record(make_server: Callable[..., Server],
                                                              tmp_path: Path) -> None:
    strace = shutil.which("strace")
    assert strace, "strace is missing: run ./dev setup"
    trace = tmp_path / "strace.txt"
    calls = "pwrite64,fdatasync,fsync,sendmsg,sendto,write,writev"
    # -D: the server is the process that is started, strace its grandchild.
    server = make_server(wrapper=(strace, "-D", "-f", "-y", "-q", "-s", "32", "-e", f"trace={calls}", "-o", str(trace)))
    server.start()
    chunks = [plain() for _ in range(10)] + [compound(Trace().encode()) for _ in range(5)]
    for chunk in chunks:
        assert server.send(request(chunk)).status == 200
    assert server.stop(60.0) == 0
    wait_until(lambda: re.search(r"exited with 0 \+\+\+\s*$", trace.read_text()), "the end of the trace")

    events = events_of(trace.read_text())
    assert events.count("answered") == len(chunks), "every answer is seen"
    while "answered" in events:
        at = events.index("answered")
        before, events = events[:at], events[at + 1:]
        # One request after the other: what was written since the last answer is this request's.
        last_write = max(i for i, e in enumerate(before) if e == "written")
        assert before[last_write:last_write + 3] == ["written", "sync", "synced"], before
