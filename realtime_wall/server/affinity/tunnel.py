"""How does a connection get to a server of another machine, where no descriptor can go?

By the link between the servers, piece by piece. The one that has accepted it reads what the client sends, and
writes what the owner of the session answers, which has one end of a pair of sockets in its place. Each piece
waits until the one before was written at the other end, so neither end takes more than it can give.
"""

from __future__ import annotations

import contextlib
import logging
import socket
from base64 import b64decode, b64encode
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol

import gevent
import gevent.socket
from gevent.event import Event

from realtime_wall.brokers.commands import Request
from realtime_wall.node.node import Node
from realtime_wall.server.affinity.owner_routing import PassedConnection, peer_from_json
from realtime_wall.wire.not_for_forks import not_for_forks

log = logging.getLogger(__name__)

PIECE = 32 * 1024
# How long the owner may take to accept the connection.
OPENING = 2.0
# How often it is looked whether the servers at the other ends are still there.
LOOK_EVERY = 1.0
# What a message may need on its way, besides what its writing takes.
ON_ITS_WAY = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelPiece(Request):
    """What one end of a tunnel sends to the other; only servers do. The result says whether it was taken."""

    tunnel: str
    sender: str  # the address of a server
    event: str  # "open", "data" or "end"
    data: str = ""  # base64
    peer: object = None  # when it opens: where the client is


class Taker(Protocol):
    """What takes connections here."""

    @property
    def room(self) -> int:
        """How many more it could take."""

    def take(self, connection: Any, passed: PassedConnection) -> None: ...


class Tunnels:
    """A server's ends of all its tunnels."""

    def __init__(self, node: Node) -> None:
        self.due = 0
        self.node = node
        self.ends: dict[str, _End] = {}
        self._server: Taker | None = None
        self._numbers = count(1)

    def start(self, server: Taker) -> None:
        """From now on connections of others are taken."""
        self._server = server
        self.node.handlers.add(TunnelPiece, self._receive)

    def stop(self) -> None:
        """The clients at our ends come back by way of another server."""
        self._server = None
        for end in list(self.ends.values()):
            end.cut()

    def tick(self, now: float) -> float | None:
        """End the tunnels to servers that are gone; called by the timer wheel, while there are any."""
        alive = self.node.servers()
        for end in list(self.ends.values()):
            if end.other not in alive:
                end.cut()
        return LOOK_EVERY if self.ends else None

    def add(self, end: _End) -> None:
        self.ends[end.name] = end
        if not self.due:
            self.node.timer_wheel.schedule(self, LOOK_EVERY)

    # Out

    def carry(self, owner: str, connection: Any, passed: PassedConnection) -> bool:
        """Be a client's way to a server that can be asked; ends with the connection."""
        if owner not in self.node.servers():
            return False
        end = _End(self, f"{self.node.address}:{next(self._numbers)}", owner, connection)
        self.add(end)
        try:
            opened = end.send("open", OPENING, passed.arrived, passed.peer)
            if not opened and not end.has_written:
                return False
            end.run()
            return True
        finally:
            del self.ends[end.name]

    # In

    def _receive(self, piece: TunnelPiece) -> bool:
        """From the server at the other end of a tunnel; False when there is no such tunnel."""
        data = b64decode(piece.data, validate=True)
        end = self.ends.get(piece.tunnel)
        if piece.event == "open":
            return end is None and self._open(piece.tunnel, piece.sender, piece.peer, data)
        if end is None:
            return False
        if piece.event == "end":
            end.other_has_ended()
            return True
        return end.write(data)

    def _open(self, name: str, other: str, peer: object, arrived: bytes) -> bool:
        passed = PassedConnection(peer_from_json(peer), arrived, is_far=True)
        if self._server is None or self._server.room <= len(self.ends):
            return False
        ours, theirs = gevent.socket.socketpair()
        self.add(_End(self, name, other, ours))
        gevent.spawn(self._run, self.ends[name])
        self._server.take(theirs, passed)
        return True

    def _run(self, end: _End) -> None:
        try:
            end.run()
        finally:
            del self.ends[end.name]
            end.close()


class _End:
    """One end of a tunnel: a connection, and the server at the other end."""

    def __init__(self, tunnels: Tunnels, name: str, other: str, connection: Any) -> None:
        self.name = name
        self.other = other
        self.has_written = False
        self._tunnels = tunnels
        self._connection = not_for_forks(connection)
        self._other_has_ended = Event()
        self._patience = tunnels.node.config.outbox_timeout

    def run(self) -> None:
        """Send the other end all that comes from here, until nothing more comes from either."""
        try:
            while data := self._connection.recv(PIECE):
                if not self.send("data", self._patience + ON_ITS_WAY, data):
                    self.cut()
                    return
            if self.send("end", self._patience + ON_ITS_WAY):
                self._other_has_ended.wait()
        except OSError as problem:
            log.debug("tunnel %s: %s", self.name, problem)
            self.send("end", ON_ITS_WAY)
        self.cut()

    def send(self, event: str, timeout: float, data: bytes = b"", peer: Any = None) -> bool:
        """Whether the other end has got it, and has done its part."""
        node = self._tunnels.node
        piece = TunnelPiece(
            tunnel=self.name, sender=node.address, event=event, data=b64encode(data).decode(), peer=peer
        )
        return node.ask_servers([self.other], piece, timeout).get(self.other) is True

    # What the other end sends

    def write(self, data: bytes) -> bool:
        self.has_written = True
        try:
            with gevent.Timeout(self._patience, TimeoutError("it takes nothing")):
                self._connection.sendall(data)
        except OSError as problem:
            log.debug("tunnel %s: %s", self.name, problem)
            self.cut()
            return False
        return True

    def other_has_ended(self) -> None:
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
        self._other_has_ended.set()

    # Ending

    def cut(self) -> None:
        """Nothing more goes either way; whoever runs it notices."""
        self._other_has_ended.set()
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._connection.close()
