"""One server process: its log, who is subscribed, and the fan-out between them."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, cast

import gevent

from realtime_wall.brokers import router
from realtime_wall.brokers.channel_rules import rules_of
from realtime_wall.brokers.commands import Command, R, Request, Route, SequencedCommand
from realtime_wall.brokers.entry import Deleted, Entry
from realtime_wall.brokers.link import ServerLink
from realtime_wall.brokers.local.hub import Hub
from realtime_wall.brokers.member import Broker
from realtime_wall.brokers.node_id import new_address
from realtime_wall.channels import resume
from realtime_wall.channels.idempotency import IdempotencyKeys
from realtime_wall.channels.message import Message
from realtime_wall.channels.names import PRESENCE
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import NOTHING, CatchUp, Since
from realtime_wall.channels.rules import Rules
from realtime_wall.channels.wildcards import is_wildcard
from realtime_wall.config import Config
from realtime_wall.errors import HistoryLost, RealtimeWallError
from realtime_wall.events import published_receivers
from realtime_wall.node.channel_lifecycle import LOOK_EVERY, ChannelLifecycle
from realtime_wall.node.event_queue import EventQueue
from realtime_wall.node.fan_out import wildcard_subscriptions
from realtime_wall.node.fan_out.fan_out import FanOut
from realtime_wall.node.fan_out.subscriber import Subscriber
from realtime_wall.node.fan_out.subscriptions import Subscriptions
from realtime_wall.node.fan_out.wildcard_subscriptions import WildcardSubscriptions
from realtime_wall.node.local_commands import LocalCommands
from realtime_wall.node.publisher import Publisher
from realtime_wall.node.watchers import Receiver, Watchers
from realtime_wall.presence.tracker import Presence
from realtime_wall.sockets.budgets.visitors import FORGET_EVERY, Visitors
from realtime_wall.sockets.client_session import session_of
from realtime_wall.sockets.dispatch import stuck_receivers
from realtime_wall.sockets.dispatch.inbox import Pool
from realtime_wall.sockets.dispatch.stuck_receivers import StuckReceivers
from realtime_wall.sockets.recovery.detached_sessions import DetachedSessions
from realtime_wall.sockets.registry import connected_sockets
from realtime_wall.sockets.returns.recheck import Recheck
from realtime_wall.sockets.returns.returned_users import ReturnedUsers
from realtime_wall.sockets.revocation.revocation import Listener, Revocation
from realtime_wall.wire.timer_wheel import TimerWheel

log = logging.getLogger(__name__)

# How long a server that is behind another one is waited for.
BEHIND = 1.0

_current: Node | None = None


# Makes the link to the other servers, for a server with this address.
Connect = Callable[[Rules, str], ServerLink]


class Node:
    def __init__(self, config: Config, connect: Connect | None = None) -> None:
        self.config = config
        self.channels_per_connection = config.channels_per_connection
        self.rules = rules_of(config)
        self.address = new_address()
        if connect is None:  # to nobody else
            link: ServerLink = Hub(self.rules, config.history_channels, self.address)
        else:
            link = connect(self.rules, self.address)
        self.broker = Broker(self.rules, config.history_channels, link, self)
        self.handlers = self.broker.handlers  # of what this server is asked
        self.subscriptions = Subscriptions()
        self._wildcards = WildcardSubscriptions(self.subscriptions, self.rules, self.broker.channels)
        self.pool = Pool(config.receiver_pool, config.inbox_size)
        self.stuck_receivers = StuckReceivers(self.pool, config.stuck_receiver, config.abandoned_receiver)
        self.timer_wheel = TimerWheel()
        self.detached_sessions = DetachedSessions(self.timer_wheel, config.resume_timeout)
        self.listeners: set[Listener] = set()  # one-way ones; the others are among connected_sockets
        self.revocation = Revocation(config, self.timer_wheel, self.detached_sessions, self.listeners)
        self.tickets = self.revocation.tickets
        asks_site = config.authorize is not None
        self.recheck = Recheck(self.timer_wheel, self.revocation.sessions, self.tickets, asks_site)
        self.returned_users = ReturnedUsers(self.tickets, asks_site, lambda: self._may_wait)
        self.visitors = Visitors(config, self.revocation.sessions.user_id_of)
        self.stopping = False
        self._fan_out = FanOut(with_ring=config.io_uring)
        self.publisher = Publisher(
            self.broker,
            self.subscriptions,
            self._wildcards,
            self._fan_out,
            config.message_size,
            self._published,
        )
        self.presence = Presence(self.broker, self.rules, config.presence_grace, self.publisher.publish_event)
        self.watchers = Watchers()
        self._events = EventQueue(link)
        self._life = ChannelLifecycle(
            config.events_channel, self.rules, self.broker, self.subscriptions, self._events.put
        )
        self.broker.on_forgotten(self._life.forgotten)
        # What publishers over HTTP were answered, by channels and idempotency key.
        self.publisher_answers: IdempotencyKeys[str] = IdempotencyKeys()
        LocalCommands(self.publisher, self.subscriptions, self.revocation).register(self.handlers)
        self.on_end: Callable[[], object] = lambda: None  # set by whoever runs this server
        self._delivered_at_most: Position | None = None  # while everybody is sent away
        self._home = threading.get_native_id()

    def start(self) -> None:
        global _current
        self._fan_out.start()
        self._events.start()
        self.timer_wheel.start()
        self.revocation.sessions.start()
        self.timer_wheel.schedule(self.stuck_receivers, stuck_receivers.LOOK_EVERY)
        self.timer_wheel.schedule(self.visitors, FORGET_EVERY)
        self.timer_wheel.schedule(self._wildcards, wildcard_subscriptions.LOOK_EVERY)
        if self._life.is_watched:
            self.timer_wheel.schedule(self._life, LOOK_EVERY)
        for pattern, function in published_receivers:
            self.watchers.add(pattern, Receiver(self.pool, function), once=True)
        _current = self
        self.broker.join()
        self.presence.start()

    def stop(self) -> None:
        global _current
        _current = None
        self.presence.stop()
        self._events.stop()
        self.broker.leave()
        self._fan_out.stop()
        self.timer_wheel.stop()
        self.pool.close()

    @property
    def is_in_this_thread(self) -> bool:
        """Whether this is the node's own process and event loop: not a fork of it, not a native thread."""
        return self._home == threading.get_native_id()  # a fork's is another, too

    @property
    def _may_wait(self) -> bool:
        """Whether this is one of its greenlets: on the event loop itself nobody can wait."""
        return self.is_in_this_thread and gevent.getcurrent() is not gevent.get_hub()

    @property
    def refused(self) -> int:
        """How often strangers have asked for something beyond a limit."""
        return self.visitors.refused

    @property
    def dropped(self) -> int:
        """How many deliveries have found a client gone, or too slow."""
        return self._fan_out.dropped

    @property
    def delivered(self) -> int:
        """How many messages were written to clients here, each counted for each."""
        return self._fan_out.delivered

    def new_session_id(self) -> str:
        """It says which server the session is on, and nobody can guess it."""
        return f"{self.address}.{secrets.token_urlsafe(16)}"

    # The verbs

    def perform(self, command: Command[R]) -> R:
        """Do what a user asked, on all servers."""
        if command.route is Route.SEQUENCED:
            sequenced = cast("SequencedCommand", command)
            self.presence.check(sequenced)
            return cast("R", self.publisher.publish(sequenced))
        return router.perform(self.broker.calls, command)

    # The other servers

    def servers(self) -> tuple[str, ...]:
        """The addresses of those that are alive, this one too."""
        return self.broker.link.servers()

    def ask_servers(self, servers: Collection[str], request: Request, timeout: float) -> dict[str, Any]:
        """What each answers; who does not, or could not, is left out."""
        try:
            results = self.broker.calls.call(servers, request, timeout)
        except RealtimeWallError as problem:
            log.warning("other servers cannot be asked: %s", problem)
            return {}
        return {server: result for server, result in results.items() if not isinstance(result, Exception)}

    # What the broker calls

    def entered(self, entry: Entry) -> None:
        if not isinstance(entry.item, Deleted) and entry.item.channel == PRESENCE:
            self.presence.apply(entry)
            return
        self.publisher.entered(entry)
        if self.presence.is_on:
            self.presence.published(entry)

    def gone(self, address: str) -> None:
        self.presence.server_gone(address)

    def wait_for_room(self) -> None:
        self.publisher.wait_for_room()

    def start_afresh(self, before: Position) -> None:
        """Something after this position was missed here, or its epoch is over: let everybody come back."""
        self.presence.rejoin()
        self._delivered_at_most = before
        try:
            for socket in connected_sockets:
                session_of(socket).transport.abort("the log begins anew")
            for listener in list(self.listeners):
                listener.end("the log begins anew")
        finally:
            self._delivered_at_most = None

    def end(self) -> None:
        """The others cannot be reached any more, and never will be."""
        self.on_end()

    def _published(self, message: Message, is_ours: bool) -> None:
        self.watchers.see(message, is_ours)
        if self._life.is_watched:
            self._life.published(message, is_ours)

    # Subscriptions

    def subscribe(
        self, subscriber: Subscriber, channels: Mapping[str, int], since: Since = NOTHING
    ) -> CatchUp:
        """Deliver channels from now on; what came after ``since`` is handed back.

        ``channels`` says how many messages of each a new client is sent. Nothing can fall between: both
        happen without giving the event loop a turn, and what is still queued has its audience already.
        Who may wait calls ``come_up_to`` before, and then looks whether the client is still there.
        """
        new = [channel for channel in channels if self._add(channel, subscriber)]
        try:
            return self.catch_up(channels, since, subscriber)
        finally:  # afterwards: on the events channel it would be sent twice
            for channel in new:
                self._life.joined(channel)
                if self.presence.is_on and not is_wildcard(channel):
                    self.presence.subscribed(subscriber, channel)

    def _add(self, channel: str, subscriber: Subscriber) -> bool:
        added = self.subscriptions.add(channel, subscriber)
        if is_wildcard(channel):
            if added:
                self._wildcards.add(channel, subscriber)
        elif self._wildcards.in_use:
            self._wildcards.joined_by_name(channel, subscriber)
        return added

    def catch_up(
        self, channels: Mapping[str, int], since: Since, subscriber: Subscriber | None = None
    ) -> CatchUp:
        """What is to be sent of channels to somebody who comes, or comes back."""

        def is_for_reader(message: Message) -> bool:
            if not message.exclude or subscriber is None:
                return message.is_for("")  # who polls is in no namespace
            return not subscriber.is_known_as(message.exclude)

        return resume.catch_up(self.broker, self._wildcards.expanded(channels), since, is_for_reader)

    def come_up_to(self, since: Since) -> None:
        """Wait for what a client has heard from another server and this one is just about to.

        Meanwhile the client may go, or all be sent away: it must be neither subscribed nor listed yet.
        """
        position = since.position
        if position is None and since.tag is not None:
            position = Position(self.broker.top.epoch, since.tag)
        # On the event loop nobody can wait.
        if position is not None and gevent.getcurrent() is not gevent.get_hub():
            self.broker.wait_for(position, BEHIND)

    def has_too_many_channels(self, channel: str) -> bool:
        """Whether a channel would be one more than there may be."""
        most = self.config.max_channels
        if (
            not most
            or is_wildcard(channel)
            or max(self.broker.channel_count, self.subscriptions.channel_count) < most
        ):
            return False
        return not (self.broker.published(channel) or self.subscriptions.count(channel))

    def closed_because(self, channel: str) -> str | None:
        """Why no client can join a channel now, as a key of CLOSED; None when one can."""
        rule = self.rules.of(channel)
        if rule.max_subscribers and self.subscriptions.count(channel) >= rule.max_subscribers:
            return "full"
        if rule.existing_only and not is_wildcard(channel) and not self.broker.kept(channel):
            return "no_channel"
        if self.has_too_many_channels(channel):
            return "too_many"
        return None

    def can_resume(self, channels: Iterable[str], since: Position) -> bool:
        """Whether everything after a position can still be sent, on each of these channels."""
        try:
            for channel in self._wildcards.expanded(dict.fromkeys(channels, 0)):
                self.broker.since(channel, since)
        except HistoryLost:
            return False
        return True

    def delivered_position(self) -> Position:
        """Up to here every message was delivered to those who were to hear it."""
        first, top = self._fan_out.oldest_pending_offset, self._delivered_at_most or self.broker.top
        return top if first is None else Position(top.epoch, first - 1)

    def unsubscribe(self, subscriber: Subscriber, channel: str) -> None:
        if self._wildcards.in_use and self._wildcards.stays_on(channel, subscriber):
            return
        was_on_it = self.subscriptions.remove(channel, subscriber)
        if was_on_it and is_wildcard(channel):
            self._wildcards.remove(channel, subscriber)
        elif was_on_it:
            self._life.left(channel)
            if self.presence.is_on:
                self.presence.unsubscribed(subscriber, channel)


def current() -> Node | None:
    """The node that this code runs in, if it does."""
    return _current if _current is not None and _current.is_in_this_thread else None


def this_node() -> Node:
    """The node of this process; for code that only ever runs inside one."""
    assert _current is not None
    return _current
