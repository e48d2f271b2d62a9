"""How do tests get on beside each other, when pytest runs them in several processes?

Most need nothing: their files and databases are in folders of their own, their servers find free ports.
What measures time or memory is marked ``alone``, and then nothing runs beside it. What may be written by
one at a time holds a file for itself. The files are only locked, never changed, so nothing is left behind.
"""

from __future__ import annotations

import _thread
import contextlib
import fcntl
import os
import subprocess
from _queue import Empty, SimpleQueue
from pathlib import Path

from execnet.gateway_base import ThreadExecModel

HERE = Path(__file__)
# Who wants to be alone shuts the door behind the others first, or they would never all be out.
DOOR, ROOM = HERE.parent / "__init__.py", HERE


class Bell:
    """Where a worker waits for its next test; one ring too many only makes it look again.

    A thread of the system rings it, of which gevent's own events know nothing.
    """

    def __init__(self):
        self._rings = SimpleQueue()

    def set(self):
        self._rings.put(None)

    def wait(self, timeout=None):
        try:
            self._rings.get(True, timeout)
        except Empty:
            return False
        return True

    def clear(self):
        pass


def let_workers_wait():
    """gevent has patched ``threading``, and would call the wait for the next test one without an end."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        ThreadExecModel.Event = staticmethod(Bell)
        ThreadExecModel.RLock = staticmethod(_thread.RLock)


def sendable(report):
    """A worker's report as execnet takes it: a log, or a value that is shown, may have half a character."""
    match report:
        case str():
            return report.encode(errors="backslashreplace").decode()
        case dict():
            return {key: sendable(value) for key, value in report.items()}
        case list() | tuple():
            return type(report)(map(sendable, report))
    return report


@contextlib.contextmanager
def held(path, how=fcntl.LOCK_EX):
    """This file, for this process alone or shared, from the moment that the others let it go."""
    with open(path) as file:
        fcntl.flock(file, how)
        yield


@contextlib.contextmanager
def turn(*, alone):
    """A time for one test."""
    with contextlib.ExitStack() as stack:
        with held(DOOR):
            stack.enter_context(held(ROOM, fcntl.LOCK_EX if alone else fcntl.LOCK_SH))
        yield


def npm_install(folder):
    """What its package.json asks for; what is there already is not asked for again."""
    with held(folder / "package.json"):
        return subprocess.run(
            ["npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=100,
        )
