#!/usr/bin/python3
"""A real single-node Apache Kafka on loopback, for the tests, the demo and the benchmarks. Standard library only.

As a module: `with LocalKafka() as kafka: kafka.create_topic("profiles"); ... kafka.bootstrap`.
As a command:
    local_kafka.py start --folder DIR     start, create the topics, print the address, leave the broker running
    local_kafka.py stop --folder DIR      stop what `start` left running there
    local_kafka.py with [--tmpfs] -- CMD  run CMD with KAFKA_BOOTSTRAP set, stop the broker when it ends
The jars come from tools/kafka/pom.xml (`./dev setup` fetches and checks them).
"""
from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
JARS = REPOSITORY / ".cache" / "kafka" / "libs"

# A profile of 50 MiB plus its raw trace must reach the topic's own limit, not the broker's.
BROKER_MESSAGE_BYTES = 60_000_000
PROFILES_MESSAGE_BYTES = 55_000_000

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={folder}/log
num.partitions=1
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
message.max.bytes={message_bytes}
replica.fetch.max.bytes={message_bytes}
"""


class KafkaError(Exception):
    """The broker could not be started or did not answer; the text says what to look at."""


def free_ports(count: int) -> list[int]:
    """Loopback ports that are free now. All are held until the last is known, so they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


def answers(port: int, timeout: float = 1.0) -> bool:
    """True if a broker on this port answers an ApiVersions request (an open port alone says too little)."""
    client = b"probe"
    body = struct.pack(">hhih", 18, 0, 1, len(client)) + client
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=timeout) as s:
            s.sendall(struct.pack(">i", len(body)) + body)
            return len(s.recv(4)) == 4
    except OSError:
        return False


def java(*arguments: str, heap: str = "128m", log_level: str = "error") -> list[str]:
    program = shutil.which("java")
    if program is None or not (JARS / "kafka_2.13-3.9.1.jar").exists():
        raise KafkaError("no Java or no Kafka jars: run ./dev setup first")
    return [program, f"-Xmx{heap}", f"-Dorg.slf4j.simpleLogger.defaultLogLevel={log_level}",
            "-cp", f"{JARS}/*", *arguments]


class LocalKafka:
    """One broker on 127.0.0.1. Data folder and port survive stop(), kill() and start()."""

    def __init__(self, folder: Path | None = None, port: int | None = None, tmpfs: bool = False, heap: str = "512m"):
        base = "/dev/shm" if tmpfs else None
        self.owns_folder = folder is None
        self.folder = Path(folder or tempfile.mkdtemp(prefix="local-kafka-", dir=base)).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.heap = heap
        self.process: subprocess.Popen | None = None
        self.port, self.controller_port = self._ports(port)

    def _ports(self, wanted: int | None) -> tuple[int, int]:
        """The ports of an earlier run on this folder, so that clients find a restarted broker where it was."""
        remembered = self.folder / "ports"
        if remembered.exists():
            port, controller = map(int, remembered.read_text().split())
            return port, controller
        port, controller = free_ports(2)
        port = wanted or port
        remembered.write_text(f"{port} {controller}")
        return port, controller

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def log_file(self) -> Path:
        return self.folder / "kafka.log"

    def __enter__(self) -> "LocalKafka":
        self.start()
        return self

    def __exit__(self, *_exc) -> None:
        self.close()

    def start(self, deadline: float = 60.0) -> None:
        """Starts the broker and returns when it answers."""
        properties = self.folder / "server.properties"
        properties.write_text(PROPERTIES.format(port=self.port, controller_port=self.controller_port,
                                                folder=self.folder, message_bytes=BROKER_MESSAGE_BYTES))
        if not (self.folder / "log" / "meta.properties").exists():
            # Any 16 bytes in URL-safe base64 do as cluster id; one JVM start less than asking Kafka for one.
            subprocess.run(java("kafka.tools.StorageTool", "format", "-t", "cHJvZmlsZS1yZWxheS0wMQ",
                                "-c", str(properties)), check=True, stdout=subprocess.DEVNULL)
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                java("kafka.Kafka", str(properties), heap=self.heap, log_level="warn"),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        (self.folder / "pid").write_text(str(self.process.pid))
        end = time.monotonic() + deadline
        while not answers(self.port):
            if self.process.poll() is not None:
                raise KafkaError(f"Kafka ended with {self.process.returncode}, see {self.log_file}:\n"
                                 + self.log_file.read_text()[-2000:])
            if time.monotonic() > end:
                self.kill()
                raise KafkaError(f"Kafka did not answer on {self.bootstrap} within {deadline:.0f} s, "
                                 f"see {self.log_file}")
            time.sleep(0.05)

    def create_topic(self, name: str, max_message_bytes: int | None = None, compact: bool = False) -> None:
        """A compacted topic refuses records without a key, for good."""
        config = [] if max_message_bytes is None else ["--config", f"max.message.bytes={max_message_bytes}"]
        config += ["--config", "cleanup.policy=compact"] if compact else []
        done = subprocess.run(
            java("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", self.bootstrap, "--create",
                 "--if-not-exists", "--topic", name, "--partitions", "1", "--replication-factor", "1", *config),
            capture_output=True, text=True)
        if done.returncode != 0:
            raise KafkaError(f"topic {name} could not be created: {done.stdout}{done.stderr}")

    def create_default_topics(self) -> None:
        self.create_topic("profiles", PROFILES_MESSAGE_BYTES)
        self.create_topic("outcomes")

    def _signal(self, number: int) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def stop(self, deadline: float = 30.0) -> None:
        """SIGTERM, the broker's orderly end; SIGKILL when that takes too long."""
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGTERM)
        self._reap(deadline)

    def kill(self) -> None:
        """A crash: SIGKILL, nothing is flushed."""
        self._signal(signal.SIGKILL)
        self._reap(10.0)

    def _reap(self, deadline: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
        (self.folder / "pid").unlink(missing_ok=True)

    def pause(self) -> None:
        """A broker that hangs: connections stay open, nothing is answered."""
        self._signal(signal.SIGSTOP)
        # The signal is on its way only: until all its threads stand, the broker may acknowledge one record more.
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """Stops the broker and removes the folder if it was a temporary one."""
        if self.owns_folder:
            self.kill()  # nobody will read this log again
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            self.stop()


def is_kafka(pid: int) -> bool:
    try:
        return b"kafka.Kafka" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def stop_folder(folder: Path) -> None:
    """Ends the broker that `start` left running on this folder; nothing else, whatever its pid file says."""
    try:
        pid = int((folder / "pid").read_text())
    except (OSError, ValueError):
        return
    end = time.monotonic() + 30.0
    if is_kafka(pid):
        os.kill(pid, signal.SIGTERM)
    while is_kafka(pid):
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    (folder / "pid").unlink(missing_ok=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("start")
    start.add_argument("--folder", type=Path, required=True)
    start.add_argument("--port", type=int)
    stop = commands.add_parser("stop")
    stop.add_argument("--folder", type=Path, required=True)
    around = commands.add_parser("with")
    around.add_argument("--tmpfs", action="store_true", help="keep the broker's log in memory")
    around.add_argument("program", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that `with` ends its broker too
    try:
        if arguments.command == "stop":
            stop_folder(arguments.folder)
            return 0
        if arguments.command == "start":
            stop_folder(arguments.folder)
            kafka = LocalKafka(arguments.folder, arguments.port)
            kafka.start()
            kafka.create_default_topics()
            print(kafka.bootstrap)
            return 0
        with LocalKafka(tmpfs=arguments.tmpfs) as kafka:
            kafka.create_default_topics()
            program = [a for i, a in enumerate(arguments.program) if not (i == 0 and a == "--")]
            return subprocess.run(program, env={**os.environ, "KAFKA_BOOTSTRAP": kafka.bootstrap}).returncode
    except KafkaError as error:
        print(f"local_kafka: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
