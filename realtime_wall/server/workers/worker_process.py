"""A worker as its supervisor sees it: is it starting, serving, silent, leaving or gone?"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import monotonic
from typing import IO

import gevent
from gevent.event import Event

from realtime_wall.server.workers.worker import CHANGED, COVER, LEAVING, READY, WorkerPlace

# What of a worker's last words is kept: more than any traceback.
LAST_WORDS = 64 * 1024


class WorkerProcess:
    """A fresh interpreter with this process's own command line, which serves on an inherited socket."""

    def __init__(
        self,
        place: WorkerPlace,
        listener: socket.socket,
        others: Sequence[socket.socket],
        *,
        keep_errors: bool,
        on_end: Callable[[WorkerProcess], None],
        on_change: Callable[[str], None],
    ) -> None:
        self.number = place.number
        self.settled = Event()  # it serves, or it has ended
        self.ended = Event()
        self.is_ready = False
        self.is_leaving = False
        self.why_killed = ""
        self.last_words = ""  # what it wrote before it served, if that was kept
        self.last_beat = monotonic()
        self.ready_since = 0.0
        self._covers: set[int] = set()
        self._on_end = on_end
        self._on_change = on_change
        self._errors: IO[bytes] | None = tempfile.TemporaryFile() if keep_errors else None  # noqa: SIM115
        self._link, theirs = socket.socketpair()
        with theirs:
            self._process = _start(place, listener, others, theirs, self._errors)
        gevent.spawn(self._listen)
        gevent.spawn(self._await_end)

    def __str__(self) -> str:
        return f"worker {self.number} (pid {self.pid})"

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int:
        return self._process.returncode or 0

    @property
    def is_serving(self) -> bool:
        return self.is_ready and not self.ended.is_set()

    @property
    def silent_for(self) -> float:
        return monotonic() - self.last_beat

    @property
    def served(self) -> float:
        """For how many seconds it has served."""
        return monotonic() - self.ready_since if self.is_ready else 0.0

    @property
    def how_it_ended(self) -> str:
        if self.why_killed:
            return f"{self.why_killed} and was killed"
        if self.status < 0:
            return f"was killed by {signal.Signals(-self.status).name}"
        return f"ended with status {self.status}"

    def leave(self, among: int = 1) -> None:
        """Make it end, as one of so many; a second time, at once."""
        if not self.is_leaving:
            self.is_leaving = True
            self._send(LEAVING, [among])
        self._signal(signal.SIGTERM)

    def cover(self, descriptors: set[int]) -> None:
        """Have it accept clients from these sockets, too, and from no others."""
        if descriptors != self._covers:
            self._covers = descriptors
            self._send(COVER, sorted(descriptors))

    def _send(self, word: bytes, numbers: list[int]) -> None:
        with contextlib.suppress(OSError):  # it is ending, or hangs
            self._link.send(b"%s %s\n" % (word, b" ".join(b"%d" % number for number in numbers)))

    def kill(self, why: str) -> None:
        self.why_killed = self.why_killed or why
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def _listen(self) -> None:
        with contextlib.suppress(OSError), self._link, self._link.makefile("rb") as lines:
            for line in lines:
                self.last_beat = monotonic()
                word, _, rest = line.decode(errors="replace").rstrip("\n").partition(" ")
                if word == READY:
                    self._is_ready_now()
                elif word == CHANGED:
                    self._on_change(rest)

    def _is_ready_now(self) -> None:
        self.is_ready, self.ready_since = True, monotonic()
        self._read_errors()
        sys.stderr.write(self.last_words)
        sys.stderr.flush()
        self.settled.set()

    def _await_end(self) -> None:
        self._process.wait()
        self._read_errors()
        self.ended.set()
        self.settled.set()
        self._on_end(self)

    def _read_errors(self) -> None:
        errors, self._errors = self._errors, None
        if errors is not None:
            with errors:
                errors.seek(0)
                self.last_words = errors.read(LAST_WORDS).decode(errors="replace")


def _start(
    place: WorkerPlace,
    listener: socket.socket,
    others: Sequence[socket.socket],
    link: socket.socket,
    errors: IO[bytes] | None,
) -> subprocess.Popen[bytes]:
    environ = dict(os.environ)
    visible = os.dup(sys.stderr.fileno()) if errors is not None else -1
    place = replace(
        place,
        supervisor=os.getpid(),
        listener=listener.fileno(),
        others=tuple(one.fileno() for one in others),
        link=link.fileno(),
        errors=visible,
    )
    place.write(environ)
    try:
        return subprocess.Popen(
            # Our own command line: interpreter, flags, patches and options are the same.
            [sys.executable, *sys.orig_argv[1:]],
            env=environ,
            pass_fds=[fd for fd in (place.listener, *place.others, place.link, visible) if fd >= 0],
            stderr=errors,
        )
    finally:
        if visible >= 0:
            os.close(visible)
