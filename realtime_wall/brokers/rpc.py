"""Asking servers, and waiting for what they answer.

A call is an envelope to a server, its reply an envelope back. A counted proposal is a call to all servers,
whose replies say whom it reached. A reply that comes too late, or from nobody who was asked, is dropped.
A server that asks itself does so with objects; JSON is for what leaves the process.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from itertools import count
from typing import Any, Protocol, TypeVar

from gevent.event import Event

from realtime_wall.brokers.command_json import from_json, to_json
from realtime_wall.brokers.commands import Request
from realtime_wall.brokers.link import Envelope, Link
from realtime_wall.brokers.results import failure, result_from_json, result_to_json
from realtime_wall.brokers.waiting import check_may_wait
from realtime_wall.errors import RealtimeWallError

log = logging.getLogger(__name__)

# By the address of the server; an exception where it failed.
Results = dict[str, Any]
Q = TypeVar("Q", bound=Request)


class Caller(Protocol):
    """Whoever can ask servers: one of them, or a process that is none."""

    @property
    def link(self) -> Link: ...

    def call(self, servers: Collection[str], request: Request, timeout: float) -> Results:
        """The result of each; who does not answer in time is left out."""

    def expect(self, key: str, servers: Collection[str]) -> Expected:
        """Wait for replies to something that is about to be sent under this key."""


class Expected(Protocol):
    def gather(self, timeout: float) -> Results: ...


class Handlers:
    """What a server does when it is asked: a function for each type of request, registered by its part.

    What every process may ask is in ``commands.py``; what only servers ask each other is a class of the part
    that asks it.
    """

    def __init__(self) -> None:
        self._by_type: dict[type[Request], Callable[[Any], Any]] = {}
        self._kinds: dict[str, type[Request]] = {}

    def add(self, kind: type[Q], handler: Callable[[Q], Any]) -> None:
        """It is called in the greenlet that asks, or in one of its own, and may wait."""
        self._by_type[kind] = handler
        self._kinds[kind.__name__] = kind

    def perform(self, request: Request) -> Any:
        return self._by_type[type(request)](request)

    def perform_json(self, value: object) -> Any:
        """ValueError for what is no request that is known here."""
        return self.perform(from_json(value, self._kinds, of_server=True))


class Calls:
    """Those of a process that is reached by envelopes."""

    def __init__(self, link: Link, handlers: Handlers) -> None:
        self.link = link
        self.handlers = handlers  # of what this process asks itself, and others ask of it
        self._expected: dict[str, _Expected] = {}
        self._numbers = count(1)

    def call(self, servers: Collection[str], request: Request, timeout: float) -> Results:
        own = self.link.address
        others = [server for server in servers if server != own]
        if not others:
            return {own: self._perform(request)} if servers else {}
        key = f"{own}:call{next(self._numbers)}"
        expected = self.expect(key, others)
        envelope = {"call": key, "from": own, "request": to_json(request)}
        for server in others:
            self.link.send(server, envelope)
        results = {own: self._perform(request)} if len(others) < len(servers) else {}
        return {**results, **expected.gather(timeout)}

    def expect(self, key: str, servers: Collection[str]) -> _Expected:
        # What is sent twice at once is counted for whoever sends it first.
        return _Expected(self._expected, key, () if key in self._expected else servers)

    def _perform(self, request: Request) -> Any:
        try:
            return self.handlers.perform(request)
        except RealtimeWallError as problem:
            return failure(problem)
        except Exception as problem:
            log.exception("a request of this server failed")
            return failure(problem)

    # What comes in

    def replied(self, key: str, server: str, result: Any) -> None:
        expected = self._expected.get(key)
        if expected is not None:
            expected.replied(server, result)

    def received_reply(self, envelope: Envelope) -> None:
        """KeyError or TypeError for what is none."""
        self.replied(envelope["reply"], envelope["from"], result_from_json(envelope["result"]))

    def reply_to(self, key: str, request: object) -> Envelope:
        """Do what another server asks; the result is its reply."""
        result: Any
        try:
            result = self.handlers.perform_json(request)
        except RealtimeWallError as problem:
            result = problem
        except Exception as problem:
            log.exception("a request of another server failed")
            result = problem
        return reply(key, self.link.address, result)

    def gone(self, server: str) -> None:
        """It answers nothing any more."""
        for expected in list(self._expected.values()):
            expected.leave_out(server)


class _Expected:
    def __init__(self, open_: dict[str, _Expected], key: str, servers: Collection[str]) -> None:
        self._open = open_
        self._key = key
        self._silent = set(servers)
        self._results: Results = {}
        self._done = Event()
        if self._silent:
            open_[key] = self

    def gather(self, timeout: float) -> Results:
        if self._open.get(self._key) is self:
            try:
                if self._silent and timeout:
                    check_may_wait()
                    self._done.wait(timeout)
            finally:
                del self._open[self._key]
        return self._results

    def replied(self, server: str, result: Any) -> None:
        if server in self._silent:
            self._results[server] = result
            self.leave_out(server)

    def leave_out(self, server: str) -> None:
        self._silent.discard(server)
        if not self._silent:
            self._done.set()


def reply(key: str, server: str, result: Any) -> Envelope:
    return {"reply": key, "from": server, "result": result_to_json(result)}
