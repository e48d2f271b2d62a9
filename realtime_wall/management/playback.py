"""Publishes what was recorded of channels, at the pace at which it was recorded.

A recording is what ``manage.py realtime record`` writes, and ``tail`` shows: a line of JSON for each message.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from realtime_wall import api
from realtime_wall.errors import InvalidChannel, InvalidMessage

# A night between two days of an event need not be waited for.
LONGEST_GAP = 600.0


class BadRecording(ValueError):
    """A line that no recording has."""


def play(
    lines: Iterable[str],
    speed: float,
    channel: str | None = None,
    *,
    now: Callable[[], float] = time.monotonic,
    wait: Callable[[float], object] = time.sleep,
) -> int:
    """Publish each message when its time has come; how many that were.

    What is published keeps its event and its data, and gets a position and a date of its own.
    """
    due, before, count = now(), None, 0
    for number, line in enumerate(lines, 1):
        message = _read(line, number)
        if message is None:
            continue
        at = message["at"]
        due += min(max(at - before, 0.0), LONGEST_GAP) / speed if before is not None else 0.0
        before = at
        if (left := due - now()) > 0:
            wait(left)
        try:
            api.publish(channel or message["channel"], message["data"], event=message["event"])
        except (InvalidChannel, InvalidMessage) as problem:
            raise BadRecording(f"line {number} cannot be published: {problem}") from problem
        count += 1
    return count


def _read(line: str, number: int) -> dict[str, Any] | None:
    if not line.strip():
        return None
    try:
        value = json.loads(line)
        if set(value) == {"missed"}:  # whoever recorded it was too slow, and got this instead
            return None
        if value["event"] == "retracted":
            return None  # of a position that is another one now
        at = datetime.fromisoformat(value["time"]).timestamp()
        return {"channel": value["channel"], "data": value["data"], "event": value["event"], "at": at}
    except (ValueError, TypeError, KeyError) as problem:
        raise BadRecording(f"line {number} is not of a recording: {problem!r}") from problem
