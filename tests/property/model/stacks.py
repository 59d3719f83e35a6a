"""Intervals of interned data, and stacks out of them. Source: perfetto-decoding 4 and 9."""

KINDS = {1: "native", 2: "kernel", 3: "interpreted", 4: "jit", 5: "gc", 6: "runtime"}
MOST_COMPONENTS = 100


class Void(Exception):
    """The stack cannot be resolved; args[0] is the counter."""


class Interval:
    """What a sequence interned between two clears: the first definition of an iid wins."""

    def __init__(self, of_a_clear=False):
        self.tables = {}
        self.of_a_clear = of_a_clear

    def add(self, data, counters, seen):
        for field_name, entries in data.items():
            table = self.tables.setdefault(field_name, {})
            for entry in entries:
                if entry.iid is None:
                    counters["interned_data_tokenizer_errors"] += 1
                elif entry.iid in table:
                    seen["iid defined twice"] += 1
                else:
                    table[entry.iid] = entry

    def find(self, field_name, iid):
        return self.tables.get(field_name, {}).get(iid)


class Stacks:
    """Each entry is resolved once an interval, so what is wrong with it counts once (12 leaves that open)."""

    def __init__(self, counters, seen):
        self.counters = counters
        self.seen = seen
        self.known = {}  # (interval, table, iid) -> what it resolved to, or the counter that voids it
        self.mappings = []
        self.frames = []

    def once(self, interval, table, iid, resolve):
        key = (id(interval), table, iid)
        if key not in self.known:
            entry = interval.find(table, iid)
            try:
                self.known[key] = resolve(interval, entry)
            except Void as void:
                self.known[key] = void
        if isinstance(self.known[key], Void):
            raise self.known[key]
        return self.known[key]

    def text(self, raw):
        """A string that is not UTF-8 is no name."""
        try:
            return (raw or b"").decode("utf-8")
        except UnicodeDecodeError:
            self.counters["invalid_utf8_string"] += 1
            return ""

    def string(self, interval, entry):
        if entry is None:
            raise Void("stackprofile_invalid_string_id")
        return self.text(entry.str)

    def build_id(self, interval, entry):
        if entry is None:
            raise Void("stackprofile_invalid_string_id")
        return entry.str or b""

    def mapping_name(self, interval, mapping):
        if len(mapping.path_string_ids) > MOST_COMPONENTS:
            self.counters["mapping_path_too_long"] += 1
            return ""
        parts = []
        for iid in mapping.path_string_ids:
            entry = interval.find("mapping_paths", iid)
            if entry is None:
                self.counters["mapping_path_truncated"] += 1
                break
            try:
                parts.append((entry.str or b"").decode("utf-8"))
            except UnicodeDecodeError:
                # Open in the text: such a component ends the path as an unknown one does.
                self.seen["path component not UTF-8"] += 1
                self.counters["invalid_utf8_string"] += 1
                break
        name = "".join("/" + part for part in parts)
        if name.startswith("//"):
            self.seen["path with a leading //"] += 1
            name = name[1:]
        if name == "/kernel":
            self.seen["mapping /kernel"] += 1
        return name

    def mapping(self, interval, mapping):
        if mapping is None:
            raise Void("stackprofile_invalid_mapping_id")
        build_id = b""
        self.seen["build id 0"] += mapping.build_id == 0
        if mapping.build_id:
            build_id = self.once(interval, "build_ids", mapping.build_id, self.build_id)
        out = {
            "mapping": self.mapping_name(interval, mapping),
            "raw_build_id": build_id,
            "build_id": build_id.decode() if len(build_id) == 33 else build_id.hex(),
            "start": mapping.start or 0,
            "end": mapping.end or 0,
            "exact_offset": mapping.exact_offset or 0,
            "start_offset": mapping.start_offset or 0,
            "load_bias": mapping.load_bias or 0,
        }
        self.seen["build id of 33 characters"] += len(build_id) == 33
        self.seen["mapping without a range"] += out["start"] == out["end"]
        self.mappings.append(out)
        return out

    def frame(self, interval, frame):
        if frame is None:
            raise Void("stackprofile_invalid_frame_id")
        out = {"rel_pc": 0, "function": None}  # without a mapping rel_pc means nothing
        if frame.mapping_id:
            out.update(self.once(interval, "mappings", frame.mapping_id, self.mapping))
            out["rel_pc"] = frame.rel_pc or 0
        else:
            self.seen["frame without a mapping"] += 1
        if frame.function_name_id:
            out["function"] = self.once(interval, "function_names", frame.function_name_id, self.string) or None
        elif frame.function_name_id == 0:
            self.seen["function name 0"] += 1
        if frame.source_path_iid is not None:
            file = self.once(interval, "source_paths", frame.source_path_iid, self.string)
            out["lines"] = [{"function": out["function"] or "", "file": file, "line": frame.line_number or 0}]
            self.seen["frame with a source path"] += 1
        if frame.kind_str:
            out["kind"] = self.text(frame.kind_str)
            self.seen["kind as a string"] += 1
        elif frame.kind in KINDS:
            out["kind"] = KINDS[frame.kind]
            self.seen["kind " + out["kind"]] += 1
        self.frames.append(out)
        return out

    def callstack(self, interval, callstack):
        """Leaf first."""
        if callstack is None:
            raise Void("stackprofile_invalid_callstack_id")
        return [self.once(interval, "frames", iid, self.frame) for iid in callstack.frame_ids][::-1]

    def interned(self, interval, iid):
        return self.once(interval, "callstacks", iid, self.callstack)

    def inline(self, callstack):
        out = []
        for frame in callstack.frames:
            name = self.text(frame.function_name)
            row = {"rel_pc": 0, "function": name or None, "inline": True}
            if frame.source_file is not None or frame.line_number is not None:
                row["lines"] = [{"function": name, "file": self.text(frame.source_file), "line": frame.line_number or 0}]
            out.append(row)
        return out[::-1]
