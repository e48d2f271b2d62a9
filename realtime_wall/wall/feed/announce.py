"""Publishes what was stored; and stores and publishes at once what comes one by one.

What a webhook or ``manage.py post`` brings needs no feed: it is stored before it is confirmed, in
whichever process it arrives, and whoever sent it knows whether to try again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from realtime_wall.errors import NoServer
from realtime_wall.wall.feed.publish_queue import Publisher, publisher
from realtime_wall.wall.feed.store import DatabaseStore, Stored
from realtime_wall.wall.models import channel_of
from realtime_wall.wall.moderation.desk_channel import desk_channel
from realtime_wall.wall.post import Item, Post

logger = logging.getLogger(__name__)


def announce(slug: str, stored: Stored, publisher: Publisher) -> None:
    """Each change once, in the order of the posts; one that cannot be published does not stop the next."""
    channel = channel_of(slug)
    if stored.new or stored.changed or stored.removed:
        counts = len(stored.new), len(stored.changed), len(stored.removed)
        logger.info("%s: %d new, %d edited, %d taken back", channel, *counts)
    for event, messages in (
        ("tweet", stored.new),
        ("tweet_changed", stored.changed),
        ("tweet_removed", stored.removed),
    ):
        for message in messages:
            event_ids = stored.event_ids.get(f"{message['source']}:{message['id']}", [message["id"]])
            if event == "tweet_removed":
                _retract(publisher, channel, event_ids)
                _publish(publisher, channel, event, message, None)
            else:
                _publish(publisher, channel, event, message, event_ids[-1])
    for item in stored.waiting:
        _publish(publisher, desk_channel(slug), "desk_post", item, item["key"])


def announce_outage(slug: str, is_down: bool, publisher: Publisher) -> None:
    """Whether anything new can come: pages that are told otherwise do not claim to be live."""
    _publish(publisher, channel_of(slug), "wall_sources", {"id": "outage", "down": is_down}, None)


def _publish(
    publisher: Publisher, channel: str, event: str, message: dict[str, Any], event_id: str | None
) -> None:
    try:
        publisher.publish(channel, message, event, event_id)
    except NoServer:
        return  # then no page is open
    except Exception:
        # It is in the database, where a page that reloads finds it; the next one can do better.
        logger.exception("post %s was stored but not published", event_id or message["id"])


def _retract(publisher: Publisher, channel: str, event_ids: Sequence[str]) -> None:
    """Out of the log: who comes later, or back, is not sent it first."""
    for event_id in event_ids:
        try:
            publisher.retract(channel, event_id)
        except NoServer:
            return
        except Exception:
            logger.exception("post %s is still in the log of %s", event_id, channel)


def post_now(slug: str, items: Sequence[Item], *, banned: Iterable[str] = ()) -> Stored:
    """Store and publish; what is in ``left`` of the answer was not stored, and can be tried again."""
    is_allowed = AuthorFilter(banned)
    stored = DatabaseStore(slug).add([item for item in items if is_allowed(item)])
    announce(slug, stored, publisher())
    return stored


class AuthorFilter:
    """Whether a post is by nobody who was banned, nor passed on by one."""

    def __init__(self, banned: Iterable[str]) -> None:
        self._banned = frozenset(name.lstrip("@").casefold() for name in banned)

    def __call__(self, item: Item) -> bool:
        if not self._banned or not isinstance(item, Post):
            return True
        names = {item.author.username.casefold(), item.retweeter.username.casefold()}
        return names.isdisjoint(self._banned)
