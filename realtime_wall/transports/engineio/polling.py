"""The requests of a polling client: a GET that waits for something to say, a POST that waits to be heard.

Each waits in the greenlet that the HTTP server has for it; a client on a WebSocket costs none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gevent.event import Event

from realtime_wall.protocol.engineio import MAX_PACKETS


class Polling:
    __slots__ = ("_outbox", "_poll", "_room", "drained", "is_posting", "outbox_size")

    def __init__(self) -> None:
        self.outbox_size = 0
        self.is_posting = False
        self.drained: Callable[[], None] | None = None  # called once, when what waits was fetched
        # A list: an empty deque takes ten times as much.
        self._outbox: list[str | bytes] = []
        self._poll: Event | None = None  # set when a waiting GET has something to answer
        self._room: Event | None = None  # set when a POST that waits for the receivers may be answered

    # What is fetched

    @property
    def is_waiting(self) -> bool:
        """Whether a GET waits for something to say."""
        return self._poll is not None

    def queue(self, packet: str | bytes) -> None:
        self._outbox.append(packet)
        self.outbox_size += len(packet)
        self.wake()

    def wait(self) -> None:
        """Until there is something to say, or somebody lets the GET end."""
        if self._outbox:
            return
        self._poll = Event()
        try:
            self._poll.wait()
        finally:
            self._poll = None

    def wake(self) -> None:
        if self._poll is not None:
            self._poll.set()

    def take(self) -> list[str | bytes]:
        """As many packets as a client reads from one answer."""
        packets, self._outbox = self._outbox[:MAX_PACKETS], self._outbox[MAX_PACKETS:]
        self.outbox_size -= sum(map(len, packets))
        if not self.outbox_size and self.drained is not None:
            drained, self.drained = self.drained, None
            drained()
        return packets

    def hand_over(self) -> tuple[list[str | bytes], Callable[[], None] | None]:
        """All that waits, and who wants to know when it has left: it goes another way."""
        packets, self._outbox, self.outbox_size = self._outbox, [], 0
        drained, self.drained = self.drained, None
        self.wake()
        return packets, drained

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

    def make_room(self) -> None:
        if self._room is not None:
            self._room.set()
