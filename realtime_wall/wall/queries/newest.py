"""What a page needs from the database: the newest posts, and what it missed.

A page names the last post it has by its key, ``source:id``, which it can read off any published
post. What it missed is what was *stored* later, whatever the posts' own times say: a post can
arrive late. Hidden posts are left out everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from realtime_wall.wall.models import State, Tweet, Wall

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Missed:
    """Posts oldest first. ``more``: ask again with the key of the last one.

    ``known`` is false when the wall does not know the key (its tweet was deleted, or never was);
    the posts are then the newest ones, and what the page shows may have holes.
    """

    posts: list[Message]
    more: bool
    known: bool


def newest(wall: Wall, count: int) -> list[Message]:
    """Up to this many posts, newest first."""
    return list(_shown(wall).values_list("content", flat=True)[:count])


def newer_than(wall: Wall, key: str, count: int) -> Missed:
    """Up to this many of the posts that were stored after the post with this key."""
    source, _, post_id = key.partition(":")
    seen = wall.tweets.filter(source=source, post_id=post_id).values_list("id", flat=True).first()
    if seen is None:
        return Missed(newest(wall, count)[::-1], more=False, known=False)
    later = _shown(wall).filter(id__gt=seen).order_by("id").values_list("content", flat=True)
    found = list(later[: count + 1])
    return Missed(found[:count], more=len(found) > count, known=True)


def _shown(wall: Wall) -> QuerySet[Tweet]:
    return wall.tweets.filter(state=State.SHOWN)
