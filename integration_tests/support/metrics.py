"""The Prometheus text format, read as numbers: (name, labels) -> value."""
from __future__ import annotations

import re
from typing import Iterable

from . import http_client

Series = tuple[str, frozenset[tuple[str, str]]]

_LINE = re.compile(r"^(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)(?: \d+)?$")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


def series(name: str, **labels: str) -> Series:
    return "profile_relay_" + name, frozenset(labels.items())


def parse(text: str) -> dict[Series, float]:
    values: dict[Series, float] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        found = _LINE.match(line)
        assert found, f"not a line of the Prometheus text format: {line!r}"
        key = found["name"], frozenset(_LABEL.findall(found["labels"] or ""))
        assert key not in values, f"the series {key} comes twice"
        values[key] = float(found["value"])
    return values


def read(url: str) -> dict[Series, float]:
    answer = http_client.get(url, "/metrics")
    assert answer.status == 200, answer
    return parse(answer.body.decode())


def delta(before: dict[Series, float], after: dict[Series, float], families: Iterable[str]) -> dict[Series, float]:
    """What changed in these families (names without the prefix), zeros left out."""
    names = {"profile_relay_" + f for f in families}
    changed = {k: v - before.get(k, 0.0) for k, v in after.items() if k[0] in names}
    return {k: v for k, v in changed.items() if v}
