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


def pin(wall: Wall, tweet: Tweet | None) -> dict[str, str]:
    """On the open pages as well; what they are sent. A post that is not shown is not pinned."""
    if tweet is not None and tweet.state != State.SHOWN:
        tweet = None
    Wall.objects.filter(pk=wall.pk).update(pinned=tweet)
    wall.pinned = tweet
    message = {"key": str(tweet) if tweet else ""}
    api.publish(wall.channel, message, "tweet_pinned")
    return message


def unpin(wall: Wall, tweet: Tweet) -> None:
    """If it is this one: it is hidden now."""
    if Wall.objects.filter(pk=wall.pk, pinned=tweet).exists():
        pin(wall, None)
