"""Starts the feeds of all walls with the server, and ends them with it."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from realtime_wall import config
from realtime_wall.brokers.lease import lease
from realtime_wall.wall import options
from realtime_wall.wall.feed import publish_queue
from realtime_wall.wall.feed.feed_supervisor import Feeds

LEASE = "feeder"

_running: dict[Any, Feeds] = {}


def start_feed(node: Any, **_: Any) -> None:
    """Receiver of ``server_started``."""
    if node not in _running:
        publish_queue.start(node)
        _running[node] = feeds = Feeds(options.current, lease(config.current(), LEASE))
        feeds.start()


def stop_feed(node: Any, **_: Any) -> None:
    """Receiver of ``server_stopping``."""
    feeds = _running.pop(node, None)
    if feeds is not None:
        feeds.stop()
        publish_queue.stop(node)


def sources_saved(**_: Any) -> None:
    """Receiver of Django's ``post_save`` and ``post_delete``: the admin may be in this very server."""
    transaction.on_commit(_look)


def _look() -> None:
    for feeds in _running.values():
        feeds.look()
