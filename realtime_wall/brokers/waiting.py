"""Who must not wait for other processes?

What a link calls, it calls from the greenlet that reads what the others send. If that one waited for the
others, for the place of something that it publishes, it would wait for what only it can read. The same
holds for the event loop, and for the greenlet that delivers, which the reader waits for. So each of them says
that it must not wait, and whoever would wait asks here first: what is written wrongly fails at once, with one
server as with many.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakSet

import gevent
from greenlet import greenlet

_must_not_wait: WeakSet[greenlet] = WeakSet()


class MustNotWait(RuntimeError):
    """Something is published, or asked, where waiting for the answer would hold up the answer."""

    def __init__(self) -> None:
        super().__init__(
            "this runs in a callback of the event loop, of the link between servers, or of the fan-out, and "
            "would wait for them: hand it to a greenlet of its own (gevent.spawn, or node/event_queue.py)"
        )


def must_not_wait(reader: greenlet | None = None) -> None:
    """From now on that greenlet, or this one, must not wait for other processes."""
    _must_not_wait.add(reader or gevent.getcurrent())


@contextmanager
def no_waiting() -> Iterator[None]:
    """Inside, this greenlet must not wait for other processes."""
    current = gevent.getcurrent()
    if current in _must_not_wait:
        yield
        return
    _must_not_wait.add(current)
    try:
        yield
    finally:
        _must_not_wait.discard(current)


def check_may_wait() -> None:
    """Raise :class:`MustNotWait` where nobody may wait for other processes."""
    current = gevent.getcurrent()
    if current in _must_not_wait or current is gevent.get_hub():
        raise MustNotWait
