"""Runs a long query beside the event loop, so that the screens go on while somebody searches.

SQLite computes inside this process: a search through a hundred thousand posts would hold up every socket
for as long as it takes. Only so many such queries run at once; who waits too long is told to come back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.db import connections
from gevent import get_hub, monkey
from gevent.lock import BoundedSemaphore

AT_ONCE = 2
PATIENCE = 5.0  # seconds

Result = TypeVar("Result")

_free = BoundedSemaphore(AT_ONCE)


class TooBusy(Exception):
    """So many long queries are under way that this one has to come back later."""


def run_in_threadpool(query: Callable[[], Result]) -> Result:
    """What the query returns, or its exception; without gevent's patches it simply runs here."""
    if not monkey.is_module_patched("threading"):
        return query()
    if not _free.acquire(timeout=PATIENCE):
        raise TooBusy
    try:
        result: Result = get_hub().threadpool.apply(_and_close, (query,))
        return result
    finally:
        _free.release()


def _and_close(query: Callable[[], Result]) -> Result:
    try:
        return query()
    finally:
        connections.close_all()  # this thread's
