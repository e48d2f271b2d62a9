"""Who is on the channels whose rules have PRESENCE: this server's part of it.

A socket that comes to such a channel is somebody, which may take a question to the database to know; and a
person who has several sockets is there once. The first of them here, and the last, is said to all servers,
and each enters it into its roll (``roster.py``, ``membership.py``). Everything that may have to wait is done
by one greenlet, in order.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import islice
from time import monotonic
from typing import Any

import gevent
from gevent.event import Event

from realtime_wall.brokers.commands import Publish
from realtime_wall.brokers.entry import Entry
from realtime_wall.brokers.member import Broker
from realtime_wall.channels.names import EVERYONE
from realtime_wall.channels.rules import Rules
from realtime_wall.errors import InvalidMessage, PublishFailed
from realtime_wall.node.fan_out import Subscriber
from realtime_wall.presence import roster
from realtime_wall.presence.identity import of as identity_of
from realtime_wall.presence.membership import Membership
from realtime_wall.presence.table import JOINED, LEFT, Person
from realtime_wall.protocol.json_output import encode_json
from realtime_wall.sockets.arguments import Arguments
from realtime_wall.sockets.dispatch.receivers import release_database

log = logging.getLogger(__name__)

# What a socket is told when it has come to a channel.
WHO_IS_HERE = "presence"
# On channels with PRESENCE nobody else's event can have these names.
OURS = (WHO_IS_HERE, JOINED, LEFT)
# Of more people only the number is told.
LISTED = 1000
# So many are asked about, or said, at once: the others on the channel need not wait for all of a crowd.
AT_ONCE = 200
# After something went wrong.
RETRY = 0.2
# How often we look for servers that are gone, where nobody tells us.
LOOK_EVERY = 2.0

# Publishes an event on a channel, once for its key.
Tell = Callable[[str, str, str, str], object]
Key = tuple[str, str]  # a channel, and the id of a person


@dataclass(slots=True)
class _Mine:
    """A person with sockets here."""

    person: Person
    sockets: int = 0
    leaves_at: float | None = None  # when it has had none for long enough


class Presence:
    def __init__(self, broker: Broker, rules: Rules, grace: float, tell: Tell) -> None:
        self.is_on = rules.have_presence  # elsewhere nothing of this is done
        self._broker = broker
        self._rules = rules
        self._grace = grace
        self._tell = tell
        self._work = Event()
        self._call = Membership(broker, grace, self._work.set)
        # Sockets that have come, or gone, and were not looked at since.
        self._changed: dict[tuple[Subscriber, str], bool] = {}
        self._sockets: dict[
            tuple[Subscriber, str], str | None
        ] = {}  # whose they are; None: nobody's to be seen
        self._mine: dict[Key, _Mine] = {}
        self._leaving: list[tuple[float, Key]] = []  # a heap
        self._unsaid: dict[Key, None] = {}
        self._ungreeted: dict[tuple[Subscriber, str], None] = {}
        self._greenlet: gevent.Greenlet[..., Any] | None = None

    def start(self) -> None:
        if self.is_on:
            self._greenlet = gevent.spawn(self._run)
            self._work.set()

    def stop(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()

    def people(self, channel: str, seconds: float) -> list[Person]:
        """Who is on a channel. A server that has just begun has to be told, and is waited for."""
        if self.is_on:
            self._call.is_ready.wait(seconds)
        return self._call.roster.table.people(channel)

    def check(self, command: Publish) -> None:
        """InvalidMessage for what would look like a word of ours."""
        if command.event in OURS and self._is_kept(command.channel):
            raise InvalidMessage(f"event name {command.event!r} is reserved on channels with PRESENCE")

    def _is_kept(self, channel: str) -> bool:
        return self.is_on and channel != EVERYONE and self._rules.of(channel).presence is not False

    # Never waits: called by whoever subscribes, and by the link

    def came(self, subscriber: Subscriber, channel: str) -> None:
        self._has_changed(subscriber, channel, True)

    def went(self, subscriber: Subscriber, channel: str) -> None:
        self._has_changed(subscriber, channel, False)

    def _has_changed(self, subscriber: Subscriber, channel: str, is_here: bool) -> None:
        if not self._is_kept(channel):
            return
        key = subscriber, channel
        was_here = self._changed.pop(key, None)
        if is_here or not was_here or key in self._sockets:  # else nobody has looked at it
            self._changed[key] = is_here
        self._work.set()

    def entered(self, entry: Entry) -> None:
        """A server has said something about presence."""
        self._call.entered(entry)

    def published(self, entry: Entry) -> None:
        """Something else has entered the log: perhaps an event that this server need not tell any more."""
        self._call.published(entry)

    def gone(self, server: str) -> None:
        self._call.gone(server)

    def start_afresh(self) -> None:
        self._call.begin_again()

    # The greenlet

    def _run(self) -> None:
        while True:
            self._work.wait(self._pause())
            self._work.clear()
            try:
                self._turn()
            except PublishFailed as problem:
                log.info("presence is told a little later: %s", problem)
                self._again_soon()
            except Exception:
                log.exception("presence failed, and goes on")
                self._again_soon()
            finally:
                release_database()

    def _again_soon(self) -> None:
        gevent.sleep(RETRY)
        self._work.set()

    def _pause(self) -> float | None:
        due = [self._leaving[0][0]] if self._leaving else []
        due.extend(self._call.due())
        wait = [max(0.0, min(due) - monotonic())] if due else []
        if self._call.has_others:
            wait.append(LOOK_EVERY)
        return min(wait, default=None)

    def _turn(self) -> None:
        if not self._call.is_ready.is_set():
            self._call.get_ready()
            self._differ()
        self._call.look_for_the_dead()
        self._count()
        self._let_leave()
        self._say()
        self._greet()
        self._tell_others()

    def _differ(self) -> None:
        """What others have heard of this server and what is true may be two things."""
        said = self._call.roster.table.of(self._broker.address)
        self._unsaid.update(dict.fromkeys({*said} ^ {*self._mine}))

    # Who is here

    def _count(self) -> None:
        for key in list(islice(self._changed, AT_ONCE)):
            is_here = self._changed.pop(key, None)
            if is_here is None:
                continue
            if is_here and key not in self._sockets:
                self._come(*key)
            elif not is_here and key in self._sockets:
                self._go(*key)
        if self._changed:
            self._work.set()

    def _come(self, subscriber: Subscriber, channel: str) -> None:
        if subscriber.session is None:  # who only listens is nobody
            return
        found = identity_of(self._rules.of(channel).presence, subscriber.session.socket, channel)
        self._ungreeted[subscriber, channel] = None
        self._sockets[subscriber, channel] = None if found is None else found["id"]
        if found is None:
            return
        key = channel, found["id"]
        mine = self._mine.get(key)
        if mine is None:
            mine = self._mine[key] = _Mine(found)
            self._unsaid[key] = None
        mine.sockets += 1
        mine.leaves_at = None

    def _go(self, subscriber: Subscriber, channel: str) -> None:
        person_id = self._sockets.pop((subscriber, channel))
        self._ungreeted.pop((subscriber, channel), None)
        if person_id is None:
            return
        mine = self._mine[channel, person_id]
        mine.sockets -= 1
        if not mine.sockets:
            mine.leaves_at = monotonic() + self._grace
            heappush(self._leaving, (mine.leaves_at, (channel, person_id)))

    def _let_leave(self) -> None:
        """Who has been away for long enough, and was not only between two pages, has left."""
        now = monotonic()
        while self._leaving and self._leaving[0][0] <= now:
            due, key = heappop(self._leaving)
            mine = self._mine.get(key)
            if mine is not None and mine.leaves_at == due:
                del self._mine[key]
                self._unsaid[key] = None

    # What others are told

    def _say(self) -> None:
        while self._unsaid:
            keys = list(islice(self._unsaid, AT_ONCE))
            for key in keys:
                del self._unsaid[key]
            here = [(key[0], self._mine[key].person) for key in keys if key in self._mine]
            gone = [key for key in keys if key not in self._mine]
            try:
                self._call.say(roster.changes(here, gone))
            except BaseException:  # the truth of then is said again
                self._unsaid = {**dict.fromkeys(keys), **self._unsaid}
                raise

    def _tell_others(self) -> None:
        if not self._call.is_leader:
            return
        untold = self._call.roster.untold
        if len(untold) > AT_ONCE:
            self._work.set()
        for key, change in list(islice(untold.items(), AT_ONCE)):
            data = encode_json({"channel": change.channel, "person": change.person})
            self._tell(change.channel, data, change.event, self._call.key_of(key))
            self._call.roster.told(key)

    def _greet(self) -> None:
        """Tell those who have come who is here."""
        texts: dict[str, str] = {}
        for subscriber, channel in list(self._ungreeted):
            del self._ungreeted[subscriber, channel]
            if channel not in texts:
                people = self._call.roster.table.people(channel)
                told = {"channel": channel, "people": people[:LISTED], "count": len(people)}
                texts[channel] = encode_json(told)
            session = subscriber.session
            if session is not None and channel in session.channels and not session.is_disconnected:
                session.send_event(WHO_IS_HERE, Arguments(texts[channel]))
