"""Who is on the channels whose rules have PRESENCE: this server's part of it.

The whole is a replicated state machine (join, snapshot, delta). Each server announces the first and the last
socket that a person has on it; the announcements are entries of the site's log, so every server applies the
same ones in the same order to its roster (``roster.py``), and a server that joins is given a snapshot of it
(``membership.py``). The leader, who has been in the roster longest, publishes "joined" and "left".

Here sockets become persons, which may take a query of the database, and persons become announcements.
Everything that may have to wait is done by one greenlet, in order.
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

from realtime_wall.brokers.commands import SequencedCommand
from realtime_wall.brokers.entry import Entry
from realtime_wall.brokers.member import Broker
from realtime_wall.channels.names import EVERYONE
from realtime_wall.channels.rules import Rules
from realtime_wall.errors import InvalidMessage, PublishFailed
from realtime_wall.node.fan_out.subscriber import Subscriber
from realtime_wall.presence import roster
from realtime_wall.presence.identity import of as identity_of
from realtime_wall.presence.membership import Membership
from realtime_wall.presence.table import JOINED, LEFT, PEOPLE, Person
from realtime_wall.protocol.json_output import encode_json
from realtime_wall.sockets.arguments import Arguments
from realtime_wall.sockets.dispatch.receivers import release_database

log = logging.getLogger(__name__)

# On channels with PRESENCE nobody else's event can have these names.
RESERVED = (PEOPLE, JOINED, LEFT)
# So many are looked up, or announced, at once: the others on the channel need not wait for all of a crowd.
AT_ONCE = 200
# Seconds between two numbers of a crowd.
COUNTED_EVERY = 1.0
# After something went wrong.
RETRY = 0.2
# How often we look for servers that have gone, where nobody reports it.
LOOK_EVERY = 2.0

# Publishes an event on a channel, once for its key: channel, data as JSON, name, key.
PublishEvent = Callable[[str, str, str, str], object]
Key = tuple[str, str]  # a channel, and the id of a person


@dataclass(slots=True)
class _LocalPerson:
    """A person with sockets on this server."""

    person: Person
    sockets: int = 0
    leaves_at: float | None = None  # when it has had none for long enough


class Presence:
    def __init__(self, broker: Broker, rules: Rules, grace: float, publish_event: PublishEvent) -> None:
        self.is_on = rules.have_presence  # elsewhere nothing of this is done
        self._broker = broker
        self._rules = rules
        self._grace = grace
        self._publish_event = publish_event
        self._work = Event()
        self._membership = Membership(broker, grace, self._work.set)
        # Sockets that have subscribed (True), or left, and were not looked at since.
        self._changed: dict[tuple[Subscriber, str], bool] = {}
        self._sockets: dict[
            tuple[Subscriber, str], str | None
        ] = {}  # whose they are; None: nobody's to be seen
        self._persons: dict[Key, _LocalPerson] = {}
        self._leaving: list[tuple[float, Key]] = []  # a heap
        self._to_announce: dict[Key, None] = {}
        self._to_send_list: dict[tuple[Subscriber, str], None] = {}
        self._counts_due = 0.0  # when crowds may be told their numbers again
        self._greenlet: gevent.Greenlet[..., Any] | None = None

    def start(self) -> None:
        if self.is_on:
            self._greenlet = gevent.spawn(self._run)
            self._work.set()

    def stop(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()

    def people(self, channel: str, seconds: float) -> list[Person]:
        """Who is on a channel. A server that has just begun has to get its roster, and is waited for."""
        if self.is_on:
            self._membership.is_ready.wait(seconds)
        return self._membership.roster.table.people(channel)

    def check(self, command: SequencedCommand) -> None:
        """InvalidMessage for what would look like an event of ours."""
        if command.event in RESERVED and self._is_kept(command.channel):
            raise InvalidMessage(f"event name {command.event!r} is reserved on channels with PRESENCE")

    def _is_kept(self, channel: str) -> bool:
        return self.is_on and channel != EVERYONE and self._rules.of(channel).presence is not False

    # Never waits: called by whoever subscribes, and by the link

    def subscribed(self, subscriber: Subscriber, channel: str) -> None:
        self._has_changed(subscriber, channel, True)

    def unsubscribed(self, subscriber: Subscriber, channel: str) -> None:
        self._has_changed(subscriber, channel, False)

    def _has_changed(self, subscriber: Subscriber, channel: str, is_subscribed: bool) -> None:
        if subscriber.session is None or not self._is_kept(channel):  # who only listens is nobody
            return
        key = subscriber, channel
        was_subscribed = self._changed.pop(key, None)
        if is_subscribed or not was_subscribed or key in self._sockets:  # else nobody has looked at it
            self._changed[key] = is_subscribed
        self._work.set()

    def apply(self, entry: Entry) -> None:
        """The next announcement of the log."""
        self._membership.apply(entry)

    def published(self, entry: Entry) -> None:
        """Something else has entered the log: perhaps an event that need not be published any more."""
        self._membership.published(entry)

    def server_gone(self, server: str) -> None:
        self._membership.server_gone(server)

    def rejoin(self) -> None:
        """The log has begun anew."""
        self._membership.rejoin()

    # The greenlet

    def _run(self) -> None:
        while True:
            self._work.wait(self._pause())
            self._work.clear()
            try:
                self._run_once()
            except PublishFailed as problem:
                log.info("presence is announced a little later: %s", problem)
                self._retry_soon()
            except Exception:
                log.exception("presence failed, and goes on")
                self._retry_soon()
            finally:
                release_database()

    def _retry_soon(self) -> None:
        gevent.sleep(RETRY)
        self._work.set()

    def _pause(self) -> float | None:
        due = [self._leaving[0][0]] if self._leaving else []
        due.extend(self._membership.due())
        if self._membership.is_leader and any(self._membership.roster.crowds.values()):
            due.append(self._counts_due)
        wait = [max(0.0, min(due) - monotonic())] if due else []
        if self._membership.has_others:
            wait.append(LOOK_EVERY)
        return min(wait, default=None)

    def _run_once(self) -> None:
        if not self._membership.is_ready.is_set():
            self._membership.join()
            self._announce_difference()
        self._membership.look_for_the_dead()
        self._look_at_changed()
        self._expire()
        self._announce()
        self._send_lists()
        if self._membership.is_leader:
            self._publish_pending()
            self._publish_counts()

    def _announce_difference(self) -> None:
        """What the roster has of this server and what is true may be two things."""
        announced = self._membership.roster.table.of(self._broker.address)
        self._to_announce.update(dict.fromkeys({*announced} ^ {*self._persons}))

    # Who is on this server

    def _look_at_changed(self) -> None:
        for key in list(islice(self._changed, AT_ONCE)):
            is_subscribed = self._changed.pop(key, None)
            if is_subscribed is None:
                continue
            if is_subscribed and key not in self._sockets:
                self._join(*key)
            elif not is_subscribed and key in self._sockets:
                self._leave(*key)
        if self._changed:
            self._work.set()

    def _join(self, subscriber: Subscriber, channel: str) -> None:
        assert subscriber.session is not None
        found = identity_of(self._rules.of(channel).presence, subscriber.session.socket, channel)
        self._to_send_list[subscriber, channel] = None
        self._sockets[subscriber, channel] = None if found is None else found["id"]
        if found is None:
            return
        key = channel, found["id"]
        local = self._persons.get(key)
        if local is None:
            local = self._persons[key] = _LocalPerson(found)
            self._to_announce[key] = None
        local.sockets += 1
        local.leaves_at = None

    def _leave(self, subscriber: Subscriber, channel: str) -> None:
        person_id = self._sockets.pop((subscriber, channel))
        self._to_send_list.pop((subscriber, channel), None)
        if person_id is None:
            return
        local = self._persons[channel, person_id]
        local.sockets -= 1
        if not local.sockets:
            local.leaves_at = monotonic() + self._grace
            heappush(self._leaving, (local.leaves_at, (channel, person_id)))

    def _expire(self) -> None:
        """Who has been away for long enough, and was not only between two pages, has left."""
        now = monotonic()
        while self._leaving and self._leaving[0][0] <= now:
            due, key = heappop(self._leaving)
            local = self._persons.get(key)
            if local is not None and local.leaves_at == due:
                del self._persons[key]
                self._to_announce[key] = None

    # To the other servers, and to clients

    def _announce(self) -> None:
        while self._to_announce:
            keys = list(islice(self._to_announce, AT_ONCE))
            for key in keys:
                del self._to_announce[key]
            joins = [(key[0], self._persons[key].person) for key in keys if key in self._persons]
            leaves = [key for key in keys if key not in self._persons]
            try:
                self._membership.announce(roster.delta(joins, leaves))
            except BaseException:  # the truth of then is announced again
                self._to_announce = {**dict.fromkeys(keys), **self._to_announce}
                raise

    def _publish_pending(self) -> None:
        pending = self._membership.roster.pending
        if len(pending) > AT_ONCE:
            self._work.set()
        for key, change in list(islice(pending.items(), AT_ONCE)):
            if change.event == PEOPLE:
                data = self._people_json(change.channel)
            else:
                data = encode_json({"channel": change.channel, "person": change.person})
            self._publish(change.channel, data, change.event, key)

    def _publish_counts(self) -> None:
        """How many each crowd is, where that has changed."""
        now = monotonic()
        changed = {channel: key for channel, key in self._membership.roster.crowds.items() if key}
        if changed and now >= self._counts_due:
            self._counts_due = now + COUNTED_EVERY
            for channel, key in changed.items():
                self._publish(channel, self._people_json(channel), PEOPLE, key)

    def _publish(self, channel: str, data: str, event: str, key: str) -> None:
        self._publish_event(channel, data, event, self._membership.key_of(key))
        self._membership.roster.published(channel, key)

    def _people_json(self, channel: str) -> str:
        """Of a crowd nobody is named: the list would be longer than all that is said there."""
        roster = self._membership.roster
        people = [] if channel in roster.crowds else roster.table.people(channel)
        return encode_json({"channel": channel, "people": people, "count": roster.table.count(channel)})

    def _send_lists(self) -> None:
        """Send those who have just subscribed who is there."""
        texts: dict[str, str] = {}
        for subscriber, channel in list(self._to_send_list):
            del self._to_send_list[subscriber, channel]
            if channel not in texts:
                texts[channel] = self._people_json(channel)
            session = subscriber.session
            if session is not None and channel in session.channels and not session.is_disconnected:
                session.send_event(PEOPLE, Arguments(texts[channel]))
