"""What lies between a client and its server: a network with latency and loss, or a proxy that holds back."""

from __future__ import annotations

import contextlib
import random
import socket
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import gevent
from gevent import socket as cooperative
from gevent.event import Event
from gevent.queue import Queue

READ_SIZE = 64 * 1024
# TCP sends again what was lost after this long at the least (RFC 6298 2.4 says a second, Linux takes 0.2 s).
RESENT_AFTER = 0.2


@dataclass(eq=False)
class Network:
    """The way of one or several clients; its fields may be changed while it is in use.

    TCP loses nothing: what a network loses comes late, and holds up what is behind it. A proxy that buffers
    passes an answer on when it has so many bytes of it, or all; it lets WebSockets pass.
    """

    latency: float = 0.0  # seconds, each way
    loss: float = 0.0  # the share of what is sent that has to be sent again
    buffering: int = 0  # bytes
    seed: int = 0
    _pairs: list[tuple[Any, Any]] = field(default_factory=list, init=False, repr=False)
    _passes: Event = field(default_factory=Event, init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._under_way = 0
        self._passes.set()

    def half_open(self) -> None:
        """From now on nothing gets through, and neither end is told: as when a laptop is closed."""
        self._passes.clear()

    def mend(self) -> None:
        """What was held up gets through, in its order."""
        self._passes.set()

    def cut(self) -> None:
        """All connections end, at both ends."""
        pairs, self._pairs[:] = list(self._pairs), []
        for pair in pairs:
            cut(*pair)

    @property
    def is_busy(self) -> bool:
        """Whether something is on its way that will arrive."""
        return self._under_way > 0 and self._passes.is_set()

    def join(self, near: Any, far: Any) -> None:
        """Carry bytes between the client's end and the server's, until one of them ends."""
        self._pairs.append((near, far))
        gevent.spawn(self._carry, near, far, is_answer=False)
        gevent.spawn(self._carry, far, near, is_answer=True)

    def _carry(self, source: Any, target: Any, is_answer: bool) -> None:
        queue: Queue[tuple[float, bytes]] = Queue()
        gevent.spawn(self._arrive, queue, target)
        held = bytearray()
        is_buffered: bool | None = None if is_answer else False
        while data := _read(source):
            if is_buffered is None:
                is_buffered = self.buffering > 0 and not data.startswith(b"HTTP/1.1 101")
            held += data
            if is_buffered and len(held) < self.buffering:
                continue
            self._send(queue, bytes(held))
            held.clear()
        if held:
            self._send(queue, bytes(held))
        self._send(queue, b"")

    def _send(self, queue: Queue[tuple[float, bytes]], data: bytes) -> None:
        lost = 0
        while self.loss and lost < 5 and self._random.random() < self.loss:
            lost += 1
        self._under_way += 1
        queue.put((monotonic() + self.latency + RESENT_AFTER * lost, data))

    def _arrive(self, queue: Queue[tuple[float, bytes]], target: Any) -> None:
        while True:
            due, data = queue.get()
            if (left := due - monotonic()) > 0:
                gevent.sleep(left)
            self._passes.wait()
            self._under_way -= 1
            with contextlib.suppress(OSError):  # the target is gone: whoever reads from it sees that
                if not data:
                    target.shutdown(socket.SHUT_WR)
                else:
                    target.sendall(data)
            if not data:
                return


def pair() -> tuple[Any, Any]:
    """Two ends of one connection, both of gevent's kind."""
    near, far = cooperative.socketpair()
    return near, far


def _read(source: Any) -> bytes:
    try:
        data: bytes = source.recv(READ_SIZE)
    except OSError:
        return b""
    return data


def cut(*connections: Any) -> None:
    for one in connections:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
