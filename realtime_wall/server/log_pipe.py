"""What if nobody reads the pipe that our log goes into? It fills up, and whoever writes then waits for ever.

One who waits there holds the event loop, so a reader that hangs would stop the whole server. Here what a full
pipe does not take is dropped and counted, and the count is written when it takes something again. Only pipes
and sockets are treated so: a file takes everything, and who halts a terminal wants it to halt.

Loaded by its path, before anything else (``run_patched.py``): it imports nothing of ours.
"""

from __future__ import annotations

import _socket
import contextlib
import io
import os
import stat
import sys
from typing import Any


class LogPipe(io.RawIOBase):
    """A descriptor to which a write never waits."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._opened: tuple[int, int] | None = None  # what the descriptor led to when we looked
        self._own: int | _socket.socket | None = None  # another way to the same pipe, which does not wait
        self._rest = b""  # of a line that the pipe has taken half of
        self._dropped = 0

    def fileno(self) -> int:
        return self._fd

    def isatty(self) -> bool:
        return os.isatty(self._fd)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        text = bytes(data)
        if self._dropped and not self._rest:
            notice = b"%d lines were dropped here: nobody read this log\n" % self._dropped
            if self._put_or_keep(notice):
                self._dropped = 0
        elif self._rest:
            self._rest = self._put(self._rest)
        if self._rest or self._dropped or not self._put_or_keep(text):
            self._dropped += text.count(b"\n")
        return len(text)

    def _put_or_keep(self, data: bytes) -> bool:
        """Write it, and keep what is left of it for later; False when nothing was taken."""
        left = self._put(data)
        if left is data:
            return False
        self._rest = left
        return True

    def _put(self, data: bytes) -> bytes:
        """Write what is taken at once; what is left."""
        try:
            own = self._way()
            size = (
                own.send(data, _socket.MSG_DONTWAIT)
                if isinstance(own, _socket.socket)
                else os.write(own, data)
            )
        except OSError:  # full, or its reader is gone for good
            return data
        return data[size:]

    def _way(self) -> int | _socket.socket:
        """The descriptor, or our own way to where it leads: a worker's may change while it starts."""
        found = os.fstat(self._fd)
        if self._opened != (found.st_dev, found.st_ino) or self._own is None:
            self._opened = (found.st_dev, found.st_ino)
            self._own = self._open_own(found.st_mode)
        return self._own

    def close(self) -> None:
        self._close_own()
        super().close()

    def _close_own(self) -> None:
        if isinstance(self._own, _socket.socket):
            self._own.close()
        elif self._own is not None and self._own != self._fd:
            os.close(self._own)
        self._own = None

    def _open_own(self, mode: int) -> int | _socket.socket:
        self._close_own()
        with contextlib.suppress(OSError):
            if stat.S_ISFIFO(mode):
                # Opened anew: the flag of the inherited one belongs to all who have it.
                return os.open(f"/proc/self/fd/{self._fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            if stat.S_ISSOCK(mode):
                return _socket.socket(fileno=os.dup(self._fd))
        return self._fd


def install() -> None:
    """Let ``sys.stdout`` and ``sys.stderr`` never wait."""
    for name in ("stdout", "stderr"):
        stream: Any = getattr(sys, name)
        with contextlib.suppress(AttributeError, OSError, ValueError):  # closed, or not a file at all
            pipe = LogPipe(stream.fileno())
            stream.flush()
            wrapped = io.TextIOWrapper(
                pipe,  # type: ignore[type-var]
                encoding=stream.encoding,
                errors=stream.errors,
                line_buffering=True,
                write_through=stream.write_through,
            )
            setattr(sys, name, wrapped)
