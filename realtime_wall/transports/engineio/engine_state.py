"""In which state is an Engine.IO session, and which may follow?

::

    Opening --> Open <--> Upgrading     a polling client tries out a WebSocket; it may try another
                 |            |
                 v            |
              Closing         |         our close frame was written, the client has not answered it yet
                 |            |
                 +--> Closed <+

What a session is carried by (``carrier.py``) is no state: an upgrade ends in Open with another carrier. A
polling client has nothing to answer a close with, so its session is Closed at once. Nothing leaves Closed.
What only one state has is in it: the probe of an upgrade.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from realtime_wall.transports.engineio.upgrade import UpgradeProbe


class Opening:
    """It was made, and nobody speaks inside its messages yet."""

    __slots__ = ()


class Open:
    """Packets go both ways."""

    __slots__ = ()


class Upgrading:
    """Packets go both ways by polling, while the client tries out a WebSocket."""

    __slots__ = ("probe",)

    def __init__(self, probe: UpgradeProbe) -> None:
        self.probe = probe


class Closing:
    """Nothing is sent or heard any more; the WebSocket waits for the client's close frame."""

    __slots__ = ()


class Closed:
    """Over; whoever spoke inside its messages was told so."""

    __slots__ = ()


# Seconds for which a session that its client has closed is still known, for a GET that was under way.
LINGER = 1.0

EngineState = Opening | Open | Upgrading | Closing | Closed

OPENING: Final = Opening()
OPEN: Final = Open()
CLOSING: Final = Closing()
CLOSED: Final = Closed()

TRANSITIONS: dict[type[EngineState], frozenset[type[EngineState]]] = {
    Opening: frozenset({Open}),
    Open: frozenset({Upgrading, Closing, Closed}),
    Upgrading: frozenset({Upgrading, Open, Closed}),
    Closing: frozenset({Closed}),
    Closed: frozenset(),
}


class ImpossibleEngineTransition(AssertionError):
    """A fault of ours: the table does not have it."""


def following(state: EngineState, new: EngineState) -> EngineState:
    """The new state, if it may follow the other."""
    if type(new) not in TRANSITIONS[type(state)]:
        raise ImpossibleEngineTransition(f"{type(new).__name__} cannot follow {type(state).__name__}")
    return new
