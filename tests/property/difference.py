"""Where the model and the decoder disagree about one trace."""

from decoder import inspect
from model.trace import decode


def compare(data):
    """(list of differences, the model's answer)."""
    model = decode(data)
    answer, refusal = inspect(data)
    if model.rejected or answer is None:
        if model.rejected and answer is None:
            return [], model
        return [f"model rejects: {model.rejected}; decoder: {refusal or 'accepts'}"], model
    out = []
    for name in sorted(set(model.counters) | set(answer["counters"])):
        mine, theirs = model.counters.get(name, 0), answer["counters"].get(name, 0)
        if mine != theirs:
            out.append(f"counter {name}: model {mine}, decoder {theirs}")
    if len(model.samples) != len(answer["samples"]):
        out.append(f"{len(model.samples)} samples in the model, {len(answer['samples'])} in the decoder")
    for i, (mine, theirs) in enumerate(zip(model.samples, answer["samples"])):
        mine = dict(mine, stack=[{k: v for k, v in f.items() if k != "inline"} for f in mine["stack"]])
        if mine != theirs:
            out += [f"sample {i} {where}" for where in unequal(mine, theirs)]
            break
    return out, model


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
