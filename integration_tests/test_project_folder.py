"""The folder of project files while the server runs: what lies there that is no project, and how versions are swapped."""
from __future__ import annotations

import json
import os
import shutil
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any, Callable, Iterator

import pytest

from support import http_client
from support.envelopes import plain, request
from support.projects import PROJECT, Project
from support.server import Server
from support.waiting import wait_until

pytestmark = pytest.mark.binary_only("configures its own servers")


def status(server: Server, project: Project) -> int:
    return server.send(request(plain(), project=project)).status


def lines(server: Server, *words: str) -> list[str]:
    return [line for line in server.log().splitlines() if all(w in line for w in words)]


def project_check(server: Server) -> str:
    answer = http_client.get(server.url, "/api/relay/healthcheck/ready/")
    assert answer.status == 200, "a broken project file makes nobody unready"
    return answer.json()["checks"]["projects"]


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 30)


def unix_socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # the address of a socket has room for some hundred bytes only
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path.name)
    finally:
        os.chdir(here)


@dataclass(frozen=True)
class Odd:
    id: int
    make: Callable[[Path], Any]
    said: str

    @property
    def project(self) -> Project:
        return Project(self.id, f"{self.id:032x}")


ODD = (
    Odd(101, lambda p: p.mkdir(), "not a regular file"),
    Odd(102, lambda p: p.symlink_to("nowhere"), "No such file or directory"),
    Odd(103, lambda p: p.symlink_to(p.name), "Too many levels of symbolic links"),
    Odd(104, os.mkfifo, "not a regular file"),
    Odd(105, lambda p: p.symlink_to("/dev/zero"), "not a regular file"),
    Odd(106, unix_socket, "not a regular file"),
    Odd(107, sparse, "larger than 4 MiB"),
    Odd(108, lambda p: p.write_bytes(b""), "not valid JSON"),
    Odd(109, lambda p: p.write_bytes(b'{"slug": "\xff"}'), "not valid JSON"),
    Odd(110, lambda p: p.write_bytes(b"[" * 100_000), "nested deeper than"),
    Odd(111, lambda p: p.write_bytes(b'{"publicKeys": "none"}'), "publicKeys"),
    Odd(112, lambda p: p.write_bytes(b"[]"), "one JSON object"),
)
NO_PROJECTS = ("notes.json", "-5.json", "1e3.json", "18446744073709551616.json")


def remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def test_what_is_no_project_is_named_and_stops_nothing(make_server: Callable[..., Server]) -> None:
    server = make_server(projects=(PROJECT, *(odd.project for odd in ODD))).start()
    folder = server.folder / "projects"
    for odd in ODD:
        remove(folder / f"{odd.id}.json")
        odd.make(folder / f"{odd.id}.json")
    os.mkfifo(folder / NO_PROJECTS[0])
    for name in NO_PROJECTS[1:]:
        (folder / name).write_text("{}")
    (folder / ".200.json").write_text("{")
    (folder / "201.json~").write_text("{")

    def told() -> None:
        wait_until(lambda: server.metric("projects_broken") == len(ODD), "all broken files counted")
        assert f"{len(ODD)} broken file(s)" in project_check(server)
        for odd in ODD:
            assert len(lines(server, f" {odd.id}.json", odd.said, "error")) == 1, (odd.id, server.log())
        for name in NO_PROJECTS:
            assert len(lines(server, f" {name}", "skipped", "warn")) == 1, server.log()
        assert not lines(server, "200.json") and not lines(server, "201.json")

    told()
    assert {status(server, odd.project) for odd in ODD} == {200}, "the last good version of each stays in force"
    assert len(lines(server, "last good version")) == len(ODD)

    assert server.stop() == 0
    checked = server.command("check-config", "-c", str(server.folder))
    assert checked.returncode == 1 and all(odd.said in checked.stderr for odd in ODD), checked.stderr
    server.start()
    told()
    assert {status(server, odd.project) for odd in ODD} == {403}, "at the start there is no good version"
    assert status(server, PROJECT) == 200

    for odd in ODD:
        remove(folder / f"{odd.id}.json")
        odd.project.write(server.folder)
    wait_until(lambda: server.metric("projects_broken") == 0, "the repaired files in force")
    assert {status(server, odd.project) for odd in ODD} == {200}
    assert "broken" not in project_check(server)


def test_of_two_files_with_one_key_or_id_the_first_by_name_wins(make_server: Callable[..., Server]) -> None:
    first, second = Project(300, "c" * 32, disabled=True), Project(31, "d" * 32)
    server = make_server(projects=(PROJECT, first, second)).start()
    folder = server.folder / "projects"

    # "301.json" stands before "31.json", and after "300.json".
    document = Project(301, second.key, disabled=True).document()
    document["publicKeys"].append({"publicKey": first.key})
    (folder / "301.json").write_text(json.dumps(document))
    wait_until(lambda: lines(server, "31.json", second.key, "already belongs to 301.json"), "the second key told")
    assert lines(server, "301.json", first.key, "already belongs to 300.json")
    assert status(server, second) == 403, "its key belongs to the disabled project of the other file now"

    (folder / "301.json").write_text(json.dumps({**second.document(), "projectId": 300}))
    wait_until(lambda: lines(server, "301.json", "project id 300 is already defined by 300.json"), "the second id told")
    assert lines(server, "301.json", "projectId 300 differs from the file's name")
    wait_until(lambda: status(server, second) == 200, "a file that is left out keeps none of its keys")

    (folder / "300.json").unlink()
    renamed = replace(second, id=300)
    wait_until(lambda: status(server, renamed) == 200, "with the first file gone the second one holds the id and the key")
    assert status(server, second) == 403


def test_a_folder_that_is_lost_keeps_its_projects(make_server: Callable[..., Server]) -> None:
    """A mount that goes away must not turn all clients away; the removal of each file is another thing."""
    server = make_server(projects=(PROJECT,)).start()
    folder, away = server.folder / "projects", server.folder / "away"
    folder.rename(away)
    wait_until(lambda: server.metric("projects_broken") == 1, "the loss noticed")
    assert len(lines(server, "projects", "No such file or directory", "the projects in force stay", "error")) == 1, server.log()
    assert status(server, PROJECT) == 200
    away.rename(folder)
    wait_until(lambda: server.metric("projects_broken") == 0, "the folder read again")
    (folder / f"{PROJECT.id}.json").unlink()
    wait_until(lambda: status(server, PROJECT) == 403, "the removed file's project gone")


def test_a_server_may_be_set_up_before_its_first_project(make_server: Callable[..., Server]) -> None:
    server = make_server(projects=())
    (server.folder / "projects").rmdir()
    assert server.command("check-config", "-c", str(server.folder)).returncode == 0
    server.start()
    assert len(lines(server, "projects", "cannot be listed", "warn")) == 1, server.log()
    assert server.metric("projects_broken") == 0
    PROJECT.write(server.folder)
    wait_until(lambda: status(server, PROJECT) == 200, "the first project in force")


STABLE = Project(400, "e" * 32)
MOVING = Project(402, "f" * 32)


def generation(number: int) -> dict[str, dict[str, Any]]:
    """Files by name: one project stays, one tells the generation with its refusals, one moves between two names."""
    telling = Project(401, "e" * 31 + "1", quotas=({"limit": 0, "reasonCode": f"generation_{number}"},))
    return {"400.json": STABLE.document(), "401.json": telling.document(),
            f"{402 + number % 2}.json": {**MOVING.document(), "projectId": MOVING.id}}


def write_all(folder: Path, number: int) -> None:
    folder.mkdir()
    for name, document in generation(number).items():
        (folder / name).write_text(json.dumps(document))


def swap_link(link: Path, target: str) -> None:
    """In one step: a link is made beside it and renamed over it."""
    fresh = link.with_name(link.name + "_tmp")
    fresh.symlink_to(target)
    fresh.rename(link)


class ConfigMap:
    """Kubernetes' way: the files are links into ..data, which is a link to the folder of this generation."""

    def __init__(self, folder: Path):
        self.folder, self.number = folder, -1
        self.folder.mkdir(exist_ok=True)

    def swap(self) -> None:
        old, self.number = self.number, self.number + 1
        write_all(self.folder / self.name(self.number), self.number)
        swap_link(self.folder / "..data", self.name(self.number))
        for name in generation(self.number):  # then the links of new files, then those of files that are gone
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(f"..data/{name}")
        if old < 0:
            return
        for name in set(generation(old)) - set(generation(self.number)):
            (self.folder / name).unlink()
        shutil.rmtree(self.folder / self.name(old))

    @staticmethod
    def name(number: int) -> str:
        return f"..2026_01_01_00_00_{number:02d}.123456789"


class LinkedFolder:
    """`projects` itself is the link: to ..data/projects of a mounted configuration folder, or to a release's folder."""

    def __init__(self, folder: Path):
        self.folder, self.number = folder, -1
        self.folder.rmdir()
        self.folder.symlink_to("..data/projects")

    def swap(self) -> None:
        old, self.number = self.number, self.number + 1
        home = self.folder.parent / ConfigMap.name(self.number)
        home.mkdir()
        write_all(home / "projects", self.number)
        swap_link(self.folder.parent / "..data", home.name)
        if old >= 0:
            shutil.rmtree(self.folder.parent / ConfigMap.name(old))


@contextmanager
def answers_of(server: Server, *projects: Project) -> Iterator[Counter[tuple[int, int]]]:
    """Sends to each project, one request after the other, while the block runs: (project, status) -> how often."""
    end, seen = Event(), Counter[tuple[int, int]]()

    def ask(project: Project) -> Counter[tuple[int, int]]:
        mine = Counter[tuple[int, int]]()
        while not end.is_set():
            mine[project.id, status(server, project)] += 1
        return mine

    with ThreadPoolExecutor(len(projects)) as pool:
        running = [pool.submit(ask, project) for project in projects]
        try:
            yield seen
        finally:
            end.set()
            for one in running:
                seen.update(one.result())


@pytest.mark.parametrize("mount", [ConfigMap, LinkedFolder])
def test_swapped_links_refuse_nobody(make_server: Callable[..., Server], mount: type) -> None:
    server = make_server(projects=())
    volume = mount(server.folder / "projects")
    volume.swap()
    server.start()
    telling = Project(401, "e" * 31 + "1")

    def in_force() -> bool:
        return f"generation_{volume.number}" in server.send(request(plain(), project=telling)).headers["x-sentry-rate-limits"]

    assert in_force()
    with answers_of(server, STABLE, MOVING) as seen:
        for _ in range(3):
            volume.swap()
            wait_until(in_force, f"generation {volume.number} in force")
    assert set(seen) == {(STABLE.id, 200), (MOVING.id, 200)}, seen
    wait_until(lambda: server.metric("projects_broken") == 0, "nothing broken is left")
