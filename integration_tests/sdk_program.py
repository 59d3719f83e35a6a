"""A program that uses the Sentry SDK as its users do; it runs with the newest version and with 2.19.2.

It profiles itself in rounds, each of which ends as one chunk, and prints the version of the SDK and how many rounds
there were.
"""
from __future__ import annotations

import argparse
import json
import sys
import threading
import time


def price_the_cart(until: float) -> int:
    total = 0
    while time.monotonic() < until:
        for i in range(1000):
            total += i * i
    return total


def wait_for_end_of_input(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dsn")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each round")
    parser.add_argument("--rounds", type=int, default=1, help="0: until the standard input ends")
    parser.add_argument("--without-brotli", action="store_true", help="as where the module is not installed")
    arguments = parser.parse_args()

    if arguments.without_brotli:
        sys.modules["brotli"] = None  # type: ignore[assignment]  # its import then fails
    import sentry_sdk
    from sentry_sdk.consts import DEFAULT_OPTIONS, VERSION

    options = {}
    # Older versions need no option for start_profiler(), and one that they do not know is an error.
    if "profile_session_sample_rate" in DEFAULT_OPTIONS:
        options = {"profile_session_sample_rate": 1.0, "profile_lifecycle": "manual"}
    sentry_sdk.init(dsn=arguments.dsn, release="shop@4.2.0", environment="tests", default_integrations=False, **options)
    ended = threading.Event()
    if arguments.rounds == 0:
        threading.Thread(target=wait_for_end_of_input, args=(ended,), daemon=True).start()
    rounds = 0
    while not ended.is_set() and (arguments.rounds == 0 or rounds < arguments.rounds):
        sentry_sdk.profiler.start_profiler()
        until = time.monotonic() + arguments.seconds
        worker = threading.Thread(target=price_the_cart, args=(until,), name="worker")
        worker.start()
        price_the_cart(until)
        worker.join()
        sentry_sdk.profiler.stop_profiler()
        sentry_sdk.flush(timeout=10)
        rounds += 1
    print(json.dumps({"version": VERSION, "rounds": rounds}))


if __name__ == "__main__":
    main()
