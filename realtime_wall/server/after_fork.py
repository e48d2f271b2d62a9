"""What does a fork of a serving process have of its server? Nothing that a client could notice.

``os.fork``, and ``multiprocessing`` with it, copies the event loop with all that waits in it: the bytes that
are still to be written to clients, the requests of others in the middle of their work. Were the child to wait
for anything, it would go on with all of that a second time. So the child begins with an event loop of its
own, in which only the greenlet that has forked goes on, and holds no socket of a client, nor those that
accept them, nor what leads to other servers or to Redis, nor a lock (``wire/not_for_forks.py``). What it
publishes goes to the server as from any other process. A ``subprocess`` has none of it anyway.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from typing import Any

import gevent
import greenlet
from gevent import _hub_local

from realtime_wall.wire import not_for_forks
from realtime_wall.wire.connection import Wire

STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

_own: Callable[[], Iterable[int]] = tuple
_is_registered = False


def install(own: Callable[[], Iterable[int]]) -> None:
    """From now on; ``own`` gives descriptors of the server's that no object of ours stands for."""
    global _own, _is_registered
    _own = own
    if not _is_registered:  # it cannot be taken back
        _is_registered = True
        os.register_at_fork(after_in_child=_leave_the_server)


def uninstall() -> None:
    global _own
    _own = tuple


def _leave_the_server() -> None:
    if _own is tuple:
        return  # nothing serves here
    descriptors = {*Wire.open_sockets, *not_for_forks.descriptors(), *_own()}
    uninstall()
    _begin_a_loop()
    _let_go(descriptors)
    # gevent's watchers of signals were in the loop that is gone: a child can be ended again.
    for number in STOP:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def _begin_a_loop() -> None:
    hub: Any = _hub_local.get_hub_if_exists()
    if hub is None:
        return
    # The loop that was copied never runs again, nor does any greenlet that waits in it. As its hub is in the
    # middle of running it, the hub stays as it is, and nobody switches to it.
    hub.loop.destroy()
    _kept.append(hub)
    _hub_local.set_hub(None)  # type: ignore[arg-type]
    _hub_local.set_loop(None)  # type: ignore[arg-type]
    gevent.get_hub()  # its parent is this greenlet, where it says that there is nothing left to wait for
    current = main = greenlet.getcurrent()
    while main.parent is not None:
        main = main.parent
    if current is not main:  # or it would return to the hub that was copied
        current.parent = greenlet.greenlet(_end, main)


def _end(*_: object) -> None:
    """The greenlet that has forked has come to its end, and so does the child."""
    os._exit(0)


# Else it would be ended, in the middle of the loop that it runs.
_kept: list[Any] = []


def _let_go(descriptors: Iterable[int]) -> None:
    """Close sockets, but keep their numbers taken: objects of theirs will close them once more."""
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for fd in descriptors:
        if fd >= 0:
            os.dup2(nothing, fd, inheritable=False)
    os.close(nothing)
