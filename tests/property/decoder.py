"""The decoder under test: `profile-relay inspect` as a process."""

import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def binary():
    return os.environ.get("PROFILE_RELAY_BINARY", str(ROOT / "build/dev/profile-relay"))


def inspect(data):
    """(answer, None), or (None, the words of a rejection)."""
    done = subprocess.run([binary(), "inspect", "--samples", "--json", "-"], input=data, capture_output=True, check=False)
    if done.returncode != 0:
        words = done.stderr or done.stdout[:400]
        return None, words.decode(errors="replace").strip() or "rejected without a word"
    return json.loads(done.stdout), None
