"""The envelopes that bench/http_bench.py sends: one chunk each, of about a given size."""

import gzip
import json
import subprocess

ITEM = {"type": "profile_chunk"}


def envelope(item, payload):
    return b"{}\n" + json.dumps({**item, "length": len(payload)}).encode() + b"\n" + payload + b"\n"


def json_chunk(size):
    """A Sample v2 chunk of two threads, as an SDK sends it; the smallest is a bit above 1 KB."""
    start = 1_790_000_000.0
    count_of_frames = 300 if size > 50_000 else 4
    count_of_stacks = count_of_frames // 2
    frames = [{"function": f"handle_{i}", "module": f"shop.views.part_{i % 17}", "filename": f"shop/views/part_{i % 17}.py",
               "abs_path": f"/srv/shop/views/part_{i % 17}.py", "lineno": 10 + i, "in_app": i % 3 == 0}
              for i in range(count_of_frames)]
    stacks = [[(7 * i + 3 * k) % count_of_frames for k in range(12)] for i in range(count_of_stacks)]

    def chunk(count):
        step = min(0.0099, 60 / count)  # a chunk of more than 66 s would be rejected
        samples = [{"timestamp": round(start + step * i, 6), "stack_id": i % count_of_stacks, "thread_id": str(1 + i % 2)}
                   for i in range(count)]
        return json.dumps({
            "chunk_id": "5f3b1c2a9d4e4f60a1b2c3d4e5f60718", "profiler_id": "0e1d2c3b4a5968778695a4b3c2d1e0f0",
            "platform": "python", "version": "2", "release": "shop@4.2.0", "environment": "production",
            "client_sdk": {"name": "sentry.python", "version": "2.75.0"}, "debug_meta": {"images": []},
            "profile": {"frames": frames, "stacks": stacks, "samples": samples,
                        "thread_metadata": {"1": {"name": "MainThread"}, "2": {"name": "worker"}}}},
            separators=(",", ":"))

    few, many = len(chunk(100)), len(chunk(1100))
    count = max(4, round(100 + (size - few) * 1000 / (many - few)))
    return envelope({**ITEM, "platform": "python", "content_type": "application/json"}, chunk(count).encode())


def perfetto_chunk(make_trace, size, folder):
    """A compound item: the trace of the decoder's benchmark with so many samples that it comes near the size."""
    trace, metadata = folder / "bench.pftrace", folder / "bench.json"

    def made(samples):
        subprocess.run([make_trace, "--kind", "bench", "--samples", str(samples), "-o", trace, "--metadata-out", metadata],
                       check=True, capture_output=True)
        return trace.read_bytes()

    low, high = 24, 99_000
    while high - low > max(1, low // 50):
        middle = (low + high) // 2
        low, high = (middle, high) if len(made(middle)) <= size else (low, middle)
    payload, meta = made(low), metadata.read_bytes().rstrip(b"\n")
    return envelope({**ITEM, "platform": "android", "content_type": "application/x-perfetto-trace", "meta_length": len(meta)},
                    meta + payload)


def coded(body, coding):
    return gzip.compress(body, 6) if coding == "gzip" else body
