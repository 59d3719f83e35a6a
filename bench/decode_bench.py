#!/usr/bin/python3
"""Cost of decode + convert + normalise + JSON against a bare scan and against protobuf's own parsing.

Prints three tables and, with --functions, a fourth:
  1. instructions per sample, counted by callgrind: two rounds minus one round, so that set-up cancels;
  2. what each of our stages costs, counted the same way;
  3. time, allocations and heap: the smallest of interleaved rounds;
  4. where our instructions go, by function.
Instructions repeat exactly and decide; times on a shared machine only compare within one run.
"""

import argparse
import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SUBJECTS = ("scan", "protobuf", "ours")
SIZES = ("small", "middle", "large", "sparse")


def build_folder():
    """The folder that holds the programs: where this script was linked to, else the release build."""
    here = pathlib.Path(sys.argv[0]).absolute().parent
    if (here / "decode-bench").exists():
        return here
    return pathlib.Path(__file__).resolve().parents[1] / "build" / "release"


def callgrind(command, out_file):
    """Runs a command under callgrind and returns the instructions that it took."""
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out_file}", *command],
        capture_output=True, text=True, check=False)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        sys.exit(f"decode_bench: {' '.join(map(str, command))} failed:\n{done.stderr[-2000:]}")
    return int(found.group(1))


class Traces:
    """One file per size, made once, so that callgrind does not have to watch them being made."""

    def __init__(self, programs, folder):
        self.programs, self.folder = programs, pathlib.Path(folder)
        self.samples, self.words, self.costs = {}, {}, {}

    def arguments(self, size):
        trace, metadata = self.folder / f"{size}.pftrace", self.folder / f"{size}.json"
        if size not in self.samples:
            made = subprocess.run(
                [self.programs / "make-trace", "--kind", "bench", "--size", size, "-o", trace, "--metadata-out", metadata],
                capture_output=True, text=True, check=True)
            self.samples[size] = int(re.search(r"(\d+) samples", made.stderr).group(1))
            self.words[size] = re.search(r"(\d+) frames, (\d+) stacks, ([\d.]+) MB", made.stderr).groups()
        return ["--trace", trace, "--metadata", metadata, "--expect-samples", str(self.samples[size])]


def print_instructions(programs, traces, sizes):
    print("instructions per sample (callgrind, two rounds minus one)")
    print(f"{'trace':8}{'samples':>9}{'MB':>6}{'frames':>8}{'stacks':>8}" + "".join(f"{s:>10}" for s in SUBJECTS)
          + f"{'ours/protobuf':>15}{'ours/scan':>11}")
    for size in sizes:
        arguments = traces.arguments(size)
        per_sample = {}
        for what in SUBJECTS:
            if what == "ours":  # its costs by function are kept for the other tables
                per_sample[what] = ours_by_function(programs, traces, size)[2]
                continue
            command = [programs / "decode-bench", "--what", what, *arguments]
            once, twice = (callgrind([*command, "--rounds", n], os.devnull) for n in ("1", "2"))
            per_sample[what] = (twice - once) / traces.samples[size]
        frames, stacks, megabytes = traces.words[size]
        print(f"{size:8}{traces.samples[size]:>9}{float(megabytes):>6.2f}{frames:>8}{stacks:>8}"
              + "".join(f"{per_sample[s]:>10.0f}" for s in SUBJECTS)
              + f"{per_sample['ours'] / per_sample['protobuf']:>15.2f}{per_sample['ours'] / per_sample['scan']:>11.2f}",
              flush=True)
    print()


def cost_by_function(out_file):
    """(with callees, own) instructions by function. What the compiler inlined counts for what it went into."""
    names, own, callees = {}, collections.Counter(), collections.Counter()
    current, after_call = "", False
    for line in pathlib.Path(out_file).read_text(errors="replace").splitlines():
        function = re.match(r"(c?)fn=\((\d+)\)(?: (.*))?$", line)
        if function:
            is_callee, number, name = function.groups()
            if name:
                names[number] = name
            if not is_callee:
                current = names[number]
        elif line.startswith("calls="):
            after_call = True
        elif line[:1].isdigit() or line[:1] in "+-*":
            parts = line.split()  # position, then the cost; a cost of 0 is left out
            cost = int(parts[1]) if len(parts) > 1 else 0
            (callees if after_call else own)[current] += cost
            after_call = False
    return own + callees, own


def shortened(name, width=100):
    name = name.replace("profile_relay::", "").replace("(anonymous namespace)::", "")
    while True:  # arguments of templates tell little and hide the function's name
        shorter = re.sub(r"<[^<>]*>", "", name)
        if shorter == name:
            break
        name = shorter
    name = re.sub(r"\(.*", "()", name)
    return name if len(name) <= width else name[: width - 1] + "…"


def ours_by_function(programs, traces, size):
    """(cost with callees by function, own cost by function, whole cost) of one round of ours, each per sample."""
    if size not in traces.costs:
        arguments = traces.arguments(size)
        samples = traces.samples[size]
        with tempfile.TemporaryDirectory() as folder:
            files, totals = [], []
            for rounds in ("1", "2"):
                files.append(os.path.join(folder, rounds))
                totals.append(callgrind([programs / "decode-bench", "--what", "ours", *arguments, "--rounds", rounds], files[-1]))
            once, twice = (cost_by_function(f) for f in files)
        inclusive, own = (collections.Counter({n: (c - once[i][n]) / samples for n, c in twice[i].items()}) for i in (0, 1))
        traces.costs[size] = inclusive, own, (totals[1] - totals[0]) / samples
    return traces.costs[size]


def stages_of(inclusive, total):
    """The stages of a chunk's way, from the costs of the functions that each is made of; they add up to the whole."""

    def cost(name):
        found = [c for n, c in inclusive.items() if re.sub(r"<[^<>]*>|\[abi:\w+\]", "", n).split("(anonymous namespace)::")[-1]
                 .split("(")[0].endswith(name)]
        if not found:
            sys.exit(f"decode_bench: no function {name} in the profile; was it inlined? stages_of() has to follow")
        return max(found)

    handled, clocks, sort = cost("trace_decoder::on_packet"), cost("trace_decoder::resolve_record"), cost("sort_by_time")
    interned, stacks, emitted = cost("interval::add"), cost("trace_decoder::end_interval"), cost("trace_decoder::emit")
    stages = {
        "walk": cost("trace_reader::run") - handled,
        "samples": handled - interned,
        "interning": interned + stacks,
        "clocks": clocks,
        "sort": sort,
        "emit": emitted - sort - clocks,
        "conversion": cost("profile::convert"),
        "normalise": cost("profile::normalise"),
        "JSON": cost("profile::write_json"),
    }
    stages["rest"] = total - sum(stages.values())
    return stages


def print_stages(programs, traces, sizes):
    print("instructions per sample by stage of ours (callgrind)")
    for index, size in enumerate(sizes):
        inclusive, _, total = ours_by_function(programs, traces, size)
        stages = stages_of(inclusive, total)
        if index == 0:
            print(f"{'trace':8}" + "".join(f"{name:>11}" for name in stages))
        print(f"{size:8}" + "".join(f"{value:>11.0f}" for value in stages.values()), flush=True)
    print("walk: boundaries and top level of packets; samples: their fields, tasks; interning: storing entries, resolving stacks;")
    print("emit: from records to samples in order; conversion: to Sample v2; rest: metadata, names, symbols\n")


def print_functions(programs, traces, size, rows):
    inclusive, own, total = ours_by_function(programs, traces, size)
    # The functions that a reader looks for are ours; main and the harness above them are not.
    ours = collections.Counter({n: c for n, c in inclusive.items() if "profile_relay::" in n})
    for what, cost in (("callees included", ours), ("its own only", own)):
        print(f"{size}: instructions per sample by function, {what}")
        for name, value in cost.most_common(rows):
            print(f"{value:>10.1f} {100 * value / total:>5.1f} %  {shortened(name)}")
        print()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=SIZES)
    parser.add_argument("--rounds", type=int, default=20, help="interleaved rounds for the times (default 20)")
    parser.add_argument("--functions", choices=SIZES, help="also print where our instructions go by function, for this trace")
    parser.add_argument("--rows", type=int, default=20, help="functions to print with --functions")
    parser.add_argument("--no-callgrind", action="store_true", help="times only")
    options = parser.parse_args()
    programs = build_folder()
    if not (programs / "decode-bench").exists():
        sys.exit(f"decode_bench: {programs}/decode-bench is not built; ./dev bench decode builds it")
    with tempfile.TemporaryDirectory() as folder:
        traces = Traces(programs, folder)
        if not options.no_callgrind:
            print_instructions(programs, traces, options.sizes)
            print_stages(programs, traces, options.sizes)
        if options.functions:
            print_functions(programs, traces, options.functions, options.rows)
    print(f"times: smallest of {options.rounds} interleaved rounds; heap of one round of ours, through operator new")
    sys.stdout.flush()
    for index, size in enumerate(options.sizes):
        command = [programs / "decode-bench", "--interleaved", "--rounds", str(options.rounds), "--size", size]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(done.stderr.strip())
        print(done.stdout.split("\n", 1)[1].rstrip() if index else done.stdout.rstrip(), flush=True)


if __name__ == "__main__":
    main()
