#!/usr/bin/python3
"""What the profiling client's sampler costs a busy process.

Prints four tables:
  1. by number of threads: part of the process's CPU time that the sampler takes, from the clock of its own thread (the
     writing of the trace included) plus the time of its handlers;
  2. time of one handler;
  3. a fixed workload without a profiler, with ours and with gperftools' (which interrupts 101 times a second of CPU time of
     the whole process, so with more threads than CPUs far less often than we do): CPU and wall time, the smallest of
     interleaved rounds, and their ratio to that without;
  4. bytes of the trace per sample, bare and coded.
And the time that reading 100,000 symbols takes.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SUBJECTS = ("none", "tables", "pointers", "gperftools")
WORDS = {"none": "no profiler", "tables": "ours, unwind tables", "pointers": "ours, frame pointers",
         "gperftools": "gperftools"}


def program():
    """Where this script was linked to, else in the release build."""
    here = pathlib.Path(sys.argv[0]).absolute().parent / "sdk-bench"
    return here if here.exists() else pathlib.Path(__file__).resolve().parents[1] / "build" / "release" / "sdk-bench"


def run(*arguments):
    done = subprocess.run([program(), *map(str, arguments)], capture_output=True, text=True, check=False,
                          env={**os.environ, "CPUPROFILE_FREQUENCY": "101"})
    if done.returncode != 0:
        sys.exit(f"sdk_bench: {arguments} failed: {done.stderr[-2000:] or done.stdout[-2000:]}")
    return json.loads(done.stdout)


def symbols():
    """A library of 100,000 functions with names as long as those of C++ programs are."""
    with tempfile.TemporaryDirectory() as folder:
        source, library = pathlib.Path(folder) / "many.s", pathlib.Path(folder) / "many.so"
        with source.open("w") as out:
            for i in range(100_000):
                name = f"_ZN13profile_relay3sdk7testing{15 + len(str(i))}function_number{i}ERKSsPKcm"
                out.write(f".type {name},@function\n{name}: nop\n.size {name},1\n")
        subprocess.run(["gcc", "-shared", "-nostdlib", "-Wl,--build-id=sha1", "-o", library, source], check=True)
        notes = subprocess.run(["readelf", "-n", library], capture_output=True, text=True, check=True).stdout
        build_id = re.search(r"Build ID: ([0-9a-f]+)", notes).group(1)
        return min((run("--symbols", library, "--build-id", build_id) for _ in range(5)), key=lambda r: r["ms"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds")
    parser.add_argument("--work", type=int, default=1_000_000, help="units of work of one run")
    options = parser.parse_args()

    runs = {(t, s): [] for t in options.threads for s in SUBJECTS}
    for _ in range(options.rounds):
        for threads, subject in runs:
            runs[threads, subject].append(run("--subject", subject, "--threads", threads, "--rounds", options.work))

    def total(threads, subject, key):
        return sum(r[key] for r in runs[threads, subject])

    def smallest(threads, subject, key):
        return min(r[key] for r in runs[threads, subject])

    print(f"{'threads':>7} {'stacks by':<22} {'samples':>8} {'missed %':>8} {'frames':>6} {'sampler %':>9} {'handlers %':>10} "
          f"{'together %':>10}")
    for threads, subject in runs:
        if subject not in ("tables", "pointers"):
            continue
        cpu, samples = total(threads, subject, "cpu"), total(threads, subject, "samples")
        thread, handlers = (100 * total(threads, subject, k) / cpu for k in ("sampler_cpu", "handler_cpu"))
        missed = 100 * (1 - samples / total(threads, subject, "ticks"))
        print(f"{threads:>7} {WORDS[subject]:<22} {samples:>8} {missed:>8.1f} {total(threads, subject, 'frames') / samples:>6.1f} "
              f"{thread:>9.3f} {handlers:>10.3f} {thread + handlers:>10.3f}")

    print(f"\n{'threads':>7} {'stacks by':<22} {'handler p50 us':>14} {'p99 us':>8}   (smallest of the rounds)")
    for threads, subject in runs:
        if subject in ("tables", "pointers"):
            print(f"{threads:>7} {WORDS[subject]:<22} {smallest(threads, subject, 'handler_p50_ns') / 1000:>14.2f} "
                  f"{smallest(threads, subject, 'handler_p99_ns') / 1000:>8.2f}")

    print(f"\n{'threads':>7} {'profiler':<22} {'CPU s':>8} {'ratio':>7} {'wall s':>8} {'ratio':>7}")
    for threads, subject in runs:
        cpu, wall = smallest(threads, subject, "cpu"), smallest(threads, subject, "wall")
        print(f"{threads:>7} {WORDS[subject]:<22} {cpu:>8.3f} {cpu / smallest(threads, 'none', 'cpu'):>7.4f} {wall:>8.3f} "
              f"{wall / smallest(threads, 'none', 'wall'):>7.4f}")

    print(f"\n{'threads':>7} {'bytes a sample':>14} {'gzip':>7} {'zstd':>7}")
    for threads in options.threads:
        samples = total(threads, "tables", "samples")
        print(f"{threads:>7} {total(threads, 'tables', 'trace') / samples:>14.1f} {total(threads, 'tables', 'gzip') / samples:>7.1f} "
              f"{total(threads, 'tables', 'zstd') / samples:>7.1f}")

    read = symbols()
    print(f"\nreading the symbols of an image: {read['functions']:,} functions in {read['ms']:.1f} ms")


if __name__ == "__main__":
    main()
