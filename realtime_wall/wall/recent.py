"""The posts that were handled lately: most duplicates come soon, and need no database to be known."""

from __future__ import annotations

from collections.abc import Iterable

from realtime_wall.wall.post import Post

SIZE = 20_000


class Recent:
    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._keys: dict[str, None] = {}  # the oldest first

    def unseen(self, posts: Iterable[Post]) -> list[Post]:
        """Each of these once, without those that were added before."""
        unseen: dict[str, Post] = {}
        for post in posts:
            if post.key not in self._keys:
                unseen.setdefault(post.key, post)
        return list(unseen.values())

    def add(self, posts: Iterable[Post]) -> None:
        for post in posts:
            self._keys[post.key] = None
        while len(self._keys) > self._size:
            del self._keys[next(iter(self._keys))]
