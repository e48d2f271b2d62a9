"""One client: it listens to some channels, keeps its cursors, and comes back when it is cut off.

How it asks and what the answers mean is for its kind to say (``ways.py``). Here is what they have in common:
the connection, when to try again, and the journal.
"""

from __future__ import annotations

import random
import select
import socket
from array import array
from time import monotonic
from typing import Protocol

from tests.oracle.journal import (
    At,
    CaughtUp,
    Connected,
    DisconnectUser,
    Event,
    Gap,
    Journal,
    Odd,
    Place,
    Refused,
    Run,
)
from tests.oracle.reading import Head, Message, head_of

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
READ = 65_536  # larger ones cost an mmap each
SILENCE = 15.0  # the server pings more often than this


class Loop(Protocol):
    """What drives the clients."""

    addresses: list[tuple[str, int]]
    poll_pause: float

    def watch(self, client: Client, events: int) -> None: ...
    def unwatch(self, client: Client) -> None: ...
    def later(self, seconds: float, client: Client) -> None: ...


class Client:
    kind = ""
    one_cursor = False

    def __init__(self, loop: Loop, name: str, channels: tuple[str, ...]) -> None:
        self.loop = loop
        self.journal = Journal(name, self.kind, channels, self.one_cursor)
        self.channels = channels
        self.cursors: dict[str, Place] = {}
        self.heard_count = 0
        self.is_connected = False
        self.is_back = False  # it hears all its channels
        self.wants_to_stay_away = False
        self.connection: socket.socket | None = None
        self.last_data = 0.0
        self.cut_at: int | None = None  # of what comes next, so many bytes arrive
        self._run: Run | None = None
        self._where = ("", 0)
        self._head: bytes | None = None  # of the answer, as far as it has come; None when it is whole
        self._is_connecting = False
        self._pause = FIRST_PAUSE
        self._away_since: float | None = None
        self._back_at = 0.0
        self._behind: set[str] = set()

    # For its kind to say

    def request(self) -> bytes:
        """What is sent on a new connection."""
        raise NotImplementedError

    def answered(self, head: Head) -> None:
        """The head of the answer has come; refuse() or be there."""
        raise NotImplementedError

    def received(self, data: bytes) -> None:
        """Something that follows the head."""
        raise NotImplementedError

    def ended(self) -> None:
        """The connection is over: forget what was half read."""

    # The connection

    def connect(self) -> None:
        self._where = random.choice(self.loop.addresses)
        self.connection = socket.socket()
        self.connection.setblocking(False)
        self._head = b""
        self._is_connecting = True
        self.last_data = monotonic()
        self.connection.connect_ex(self._where)
        self.loop.watch(self, select.EPOLLOUT)

    def ready(self) -> None:
        """Something can be read, or the connection has come about."""
        assert self.connection is not None
        if self._is_connecting:
            problem = self.connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if problem:
                self.refuse(f"error {problem}")
                return
            self._is_connecting = False
            self.loop.watch(self, select.EPOLLIN)
            self.send(self.request())
            return
        try:
            data = self.connection.recv(READ)
        except BlockingIOError:
            return
        except OSError as problem:
            self.lost(f"{type(problem).__name__}")
            return
        self.last_data = monotonic()
        if not data:
            self.lost("closed")
        elif self.cut_at is not None and len(data) > self.cut_at:
            self._take(data[: self.cut_at])
            self.lost("cut by us")
        else:
            self._take(data)

    def _take(self, data: bytes) -> None:
        try:
            if self._head is not None:
                head, found, data = (self._head + data).partition(b"\r\n\r\n")
                if not found:
                    self._head = head
                    return
                self._head = None
                self.answered(head_of(head))
            if data and self.connection is not None:
                self.received(data)
        except (ValueError, KeyError, TypeError, IndexError) as problem:
            self.note(Odd(f"cannot be read: {problem!r} in {data[:200]!r}"))
            self.lost("cannot be read")

    def send(self, data: bytes) -> None:
        assert self.connection is not None
        try:
            if self.connection.send(data) != len(data):
                self.lost("takes nothing more")
        except OSError as problem:
            self.lost(f"{type(problem).__name__}")

    def close(self) -> None:
        if self.connection is not None:
            self.loop.unwatch(self)
            self.connection.close()
            self.connection = None
        self.cut_at = None
        self.ended()

    def lost(self, why: str) -> None:
        """The connection is gone; come back soon."""
        if self.connection is None:
            return
        if self._head is not None:
            self.refuse(why)
            return
        self._leave(DisconnectUser(monotonic(), why))

    def refuse(self, why: str) -> None:
        """No connection came about; come back later each time."""
        self._leave(Refused(monotonic(), why))

    def _leave(self, event: Event) -> None:
        self.note(event)
        self.close()
        if self._away_since is None and self.cursors:
            self._away_since = monotonic()
        self.is_connected = self.is_back = False
        if self.wants_to_stay_away:
            return
        self.loop.later(self._pause * random.uniform(0.5, 1), self)
        self._pause = min(LONGEST_PAUSE, self._pause * 2)

    def silent_since(self, now: float) -> None:
        if self.connection is not None and now - self.last_data > SILENCE:
            self.lost("silent")

    # The journal

    def note(self, event: Event) -> None:
        self._run = None
        self.journal.events.append(event)

    def connected(self) -> None:
        self.is_connected = True
        self._pause = FIRST_PAUSE
        self.note(Connected(monotonic(), f"{self._where[0]}:{self._where[1]}"))

    def back(self) -> None:
        """All channels are heard again."""
        self.is_back = True
        if self._away_since is not None:
            self._back_at = monotonic()
            self._behind = set(self.channels)

    def stay_away(self, why: str) -> None:
        """A server may say so; ours has no reason to."""
        self.wants_to_stay_away = True
        self.note(Odd(f"was told to stay away: {why}"))

    def heard(self, message: Message) -> None:
        place = message.place
        run = self._run
        if run is None or run.epoch != place.epoch:
            run = Run(place.epoch, array("q"), array("q"))
            self.note(run)
            self._run = run
        run.offsets.append(place.offset)  # type: ignore[attr-defined]
        run.numbers.append(message.number)  # type: ignore[attr-defined]
        self.heard_count += 1
        channel = message.channel
        known = self.cursors.get(channel)
        if known is None or place.offset > known.offset or place.epoch != known.epoch:
            self.cursors[channel] = place
        if self._behind and message.when >= self._back_at:
            self._caught_up(channel)

    def _caught_up(self, channel: str) -> None:
        self._behind.discard(channel)
        if not self._behind and self._away_since is not None:
            now = monotonic()
            self.note(CaughtUp(now, now - self._away_since))
            self._away_since = None

    def stands(self, channel: str | None, place: Place) -> None:
        """The server says where."""
        self.note(At(channel, place))
        self._move(channel, place)

    def gap(self, channel: str | None, place: Place) -> None:
        self.note(Gap(channel, place))
        self._move(channel, place)

    def _move(self, channel: str | None, place: Place) -> None:
        for one in self.channels if channel is None else (channel,):
            self.cursors[one] = place

    def has_heard(self, numbers: set[int]) -> bool:
        """Whether it has heard one of these on each of its channels, among the last."""
        last: set[int] = set()
        for event in reversed(self.journal.events):
            if isinstance(event, Run):
                last.update(event.numbers[-5 * len(self.channels) :])
                if len(last & numbers) >= len(self.channels):
                    return True
        return False
