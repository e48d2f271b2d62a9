"""Keep the garbage collector out of the way of a large message.

Reading a megabyte of JSON makes tens of thousands of containers at once. The collector would walk them
several times while the event loop stands still, and find nothing: JSON has no cycles, and most of it is
gone when the receivers have run. So it rests for a moment; what is due is done when it is back.
"""

from __future__ import annotations

import gc
from typing import Any

from gevent import get_hub

from realtime_wall.wire.connection import Wire

LARGE = 64 * 1024
# Long enough for the receivers of a message, short enough that a stream of them cannot put it off for good.
REST = 0.05

_timer: Any = None


def rest() -> None:
    global _timer
    if not gc.isenabled():
        return
    gc.disable()
    _timer = get_hub().loop.timer(REST)
    _timer.start(_go_on)


def turn() -> None:
    """In a greenlet that reads a large message: others may have a turn, but not the collector."""
    Wire.turns.wait()
    rest()


def _go_on() -> None:
    global _timer
    _timer.close()
    _timer = None
    gc.enable()
