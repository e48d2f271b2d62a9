"""What the feed asks of a place that posts come from.

To add one, write a class that fits :class:`Source`, made from an :class:`SourceRequest`, and name it by its
dotted path among the sources; one that comes with the wall is a file of this folder and a line in
``kinds.py``. ``tests/wall/sources/contract.py`` is what every one of them has to pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from realtime_wall.wall.options import Options
from realtime_wall.wall.post import Item

Emit = Callable[[Item], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRequest:
    """What a wall asks of a source."""

    wall: str  # its slug
    keywords: tuple[str, ...] = ()
    users: tuple[str | int, ...] = ()
    address: str = ""  # of the organiser; empty for what the settings say
    cursor: str = ""  # of the last item that was stored; empty at the very beginning
    options: Options = field(default_factory=Options, repr=False)  # for its secrets


class Source(Protocol):
    name: str  # the badge on its posts, at most 32 characters

    def run(self, emit: Emit) -> None:
        """Give every post, edit and removal to ``emit``, until there are no more or ``stop`` was called.

        It runs in a greenlet of its own and waits cooperatively; ``emit`` makes it wait while the
        feed is full. What it raises is logged, and it is run again after a while; unless it raises
        :class:`SourceGaveUp`.
        """

    def stop(self) -> None:
        """Make ``run`` return soon. Called from another greenlet; returns at once."""


class SourceGaveUp(Exception):
    """Trying again would change nothing: a person has to do what the message says."""
