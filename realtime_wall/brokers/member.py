"""A server's part in the cluster: its copy of the log, its link to the others, and what they ask of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, Protocol

import gevent

from realtime_wall.brokers.entry import Entry
from realtime_wall.brokers.link import Envelope, Link, ServerLink
from realtime_wall.brokers.replica import Replica
from realtime_wall.brokers.rpc import Calls, Handlers, reply
from realtime_wall.channels.history import ChannelImage
from realtime_wall.channels.log import Image, Log
from realtime_wall.channels.position import Position
from realtime_wall.channels.rules import Rules
from realtime_wall.errors import RealtimeWallError

log = logging.getLogger(__name__)


class BrokerEvents(Protocol):
    """What a server is called with by its broker."""

    def entered(self, entry: Entry) -> None:
        """It is in the log now, and is to be delivered to whoever listens here. Must not wait."""

    def wait_for_room(self) -> None: ...
    def gone(self, address: str) -> None:
        """Another server has left. Must not wait."""

    def start_afresh(self, before: Position) -> None:
        """Something after this position was missed, or its epoch is over: every client has to come back."""

    def end(self) -> None:
        """The link is lost for good."""


class Broker(Replica):
    def __init__(self, rules: Rules, history_channels: int, link: ServerLink, server: BrokerEvents) -> None:
        super().__init__(rules, history_channels)
        self._link = link
        self._server = server
        self.link: Link = link
        self.handlers = Handlers()
        self.calls = Calls(link, self.handlers)
        self._has_begun = False
        self.dropped = 0  # envelopes that made no sense

    @property
    def address(self) -> str:
        return self._link.address

    def join(self) -> None:
        self._link.join(self)

    def leave(self) -> None:
        self._link.leave()

    @property
    def is_alone(self) -> bool:
        """Whether this is the only server."""
        return self._link.servers() == (self.address,)

    def answers_for(self, entry: Entry) -> bool:
        """Whether this is the one server that does what is to be done once about an entry."""
        servers = self._link.servers()
        return self.address == (entry.origin if entry.origin in servers else min(servers, default=""))

    def report(self, entry: Entry, result: Any) -> None:
        """To the origin of an entry: whom it has reached here, or what else it asks. Does not wait."""
        if entry.origin == self.address:
            self.calls.replied(entry.key, self.address, result)
            return
        self._send(entry.origin, reply(entry.key, self.address, result))

    def _send(self, address: str, envelope: Envelope) -> None:
        try:
            self._link.send(address, envelope)
        except RealtimeWallError as problem:
            log.warning("a reply to server %s was lost: %s", address, problem)

    # As a member

    def begin(self, image: Iterator[ChannelImage | Image]) -> None:
        before = self.top
        self.restore(image)
        self._start_afresh(before)

    def take_over(self, restored: Iterator[ChannelImage | Image] | None = None) -> Log:
        before = self.top
        log = super().take_over(restored)
        self._start_afresh(before)
        return log

    def _start_afresh(self, before: Position) -> None:
        if self._has_begun:
            self._server.start_afresh(before)
        self._has_begun = True

    def entry(self, entry: Entry) -> None:
        self.enter(entry)
        self._server.entered(entry)

    def receive(self, envelope: Envelope) -> None:
        try:
            if "reply" in envelope:
                self.calls.received_reply(envelope)
            else:
                gevent.spawn(self._perform, str(envelope["from"]), envelope["call"], envelope["request"])
        except (KeyError, TypeError):
            self.dropped += 1

    def _perform(self, origin: str, key: str, request: object) -> None:
        self._send(origin, self.calls.reply_to(key, request))

    def wait_for_room(self) -> None:
        self._server.wait_for_room()

    def cut_off(self) -> None:
        self._server.end()

    def gone(self, address: str) -> None:
        """Another server has left: it answers nothing any more."""
        self.calls.gone(address)
        self._server.gone(address)
