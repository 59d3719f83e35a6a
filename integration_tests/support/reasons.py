"""docs/reasons.md, read as data. A test in C++ holds that page equal to the server's one table of reasons."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reasons.md"


@dataclass(frozen=True)
class Reason:
    name: str
    of_requests: bool
    of_chunks: bool
    status: int
    outcome: int  # 0 = none
    outcome_reason: str
    retry_after: str  # seconds; "" = no header
    detail: str


def _read(line: str) -> Reason:
    name, counted, status, outcome, retry, detail, _advice = [c.strip() for c in line.strip().strip("|").split("|")]
    number, _, reason = outcome.partition(" ")
    return Reason(name.strip("`"), "request" in counted, "chunk" in counted, int(status), int(number or 0),
                  reason.strip("`"), retry, detail)


REASONS = {r.name: r for r in (_read(x) for x in PAGE.read_text().splitlines() if x.startswith("| `"))}
assert len(REASONS) > 40, PAGE
