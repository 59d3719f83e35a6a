"""Bad configuration ends in one clear sentence that names the thing; project files are reloaded while running."""
from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from typing import Callable

import pytest

from local_kafka import free_ports
from support.envelopes import auth, plain, request
from support.projects import NO_FLAGS, PROJECT, Project
from support.server import Server
from support.waiting import wait_until

pytestmark = pytest.mark.binary_only("configures its own servers")


def log_lines(server: Server, *words: str) -> list[str]:
    return [line for line in server.log().splitlines() if all(w in line for w in words)]


def check_config(server: Server):
    return server.command("check-config", "-c", str(server.folder))


def test_config_init_makes_a_folder_that_serves(make_server: Callable[..., Server], tmp_path: Path) -> None:
    server = make_server()
    server.folder = tmp_path / "fresh"
    done = server.command("config", "init", "-c", str(server.folder))
    assert done.returncode == 0, done.stderr
    project = json.loads((server.folder / "projects" / "1.json").read_text())
    key = project["publicKeys"][0]["publicKey"]
    assert f"{key}@" in done.stdout and "/1" in done.stdout, "the DSN is printed"
    assert check_config(server).returncode == 0
    server.start("--set", "relay.port=0")
    assert server.send(request(plain(), project=Project(1, key))).status == 200

    again = server.command("config", "init", "-c", str(server.folder))
    assert json.loads((server.folder / "projects" / "1.json").read_text()) == project, "a second init overwrites nothing"
    assert again.returncode == 0 or "config.yml" in again.stderr


def test_an_unknown_option_is_a_warning_with_the_nearest_name(make_server: Callable[..., Server]) -> None:
    server = make_server({"limits": {"max_profle_size": 1000}}).start()
    assert len(log_lines(server, "limits.max_profle_size", "limits.max_profile_size")) == 1, server.log()
    assert server.send(request(plain())).status == 200


@pytest.mark.parametrize(("text", "named"), [
    ("relay:\n  port: seventy\n", ("relay.port", "2")),
    ("relay:\n  port: 70000\n", ("relay.port", "2")),
    ("limits:\n  max_profile_size: 5 bananas\n", ("limits.max_profile_size", "2")),
    ("relay:\n  host: '${NO_SUCH_VARIABLE_HERE}'\n", ("relay.host", "NO_SUCH_VARIABLE_HERE")),
    ("relay:\n  mode: managed\n", ("relay.mode",)),
    ("processing:\n  raw_profile: sideways\n", ("processing.raw_profile", "inline", "drop")),
    ("processing:\n  raw_profile: objectstore\n", ("processing.raw_profile", "objectstore")),
    ("relay:\n\tport: 1\n", ("config.yml", "2")),
    ("relay: [1, 2\n", ("config.yml",)),
])
def test_a_bad_value_names_key_line_and_what_is_allowed(make_server: Callable[..., Server], text: str,
                                                        named: tuple[str, ...]) -> None:
    server = make_server()
    (server.folder / "config.yml").write_text(text)
    checked = check_config(server)
    assert checked.returncode == 1
    assert all(word in checked.stdout + checked.stderr for word in named), checked.stdout + checked.stderr
    server.spawn()
    assert server.process.wait(20) != 0
    assert len(log_lines(server, *named)) == 1, server.log()


@pytest.mark.parametrize(("variables", "named"), [
    ({"RELAY_MODE": "managed"}, ("RELAY_MODE", "managed", "static")),
    ({"RELAY_MODE": "proxy"}, ("RELAY_MODE", "proxy", "static")),
    ({"RELAY_PORT": "70000"}, ("RELAY_PORT", "relay.port", "65535")),
    ({"RELAY_HOST": "localhost"}, ("RELAY_HOST", "relay.host", "address")),
    ({"RELAY_PROCESSING_ENABLED": "yes"}, ("RELAY_PROCESSING_ENABLED", "yes", "true, 1, false, 0")),
    ({"RELAY_PROCESSING_ENABLED": " true"}, ("RELAY_PROCESSING_ENABLED",)),
    ({"RELAY_PROCESSING_ENABLED": ""}, ("processing.enabled is false", "--dry-run")),
    ({"RELAY_PROCESSING_ENABLED": "0"}, ("processing.enabled is false", "--dry-run")),
    ({"RELAY_LOG_LEVEL": "loud"}, ("RELAY_LOG_LEVEL", "logging.level")),
    ({"RELAY_LOG_FORMAT": "xml"}, ("RELAY_LOG_FORMAT", "logging.format")),
    ({"SHUTDOWN_TIMEOUT": "10s"}, ("SHUTDOWN_TIMEOUT", "limits.shutdown_timeout")),
])
def test_a_bad_variable_ends_the_start_by_its_name(make_server: Callable[..., Server], variables: dict[str, str],
                                                   named: tuple[str, ...]) -> None:
    server = make_server(environment=variables)
    server.spawn()
    assert server.process.wait(20) == 1
    assert len(log_lines(server, *named)) == 1 and len(server.log().splitlines()) == 1, server.log()


def test_the_variables_of_relay_that_are_served(make_server: Callable[..., Server]) -> None:
    broker = f"127.0.0.1:{free_ports(1)[0]}"
    server = make_server({"processing": {"enabled": False}, "relay": {"mode": "static"}, "logging": {"level": "error"}},
                         environment={"RELAY_MODE": "static", "RELAY_HOST": "127.0.0.1", "RELAY_PORT": "0",
                                      "RELAY_PROCESSING_ENABLED": "TRUE", "RELAY_KAFKA_BROKER_URL": broker,
                                      "RELAY_LOG_LEVEL": "info", "RELAY_LOG_FORMAT": "simplified", "RELAY_SOURCE_ID": "edge",
                                      "RELAY_REDIS_URL": "redis://secret@r", "RELAY_UPSTREAM_URL": "https://u",
                                      "RELAY_UPSTREAM_DSN": "https://d", "RELAY_ID": "i", "RELAY_PUBLIC_KEY": "p",
                                      "RELAY_SECRET_KEY": "s3cret", "SHUTDOWN_TIMEOUT": "3"}).start()
    assert log_lines(server, "ready", f"kafka={broker}")
    shown = server.command("config", "show", "-c", str(server.folder)).stdout
    assert "source: edge" in shown and "shutdown_timeout: 3" in shown, shown
    assert len(log_lines(server, "without effect", "RELAY_REDIS_URL", "RELAY_UPSTREAM_URL", "RELAY_UPSTREAM_DSN", "RELAY_ID",
                         "RELAY_PUBLIC_KEY", "RELAY_SECRET_KEY")) == 1, server.log()
    assert "secret@r" not in server.log() and "s3cret" not in server.log()


def test_keys_of_relay_without_effect_are_named_in_one_line(make_server: Callable[..., Server]) -> None:
    server = make_server({
        "relay": {"upstream": "https://sentry.io/", "mode": "static"}, "auth": {"ready": "static"},
        "processing": {"redis": {"server": "redis://r"}, "objectstore": {"url": "http://o"}, "attachment_chunk_size": "1MB",
                       "projectconfig_cache_prefix": "p", "topics": {"outcomes_billing": "b"}},
        "cache": {"project_expiry": 300, "project_grace_period": 120, "miss_expiry": 60},
        "spool": {"envelopes": {"max_envelope_delay": 86400, "partitions": 1}},
        "outcomes": {"batch_size": 1000, "batch_interval": 500, "aggregator": {"bucket_interval": 60}},
        "http": {"timeout": 5}, "limits": {"max_event_size": "1MiB", "max_concurrent_requests": 100, "query_timeout": 30},
        "metrics": {"statsd": "127.0.0.1:8126"}, "sentry": {"enabled": False}, "aggregator": {}, "secondary_aggregators": [],
        "geoip": {}, "normalization": {}, "cogs": {}, "upload": {}, "routing": {"accept_unknown_items": True}})
    server.start("--set", "metrics.prefix=x")
    [line] = [x for x in server.log().splitlines() if " warn" in x and "quota" not in x]
    for key in ("relay.upstream", "auth", "processing.redis", "processing.objectstore", "processing.attachment_chunk_size",
                "processing.projectconfig_cache_prefix", "processing.topics.outcomes_billing", "cache.project_expiry",
                "cache.project_grace_period", "cache.miss_expiry", "spool.envelopes.max_envelope_delay",
                "spool.envelopes.partitions", "outcomes.batch_size", "outcomes.batch_interval", "outcomes.aggregator",
                "http.timeout", "limits.max_event_size", "limits.max_concurrent_requests", "limits.query_timeout", "metrics",
                "sentry", "aggregator", "secondary_aggregators", "geoip", "normalization", "cogs", "upload", "routing",
                "--set metrics.prefix"):
        assert re.search(rf"[ ,]{key}\b", line), (key, line)
    checked = check_config(server)
    assert checked.returncode == 0 and checked.stderr.count("without effect") == 1


def test_values_come_from_variables_and_files(make_server: Callable[..., Server]) -> None:
    server = make_server({"relay": {"port": "${HERE_PORT}"}, "outcomes": {"source": "${file:secrets/name}-$${X}-$5"},
                          "limits": {"max_envelope_size": "${file:/proc/sys/kernel/cap_last_cap}KiB"}},
                         environment={"HERE_PORT": "0"})
    (server.folder / "secrets").mkdir()
    (server.folder / "secrets" / "name").write_text("edge 7\n")
    shown = server.command("config", "show", "-c", str(server.folder))
    assert 'source: "edge 7-${X}-$5"' in shown.stdout, shown
    assert re.search(r"max_envelope_size: \d+KiB", shown.stdout)
    server.start()
    (server.folder / "secrets" / "name").unlink()
    for gone in (check_config(server), server.command("config", "show", "-c", str(server.folder))):
        assert gone.returncode == 1
        assert "config.yml:" in gone.stderr and "outcomes.source" in gone.stderr and "secrets/name" in gone.stderr


def test_only_health_is_reloaded_and_the_rest_is_told(make_server: Callable[..., Server]) -> None:
    """What each option of `health` does then is shown in test_options.py."""
    server = make_server({"health": {"max_memory_percent": 0.5}}).start("--set", "health.kafka_max_ack_age=7")
    file = server.folder / "config.yml"
    good = json.loads(file.read_text())

    def write(text: str) -> None:
        part = file.with_suffix(".part")
        part.write_text(text)
        part.rename(file)

    write("health: {max_memory_percent: lots}")
    wait_until(lambda: log_lines(server, "error", "config.yml:1", "health.max_memory_percent", "stay"), "the bad file told")
    write(json.dumps({**good, "health": {"max_memory_percent": 0.6, "kafka_max_ack_age": 9}, "logging": {"level": "debug"}}))
    wait_until(lambda: log_lines(server, "warn", "restart", "logging.level"), "what needs a restart told")
    wait_until(lambda: log_lines(server, "options reloaded", "health.max_memory_percent"), "health reloaded")
    assert not log_lines(server, "options reloaded", "kafka_max_ack_age"), "the command line still wins"
    assert len(log_lines(server, "options reloaded")) == 1 and len(log_lines(server, "config.yml:1")) == 1, server.log()
    assert server.send(request(plain())).status == 200


def test_check_config_has_no_side_effects(make_server: Callable[..., Server]) -> None:
    server = make_server()
    before = sorted(p.relative_to(server.folder) for p in server.folder.rglob("*"))
    assert check_config(server).returncode == 0
    assert sorted(p.relative_to(server.folder) for p in server.folder.rglob("*")) == before


@pytest.mark.parametrize(("limits", "lines"), [
    ({}, 1), ({"max_profile_size": 50_000_001}, 1), ({"max_profile_size": 50_000_000}, 0)])
def test_a_profile_limit_over_the_message_limit_is_told_at_the_start(make_server: Callable[..., Server],
                                                                     limits: dict[str, int], lines: int) -> None:
    """Never an error (contract 7): such a chunk goes out without its raw trace. By default it is the case."""
    server = make_server({"limits": limits}).start()
    told = log_lines(server, "message.max.bytes=50000000",
                     f"limits.max_profile_size={limits.get('max_profile_size', 50 << 20)}")
    assert len(told) == lines, server.log()


def test_a_port_in_use_is_named(make_server: Callable[..., Server]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = make_server({"relay": {"port": port}})
        server.spawn()
        assert server.process.wait(20) != 0
        assert len(log_lines(server, str(port))) == 1, server.log()


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(make_server: Callable[..., Server]) -> None:
    server = make_server({"logging": {"format": "text"}}, environment={"RELAY_LOG_FORMAT": "json", "RELAY_PORT": "1"})
    server.spawn("--set", "relay.port=0")
    lines = wait_until(lambda: [json.loads(x) for x in server.log().splitlines() if '"ready"' in x],
                       "the ready line in JSON")
    assert lines[0]["msg"] == "ready" and lines[0]["http"].startswith("127.0.0.1:")


def test_a_broken_project_file_at_the_start_is_named_and_the_others_serve(make_server: Callable[..., Server]) -> None:
    server = make_server()
    (server.folder / "projects" / "43.json").write_text('{"publicKeys": [}')
    server.start()
    assert len(log_lines(server, "43.json")) == 1, server.log()
    assert server.send(request(plain())).status == 200
    assert server.metric("projects_broken") == 1


def test_project_files_are_reloaded_while_running(make_server: Callable[..., Server]) -> None:
    server = make_server(projects=(PROJECT,)).start()

    def status(project: Project) -> int:
        return server.send(request(plain(), project=project)).status

    newcomer = Project(77, "c" * 32)
    assert status(newcomer) == 403
    path = newcomer.write(server.folder)
    wait_until(lambda: status(newcomer) == 200, "the new project in force")

    path.write_text("{ half a file")
    wait_until(lambda: server.metric("projects_broken") == 1, "the broken file noticed")
    assert status(newcomer) == 200, "a broken file keeps its last good version"
    assert log_lines(server, "77.json")

    newcomer.write(server.folder)
    wait_until(lambda: server.metric("projects_broken") == 0, "the repaired file noticed")
    path.unlink()
    wait_until(lambda: status(newcomer) == 403, "the removed project gone")
    assert status(PROJECT) == 200


def test_feature_drops_are_logged_once_per_project(make_server: Callable[..., Server]) -> None:
    server = make_server().start()
    for _ in range(5):
        assert server.send(request(plain(), project=NO_FLAGS)).status == 200
    assert server.metric("profile_chunks_feature_disabled_total", flag="organizations:continuous-profiling") == 5
    assert len(log_lines(server, "organizations:continuous-profiling", str(NO_FLAGS.id))) == 1, server.log()


def test_healthy_requests_leave_no_line_in_the_log_and_rejected_ones_leave_one(make_server: Callable[..., Server]) -> None:
    server = make_server().start()
    quiet = server.log()
    for _ in range(5):
        assert server.send(request(plain())).status == 200
    assert server.log() == quiet
    chunk = plain(version="1")
    assert server.send(request(chunk)).status == 200
    wait_until(lambda: len(log_lines(server, "profiling_platform_not_supported")) == 1, "the line of the rejected chunk")


def test_the_log_never_holds_a_key_or_payload(make_server: Callable[..., Server]) -> None:
    server = make_server({"logging": {"level": "debug"}}).start()
    secret = "s3cret-in-the-payload"
    assert server.send(request(plain(payload=b'{"' + secret.encode() + b'": '))).status == 200
    assert server.send(request(plain(), headers=auth("d" * 32))).status == 403
    assert secret not in server.log()
