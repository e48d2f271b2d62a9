"""How a server gets its roll, keeps it in step with the others, and notices who is missing.

It says hello, and whoever tells for all answers with an image of its roll at that moment; what was entered
since waits until then. Where nobody has a roll, the first to say so begins with its own, which is empty, or
what it knew before the order began anew. A server that is told it is dead, and is not, says hello again.
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
from realtime_wall.presence.roster import HELLO, START, Announcement, Roster, dead

# How long the answers to a hello are waited for; then it is said again.
PATIENCE = 2.0
# Where nobody told that a server is gone, it may be on its way to another hub.
RETURN = 2.0
# Whoever tells says that a server is dead; the others, if that one does not do it in time.
AFTER = 1.0


@dataclass(slots=True)
class _Hello:
    key: str
    is_entered: bool = False
    entered: list[tuple[str, str, Announcement]] = field(default_factory=list)  # since
    told: set[str] = field(default_factory=set)  # keys of events


class Membership:
    def __init__(self, broker: Broker, grace: float, wake: Callable[[], object]) -> None:
        self.roster = Roster()
        self.is_ready = Event()
        self._broker = broker
        self._grace = grace
        self._wake = wake
        self._hello: _Hello | None = None
        self._awaited = ""  # the key of what was said last
        self._has_come = Event()
        self._missing: dict[str, float] = {}  # servers that are gone, and when that is to be said
        self._ignorant: set[str] = set()  # servers that have begun with a roll of their own

    @property
    def is_leader(self) -> bool:
        return self.is_ready.is_set() and self.roster.leader(self._missing) == self._broker.address

    @property
    def has_others(self) -> bool:
        return bool(self.roster.servers() - {self._broker.address})

    # Said, in the greenlet of presence

    def say(self, said: Announcement) -> None:
        """Afterwards it has been entered here."""
        one = self._proposal(said)
        self._awaited = one.key
        self._has_come.clear()
        self._broker.link.sequence(one)
        self._has_come.wait(PATIENCE)

    def _proposal(self, said: Announcement, counted: bool = False) -> Proposal:
        command = Publish(channel=PRESENCE, data_json=json.dumps(said), volatile=True)
        return proposal(command, self._broker.address, counted)

    def get_ready(self) -> None:
        """PublishFailed when that has to be tried again."""
        one = self._proposal(HELLO, counted=True)
        others = self._others()
        hello = self._hello = _Hello(one.key)
        expected = self._broker.expect(one.key, others)
        try:
            self._broker.link.sequence(one)
        except PublishFailed:
            expected.gather(0)
            raise
        answers = expected.gather(PATIENCE)
        results = [answer["result"] for answer in answers.values() if "result" in answer]
        image = next((one["image"] for one in results if one.get("image")), None)
        if self._hello is hello and image is not None:
            self._begin(Roster.restored(image), hello)
        elif self._hello is hello and self._nobody_has_one(others, results):
            self.say(START)
        if not self.is_ready.is_set():
            raise PublishFailed("no server has said yet who is here")

    def _others(self) -> set[str]:
        return {*self._broker.link.servers()} - {self._broker.address}

    def _nobody_has_one(self, asked: set[str], results: list[Any]) -> bool:
        have_all_answered = len(results) == len(asked) and self._others() == asked
        return have_all_answered and not any(one["ready"] for one in results)

    def _begin(self, roster: Roster, hello: _Hello) -> None:
        for said in hello.entered:
            roster.entered(*said)
        for key in hello.told:
            roster.told(key)
        self.roster = roster
        if self._broker.address in roster.join_order:  # else it was said to be dead meanwhile
            self._is_ready_now()

    def _is_ready_now(self) -> None:
        self._hello = None
        self._missing.clear()
        self.is_ready.set()
        self._wake()

    # Entered, in the order of all; never waits

    def entered(self, entry: Entry) -> None:
        assert isinstance(entry.item, Message)
        said = json.loads(entry.item.data_json)
        if entry.key == self._awaited:
            self._has_come.set()
        is_ours = entry.origin == self._broker.address
        if self.is_ready.is_set():
            self._enter(entry, said)
        elif "start" in said:
            self._started(is_ours)
        elif self._hello is not None and entry.key == self._hello.key:
            self._hello.is_entered = True
        elif self._hello is not None and self._hello.is_entered:
            self._hello.entered.append((entry.origin, entry.key, said))
        if "hello" in said and not is_ours:
            self._answer(entry)

    def _enter(self, entry: Entry, said: Announcement) -> None:
        if "start" in said:  # by somebody who knows nothing of us: it has to ask again
            if entry.origin != self._broker.address and self.is_leader:
                self._ignorant.add(entry.origin)
                self._wake()
            return
        self.roster.entered(entry.origin, entry.key, said)
        if "dead" in said:
            self._missing.pop(said["dead"], None)
            if said["dead"] == self._broker.address:
                self.begin_again()
        self._wake()

    def _started(self, is_ours: bool) -> None:
        if is_ours and self._hello is not None:
            self.roster.start(self._broker.address)
            self._is_ready_now()
        elif not is_ours:
            self._hello = None  # somebody has a roll now: ask again
            self._wake()

    def _answer(self, entry: Entry) -> None:
        image = self.roster.image() if self.is_leader else None
        self._broker.report(entry, {"ready": self.is_ready.is_set(), "image": image})

    def published(self, entry: Entry) -> None:
        if self.roster.untold or self._hello is not None:
            head, _, key = entry.key.rpartition("=presence:")
            if head.startswith("="):
                self.roster.told(key)
                if self._hello is not None:
                    self._hello.told.add(key)

    @staticmethod
    def key_of(key: str) -> str:
        """The idempotency key of an event."""
        return f"presence:{key}"

    def begin_again(self) -> None:
        """What the others know may be something else by now."""
        self._hello = None
        self.is_ready.clear()
        self._wake()

    # Who is missing

    def gone(self, server: str) -> None:
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
        while self._ignorant:
            self.say(dead(self._ignorant.pop()))
        for server, due in list(self._missing.items()):
            if server in alive or server not in known:
                del self._missing[server]
            elif due <= monotonic():
                self._missing[server] = monotonic() + PATIENCE
                self.say(dead(server))
