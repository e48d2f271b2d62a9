"""Runs a long query in a thread, so that the screens go on while somebody searches.

SQLite computes inside this process: a search through a hundred thousand posts would hold up every socket
for as long as it takes. Only so many such queries run at once; who waits too long is told to come back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from gevent import monkey
from gevent.lock import BoundedSemaphore

from realtime_wall import api

AT_ONCE = 2
PATIENCE = 5.0  # seconds

Result = TypeVar("Result")

_free = BoundedSemaphore(AT_ONCE)


class TooBusy(Exception):
    """So many long queries are under way that this one has to come back later."""


def run_query(query: Callable[[], Result]) -> Result:
    """As :func:`realtime_wall.api.run_in_threadpool`, for a few at once."""
    if not monkey.is_module_patched("threading"):
        return query()
    if not _free.acquire(timeout=PATIENCE):
        raise TooBusy
    try:
        return api.run_in_threadpool(query)
    finally:
        _free.release()
