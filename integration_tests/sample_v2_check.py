"""What a Sample v2 chunk must fulfil before we may call it ours: the schema beside this file, and the rules that JSON
Schema cannot state. faults(document) lists every breach in words; an empty list is a good chunk.

As a command: `python integration_tests/sample_v2_check.py FILE...`, exit status 1 if any file has a fault.
"""
from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema

SCHEMA = json.loads((Path(__file__).parent / "sample_v2.schema.json").read_text())
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
LONGEST_CHUNK_S = 66.0
SHOWN_BY_CONSUMERS = ("function", "instruction_addr", "filename", "abs_path", "module", "package")


def schema_faults(document: Any) -> list[str]:
    return [f"{'/'.join(map(str, e.absolute_path)) or '(document)'}: {e.message[:200]}"
            for e in VALIDATOR.iter_errors(document)]


def reference_faults(profile: dict[str, Any]) -> list[str]:
    """Indices that point nowhere."""
    stacks, frames = len(profile["stacks"]), len(profile["frames"])
    found = [f"samples/{i}: stack {s['stack_id']}, but there are {stacks}"
             for i, s in enumerate(profile["samples"]) if s["stack_id"] >= stacks]
    found += [f"stacks/{i}: frame {f}, but there are {frames}"
              for i, stack in enumerate(profile["stacks"]) for f in stack if f >= frames]
    return found


def time_faults(profile: dict[str, Any]) -> list[str]:
    times = [s["timestamp"] for s in profile["samples"]]
    found = [f"samples/{i}: earlier than the one before" for i in range(1, len(times)) if times[i] < times[i - 1]]
    if max(times) - min(times) > LONGEST_CHUNK_S:
        found.append(f"the chunk spans {max(times) - min(times):.3f} s")
    return found


def thread_faults(profile: dict[str, Any]) -> list[str]:
    counts = Counter(s["thread_id"] for s in profile["samples"])
    found = [f"thread {tid}: a single sample draws nothing" for tid, n in counts.items() if n == 1]
    if not isinstance(profile.get("thread_metadata"), dict):
        return found + ["thread_metadata is missing: a merge of chunks writes into it"]
    return found + [f"thread_metadata/{tid}: no sample of it" for tid in profile["thread_metadata"] if tid not in counts]


def frame_faults(profile: dict[str, Any]) -> list[str]:
    return [f"frames/{i}: nothing to show" for i, f in enumerate(profile["frames"])
            if not any(f.get(k) for k in SHOWN_BY_CONSUMERS)]


def faults(document: Any) -> list[str]:
    found = schema_faults(document)
    if found:
        return found  # the other rules rely on the shape
    profile = document["profile"]
    return reference_faults(profile) + time_faults(profile) + thread_faults(profile) + frame_faults(profile)


def main(paths: list[str]) -> int:
    status = 0
    for path in paths:
        found = faults(json.loads(Path(path).read_text()))
        print(f"{path}: {'good' if not found else ''}", *found, sep="\n  " if found else "")
        status |= bool(found)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
