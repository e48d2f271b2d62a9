"""How fast does a stopping server disconnect its clients?

All at once, they would all connect to the next server in the same second. A few are disconnected at once;
many, as fast as another server can take them in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from time import monotonic

from gevent.event import Event

# Clients a second: what one server takes in without making anybody wait, handshake and resume included.
RATE = 2500.0
TICK = 0.02
# Of the time to drain: the last ones need some of it to answer.
SHARE = 0.8


def stagger(disconnects: Sequence[Callable[[], None]], seconds: float, hurry: Event, among: int = 1) -> None:
    """Call each of them, spread over at most these seconds; the rest at once when ``hurry`` is set.

    ``among`` is how many servers do so at the same time.
    """
    batch = _batch(len(disconnects), seconds, among)
    begun = monotonic()
    for number, start in enumerate(range(0, len(disconnects), batch)):
        if number:
            # Never nothing: what was written has to leave, and what comes in has to be answered.
            hurry.wait(max(0.001, begun + number * TICK - monotonic()))
        for disconnect in disconnects[start : start + batch]:
            disconnect()


def _batch(count: int, seconds: float, among: int) -> int:
    if seconds <= 0:
        return max(1, count)
    return math.ceil(max(RATE / among, count / (seconds * SHARE)) * TICK)
