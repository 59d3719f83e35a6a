"""Where the model and `profile-relay decode` disagree about the Sample v2 of one trace."""

import json
import subprocess
from collections import Counter

from decoder import binary
from difference import unequal
from model.sample_v2 import convert


def converted(data):
    """(document, None) or (None, the words of a rejection)."""
    done = subprocess.run([binary(), "decode", "-"], input=data, capture_output=True, check=False)
    if done.returncode != 0:
        return None, done.stderr.decode(errors="replace")
    return json.loads(done.stdout), None


# What `inspect --json` says of the conversion, where it does.
SHOWN = {
    "images_without_range": "image_without_range",
    "images_without_build_id": "image_without_build_id",
    "single_sample_thread": "single_sample_thread",
}


def compare(data, trace, answer):
    """(list of differences, counters of the conversion); `trace` is the model's answer, `answer` that of `inspect`.

    Threads of several machines are left out: 14.6 asks for a prefix, and leaves its form open.
    """
    counters = Counter()
    if trace.rejected or trace.ambiguous or any("machine" in row for row in trace.samples):
        return [], counters
    chunk = convert(trace, counters)
    out = []
    if answer is not None and trace.samples:
        for shown, name in SHOWN.items():
            if answer.get(shown, counters[name]) != counters[name]:
                out.append(f"{name}: model {counters[name]}, decoder {answer[shown]}")
    document, refusal = converted(data)
    if document is None:
        if chunk.rejected and (chunk.rejected in refusal or not trace.samples):
            return out, counters
        return out + [f"model: {chunk.rejected or 'accepted'}; decode: {refusal.strip()}"], counters
    if chunk.rejected:
        return out + [f"model: {chunk.rejected}; decode: accepted"], counters
    counters["Sample v2 documents"] += 1
    return out + list(differences(chunk, document)), counters


def differences(chunk, document):
    profile = document["profile"]
    frames, stacks = profile["frames"], profile["stacks"]
    for what, rows in (("frames", frames), ("stacks", stacks)):
        if len({json.dumps(r, sort_keys=True) for r in rows}) != len(rows):
            yield f"{what} are not unique"
    theirs = [(s["timestamp"], s["thread_id"], [frames[f] for f in stacks[s["stack_id"]]]) for s in profile["samples"]]
    yield from unequal([list(s) for s in chunk.samples], [list(s) for s in theirs], "samples")
    images = [{k: v for k, v in image.items() if v != ""} for image in chunk.images]
    yield from unequal(images, document.get("debug_meta", {}).get("images", []), "images")
    metadata = profile["thread_metadata"]
    for thread, names in chunk.names.items():
        name = metadata.get(thread, {}).get("name")
        if name not in names:
            yield f"thread {thread}: name {name!r}, expected one of {names}"
    for thread in metadata.keys() - chunk.names.keys():
        yield f"thread {thread} has no samples"
