"""Doubling a hostile input may cost at most 2.2 times the instructions of decoding it.

One program decodes all traces in one run of callgrind, which is told to count between entry and return of each decoding
alone. Instructions repeat exactly, so the factor needs no allowance for the machine: 2.2 is for n log n and for tables that
double.
"""

import os
import pathlib
import re
import subprocess

import pytest

LIMIT = 2.2
PROGRAM = pathlib.Path(
    os.environ.get("DECODE_COST", pathlib.Path(__file__).resolve().parents[2] / "build" / "dev" / "decode-cost"))


def kinds():
    listed = subprocess.run([PROGRAM, "--list"], capture_output=True, text=True, check=True)
    return [line.split(" ", 2) for line in listed.stdout.splitlines()]


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """Bytes and instructions by (kind, how often the usual size)."""
    folder = tmp_path_factory.mktemp("traces")
    subprocess.run([PROGRAM, "--make", folder], check=True)
    dump = folder / "cost"
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", f"--callgrind-out-file={dump}", "--zero-before=decode_once",
         "--dump-after=decode_once", PROGRAM, "--decode", folder],
        capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = {}
    for index, (kind, times) in enumerate([(k[0], t) for k in kinds() for t in (1, 2)], start=1):
        total = re.search(r"^(?:totals|summary): (\d+)", (folder / f"cost.{index}").read_text(errors="replace"), re.M)
        found[kind, times] = (folder / f"{kind}-{times}").stat().st_size, int(total.group(1))
    return found


@pytest.mark.parametrize("kind,usual,doubled", kinds(), ids=[k[0] for k in kinds()])
def test_growth(kind, usual, doubled, counted):
    (size, once), (larger, twice) = counted[kind, 1], counted[kind, 2]
    ratio = twice / once
    print(f"{kind:24} n {usual:>7} input {size:>8} {larger:>8}  instructions {once:>12,} {twice:>12,}  ratio {ratio:.3f}")
    assert ratio <= LIMIT, f"twice the {doubled}: {ratio:.2f} times the instructions"
