"""How a server gets its roster, keeps it in step with the others, and notices who is missing.

It announces that it joins, and the leader answers with a snapshot of its roster at that entry; what follows
in the log until the snapshot is here is applied behind it. Where nobody has a roster, the first to announce
that starts with its own, which is empty, or what it knew before the log began anew. A server that is
announced to be dead, and is not, joins again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from gevent.event import Event

from realtime_wall.brokers.commands import Publish
from realtime_wall.brokers.entry import Entry, Proposal, proposal
from realtime_wall.brokers.member import Broker
from realtime_wall.channels.message import Message
from realtime_wall.channels.names import PRESENCE
from realtime_wall.errors import PublishFailed
from realtime_wall.presence.roster import JOIN, START, Announcement, Roster, dead

# How long the answers to a join are waited for; then it is announced again.
PATIENCE = 2.0
# Where nobody reported that a server has gone, it may be on its way to another hub.
RETURN = 2.0
# The leader announces that a server is dead; the others, if it does not do so in time.
AFTER = 1.0


@dataclass(slots=True)
class _Joining:
    """A join that is waiting for its snapshot."""

    key: str
    is_applied: bool = False
    entries: list[tuple[str, str, Announcement]] = field(default_factory=list)  # that follow it
    published: set[tuple[str, str]] = field(default_factory=set)  # channels and keys of events


class Membership:
    def __init__(self, broker: Broker, grace: float, wake: Callable[[], object]) -> None:
        self.roster = Roster()
        self.is_ready = Event()
        self._broker = broker
        self._grace = grace
        self._wake = wake
        self._joining: _Joining | None = None
        self._awaited = ""  # the key of the last announcement
        self._is_applied = Event()
        self._missing: dict[str, float] = {}  # servers that have gone, and when that is to be announced
        self._started: set[str] = set()  # servers that have started with a roster of their own

    @property
    def is_leader(self) -> bool:
        return self.is_ready.is_set() and self.roster.leader(self._missing) == self._broker.address

    @property
    def has_others(self) -> bool:
        return bool(self.roster.servers() - {self._broker.address})

    # In the greenlet of presence

    def announce(self, announcement: Announcement) -> None:
        """Afterwards it has been applied here."""
        one = self._proposal(announcement)
        self._awaited = one.key
        self._is_applied.clear()
        self._broker.link.sequence(one)
        self._is_applied.wait(PATIENCE)

    def _proposal(self, announcement: Announcement, counted: bool = False) -> Proposal:
        command = Publish(channel=PRESENCE, data_json=json.dumps(announcement), volatile=True)
        return proposal(command, self._broker.address, counted)

    def join(self) -> None:
        """Get a roster; PublishFailed when that has to be tried again."""
        one = self._proposal(JOIN, counted=True)
        others = self._others()
        joining = self._joining = _Joining(one.key)
        expected = self._broker.calls.expect(one.key, others)
        try:
            self._broker.link.sequence(one)
        except PublishFailed:
            expected.gather(0)
            raise
        answers = expected.gather(PATIENCE)
        results = [answer for answer in answers.values() if not isinstance(answer, Exception)]
        snapshot = next((one["snapshot"] for one in results if one.get("snapshot")), None)
        if self._joining is joining and snapshot is not None:
            self._begin(Roster.from_snapshot(snapshot), joining)
        elif self._joining is joining and self._nobody_has_one(others, results):
            self.announce(START)
        if not self.is_ready.is_set():
            raise PublishFailed("no server has given a snapshot of who is present")

    def _others(self) -> set[str]:
        return {*self._broker.link.servers()} - {self._broker.address}

    def _nobody_has_one(self, asked: set[str], results: list[Any]) -> bool:
        have_all_answered = len(results) == len(asked) and self._others() == asked
        return have_all_answered and not any(one["ready"] for one in results)

    def _begin(self, roster: Roster, joining: _Joining) -> None:
        for entry in joining.entries:
            roster.apply(*entry)
        for channel, key in joining.published:
            roster.published(channel, key)
        self.roster = roster
        if self._broker.address in roster.join_order:  # else it was announced to be dead meanwhile
            self._is_ready_now()

    def _is_ready_now(self) -> None:
        self._joining = None
        self._missing.clear()
        self.is_ready.set()
        self._wake()

    # Applied, in the order of all; never waits

    def apply(self, entry: Entry) -> None:
        assert isinstance(entry.item, Message)
        announcement = json.loads(entry.item.data_json)
        if entry.key == self._awaited:
            self._is_applied.set()
        is_ours = entry.origin == self._broker.address
        if self.is_ready.is_set():
            self._apply(entry, announcement)
        elif "start" in announcement:
            self._apply_start(is_ours)
        elif self._joining is not None and entry.key == self._joining.key:
            self._joining.is_applied = True
        elif self._joining is not None and self._joining.is_applied:
            self._joining.entries.append((entry.origin, entry.key, announcement))
        if "join" in announcement and not is_ours:
            self._answer(entry)

    def _apply(self, entry: Entry, announcement: Announcement) -> None:
        if "start" in announcement:  # by somebody who knows nothing of us: it has to join again
            if entry.origin != self._broker.address and self.is_leader:
                self._started.add(entry.origin)
                self._wake()
            return
        self.roster.apply(entry.origin, entry.key, announcement)
        if "dead" in announcement:
            self._missing.pop(announcement["dead"], None)
            if announcement["dead"] == self._broker.address:
                self.rejoin()
        self._wake()

    def _apply_start(self, is_ours: bool) -> None:
        if is_ours and self._joining is not None:
            self.roster.start(self._broker.address)
            self._is_ready_now()
        elif not is_ours:
            self._joining = None  # somebody has a roster now: join again
            self._wake()

    def _answer(self, entry: Entry) -> None:
        snapshot = self.roster.snapshot() if self.is_leader else None
        self._broker.report(entry, {"ready": self.is_ready.is_set(), "snapshot": snapshot})

    def published(self, entry: Entry) -> None:
        if self.roster.pending or self.roster.crowds or self._joining is not None:
            head, _, key = entry.key.rpartition("=presence:")
            if head.startswith("=") and isinstance(entry.item, Message):
                self.roster.published(entry.item.channel, key)
                if self._joining is not None:
                    self._joining.published.add((entry.item.channel, key))

    @staticmethod
    def key_of(key: str) -> str:
        """The idempotency key of an event."""
        return f"presence:{key}"

    def rejoin(self) -> None:
        """What the others know may be something else by now."""
        self._joining = None
        self.is_ready.clear()
        self._wake()

    # Who is missing

    def server_gone(self, server: str) -> None:
        self._miss(server, self._grace)

    def _miss(self, server: str, wait: float) -> None:
        if server not in self._missing:
            others_first = self.roster.leader({*self._missing, server}) != self._broker.address
            self._missing[server] = monotonic() + wait + (AFTER if others_first else 0.0)
            self._wake()

    def due(self) -> Iterator[float]:
        yield from self._missing.values()

    def look_for_the_dead(self) -> None:
        me = self._broker.address
        known, alive = self.roster.servers(), set(self._broker.link.servers())
        for server in known - alive - {me}:
            self._miss(server, max(self._grace, RETURN))
        while self._started:
            self.announce(dead(self._started.pop()))
        for server, due in list(self._missing.items()):
            if server in alive or server not in known:
                del self._missing[server]
            elif due <= monotonic():
                self._missing[server] = monotonic() + PATIENCE
                self.announce(dead(server))
