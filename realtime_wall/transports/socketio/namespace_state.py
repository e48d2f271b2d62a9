"""In which state is a client in a namespace, and which may follow?

::

    Joining --> CatchingUp <--> Live
       |            |            |
       |            v            |
       +--------> Gone <---------+

*Joining*: the connect receivers are asked, and perhaps the receivers of the channels of an earlier session.
Nothing is written: what they send waits here, and what is published is in the log. *CatchingUp*: it was
welcomed, and something waits for it in a backlog: what it missed, or live messages that it does not read fast
enough. What is published waits behind. Nothing waits any more: *Live*, each message is written as it comes;
a client that falls behind catches up again. *Gone*: it was refused, it left, or its connection is lost.
Whoever comes back is Joining anew, with a secret (``recovery.py``).

So there is no way from Joining to Live: whose connection breaks off while what it missed is being written is
owed that, however little it is. What only one state has is in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from realtime_wall.channels.position import Position
from realtime_wall.sockets.delivery.backlog import Backlog
from realtime_wall.sockets.recovery.detached_sessions import DetachedSession


class Joining:
    __slots__ = ("earlier", "sends", "since")

    def __init__(self, earlier: DetachedSession | None, since: dict[str, Position]) -> None:
        self.earlier = earlier  # the session that is to be resumed
        self.since = since  # by channel: from where on it is to be delivered
        self.sends: list[Callable[[], object]] = []  # what connect receivers send


class CatchingUp:
    __slots__ = ("backlog",)

    def __init__(self, backlog: Backlog) -> None:
        self.backlog = backlog


class Live:
    __slots__ = ()


class Gone:
    __slots__ = ()


NamespaceState = Joining | CatchingUp | Live | Gone

LIVE: Final = Live()
GONE: Final = Gone()

TRANSITIONS: dict[type[NamespaceState], frozenset[type[NamespaceState]]] = {
    Joining: frozenset({CatchingUp, Gone}),
    CatchingUp: frozenset({Live, Gone}),
    Live: frozenset({CatchingUp, Gone}),
    Gone: frozenset(),
}


class ImpossibleNamespaceTransition(AssertionError):
    """A fault of ours: the table does not have it."""


def following(state: NamespaceState, new: NamespaceState) -> NamespaceState:
    """The new state, if it may follow the other."""
    if type(new) not in TRANSITIONS[type(state)]:
        raise ImpossibleNamespaceTransition(f"{type(new).__name__} cannot follow {type(state).__name__}")
    return new
