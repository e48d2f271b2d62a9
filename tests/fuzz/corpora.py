"""The inputs that are kept of each fuzzer: one a line, as Python writes bytes.

A new one is kept when it reaches a line of the package, coming from another one, that none before did.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

HERE = Path(__file__).parent
NAMES = sorted(path.stem.removeprefix("fuzz_") for path in HERE.glob("fuzz_*.py"))
LONGEST = 2000
PACKAGE = "/realtime_wall/"

Steps = set[tuple[str, int, int]]


def file_of(name: str) -> Path:
    return HERE / "corpus" / f"{name}.txt"


def read(name: str) -> list[bytes]:
    path = file_of(name)
    lines = path.read_text().splitlines() if path.exists() else []
    return [line.encode().decode("unicode_escape").encode("latin-1") for line in lines]


def write(name: str, inputs: Iterable[bytes]) -> None:
    lines = [data.decode("latin-1").encode("unicode_escape").decode() + "\n" for data in inputs]
    file_of(name).write_text("".join(lines))


def add(name: str, found: Iterable[bytes]) -> None:
    """Those that reach something that is not reached without them; the shorter ones first."""
    parse = import_module(f"tests.fuzz.fuzz_{name}").parse
    kept = read(name)
    seen: Steps = set()
    for data in kept:
        seen |= steps(parse, data)
    for data in sorted(set(found) - set(kept), key=len):
        if len(data) <= LONGEST and (new := steps(parse, data) - seen):
            seen |= new
            kept.append(data)
    write(name, kept)


def steps(parse: Callable[[bytes], None], data: bytes) -> Steps:
    """From which line to which line the package went."""
    found: Steps = set()

    def traced(frame: FrameType, event: str, _: Any) -> Any:
        name = frame.f_code.co_filename
        if PACKAGE not in name:
            return None
        before = frame.f_lineno

        def line(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal before
            if event == "line":
                found.add((name, before, frame.f_lineno))
                before = frame.f_lineno
            return line

        return line

    sys.settrace(traced)
    try:
        parse(data)
    finally:
        sys.settrace(None)
    return found
