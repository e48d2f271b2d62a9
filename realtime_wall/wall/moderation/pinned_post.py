"""Which post stays on top of the wall? One at most, and only while it is shown.

Pages are sent its key alone: what a message says stays in the log, and a post may be hidden tomorrow.
"""

from __future__ import annotations

from realtime_wall import api
from realtime_wall.wall.models import State, Tweet, Wall


def pinned(wall: Wall) -> Tweet | None:
    if wall.pinned_id is None:
        return None
    return Tweet.objects.filter(pk=wall.pinned_id, state=State.SHOWN).first()


def pinned_key(wall: Wall) -> str:
    tweet = pinned(wall)
    return str(tweet) if tweet else ""


def publish_pinned(wall: Wall) -> dict[str, str]:
    """To the open pages; what they are sent."""
    message = {"key": pinned_key(wall)}
    api.publish(wall.channel, message, "tweet_pinned")
    return message


def unpin(wall: Wall, tweet: Tweet) -> None:
    """If it is this one: it is hidden now."""
    # Looked up first: a write, if only of nothing, would have the event loop wait for who writes now.
    if Wall.objects.filter(pk=wall.pk, pinned=tweet).exists():
        Wall.objects.filter(pk=wall.pk, pinned=tweet).update(pinned=None)
        wall.pinned = None
        publish_pinned(wall)
