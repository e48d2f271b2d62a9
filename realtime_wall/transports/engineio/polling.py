"""The requests of a polling client: a GET that waits for packets, a POST that waits for the receivers.

Each waits in the greenlet that the HTTP server has for it; a client on a WebSocket costs none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TypeVar

import gevent
from gevent.event import Event

from realtime_wall.config import Config
from realtime_wall.protocol.engineio import (
    MAX_PACKETS,
    BadPacket,
    EnginePacket,
    EnginePacketType,
    decode_payload,
    encode_payload,
    encode_text,
)
from realtime_wall.sockets.budgets.account import Account
from realtime_wall.wire.connection import DROPPED, QUEUED, Wire, Written

Part = TypeVar("Part")

NOOP = encode_text(EnginePacketType.NOOP)
CLOSE = encode_text(EnginePacketType.CLOSE)


# Seconds: a client whose POST is not answered cannot answer a ping either.
LONGEST_WAIT = 5.0


class TooMuch(BadPacket):
    """It has posted more than it may, for too long."""


class Conflict(Exception):  # noqa: N818
    """Two GETs, or two POSTs, of one session at once: the session has to end."""


def take_packets(body: bytes, account: Account, config: Config) -> list[EnginePacket]:
    """Those of a POST. Who posts too much waits for the answer, and posts nothing else meanwhile."""
    packets, now = decode_payload(body, config.post_packets, _in_turns), monotonic()
    if account.note_read(len(packets), len(body), now) and (seconds := account.settle(now)) > 0:
        exceeded = account.exceeded(now, config.rate_patience)
        if exceeded is not None:
            raise TooMuch(f"too much: {exceeded}")
        gevent.sleep(min(seconds, LONGEST_WAIT))
    return packets


def handle_in_turns(packets: Iterable[EnginePacket], handle: Callable[[EnginePacket], None]) -> None:
    for packet in _in_turns(packets):
        handle(packet)


def _in_turns(parts: Iterable[Part]) -> Iterator[Part]:
    """Those of a POST, which may be a thousand: others have their turns in between."""
    for part in parts:
        Wire.turns.wait()
        yield part


class PollingCarrier:
    """Packets wait here until the client asks for them."""

    __slots__ = (
        "_drained",
        "_outbox",
        "_outbox_limit",
        "_overflowed",
        "_poll",
        "_released",
        "_room",
        "is_closed",
        "is_posting",
        "outbox_size",
    )

    def __init__(
        self, outbox_limit: int, overflowed: Callable[[], None], released: Callable[[], None]
    ) -> None:
        self.outbox_size = 0
        self.is_posting = False
        self.is_closed = False  # or another carrier has taken over
        self._outbox_limit = outbox_limit
        self._overflowed = overflowed  # called when the client lets more than that wait
        self._released = released  # called once, when it polls no more
        self._drained: Callable[[], None] | None = None
        # A list: an empty deque takes ten times as much.
        self._outbox: list[str | bytes] = []
        self._poll: Event | None = None  # set when a waiting GET has something to answer
        self._room: Event | None = None  # set when a POST that waits for the receivers may be answered

    # As a carrier

    def send(self, packet: str | bytes, soon: bool = False) -> Written:
        if self.is_closed:
            return DROPPED
        if self.outbox_size + len(packet) > self._outbox_limit:
            self._overflowed()
            return DROPPED
        self._queue(packet)
        return QUEUED

    def when_drained(self, callback: Callable[[], None]) -> None:
        self._drained = callback

    def pause(self) -> None:
        """A client whose POST is not answered posts nothing else."""

    def resume(self) -> None:
        if self._room is not None:
            self._room.set()

    def close(self, code: int, reason: str) -> None:
        if not self.is_closed:
            self.is_closed = True
            self._released()
        self.end_poll()
        self.resume()

    def abort(self, reason: str) -> None:
        """Its requests are connections of their own."""

    def hand_over(self) -> tuple[list[str | bytes], Callable[[], None] | None]:
        """All that waits, and who wants to know when it has left: another carrier takes over."""
        packets, self._outbox, self.outbox_size = self._outbox, [], 0
        drained, self._drained = self._drained, None
        self.close(0, "")
        return packets, drained

    # What is fetched

    @property
    def is_polled(self) -> bool:
        """Whether a GET waits for packets."""
        return self._poll is not None

    def poll(self, at_once: bool) -> str:
        """What a GET is answered; it waits for packets, unless it is to be answered at once."""
        if self._poll is not None:
            self._queue(CLOSE)  # for the one that waits
            raise Conflict
        if not at_once and not self._outbox:
            self._poll = Event()
            try:
                self._poll.wait()
            finally:
                self._poll = None
        # Of a closed session, too. No CLOSE: python-socketio's client would take it for the server's wish
        # and stay away. Asking again, a client learns that the session is unknown, and comes back.
        return encode_payload(self._take() or [NOOP])

    def _queue(self, packet: str | bytes) -> None:
        self._outbox.append(packet)
        self.outbox_size += len(packet)
        self.end_poll()

    def end_poll(self) -> None:
        """Let a GET that waits be answered."""
        if self._poll is not None:
            self._poll.set()

    def _take(self) -> list[str | bytes]:
        """As many packets as a client reads from one answer."""
        packets, self._outbox = self._outbox[:MAX_PACKETS], self._outbox[MAX_PACKETS:]
        self.outbox_size -= sum(map(len, packets))
        if not self.outbox_size and self._drained is not None:
            drained, self._drained = self._drained, None
            drained()
        return packets

    # What is posted

    @contextmanager
    def posting(self) -> Iterator[None]:
        self.is_posting = True
        try:
            yield
        finally:
            self.is_posting = False

    def wait_for_room(self) -> None:
        self._room = Event()
        try:
            self._room.wait()
        finally:
            self._room = None
