"""What a client was asked, and who waits for its answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# A client that never answers must not make us remember for ever what we asked it.
MAX_OPEN = 1000


class Reply:
    """Who waits for an answer: it is called with it, or when there will be none. Neither may block."""

    __slots__ = ("give_up", "set")

    def __init__(self, set: Callable[[list[Any]], object], give_up: Callable[[], object]) -> None:
        self.set = set
        self.give_up = give_up


class PendingAcks:
    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: dict[int, Reply] = {}

    def add(self, reply: Reply) -> int:
        """The id under which the client is to answer."""
        if len(self._open) >= MAX_OPEN:
            self._open.pop(next(iter(self._open))).give_up()
        reply_id = max(self._open, default=0) + 1
        self._open[reply_id] = reply
        return reply_id

    def acknowledged(self, reply_id: Any, args: list[Any]) -> None:
        """An id nobody waits for is ignored."""
        reply = self._open.pop(reply_id, None) if isinstance(reply_id, int) else None
        if reply is not None:
            reply.set(args)

    def give_up(self) -> None:
        """The connection is lost: nobody will answer what was asked over it."""
        replies, self._open = self._open, {}
        for reply in replies.values():
            reply.give_up()
