"""A server's part in the cluster: its copy of the log, its link to the others, and what they ask of it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from typing import Any, Protocol

import gevent

from realtime_wall.brokers import router
from realtime_wall.brokers.commands import Receipt
from realtime_wall.brokers.entry import Entry
from realtime_wall.brokers.link import Link, Note, ServerLink
from realtime_wall.brokers.replica import Replica
from realtime_wall.brokers.rpc import Answers, Calls, Expected, reply
from realtime_wall.channels.history import ChannelImage
from realtime_wall.channels.log import Image, Log
from realtime_wall.channels.position import Position
from realtime_wall.channels.rules import Rules
from realtime_wall.errors import RealtimeWallError

log = logging.getLogger(__name__)


class Server(Protocol):
    """The server, as its broker sees it."""

    def entered(self, entry: Entry) -> None:
        """It is in the log now; whoever listens here is to be told. Must not wait."""

    def answer(self, request: dict[str, Any]) -> Any:
        """Do what another server, or this one, asks; runs in a greenlet of its own."""

    def wait_for_room(self) -> None: ...
    def gone(self, address: str) -> None:
        """Another server has left. Must not wait."""

    def start_afresh(self, before: Position) -> None:
        """Something after this position was missed, or its epoch is over: every client has to come back."""

    def end(self) -> None:
        """The link is lost for good."""


class Broker(Replica):
    def __init__(self, rules: Rules, history_channels: int, link: ServerLink, server: Server) -> None:
        super().__init__(rules, history_channels)
        self._link = link
        self._server = server
        self.calls = Calls(link, self._answer)
        self._has_begun = False
        self.dropped = 0  # notes that made no sense

    @property
    def link(self) -> Link:
        return self._link

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

    # As a caller

    def call(self, servers: Collection[str], request: dict[str, Any], timeout: float) -> Answers:
        return self.calls.call(servers, request, timeout)

    def expect(self, key: str, servers: Collection[str]) -> Expected:
        return self.calls.expect(key, servers)

    def report(self, entry: Entry, answer: Receipt | dict[str, Any]) -> None:
        """Tell who said it whom it has reached here, or what else is to be answered."""
        note = {"reply": entry.key, "from": self.address, "answer": router.result(answer)}
        if entry.origin == self.address:
            self.calls.answered(note)
        else:
            gevent.spawn(self.link.tell, entry.origin, note)

    # As a member

    def begin(self, image: Iterator[ChannelImage | Image]) -> None:
        before = self.top
        self.restore(image)
        self._start_afresh(before)

    def take_over(self) -> Log:
        before = self.top
        log = self.renew()
        self._start_afresh(before)
        return log

    def _start_afresh(self, before: Position) -> None:
        if self._has_begun:
            self._server.start_afresh(before)
        self._has_begun = True

    def entry(self, entry: Entry) -> None:
        self.enter(entry)
        self._server.entered(entry)

    def note(self, note: Note) -> None:
        try:
            if "reply" in note:
                self.calls.answered(note)
            else:
                gevent.spawn(self._reply, note, note["request"], str(note["from"]))
        except (KeyError, TypeError):
            self.dropped += 1

    def wait_for_room(self) -> None:
        self._server.wait_for_room()

    def cut_off(self) -> None:
        self._server.end()

    def gone(self, address: str) -> None:
        """Another server has left: it answers nothing any more."""
        self.calls.gone(address)
        self._server.gone(address)

    def _reply(self, call: Note, request: dict[str, Any], origin: str) -> None:
        answer = self._answer(request)
        try:
            self.link.tell(origin, reply(call, self.address, answer))
        except RealtimeWallError as problem:
            log.warning("an answer to server %s was lost: %s", origin, problem)

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            return router.result(self._server.answer(request))
        except RealtimeWallError as problem:
            return router.error(problem)
        except Exception as problem:
            log.exception("a request of another server failed")
            return router.error(problem)
