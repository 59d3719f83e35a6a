"""From decoded samples to what the server sends: samples, stacks, images. Source: perfetto-decoding 14.4 to 14.8."""

from dataclasses import dataclass, field

from model.frame_v2 import U64, debug_id, emitted, has_range, image_base

MAPPING_FIELDS = ("mapping", "build_id", "start", "end", "exact_offset", "start_offset", "load_bias")
LONGEST_NS = 66 * 10**9
NOT_ENOUGH, NO_CLOCK, TOO_LONG = (
    "profiling_not_enough_samples",
    "profiling_invalid_sampled_profile",
    "profiling_duration_is_too_long",
)


@dataclass
class Chunk:
    samples: list = field(default_factory=list)  # (seconds, thread id, frames leaf first)
    names: dict = field(default_factory=dict)  # thread id -> the names it may have
    images: list = field(default_factory=list)
    rejected: str | None = None


def seconds(ns):
    return ns // 10**9 + (ns % 10**9) / 1e9


def image_of(mapping, counters):
    """The debug image of a mapping that an emitted native frame with an address uses, or None."""
    if not mapping.get("mapping"):
        return None
    if not has_range(mapping):
        counters["image_without_range"] += 1
        return None
    identity = debug_id(mapping["build_id"])
    if identity is None:
        counters["image_without_build_id"] += 1
        return None
    addr, base = image_address(mapping), image_base(mapping)
    return {
        "type": "symbolic",
        "code_file": mapping["mapping"].removeprefix("/"),
        "debug_id": identity,
        "image_addr": hex(addr),
        "image_vmaddr": hex((addr - base) & U64),
    }


def image_address(mapping):
    base = image_base(mapping)
    if base == 0 or base > mapping["start"]:
        return (mapping["start"] - mapping["exact_offset"] + mapping["start_offset"]) & U64
    return base


def same_image(a, b):
    return all(a[key] == b[key] for key in ("code_file", "image_addr"))


def set_size(image, mappings):
    """The greatest end of its mappings; none where that is not above the image's address."""
    addr = int(image["image_addr"], 16)
    ends = [
        m["end"]
        for m in mappings
        if has_range(m) and m["mapping"].removeprefix("/") == image["code_file"] and image_address(m) == addr
    ]
    if max(ends) > addr:
        image["image_size"] = max(ends) - addr


def thread_name(row):
    return row.get("thread") or ("main" if row.get("tid") is not None and row.get("tid") == row.get("pid") else None)


def convert(trace, counters):
    """`trace`: the model's answer. Wall times before 1970 cannot be shown."""
    out = Chunk()
    if not trace.samples:
        out.rejected = NOT_ENOUGH
        return out
    placed = [row for row in trace.samples if row.get("wall_time", 0) > 0]
    if not placed:
        out.rejected = NO_CLOCK
        return out
    placed.sort(key=lambda row: row["wall_time"])
    samples, looked_at = [], []
    for row in placed:
        stack = []
        for frame in row["stack"]:
            for shown, with_address in emitted(frame, row["source"] == "stack_sample"):
                stack.append(shown)
                mapping = {k: v for k, v in frame.items() if k in MAPPING_FIELDS}
                if not with_address or mapping in looked_at:
                    continue
                looked_at.append(mapping)
                image = image_of(mapping, counters)
                if image and not any(same_image(image, known) for known in out.images):
                    out.images.append(image)
        thread = str(row.get("tid", 0))
        samples.append((row["wall_time"], thread, stack))
        out.names.setdefault(thread, set()).add(thread_name(row))
    for image in out.images:
        set_size(image, trace.mappings)
    normalise(out, samples, counters)
    return out


def normalise(out, samples, counters):
    """14.7: threads with at most one sample that is not idle go, then the length is checked."""
    busy = {}
    for _, thread, stack in samples:
        busy[thread] = busy.get(thread, 0) + bool(stack)
    kept = [s for s in samples if busy[s[1]] > 1]
    counters["single_sample_thread"] += len(samples) - len(kept)
    if not kept:
        out.rejected = NOT_ENOUGH
        return
    if kept[-1][0] - kept[0][0] > LONGEST_NS:
        out.rejected = TOO_LONG
    out.samples = [(seconds(ns), thread, stack) for ns, thread, stack in kept]
    out.names = {thread: names for thread, names in out.names.items() if busy[thread] > 1}
