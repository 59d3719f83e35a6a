"""Fixtures: one real Kafka for the whole run, the real server, readers of its topics."""
from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tools" / "kafka"))

from local_kafka import LocalKafka  # noqa: E402
from support import http_client, metrics  # noqa: E402
from support.envelopes import Request  # noqa: E402
from support.projects import MATRIX_LIMITS  # noqa: E402
from support.server import Server, broker_configuration  # noqa: E402
from support.topics import Outcomes, Profiles  # noqa: E402


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("profile-relay")
    group.addoption("--target", choices=("binary", "container"), default="binary",
                    help="test a binary that is started here, or a server that runs already")
    group.addoption("--binary", type=Path, default=HERE.parent / "build" / "dev" / "profile-relay")
    group.addoption("--url", default="http://127.0.0.1:3000", help="the running server of --target container")
    group.addoption("--bootstrap", default="127.0.0.1:9092", help="the broker of --target container")
    group.addoption("--old-sdk-python", type=Path, default=HERE.parent / ".venv-old-sdk" / "bin" / "python",
                    help="an interpreter with the packages of requirements-old-sdk.txt")
    group.addoption("--long", action="store_true", help="also the tests that take minutes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Takes out what cannot apply; a test that is collected is never skipped."""
    def applies(item: pytest.Item) -> bool:
        if item.get_closest_marker("long") and not config.getoption("--long"):
            return False
        return not (item.get_closest_marker("binary_only") and config.getoption("--target") == "container")
    kept = [i for i in items if applies(i)]
    if len(kept) != len(items):
        config.hook.pytest_deselected(items=[i for i in items if not applies(i)])
    items[:] = kept


def pytest_report_header(config: pytest.Config) -> str:
    if config.getoption("--target") == "container":
        return (f"target: the container at {config.getoption('--url')}; tests that start, stop or configure the server "
                "themselves are not collected")
    return f"target: {config.getoption('--binary')}"


@pytest.fixture(scope="session")
def binary(request: pytest.FixtureRequest) -> Path:
    path = request.config.getoption("--binary").resolve()
    assert path.exists(), f"{path} is missing: run ./dev build"
    return path


@pytest.fixture(scope="session")
def make_trace(binary: Path) -> Path:
    return binary.parent / "make-trace"


@pytest.fixture(scope="session")
def kafka() -> Iterator[LocalKafka]:
    """One broker for the run. Tests that stop or change a broker take `own_kafka`."""
    with LocalKafka() as broker:
        broker.create_default_topics()
        yield broker


@pytest.fixture(scope="module")
def own_kafka() -> Iterator[LocalKafka]:
    """A broker that this module's tests may stop, kill and start."""
    with LocalKafka() as broker:
        broker.create_default_topics()
        yield broker


@pytest.fixture
def make_server(binary: Path, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Makes servers (not started) that are ended after the test. Each has its own folder."""
    servers: list[Server] = []

    def make(configuration: dict[str, Any] | None = None, **more: Any) -> Server:
        servers.append(Server(binary, tmp_path / f"relay{len(servers)}", configuration, **more))
        return servers[-1]

    yield make
    for server in servers:
        server.kill()


@dataclass
class Target:
    """What a test of the request path needs, whether the server is ours or in a container."""

    url: str
    bootstrap: str
    profiles: Profiles
    outcomes: Outcomes

    def send(self, request: Request, **options: Any) -> http_client.Response:
        return http_client.send(self.url, request, **options)

    def metrics(self) -> dict[metrics.Series, float]:
        return metrics.read(self.url)

    def metric(self, name: str, **labels: str) -> float:
        return self.metrics().get(metrics.series(name, **labels), 0.0)


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The server under test with a broker and the limits of the matrix, one for the run."""
    server = None
    if request.config.getoption("--target") == "container":
        url, bootstrap = request.config.getoption("--url"), request.config.getoption("--bootstrap")
    else:
        bootstrap = request.getfixturevalue("kafka").bootstrap
        configuration = {**broker_configuration(bootstrap), "limits": MATRIX_LIMITS}
        server = Server(request.getfixturevalue("binary"), tmp_path_factory.mktemp("target"), configuration).start()
        url = server.url
    profiles, outcomes = Profiles(bootstrap), Outcomes(bootstrap)
    yield Target(url, bootstrap, profiles, outcomes)
    profiles.close()
    outcomes.close()
    if server is not None:
        assert server.stop() == 0, server.log()[-3000:]


