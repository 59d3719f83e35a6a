"""Every option has its effect shown: by a test here that changes it and looks at the server, or by a named test elsewhere.

The keys come from docs/configuration.md, which a test in C++ holds equal to the option table. A new option without a row
fails `test_every_option_is_shown`.
"""
from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import pytest

from conftest import HERE
from local_kafka import LocalKafka, free_ports
from support import http_client
from support.envelopes import auth, compound, pair, plain, request
from support.perfetto_writer import Trace
from support.projects import Project, deep_merge
from support.raw_connection import RawConnection
from support.server import Server, broker_configuration
from support.topics import Outcomes, Profiles
from support.waiting import wait_until

pytestmark = pytest.mark.binary_only("configures its own servers")

PAGE = (HERE.parent / "docs" / "configuration.md").read_text()
OPTIONS = re.findall(r"^\| `([a-z_.]+)` \|", PAGE.split("## Options")[1].split("## Environment variables")[0], re.MULTILINE)

# (file, name of the test, scenario or fixture). Its text must name the key's last part, or what NAMED_AS says.
ELSEWHERE = {
    "relay.mode": ("integration_tests/test_configuration.py", "test_a_bad_value_names_key_line_and_what_is_allowed"),
    "relay.internal_port": ("integration_tests/test_routes.py", "test_an_internal_address_takes_the_metrics_and_no_envelopes"),
    "processing.max_rate_limit": ("integration_tests/test_rate_limits.py", "test_rate_limits_within_one_request"),
    "processing.raw_profile": ("integration_tests/test_delivery.py", "test_raw_profile_drop"),
    "processing.profiles_key_id": ("integration_tests/test_delivery.py", "test_key_id_never"),
    "processing.ack": ("integration_tests/test_spool.py", "test_ack_spool_answers_before_the_broker"),
    "spool.envelopes.max_disk_size": ("integration_tests/test_spool.py", "test_a_full_spool_refuses_and_keeps_what_it_has"),
    "outcomes.emit_outcomes": ("integration_tests/test_delivery.py", "test_outcomes_can_be_switched_off"),
    "outcomes.emit_feature_disabled": ("integration_tests/test_delivery.py", "test_feature_drops_as_outcomes_when_asked_for"),
    "health.probe_timeout_ms": ("tests/server/http/memory_probe_test.cpp",
                                "a probe slower than its timeout counts as failed, and its options can change"),
    "http.trusted_proxies": ("integration_tests/test_filters.py", "server"),
    "limits.tcp_listen_backlog": ("integration_tests/test_connection_limits.py",
                                  "test_the_backlog_is_as_long_as_configured"),
    "limits.max_connections": ("integration_tests/test_connection_limits.py",
                               "test_connections_over_the_limit_wait_for_a_place"),
    "limits.min_body_rate": ("tests/server/http/http_options_test.cpp",
                             "options of the HTTP side come from the configuration"),
    "limits.header_timeout": ("integration_tests/test_reasons.py", "head_that_stalls"),
    "limits.body_timeout": ("integration_tests/test_reasons.py", "body_that_stalls"),
    "profiling.self_dsn": ("integration_tests/test_profiler_self.py", "test_the_option_is_the_same_as_the_flag"),
}
NAMED_AS = {"health.probe_timeout_ms": "timeout"}


def text_of_test(file: str, name: str) -> str:
    """From the test's name to the next test; "" = there is no such test."""
    begin = f'TEST_CASE("{name}")' if file.endswith(".cpp") else f"def {name}("
    source = (HERE.parent / file).read_text()
    at = source.find(begin)
    if at < 0:
        return ""
    # A table of parameters stands before its test.
    decorated = source.rfind("\n\n\n", 0, at) if file.endswith(".py") else at
    end = re.search(r"^(def |TEST_CASE|@)", source[at + 1:], re.MULTILINE)
    return source[decorated:at + 1 + end.start()] if end else source[decorated:]


@dataclass
class Given:
    make_server: Callable[..., Server]
    kafka: LocalKafka

    def server(self, key: str | None = None, value: Any = None, /, base: dict[str, Any] | None = None, **more: Any) -> Server:
        return self.make_server(deep_merge(base or {}, nested(key, value) if key else {}), **more)


SHOWN: dict[str, Callable[[Given], None]] = {}


def shows(*keys: str) -> Callable[[Callable[[Given], None]], Callable[[Given], None]]:
    def add(test: Callable[[Given], None]) -> Callable[[Given], None]:
        for key in keys:
            assert key not in SHOWN, f"{key} is shown twice"
            SHOWN[key] = test
        return test
    return add


def nested(key: str, value: Any) -> dict[str, Any]:
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def checks(server: Server) -> dict[str, str]:
    return http_client.get(server.url, "/api/relay/healthcheck/ready/").json()["checks"]


def lines(server: Server, *words: str) -> list[str]:
    return [line for line in server.log().splitlines() if all(w in line for w in words)]


def threads(server: Server) -> list[str]:
    return [(t / "comm").read_text().strip() for t in Path(f"/proc/{server.process.pid}/task").iterdir()]


# ---- relay


@shows("relay.host")
def listens_on_its_host(given: Given) -> None:
    server = given.server("relay.host", "127.0.0.2")
    server.spawn()
    found = wait_until(lambda: re.search(r"ready http=127\.0\.0\.2:(\d+)", server.log()), "the ready line")
    assert http_client.get(f"http://127.0.0.2:{found[1]}", "/api/relay/healthcheck/live/").status == 200
    with pytest.raises(ConnectionRefusedError):
        http_client.get(f"http://127.0.0.1:{found[1]}", "/api/relay/healthcheck/live/")


@shows("relay.port")
def listens_on_its_port(given: Given) -> None:
    port = free_ports(1)[0]
    assert given.server("relay.port", port).start().url.endswith(f":{port}")


@shows("relay.internal_host")
def serves_metrics_on_the_internal_host(given: Given) -> None:
    server = given.server("relay.internal_host", "127.0.0.3").start()
    internal = re.search(r"internal=127\.0\.0\.3:(\d+)", server.log())
    assert http_client.get(f"http://127.0.0.3:{internal[1]}", "/metrics").status == 200
    assert http_client.get(server.url, "/metrics").status == 404


# ---- processing, cache, spool, outcomes


@shows("processing.enabled")
def counts_only_when_told_so_twice(given: Given) -> None:
    server = given.server("processing.enabled", False)
    server.spawn()
    assert server.process.wait(20) == 1
    assert len(lines(server, "processing.enabled is false", "--dry-run")) == 1, server.log()
    server.start("--dry-run")
    assert server.send(request(plain())).status == 200
    assert server.metric("chunks_total", end="delivered") == 1
    assert not (server.folder / "spool").exists(), "nothing is stored"


@shows("processing.kafka_config")
def properties_reach_librdkafka(given: Given) -> None:
    server = given.server("processing.kafka_config", [{"name": "message.max.bytes", "value": 12345}]).start()
    assert lines(server, "message.max.bytes=12345"), server.log()
    server = given.server("processing.kafka_config", [{"name": "message.max.bites", "value": 1}])
    server.spawn()
    assert server.process.wait(20) == 1
    assert lines(server, "processing.kafka_config", "message.max.bites", "No such configuration property")


@shows("processing.secondary_kafka_configs", "processing.topics.profiles", "processing.topics.outcomes", "outcomes.source")
def topics_have_names_and_clusters_of_their_own(given: Given) -> None:
    given.kafka.create_topic("options-profiles")
    given.kafka.create_topic("options-outcomes")
    server = given.server(base={
        "processing": {
            "kafka_config": [{"name": "bootstrap.servers", "value": f"127.0.0.1:{free_ports(1)[0]}"}],  # nobody is there
            "secondary_kafka_configs": {"real": [{"name": "bootstrap.servers", "value": given.kafka.bootstrap}]},
            "topics": {"profiles": {"name": "options-profiles", "config": "real"},
                       "outcomes": {"name": "options-outcomes", "config": "real"}}},
        "outcomes": {"source": "edge-7"}}).start()
    profiles, outcomes = Profiles(given.kafka.bootstrap, "options-profiles"), Outcomes(given.kafka.bootstrap, "options-outcomes")
    try:
        good = plain()
        bad = request(plain(version="1"))
        assert server.send(request(good)).status == server.send(bad).status == 200
        assert len(profiles.by_chunk(good.chunk_id)) == 1
        assert [o["source"] for o in outcomes.by_event(bad.event_id)] == ["edge-7"]
    finally:
        profiles.close()
        outcomes.close()


@shows("processing.kafka_validate_topics")
def a_missing_topic_ends_the_start(given: Given) -> None:
    configured = broker_configuration(given.kafka.bootstrap, "options-no-such-topic")
    given.server("processing.kafka_validate_topics", False, base=configured).start()
    server = given.server("processing.kafka_validate_topics", True, base=configured)
    server.spawn()
    assert server.process.wait(40) == 1
    assert lines(server, "options-no-such-topic"), server.log()


@shows("processing.kafka_producers")
def each_producer_has_its_main_thread(given: Given) -> None:
    def count(producers: int) -> int:
        server = given.server("processing.kafka_producers", producers, base=broker_configuration(given.kafka.bootstrap)).start()
        return threads(server).count("rdk:main")

    assert count(4) - count(1) == 3


@shows("cache.file_interval")
def files_are_read_again_at_the_interval(given: Given) -> None:
    newcomer = Project(500, "9" * 32)
    quick, slow = given.server("cache.file_interval", 1).start(), given.server("cache.file_interval", 86400).start()
    for server in (quick, slow):
        newcomer.write(server.folder)
    wait_until(lambda: quick.send(request(plain(), project=newcomer)).status == 200, "the new project in force")
    assert slow.send(request(plain(), project=newcomer)).status == 403


@shows("spool.envelopes.path")
def the_spool_lies_where_it_is_told(given: Given) -> None:
    server = given.server("spool.envelopes.path", "kept/here").start()
    assert server.send(request(plain())).status == 200
    assert list((server.folder / "kept" / "here").iterdir()) and not (server.folder / "spool").exists()


# ---- health: each from the start and while running


def rewrite(server: Server, key: str, value: Any) -> None:
    file, seen = server.folder / "config.yml", len(lines(server, "reloaded", key))
    part = file.with_suffix(".part")
    part.write_text(json.dumps(deep_merge(json.loads(file.read_text()), nested(key, value))))
    part.rename(file)
    wait_until(lambda: len(lines(server, "reloaded", key)) > seen, f"{key} = {value} reloaded")


def memory_is_over(given: Given, key: str, over: Any, under: Any) -> None:
    server = given.server(key, over, base={"health": {"refresh_interval_ms": 100}}).start()
    assert checks(server)["memory"].startswith("failed: ")
    rewrite(server, key, under)
    assert not checks(server)["memory"].startswith("failed: ")
    assert server.send(request(plain())).status == 200
    rewrite(server, key, over)
    assert checks(server)["memory"].startswith("failed: ")
    assert server.send(request(plain())).status == 503


@shows("health.max_memory_percent")
def memory_above_its_part_is_unready(given: Given) -> None:
    memory_is_over(given, "health.max_memory_percent", 0, 1)


@shows("health.max_memory_bytes")
def memory_above_its_bytes_is_unready(given: Given) -> None:
    memory_is_over(given, "health.max_memory_bytes", 1, "1000GiB")


@shows("health.refresh_interval_ms")
def memory_is_read_at_the_interval(given: Given) -> None:
    server = given.server("health.refresh_interval_ms", 86_400_000).start()
    first = server.metric("memory_bytes_used")

    def moved() -> bool:
        server.send(request(plain()))
        return server.metric("memory_bytes_used") != first

    assert not any(moved() for _ in range(20)), "it was read once"
    rewrite(server, "health.refresh_interval_ms", 100)
    wait_until(moved, "another reading")


@shows("health.kafka_max_ack_age")
def a_broker_silent_for_too_long_makes_no_progress(given: Given) -> None:
    nobody = broker_configuration(f"127.0.0.1:{free_ports(1)[0]}", message_timeout_ms=300_000)
    server = given.server("health.kafka_max_ack_age", 86_400, base=nobody).start()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(server.send, request(plain()), timeout=60.0)
        wait_until(lambda: "1 records in flight" in checks(server)["kafka"], "the record in flight")
        assert checks(server)["kafka"].startswith("ok")
        rewrite(server, "health.kafka_max_ack_age", 1)
        wait_until(lambda: checks(server)["kafka"].startswith("failed: no progress"), "the broker's silence noticed")
        server.kill()
        assert waiting.exception(30) is not None


# ---- logging


@shows("logging.level")
def less_severe_lines_are_left_out(given: Given) -> None:
    port = free_ports(1)[0]
    server = given.server("logging.level", "error", base={"relay": {"port": port}, "metrics": {}})
    server.spawn()

    def alive() -> bool:
        try:
            return http_client.get(f"http://127.0.0.1:{port}", "/api/relay/healthcheck/live/").status == 200
        except ConnectionRefusedError:
            return False

    wait_until(alive, "the server alive")
    assert server.log() == "", "neither the ready line nor the warning about `metrics`"


@shows("logging.format")
def lines_are_json_when_asked_for(given: Given) -> None:
    server = given.server("logging.format", "json")
    server.spawn()
    wait_until(lambda: '"msg":"ready"' in server.log(), "the ready line")
    assert all(json.loads(line)["time"] for line in server.log().splitlines())


# ---- limits


@shows("limits.max_envelope_size", "limits.max_profile_size", "limits.max_profile_chunk_count")
def sizes_are_limits(given: Given) -> None:
    below = len(request(plain()).body) // 2  # far below: two bodies differ by the digits of their ids and times
    for key, value in (("limits.max_envelope_size", below), ("limits.max_profile_size", "2KiB"),
                       ("limits.max_profile_chunk_count", 1)):
        server = given.server(key, value).start()
        answers = [server.send(request(plain())), server.send(request(plain(), plain()))]
        assert [a.status for a in answers] == ([200, 200] if key.endswith("count") else [413, 413]), (key, answers)
        rejected = server.metric("chunks_rejected_total", reason="too_many_chunks")
        assert rejected == (1 if key.endswith("count") else 0), key


@shows("limits.keepalive_timeout")
def idle_connections_end(given: Given) -> None:
    def idle(server: Server) -> RawConnection:
        connection = RawConnection(server.url)
        connection.socket.settimeout(20.0)
        connection.send(b"GET /api/relay/healthcheck/live/ HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.receive().status == 200
        return connection

    patient = given.server("limits.keepalive_timeout", 600).start()
    with idle(patient) as kept, idle(given.server("limits.keepalive_timeout", 1).start()) as ended:
        assert ended.rest() == b""
        kept.send(b"GET /api/relay/healthcheck/live/ HTTP/1.1\r\nHost: x\r\n\r\n")
        assert kept.receive().status == 200


@shows("limits.shutdown_timeout")
def a_shutdown_waits_as_long_as_told(given: Given) -> None:
    def took_ms(seconds: int, **more: Any) -> int:
        server = given.server(None, base={"limits": {"body_timeout": 60, "shutdown_timeout": seconds}}, **more).start()
        with RawConnection(server.url) as connection:
            connection.send(b"POST /api/42/envelope/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
                            + b"".join(f"{k}: {v}\r\n".encode() for k, v in auth().items()) + b"\r\n{}")
            wait_until(lambda: server.metric("connections") >= 1, "the connection open")
            assert server.stop() == 0
        return int(re.search(r"connections_cut=1 .*took_ms=(\d+)", server.log())[1])

    at_once, later = took_ms(0), took_ms(6)
    assert later >= 3000 > at_once, "requests get half of the time, the broker the rest"
    assert took_ms(600, environment={"SHUTDOWN_TIMEOUT": "0"}) < 3000


@shows("limits.max_thread_count")
def threads_are_as_many_as_told(given: Given) -> None:
    def count(number: int) -> tuple[int, int]:
        names = threads(given.server("limits.max_thread_count", number).start())
        return names.count("http"), len(names)

    (http_1, all_1), (http_3, all_3) = count(1), count(3)
    assert (http_1, http_3) == (1, 3)
    assert all_3 - all_1 == 4, "two more that read, two more that decode"


@shows("limits.max_inflight_bytes")
def the_byte_budget_is_as_told(given: Given) -> None:
    server = given.server("limits.max_inflight_bytes", "5MiB").start()
    assert server.metric("budget_bytes_max") == 5 << 20
    assert server.send(request(compound(Trace(padding=6 << 20).encode()))).status == 503


# ---- profiling: a trace that passes by default, and does not with the limit just below what it needs

TIGHT = {"profiling.max_packet_size": 300, "profiling.max_packets": 200, "profiling.max_samples": 200,
         "profiling.max_stack_depth": 2, "profiling.max_frames": 2, "profiling.max_sequences": 1,
         "profiling.max_working_memory": 100, "profiling.max_result_memory": 100}


def other_sequence(trace: bytes) -> bytes:
    """The same samples and one more packet, of another sequence."""
    return trace + b"\x0a\x02\x50\x02"


def a_trace_over_a_limit(given: Given, key: str) -> None:
    trace = other_sequence(Trace(samples=200).encode())
    server = given.server(key, TIGHT[key]).start()
    assert server.send(request(compound(trace))).status == 200
    assert server.metric("chunks_total", end="rejected") == 1
    assert len(lines(server, "profiling_exceed_size_limit")) == 1, server.log()


for tight in TIGHT:
    shows(tight)(lambda given, key=tight: a_trace_over_a_limit(given, key))


def payload_of(server: Server, trace: bytes) -> dict[str, Any]:
    assert server.send(request(compound(trace))).status == 200
    out = server.folder / "out"
    assert server.command("spool", "export", "-c", str(server.folder), "--out", str(out)).returncode == 0
    return json.loads(next(out.rglob("payload.json")).read_text())


@shows("profiling.max_path_parts")
def longer_paths_are_left_out(given: Given) -> None:
    def has_path(parts: int) -> bool:
        server = given.server("profiling.max_path_parts", parts).start()
        return "libshop.so" in json.dumps(payload_of(server, Trace().encode()))

    assert has_path(6) and not has_path(5), "data, app, com.example.shop, lib, arm64, libshop.so"


@shows("profiling.accept_chunk_data_pairs")
def pairs_are_two_items_when_switched_off(given: Given) -> None:
    ends = []
    for accepted in (True, False):
        server = given.server("profiling.accept_chunk_data_pairs", accepted).start()
        assert server.send(request(pair(Trace().encode()))).status == 200
        ends.append((server.metric("chunks_total", end="spooled"), server.metric("items_unknown_total")))
    assert ends == [(1, 0), (0, 1)]


def test_every_option_is_shown() -> None:
    assert len(OPTIONS) > 50, "the page is read"
    assert sorted(SHOWN.keys() | ELSEWHERE.keys()) == sorted(OPTIONS)
    assert not SHOWN.keys() & ELSEWHERE.keys()
    for key, (file, name) in ELSEWHERE.items():
        word = NAMED_AS.get(key, key.rpartition(".")[2])
        assert re.search(rf"\b{word}\b", text_of_test(file, name)), f"{file}: {name}: does not show {key}"


@pytest.mark.parametrize("key", [k for i, k in enumerate(SHOWN) if SHOWN[k] not in list(SHOWN.values())[:i]])
def test_option(make_server: Callable[..., Server], kafka: LocalKafka, key: str) -> None:
    SHOWN[key](Given(make_server, kafka))


def test_a_trace_within_all_limits_passes(make_server: Callable[..., Server]) -> None:
    server = make_server().start()
    assert server.send(request(compound(other_sequence(Trace(samples=200).encode())))).status == 200
    assert server.metric("chunks_total", end="spooled") == 1
