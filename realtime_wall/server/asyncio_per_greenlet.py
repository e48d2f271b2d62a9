"""How can many greenlets of one thread each run an event loop of asyncio's?

asyncio keeps the running loop for each OS thread, and all greenlets share one. While a view awaits, every
other greenlet would look as if it ran inside that loop: Django refuses it the database, and no second loop
can start. So while any loop runs, each switch between greenlets takes the loop of the one that leaves away
and brings back that of the one that comes. While none runs, nothing is done.

What goes along with a running loop goes along here: the hooks for asynchronous generators, which it sets for
the thread, and its current task, which Python keeps for the thread from 3.14 on.

A loop must wait in gevent's way, as it does once gevent has patched ``selectors``; uvloop's cannot.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import AbstractEventLoop, events
from collections.abc import Callable
from typing import Any, NamedTuple

import greenlet
from gevent import monkey
from gevent.local import local

get_ident = monkey.get_original("_thread", "get_ident")
get_running_loop = events._get_running_loop
set_running_loop: Callable[[AbstractEventLoop | None], None] = events._set_running_loop

# The attribute of a greenlet that was left while its loop runs. It ends with the greenlet.
_KEY = "_realtime_wall_asyncio"
_NO_HOOKS = (None, None)


class _Left(NamedTuple):
    """What is put aside of a greenlet that others run instead of."""

    loop: AbstractEventLoop
    task: Any
    hooks: Any


class _LoopOfEachGreenlet:
    """The running loops of one thread."""

    def __init__(self) -> None:
        self._thread = get_ident()
        self._count = 0
        self._previous: Any = None  # who else traces switches
        self._trace: Any = None  # what greenlet calls at each switch; None while nobody needs it

    def set_running_loop(self, loop: AbstractEventLoop | None) -> None:
        """In the place of asyncio's own, which loops call as they begin and end."""
        if get_ident() == self._thread:  # elsewhere no greenlets of ours share the thread
            before = get_running_loop()
            self._count += (loop is not None) - (before is not None)
            set_running_loop(loop)
            if self._count and self._trace is None:
                self._trace = self._switched
                self._previous = greenlet.settrace(self._trace)
            elif not self._count:
                self.stop_tracing()
        else:
            set_running_loop(loop)

    def stop_tracing(self) -> None:
        # Somebody who has come after us may still call us: then we stay until we are the last again.
        if self._trace is not None and greenlet.gettrace() is self._trace:
            greenlet.settrace(self._previous)
            self._trace = self._previous = None

    def _switched(self, event: str, args: Any) -> None:
        """Called by greenlet behind each switch; whoever else traces them is called, too."""
        if event == "switch" or event == "throw":
            left, entered = args
            if (loop := get_running_loop()) is not None:
                setattr(left, _KEY, _suspend(loop))
            if (state := getattr(entered, _KEY, None)) is not None:
                delattr(entered, _KEY)
                _bring_back(state)
        if self._previous is not None:
            self._previous(event, args)


def _suspend(loop: AbstractEventLoop) -> _Left:
    left = _Left(loop, _swap_task(loop, None), sys.get_asyncgen_hooks())
    sys.set_asyncgen_hooks(*_NO_HOOKS)
    set_running_loop(None)
    return left


def _bring_back(left: _Left) -> None:
    set_running_loop(left.loop)
    if left.task is not None:
        _swap_task(left.loop, left.task)
    sys.set_asyncgen_hooks(*left.hooks)


def _swap_task(loop: AbstractEventLoop, task: Any) -> Any:
    """Make this the current task; before 3.14 each loop has its own, and there is nothing to do."""
    if sys.version_info >= (3, 14):
        return asyncio.tasks._swap_current_task(loop, task)
    return None


_installed: _LoopOfEachGreenlet | None = None


def install() -> None:
    """Let the greenlets of this thread run loops of their own, from now on."""
    global _installed
    if _installed is None and not _has_each_its_own():
        _installed = _LoopOfEachGreenlet()
        _replace(_installed.set_running_loop)


def _has_each_its_own() -> bool:
    """PyPy's asyncio keeps the loop in a ``threading.local``, which is a greenlet's once it is patched."""
    is_pure = get_running_loop is getattr(events, "_py__get_running_loop", None)
    return is_pure and isinstance(getattr(events, "_running_loop", None), local)


def uninstall() -> None:
    global _installed
    if _installed is not None:
        _replace(set_running_loop)
        _installed.stop_tracing()
        _installed = None


def _replace(function: Any) -> None:
    events._set_running_loop = function
    asyncio._set_running_loop = function
