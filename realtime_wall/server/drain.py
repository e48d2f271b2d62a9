"""How fast are the clients of a stopping server told to come back?

All at once, they would all be at the door of the next server in the same second. A few are told at once;
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
# Of the time to drain: the last ones told need some of it to answer.
SHARE = 0.8


def tell(goodbyes: Sequence[Callable[[], None]], seconds: float, hurry: Event, among: int = 1) -> None:
    """Say each goodbye, spread over at most these seconds; the rest at once when ``hurry`` is set.

    ``among`` is how many servers say theirs at the same time.
    """
    batch = _batch(len(goodbyes), seconds, among)
    begun = monotonic()
    for number, start in enumerate(range(0, len(goodbyes), batch)):
        if number:
            # Never nothing: what is told has to leave, and what comes in has to be answered.
            hurry.wait(max(0.001, begun + number * TICK - monotonic()))
        for goodbye in goodbyes[start : start + batch]:
            goodbye()


def _batch(count: int, seconds: float, among: int) -> int:
    if seconds <= 0:
        return max(1, count)
    return math.ceil(max(RATE / among, count / (seconds * SHARE)) * TICK)
