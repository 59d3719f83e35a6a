"""The real binary as a process: configuration folder, start, the line that says it is ready, stop."""
from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

from . import http_client, metrics
from .envelopes import Request
from .projects import ALL, Project, write_configuration
from .waiting import wait_until

READY = re.compile(r"ready http=127\.0\.0\.1:(\d+)")


def clean_environment(changes: dict[str, str] | None = None) -> dict[str, str]:
    """Without the RELAY_* variables of whoever runs the tests."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("RELAY_") and k != "SHUTDOWN_TIMEOUT"}
    return {**kept, **(changes or {})}


def broker_configuration(bootstrap: str, profiles: str = "profiles", outcomes: str = "outcomes",
                         **properties: Any) -> dict[str, Any]:
    """The `processing` section for a broker; dots of librdkafka's names are written as underscores."""
    listed = [{"name": "bootstrap.servers", "value": bootstrap}]
    listed += [{"name": name.replace("_", "."), "value": str(value)} for name, value in properties.items()]
    return {"processing": {"kafka_config": listed, "topics": {"profiles": profiles, "outcomes": outcomes}}}


class Server:
    def __init__(self, binary: Path, folder: Path, configuration: dict[str, Any] | None = None,
                 projects: tuple[Project, ...] = ALL, environment: dict[str, str] | None = None,
                 wrapper: tuple[str, ...] = ()):
        """`wrapper`: a command that becomes the server (as `strace -D` does), so that signals reach it."""
        self.binary, self.folder, self.environment = binary, folder, clean_environment(environment)
        self.wrapper = wrapper
        self.process: subprocess.Popen | None = None
        self.url = ""
        self.starts = 0
        write_configuration(folder, configuration, projects)

    @property
    def log_file(self) -> Path:
        return self.folder / f"server-{self.starts}.log"

    def log(self) -> str:
        """What the process of the last start has written to stderr."""
        return self.log_file.read_text(errors="replace")

    def spawn(self, *arguments: str) -> None:
        self.starts += 1
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen(
                [*self.wrapper, str(self.binary), "run", "-c", str(self.folder), *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment)

    def start(self, *arguments: str) -> "Server":
        self.spawn(*arguments)

        def ready() -> re.Match[str] | None:
            found = READY.search(self.log())
            assert found or self.process.poll() is None, f"the server ended before it was ready:\n{self.log()}"
            return found

        self.url = f"http://127.0.0.1:{wait_until(ready, f'the ready line in {self.log_file}', 30.0)[1]}"
        return self

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def send(self, request: Request, **options: Any) -> http_client.Response:
        return http_client.send(self.url, request, **options)

    def metrics(self) -> dict[metrics.Series, float]:
        return metrics.read(self.url)

    def metric(self, name: str, **labels: str) -> float:
        return self.metrics().get(metrics.series(name, **labels), 0.0)

    def stop(self, deadline: float = 30.0) -> int:
        """SIGTERM and the exit status; a server that does not end is killed and fails the test."""
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            return process.wait(deadline)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the server did not end within {deadline:.0f} s of SIGTERM:\n{self.log()[-3000:]}")

    def kill(self) -> int | None:
        """SIGKILL and the exit status, which is another than -SIGKILL if the process had ended by itself."""
        process, self.process = self.process, None
        if process is None:
            return None
        process.kill()
        return process.wait()

    def command(self, *arguments: str, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Another subcommand of the binary, on the same folder where it takes one."""
        return subprocess.run([str(self.binary), *arguments], capture_output=True, text=True, timeout=timeout,
                              stdin=subprocess.DEVNULL, env=self.environment)
