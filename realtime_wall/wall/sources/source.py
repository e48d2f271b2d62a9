"""What the feed asks of a place that posts come from.

To add one, write a class that fits :class:`Source` in a file of this folder and name it in
``from_settings.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from realtime_wall.wall.post import Item

Emit = Callable[[Item], object]


class Source(Protocol):
    name: str

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
