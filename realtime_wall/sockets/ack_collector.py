"""One question to many clients, and what each of them answers."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import Any

from gevent.event import Event

from realtime_wall.brokers.results import Answers
from realtime_wall.sockets.arguments import Arguments
from realtime_wall.sockets.client_session import ClientSession
from realtime_wall.sockets.pending_acks import Reply
from realtime_wall.wire.time_slice import SLICE, TimeSlice


def ask(sessions: Sequence[ClientSession], name: str, arguments: Arguments, timeout: float) -> Answers:
    """Ask them all, and wait until everybody has answered or is gone, ``timeout`` seconds at most."""
    deadline = monotonic() + timeout
    gathering = _Gathering({session.id for session in sessions})
    time_slice = TimeSlice(SLICE)
    for session in sessions:
        session.ask(name, arguments, gathering.reply_of(session.id))
        time_slice.yield_if_due()
    gathering.done.wait(max(deadline - monotonic(), 0.0))
    gathering.done.set()
    return Answers(gathering.answers, tuple(one.id for one in sessions if one.id in gathering.silent))


class _Gathering:
    def __init__(self, session_ids: set[str]) -> None:
        self.answers: dict[str, Any] = {}
        self.silent = session_ids
        self.done = Event()
        self._open = len(session_ids)

    def reply_of(self, session_id: str) -> Reply:
        return Reply(lambda args: self._answered(session_id, args), self._one_less)

    def _answered(self, session_id: str, args: list[Any]) -> None:
        if not self.done.is_set():  # what comes later is too late
            self.answers[session_id] = args[0] if len(args) == 1 else args or None
            self.silent.discard(session_id)
        self._one_less()

    def _one_less(self) -> None:
        self._open -= 1
        if not self._open:
            self.done.set()
