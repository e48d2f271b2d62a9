"""Histories of a server that does everything right, as journals: what the judge has to accept.

A small model of a log, publishers and clients, driven by a story of what happens. Bugs are planted in what
comes out of it (tests/oracle/test_judge.py).
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.oracle.journal import (
    REFUSED,
    TAKEN,
    UNKNOWN,
    At,
    Attempt,
    Connected,
    DisconnectUser,
    Gap,
    Journal,
    Place,
    Resumed,
    Run,
)

CHANNELS = ("a", "b", "c")
AUDIENCES = (("a",), ("a", "b"), ("b", "c"), CHANNELS)

_channels = st.sampled_from(CHANNELS)
_clients = st.integers(0, len(AUDIENCES) * 2 - 1)
steps = st.one_of(
    st.tuples(st.just("publish"), _channels),
    st.tuples(st.just("publish"), _channels),
    st.tuples(st.just("publish"), _channels),
    st.tuples(st.just("publish"), _channels),
    st.tuples(st.just("unanswered"), _channels, st.booleans()),
    st.tuples(st.just("again"), _channels),
    st.tuples(st.just("refused"), _channels),
    st.tuples(st.just("cut"), _clients),
    st.tuples(st.just("resume"), _clients, st.integers(0, 2)),
    st.tuples(st.just("resume"), _clients, st.just(0)),
    st.tuples(st.just("restart")),
    st.tuples(st.just("forget")),
)
stories = st.lists(steps, max_size=60)


class Client:
    def __init__(self, number: int) -> None:
        self.number = number
        channels = AUDIENCES[number // 2]
        self.journal = Journal(f"client-{number}", "plain" if number % 2 else "events", channels)
        self.journal.one_cursor = not number % 2
        self.cursors: dict[str, Place] = {}
        self.is_there = False

    def note(self, event: Any) -> None:
        self.journal.events.append(event)


class World:
    def __init__(self) -> None:
        self.epoch, self.offset, self.lost = 1, 0, 0
        self.log: list[tuple[str, Place, int]] = []
        self.attempts: list[Attempt] = []
        self.clients = [Client(number) for number in range(len(AUDIENCES) * 2)]
        self.number = 0
        self.now = 0.0
        for client in self.clients:
            self.do_resume(client.number, 0)

    @property
    def top(self) -> Place:
        return Place(f"E{self.epoch}", self.offset)

    @property
    def journals(self) -> list[Journal]:
        return [client.journal for client in self.clients]

    def live(self, story: list[Any]) -> World:
        for what, *arguments in story:
            getattr(self, f"do_{what}")(*arguments)
        for client in self.clients:
            self.do_resume(client.number, 0)
        for channel in CHANNELS:  # the last message of each
            self.do_publish(channel)
        return self

    def _put(self, channel: str, number: int) -> Place:
        self.offset += 1
        place = self.top
        self.log.append((channel, place, number))
        for client in self.clients:
            if client.is_there and channel in client.journal.channels:
                self._tell(client, channel, place, number)
        return place

    def _tell(self, client: Client, channel: str, place: Place, number: int) -> None:
        client.note(Run(place.epoch, [place.offset], [number]))
        moved = client.journal.channels if client.journal.one_cursor else (channel,)
        client.cursors.update(dict.fromkeys(moved, place))

    def _try(self, channel: str, outcome: str, place: Place | None, key: str | None = None) -> None:
        began, self.now = self.now, self.now + 1
        self.attempts.append(Attempt(self.number, channel, began, began + 0.5, outcome, place, "", key))

    # What may happen

    def do_publish(self, channel: str) -> None:
        self.number += 1
        self._try(channel, TAKEN, self._put(channel, self.number))

    def do_unanswered(self, channel: str, is_taken: bool) -> None:
        self.number += 1
        if is_taken:
            self._put(channel, self.number)
        self._try(channel, UNKNOWN, None)

    def do_again(self, channel: str) -> None:
        """The answer was lost; said again with its key, the same position comes back."""
        self.number += 1
        place = self._put(channel, self.number)
        self._try(channel, UNKNOWN, None, "key")
        self._try(channel, TAKEN, place, "key")

    def do_refused(self, channel: str) -> None:
        self.number += 1
        self._try(channel, REFUSED, None)

    def do_cut(self, number: int) -> None:
        client = self.clients[number]
        if client.is_there:
            client.is_there = False
            client.note(DisconnectUser(self.now, "cut"))

    def do_resume(self, number: int, earlier: int) -> None:
        """Come back; with a cursor that is some messages older than what was heard, perhaps."""
        client = self.clients[number]
        if client.is_there:
            return
        client.is_there = True
        client.note(Connected(self.now, "here"))
        if not client.cursors:
            for channel in client.journal.channels:
                client.note(At(channel, self.top))
                client.cursors[channel] = self.top
        elif client.journal.one_cursor:
            self._resume(client, client.journal.channels, client.cursors[client.journal.channels[0]], None, 0)
        else:
            for channel in client.journal.channels:
                self._resume(client, (channel,), client.cursors[channel], channel, earlier)

    def _resume(
        self, client: Client, channels: tuple[str, ...], cursor: Place, name: str | None, earlier: int
    ) -> None:
        if cursor.epoch == self.top.epoch and cursor.offset - earlier >= self.lost:
            cursor = Place(cursor.epoch, max(0, cursor.offset - earlier))
        client.note(Resumed(name, cursor))
        if cursor.epoch != self.top.epoch or cursor.offset < self.lost:
            for channel in channels:
                client.note(Gap(channel, self.top))
                client.cursors[channel] = self.top
            return
        for channel, place, number in self.log:
            if channel in channels and place.offset > cursor.offset:
                self._tell(client, channel, place, number)
        client.note(At(name, self.top))
        client.cursors.update(dict.fromkeys(channels, self.top))

    def do_restart(self) -> None:
        """Everybody is cut, and what was in the log is gone."""
        for client in self.clients:
            self.do_cut(client.number)
        self.epoch, self.offset, self.lost, self.log = self.epoch + 1, 0, 0, []

    def do_forget(self) -> None:
        """The oldest half of the log is dropped."""
        half = len(self.log) // 2
        if half:
            self.lost = self.log[half - 1][1].offset
            del self.log[:half]
