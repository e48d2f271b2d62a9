"""How does code in a server wait for what would hold up its event loop?

A query of SQLite, or a library that computes for long, runs in a native thread instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from django.db import connections
from gevent import get_hub, monkey

Result = TypeVar("Result")


def run_in_threadpool(function: Callable[[], Result]) -> Result:
    """What the function returns or raises; others have their turn until then.

    The database connections that it opens are closed behind it. Where nothing would be held up (no
    server: gevent has not patched the threads) it simply runs.
    """
    if not monkey.is_module_patched("threading"):
        return function()

    def run() -> tuple[Result, None] | tuple[None, Exception]:
        try:
            return function(), None
        except Exception as problem:  # gevent prints the traceback of what leaves a thread
            return None, problem
        finally:
            connections.close_all()  # this thread's

    result, problem = get_hub().threadpool.apply(run)
    if problem is not None:
        raise problem
    return cast(Result, result)
