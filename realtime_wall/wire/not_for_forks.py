"""What is open in this process that a fork of it must not have?

Whoever opens something for the server alone says so here: what leads to clients, to the other servers or to
Redis, and locks, which last as long as anybody has them. ``server/after_fork.py`` takes them from a child.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, TypeVar
from weakref import WeakSet


class HasFileno(Protocol):
    def fileno(self) -> int:
        """Negative, or a ValueError, when it is closed."""


Something = TypeVar("Something", bound=HasFileno)

_all: WeakSet[HasFileno] = WeakSet()


def not_for_forks(one: Something) -> Something:
    """As long as it is open, no fork has it."""
    _all.add(one)
    return one


def descriptors() -> Iterator[int]:
    for one in _all:
        try:
            yield one.fileno()
        except ValueError:
            continue
