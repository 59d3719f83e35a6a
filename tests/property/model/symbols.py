"""ModuleSymbols, applied after all packets. Source: perfetto-decoding 10, and the stackprofile row of 12."""


def module_of(entry):
    return entry["mapping"].encode(), entry["raw_build_id"]


def symbol_line(stacks, line):
    return {
        "function": stacks.text(line.function_name),
        "file": stacks.text(line.source_file_name),
        "line": line.line_number or 0,
    }


def apply(modules, stacks, counters, seen):
    """Every frame of a named module at a named address gets the lines; what names nothing is counted."""
    for module in modules:
        wanted = (module.path or b"", module.build_id or b"")
        if not any(module_of(m) == wanted for m in stacks.mappings):
            counters["stackprofile_invalid_mapping_id"] += 1
            seen["symbols of an unknown mapping"] += 1
            continue
        for entry in module.address_symbols:
            address = entry.address or 0
            hit = [f for f in stacks.frames if "mapping" in f and module_of(f) == wanted and f["rel_pc"] == address]
            lines = [symbol_line(stacks, line) for line in entry.lines]
            if not hit:
                counters["stackprofile_invalid_frame_id"] += 1
                seen["symbols of an unknown address"] += 1
            for frame in hit:
                seen["symbols with inlining" if len(lines) > 1 else "symbols"] += 1
                frame["lines"] = lines
