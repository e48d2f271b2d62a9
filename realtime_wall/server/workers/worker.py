"""One of several workers: what its supervisor gave it, and what they send each other.

The supervisor starts it with one private environment variable: which descriptors it inherits, and what is
its part. A socket between them carries lines. The worker reports that it serves, that its event loop
still turns, and which file has changed. The supervisor sends for which other workers it has to accept
clients, and how many workers are about to leave; when the socket ends, it is gone, and the worker leaves.
"""

from __future__ import annotations

import _socket
import contextlib
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, MutableMapping
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.log import ServerFormatter
from gevent import get_hub

VARIABLE = "REALTIME_WALL_WORKER"
# Seconds between two beats: often enough for the shortest WORKER_TIMEOUT.
BEAT_EVERY = 0.25

# What a worker sends, and what its supervisor sends.
READY, BEAT, CHANGED = "ready", "beat", "changed"
COVER, LEAVING = b"cover", b"leaving"

# How a worker checks the project: as a server of its own would, without a word when all is well, or not at
# all, because another worker has just checked the same code.
ALOUD, QUIETLY, NOT_AT_ALL = "aloud", "quietly", "not at all"


@dataclass(frozen=True, slots=True)
class WorkerPlace:
    number: int  # from 1
    supervisor: int = 0  # its process
    listener: int = -1  # the descriptor to accept from
    others: tuple[int, ...] = ()  # those of the other workers, when each has its own
    link: int = -1  # that of the socket to the supervisor
    errors: int = -1  # where errors go as soon as we serve; until then the supervisor keeps them
    checks: str = QUIETLY
    watches_files: bool = False
    is_one_of_several: bool = True

    def write(self, environ: MutableMapping[str, str]) -> None:
        environ[VARIABLE] = json.dumps(asdict(self))


def take_place(environ: MutableMapping[str, str] = os.environ) -> WorkerPlace | None:
    """This process's place, once: its own children are no workers. None when it is no worker."""
    text = environ.pop(VARIABLE, "")
    if not text:
        return None
    fields = json.loads(text)
    place = WorkerPlace(**{**fields, "others": tuple(fields["others"])})
    for fd in (place.listener, *place.others, place.link, place.errors):
        if fd >= 0:
            os.set_inheritable(fd, False)
    return place


class SupervisorLink:
    """To the supervisor. Everything is done on the event loop: nothing may wait."""

    def __init__(self, place: WorkerPlace) -> None:
        self.place = place
        self.leaving = 1  # how many workers leave at the same time as we do
        self.on_cover: Callable[[set[int]], None] = lambda descriptors: None
        self._incomplete = b""  # of a line that is not complete
        self._socket = _socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=place.link)
        self._socket.setblocking(False)
        loop = get_hub().loop
        self._reader: Any = loop.io(place.link, 1)
        self._timer: Any = loop.timer(0, BEAT_EVERY)

    def start(self) -> None:
        self._reader.start(self._readable)
        self._timer.start(self._send, BEAT)

    def ready(self) -> None:
        """Report that clients are served; from here on what we write is for everybody to see."""
        if self.place.errors >= 0:
            sys.stderr.flush()
            os.dup2(self.place.errors, sys.stderr.fileno())
            os.close(self.place.errors)
        self._send(READY)

    def changed(self, path: object) -> None:
        self._send(f"{CHANGED} {path}")

    def stop(self) -> None:
        for watcher in (self._reader, self._timer):
            watcher.stop()
            watcher.close()
        self._socket.close()

    def _send(self, line: str) -> None:
        # A supervisor that does not read is stopped or gone; the next beat, or the end, will show.
        with contextlib.suppress(OSError):
            self._socket.send(line.encode(errors="replace") + b"\n")

    def _readable(self) -> None:
        try:
            data = self._socket.recv(4096)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        if not data:
            self._reader.stop()
            os.kill(os.getpid(), signal.SIGTERM)  # as the supervisor would have done
        *lines, self._incomplete = (self._incomplete + data).split(b"\n")
        for line in lines:
            word, *numbers = line.split()
            if word == COVER:
                self.on_cover(set(map(int, numbers)))
            elif word == LEAVING:
                self.leaving = int(numbers[0])


def name_process_in_logs() -> None:
    """Say which process wrote a line, where the project has left the format of its log to others."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(logging.Formatter("[%(process)d] %(message)s"))
    for handler in logging.getLogger("django.server").handlers:
        formatter = handler.formatter
        if isinstance(formatter, ServerFormatter) and formatter._fmt == "[{server_time}] {message}":
            handler.setFormatter(ServerFormatter("[{server_time}] [{process}] {message}", style="{"))
