"""A decision reaches the open pages: what is hidden leaves them and the log, what is shown comes to them.

It can be done again: a page that has a post takes it once, and one that has it not loses nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta

from django.db import DatabaseError
from django.utils import timezone

from realtime_wall import api
from realtime_wall.errors import NoServer, RealtimeWallError
from realtime_wall.wall.feed.publish_queue import is_behind
from realtime_wall.wall.models import Decision, State, Tweet, Wall
from realtime_wall.wall.moderation.desk_channel import desk_channel, listed
from realtime_wall.wall.moderation.pinned_post import unpin

logger = logging.getLogger(__name__)

GRACE = 3.0  # seconds, in which whoever has decided publishes it himself
PORTION = 100


def publish_decisions(wall: Wall, decisions: Iterable[Decision]) -> int:
    """How many open pages were reached with what was taken back. Logs what hinders it: it is tried again."""
    reached, done = _publish_all(wall, decisions)
    try:
        # In a thread: who writes may have to wait for others, and the event loop must not.
        api.run_in_threadpool(lambda: _note(done))
    except DatabaseError as problem:
        logger.info("what was decided is published, and will be again: %s", problem)
    return reached


def publish_late() -> None:
    """What those who have decided could not publish: their server has ended, or Redis was away."""
    since = timezone.now() - timedelta(seconds=GRACE)
    late = Decision.objects.filter(is_published=False, at__lt=since).order_by("id")
    for decision in late.select_related("wall", "tweet")[:PORTION]:
        _note(_publish_all(decision.wall, [decision])[1])


def _publish_all(wall: Wall, decisions: Iterable[Decision]) -> tuple[int, list[int]]:
    reached, done = 0, list[int]()
    if is_behind():  # else a post that is hidden now would be published behind that, and stay
        return reached, done
    try:
        for decision in decisions:
            reached = max(reached, _publish(wall, decision))
            done.append(decision.pk)
    except NoServer:
        done += [decision.pk for decision in decisions]  # then no page is open
    except RealtimeWallError as problem:
        logger.error("open pages do not know yet what was decided about %s: %s", decision.key, problem)
    return reached, done


def _note(published: list[int]) -> None:
    if published:
        Decision.objects.filter(pk__in=published).update(is_published=True)


def take_down(wall: Wall, tweet: Tweet) -> int:
    """Off the open pages, and out of what is sent to those who come back; how many pages it reached."""
    reached = 0
    for event_id in tweet.event_ids:
        reached = max(reached, api.retract(wall.channel, event_id).sockets)
    api.publish(wall.channel, {"id": tweet.post_id, "source": tweet.source}, event="tweet_removed")
    return reached


def _publish(wall: Wall, decision: Decision) -> int:
    tweet, reached = decision.tweet, 0
    if tweet is None:  # it was deleted since, and whoever did that has taken it down
        return 0
    if tweet.state == State.SHOWN:
        api.publish(wall.channel, tweet.content, "tweet", tweet.event_ids[-1])
    elif decision.was == State.SHOWN:
        reached = take_down(wall, tweet)
        unpin(wall, tweet)
    item = listed(tweet.content, tweet.state, tweet.reason, tweet.show_at, by=decision.by, was=decision.was)
    api.publish(desk_channel(wall.slug), item, "desk_post")
    return reached
