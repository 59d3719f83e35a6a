"""Where the model and the decoder disagree about one trace."""

from decoder import inspect
from model.trace import decode


# Counted by the conversion to Sample v2 (sample_v2_difference).
NOT_OF_THE_DECODER = {"image_without_range", "image_without_build_id", "single_sample_thread"}


def compare(data):
    """(list of differences, the model's answer, the decoder's answer)."""
    model = decode(data)
    answer, refusal = inspect(data)
    if model.rejected or answer is None:
        if model.rejected and answer is None:
            return [], model, answer
        return [f"model rejects: {model.rejected}; decoder: {refusal or 'accepts'}"], model, answer
    out = list(unequal_counters(model.counters, answer["counters"]))
    known = [key for key in model.details if key in answer]
    out += unequal({k: model.details[k] for k in known}, {k: answer[k] for k in known})
    if len(model.samples) != len(answer["samples"]):
        out.append(f"{len(model.samples)} samples in the model, {len(answer['samples'])} in the decoder")
    for i, (mine, theirs) in enumerate(zip(model.samples, answer["samples"])):
        mine, theirs = comparable(mine), comparable(theirs)
        if mine != theirs:
            out += [f"sample {i} {where}" for where in unequal(mine, theirs)]
            break
    return out, model, answer


def unequal_counters(mine, theirs):
    for name in sorted((set(mine) | set(theirs)) - NOT_OF_THE_DECODER):
        if mine.get(name, 0) != theirs.get(name, 0):
            yield f"counter {name}: model {mine.get(name, 0)}, decoder {theirs.get(name, 0)}"


def comparable(row):
    """Without what the model notes for itself, and without rel_pc where there is no mapping: there it means nothing (9)."""
    stack = [{k: v for k, v in f.items() if k != "inline" and (k != "rel_pc" or "mapping" in f)} for f in row["stack"]]
    return dict(row, stack=stack)


def unequal(mine, theirs, where=""):
    """The innermost places that differ."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        for key in sorted(set(mine) | set(theirs)):
            yield from unequal(mine.get(key), theirs.get(key), f"{where}.{key}")
    elif isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
        for i, (a, b) in enumerate(zip(mine, theirs)):
            yield from unequal(a, b, f"{where}[{i}]")
    elif mine != theirs:
        yield f"{where}: model {mine!r}, decoder {theirs!r}"
