"""`run --profile-self DSN`: the server profiles itself, and a DSN that is its own makes no circle."""
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

import pytest

from local_kafka import LocalKafka, free_ports
from support.envelopes import Chunk, plain, request
from support.messages import check_message, unpack
from support.projects import PROJECT
from support.server import Server, broker_configuration
from support.topics import Profiles
from support.waiting import wait_until

pytestmark = pytest.mark.binary_only("starts its own servers")

OTHERS = 300


def own_chunks(profiles: Profiles) -> list[dict[str, Any]]:
    """The payloads that the server has sent about itself, judged like any other message."""
    found = []
    for record in profiles.read_to_end():
        message = unpack(record)
        if b'"release":"profile-relay@' not in message["payload"]:
            continue
        chunk_id = message["payload"].split(b'"chunk_id":"')[1][:32].decode()
        found.append(check_message(record, Chunk([], chunk_id, "native", message["raw_profile"]), PROJECT))
    return found


def waits_of_thread(server: Server, name: str) -> int:
    for task in Path(f"/proc/{server.process.pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            return int((task / "status").read_text().split("\nvoluntary_ctxt_switches:")[1].split()[0])
    return 0


def circle(make_server: Callable[..., Server], kafka: LocalKafka, topic: str) -> tuple[Server, list[str], Profiles]:
    """A server (not started), and arguments that make it send its profiles to itself."""
    kafka.create_topic(topic)
    port = free_ports(1)[0]
    server = make_server({"relay": {"port": port}, **broker_configuration(kafka.bootstrap, topic)})
    dsn = f"http://{PROJECT.key}@127.0.0.1:{port}/{PROJECT.id}"
    return server, ["--profile-self", dsn], Profiles(kafka.bootstrap, topic)


def test_its_own_uploads_make_no_others(make_server: Callable[..., Server], kafka: LocalKafka) -> None:
    """However many requests there are, and its own is one of them: one chunk at the end of less than a minute."""
    server, arguments, profiles = circle(make_server, kafka, "profile-self")
    try:
        server.start(*arguments)
        wait_until(lambda: "own profile start=started" in server.log(), "the profiler started")
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: server.send(request(plain())).status, range(OTHERS)))
        assert answers == [200] * OTHERS
        assert server.metric("chunks_total", end="delivered") == OTHERS, "nothing of its own so far"
        assert server.stop() == 0, server.log()
        [own] = own_chunks(profiles)
        assert len(profiles.records) == OTHERS + 1
        assert own["release"].startswith("profile-relay@") and own["client_sdk"]["name"] == "profile-relay.profiler"
        threads = {meta["name"] for meta in own["profile"]["thread_metadata"].values()}
        assert {"profile-relay", "http"} <= threads, threads
    finally:
        profiles.close()


@pytest.mark.long
def test_its_own_uploads_are_one_a_minute(make_server: Callable[..., Server], kafka: LocalKafka) -> None:
    server, arguments, profiles = circle(make_server, kafka, "profile-self-long")
    try:
        server.start(*arguments)
        wait_until(lambda: server.metric("chunks_total", end="delivered") >= 2, "two minutes", 150.0)
        assert server.stop() == 0, server.log()
        own = own_chunks(profiles)
        assert len(own) == len(profiles.records) == 3, "two whole minutes, and what there was of the third"
        assert len({chunk["profiler_id"] for chunk in own}) == 1
    finally:
        profiles.close()


def test_a_bad_dsn_ends_the_start(make_server: Callable[..., Server]) -> None:
    server = make_server()
    server.spawn("--profile-self", "localhost")
    assert server.process.wait(20) == 1
    assert "profiling.self_dsn: dsn: " in server.log(), server.log()
    checked = make_server({"profiling": {"self_dsn": "localhost"}})
    done = checked.command("check-config", "-c", str(checked.folder))
    assert done.returncode == 1 and "profiling.self_dsn: dsn: " in done.stderr, done.stderr


def test_a_server_that_is_away_costs_no_more_than_the_patience_of_a_shutdown(make_server: Callable[..., Server]) -> None:
    server = make_server()
    server.start("--profile-self", f"http://{PROJECT.key}@127.0.0.1:{free_ports(1)[0]}/1")
    wait_until(lambda: "own profile start=started" in server.log(), "the profiler started")
    # Or there would be nothing to send: the sampler waits once for each tick.
    wait_until(lambda: waits_of_thread(server, "profile-sampler") > 5, "the profiler has ticked")
    assert server.send(request(plain())).status == 200
    assert server.stop() == 0
    assert "own profile: dropped profile chunks that were not sent in time: 1" in server.log(), server.log()


def test_the_option_is_the_same_as_the_flag(make_server: Callable[..., Server]) -> None:
    """Off by default; profiling.self_dsn in config.yml switches it on."""
    off = make_server().start()
    assert off.stop() == 0
    assert "own profile" not in off.log()
    on = make_server({"profiling": {"self_dsn": f"http://{PROJECT.key}@127.0.0.1:{free_ports(1)[0]}/1"}}).start()
    wait_until(lambda: "own profile start=started" in on.log(), "the profiler started")
