"""A program that uses the Sentry SDK as its users do: sdk_program.py DSN profiles itself for a second and a half."""
from __future__ import annotations

import sys
import threading
import time

import sentry_sdk


def price_the_cart(until: float) -> int:
    total = 0
    while time.monotonic() < until:
        for i in range(1000):
            total += i * i
    return total


def main(dsn: str) -> None:
    sentry_sdk.init(dsn=dsn, release="shop@4.2.0", environment="tests", profile_session_sample_rate=1.0,
                    profile_lifecycle="manual", default_integrations=False)
    sentry_sdk.profiler.start_profiler()
    until = time.monotonic() + 1.5
    worker = threading.Thread(target=price_the_cart, args=(until,), name="worker")
    worker.start()
    price_the_cart(until)
    worker.join()
    sentry_sdk.profiler.stop_profiler()
    sentry_sdk.flush(timeout=10)


if __name__ == "__main__":
    main(sys.argv[1])
