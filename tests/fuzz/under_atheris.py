"""One fuzzer under libFuzzer, which ends the process by itself: ``python -m tests.fuzz`` starts this."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from importlib import import_module
from time import thread_time

import atheris

STALL = 0.05  # seconds of CPU time, in which nobody else is served


def watched(parse: Callable[[bytes], None]) -> Callable[[bytes], None]:
    def duration(data: bytes) -> float:
        begun = thread_time()
        parse(data)
        return thread_time() - begun

    def run(data: bytes) -> None:
        took = duration(data)
        # The collector of garbage may have been at work: it has to be slow each time.
        if took > STALL and min(duration(data) for _ in range(3)) > STALL:
            raise AssertionError(f"{took:.3f} s for {len(data)} bytes")

    return run


if __name__ == "__main__":
    program, name, *options = sys.argv
    logging.disable()
    with atheris.instrument_imports(include=["realtime_wall"]):
        import django

        django.setup()
        parse = import_module(f"tests.fuzz.fuzz_{name}").parse
    atheris.Setup([program, *options], watched(parse))
    atheris.Fuzz()
