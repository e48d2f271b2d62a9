"""What do the site's receivers cost: how often does each run, how long, how often does it fail?

And how many database connections has each opened, and has open now?
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

from realtime_wall.signals import Receiver, name_of

# Of more receivers (one made for each socket, say) no figures are kept.
MOST = 1000


@dataclass(slots=True)
class ReceiverFigures:
    calls: int = 0
    failures: int = 0
    seconds: float = 0.0
    connections: int = 0  # that it has opened
    opened: WeakSet[Any] = field(default_factory=WeakSet)

    @property
    def open_connections(self) -> int:
        return sum(one.connection is not None for one in self.opened)


# Of this process, by name.
figures: dict[str, ReceiverFigures] = {}


def note(receiver: Receiver, seconds: float, failed: bool) -> None:
    """It has run once."""
    found = figures.get(name_of(receiver)) or _figures_of(receiver)
    if found is not None:
        found.calls += 1
        found.seconds += seconds
        found.failures += failed


# Which receiver runs in a greenlet, or has run there.
running: ContextVar[Receiver | None] = ContextVar("running", default=None)


def note_connection(connection: Any) -> None:
    """A database connection was opened here."""
    receiver = running.get()
    found = None if receiver is None or connection is None else _figures_of(receiver)
    if found is not None:
        found.connections += 1
        found.opened.add(connection)


def _figures_of(receiver: Receiver) -> ReceiverFigures | None:
    name = name_of(receiver)
    found = figures.get(name)
    if found is None and len(figures) < MOST:
        found = figures[name] = ReceiverFigures()
    return found
