"""Asking other servers, and waiting for what they answer.

A call is a note to a server, its answer a note back. A counted draft is a call to all servers, whose answers
are whom it reached. An answer that comes too late, or from nobody who was asked, is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import count
from typing import Any, Protocol

from gevent.event import Event

from realtime_wall.brokers.link import Link, Note

Answers = dict[str, Any]  # by the address of who answered


class Caller(Protocol):
    """Whoever can ask servers: one of them, or a process that is none."""

    @property
    def link(self) -> Link: ...

    def call(self, servers: Collection[str], request: dict[str, Any], timeout: float) -> Answers:
        """What each answers; who does not in time is left out."""

    def expect(self, key: str, servers: Collection[str]) -> Expected:
        """Wait for answers to something that is about to be said under this key."""


class Expected(Protocol):
    def gather(self, timeout: float) -> Answers: ...


class Calls:
    """Those of a server."""

    def __init__(self, link: Link, answer: Callable[[dict[str, Any]], Any]) -> None:
        self.link = link
        self._answer = answer  # to a request that this server puts to itself
        self._expected: dict[str, _Expected] = {}
        self._numbers = count(1)

    def call(self, servers: Collection[str], request: dict[str, Any], timeout: float) -> Answers:
        others = [one for one in servers if one != self.link.address]
        key = f"{self.link.address}:call{next(self._numbers)}"
        expected = self.expect(key, others)
        for server in others:
            self.link.tell(server, {"call": key, "from": self.link.address, "request": request})
        answers = {self.link.address: self._answer(request)} if len(others) < len(servers) else {}
        return {**answers, **expected.gather(timeout)}

    def expect(self, key: str, servers: Collection[str]) -> _Expected:
        # What is said twice at once is counted for whoever says it first.
        return _Expected(self._expected, key, () if key in self._expected else servers)

    def answered(self, note: Note) -> None:
        """An answer has come."""
        expected = self._expected.get(note["reply"])
        if expected is not None:
            expected.answered(note["from"], note["answer"])

    def gone(self, server: str) -> None:
        """It answers nothing any more."""
        for expected in list(self._expected.values()):
            expected.leave_out(server)


class _Expected:
    def __init__(self, open_: dict[str, _Expected], key: str, servers: Collection[str]) -> None:
        self._open = open_
        self._key = key
        self._silent = set(servers)
        self._answers: Answers = {}
        self._done = Event()
        if self._silent:
            open_[key] = self

    def gather(self, timeout: float) -> Answers:
        if self._open.get(self._key) is self:
            try:
                if self._silent:
                    self._done.wait(timeout)
            finally:
                del self._open[self._key]
        return self._answers

    def answered(self, server: str, answer: Any) -> None:
        if server in self._silent:
            self._answers[server] = answer
            self.leave_out(server)

    def leave_out(self, server: str) -> None:
        self._silent.discard(server)
        if not self._silent:
            self._done.set()


def reply(call: Note, server: str, answer: Any) -> Note:
    return {"reply": call["call"], "from": server, "answer": answer}
