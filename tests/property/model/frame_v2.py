"""One decoded frame as frames of Sample v2. Source: perfetto-decoding 14.1 to 14.3."""

JAVA_REGIONS = ("memfd:jit-cache", "memfd:jit-zygote-cache")
JAVA_FILES = (".dex", ".vdex", ".oat", ".odex", ".jar", ".apk")
RUNTIME_KINDS = ("interpreted", "jit", "gc", "runtime")
U64 = (1 << 64) - 1


def base_name(name):
    base = name.removeprefix("/").removesuffix(" (deleted)")
    return base[1:-1] if base.startswith("[") and base.endswith("]") else base


def platform_of(frame, function, of_stack_sample):
    """(platform or None, whether it keeps its address): the first test that matches."""
    name, build_id = frame.get("mapping", ""), frame.get("build_id", "")
    if frame.get("kind") == "kernel" or name == "/kernel":
        return "native", False
    if not function:
        return "native", True
    if of_stack_sample and not name and (frame.get("inline") or frame.get("kind") in RUNTIME_KINDS):
        return None, False
    if not name:
        return "native", False
    base = base_name(name)
    leaf = base.split("/")[-1].split("!")[-1]
    ext = leaf[leaf.rindex(".") :] if "." in leaf else ""
    if base.startswith(JAVA_REGIONS) or "jit-code-cache" in base:
        return "java", False
    if ext.startswith(".so"):
        return "native", True
    if ext.startswith((".apk", ".jar")) and build_id:
        return "native", True
    if ext.startswith(JAVA_FILES):
        return "java", False
    return "native", True


def has_range(frame):
    return frame.get("start", 0) < frame.get("end", 0)


def image_base(frame):
    return (frame["start"] - frame["exact_offset"] + frame["start_offset"] - frame["load_bias"]) & U64


def address(frame):
    """Without a range: Chrome's form, rel_pc of a module with an id. Adapted: there 0 stands for a name instead."""
    if "mapping" not in frame:
        return None
    if has_range(frame):
        return hex((frame["rel_pc"] + image_base(frame)) & U64)
    return hex(frame["rel_pc"]) if debug_id(frame["build_id"]) and frame["rel_pc"] else None


def debug_id(build_id):
    """14.4; `build_id` as text. None: no valid id."""
    if len(build_id) == 33:
        guid, age = build_id[:32].lower(), build_id[32:].lower()
    else:
        raw = bytes.fromhex(build_id)
        if raw in (b"", b"missing", b"system"):
            return None
        raw = raw[:16].ljust(16, b"\0")
        guid = (raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]).hex()
        age = "0"
    parts = (guid[:8], guid[8:12], guid[12:16], guid[16:20], guid[20:])
    return "-".join(parts) + ("" if age == "0" else "-" + age)


def java_halves(function):
    """module, function: split at the last dot before any "("."""
    head = function.split("(")[0]
    dot = head.rfind(".")
    if dot <= 0 or dot + 1 == len(function):
        return None, function
    return function[:dot], function[dot + 1 :]


def emitted(frame, of_stack_sample):
    """The frames of Sample v2, innermost first, one for each symbol line; and whether each wants a debug image."""
    lines = frame.get("lines") or [None]
    for line in lines:
        function = line["function"] if line else frame["function"]
        if line is lines[-1]:  # the physical function: its name may be the frame's own
            function = function or frame["function"]
        platform, with_address = platform_of(frame, function, of_stack_sample)
        out = {"platform": platform, "package": frame.get("mapping", "").removeprefix("/") or None}
        if line is not None:
            out["abs_path"] = line["file"] or None
            out["filename"] = line["file"].split("/")[-1] or None
            out["lineno"] = line["line"] or None
        elif with_address and platform == "native":
            out["instruction_addr"] = address(frame)
        if platform == "java" and function:
            out["module"], function = java_halves(function)
        if not (function or out.get("instruction_addr") or out["package"] or out.get("abs_path")):
            function = "unknown"
        out["function"] = function or None
        yield {k: v for k, v in out.items() if v is not None}, with_address
