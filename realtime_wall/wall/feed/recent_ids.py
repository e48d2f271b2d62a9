"""The posts that were handled lately: most duplicates come soon, and need no database to be known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from realtime_wall.wall.post import Item, Mark, Post, Removal

SIZE = 20_000


class RecentIds:
    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._versions: dict[str, int] = {}  # the oldest first

    def unseen(self, items: Iterable[Item]) -> list[Item]:
        """Of each post its highest version, unless that was added before; and every mark."""
        return latest(
            item
            for item in items
            if isinstance(item, Mark) or item.version > self._versions.get(item.key, -1)
        )

    def add(self, items: Iterable[Item]) -> None:
        for item in items:
            if isinstance(item, (Post, Removal)):
                known = self._versions.pop(item.key, -1)
                self._versions[item.key] = max(known, item.version)
        while len(self._versions) > self._size:
            del self._versions[next(iter(self._versions))]


def latest(items: Iterable[Item]) -> list[Item]:
    """Of each post only its highest version, where its first one stood; of marks each."""
    found: dict[object, Item] = {}
    for item in items:
        if isinstance(item, Mark):
            found[item] = item
        elif (
            (known := found.get(item.key)) is None or isinstance(known, Mark) or known.version < item.version
        ):
            found[item.key] = item
    return list(found.values())


def cursors(items: Sequence[Item]) -> dict[str, str]:
    """How far each source has come with these."""
    return {item.source: item.cursor for item in items if item.cursor}
