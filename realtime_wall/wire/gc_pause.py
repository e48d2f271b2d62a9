"""Keep the garbage collector out of the way of a large message.

Reading a megabyte of JSON makes tens of thousands of containers at once. The collector would walk them
several times while the event loop stands still, and find nothing: JSON has no cycles, and most of it is
gone when the receivers have run. So it rests for that long. Of ten such messages it would have to walk what
all of them have made: so they are read one after the other.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from gevent import get_hub
from gevent.event import Event
from gevent.lock import BoundedSemaphore

# Long enough for the receivers of a message.
REST = 0.05
# A stream of large messages cannot put it off for good: they wait for it after so many seconds.
LONGEST = 1.0

_turn = BoundedSemaphore()
_works = Event()
_since = 0.0
_timer: Any = None  # while it rests


@contextmanager
def reading() -> Iterator[None]:
    """Around the reading of one large message, in a greenlet."""
    global _timer, _since
    with _turn:
        if _timer is not None and monotonic() - _since > LONGEST:
            _works.wait()
        if _timer is None:
            if not gc.isenabled():  # somebody else turned it off
                yield
                return
            gc.disable()
            _works.clear()
            _timer, _since = get_hub().loop.timer(REST), monotonic()
        _timer.stop()
        try:
            yield
        finally:
            _timer.start(_go_on)


def _go_on() -> None:
    global _timer
    _timer.close()
    _timer = None
    gc.enable()
    _works.set()
