"""Starts the feed that the settings ask for with the server, and ends it with the server."""

from __future__ import annotations

from typing import Any

from realtime_wall.wall import options
from realtime_wall.wall.feed import Feed
from realtime_wall.wall.models import MAIN
from realtime_wall.wall.sources.from_settings import sources_from

_running: dict[Any, Feed] = {}


def start_feed(node: Any, **_: Any) -> None:
    """Receiver of ``server_started``. Without a source there is no feed."""
    chosen = options.current()
    sources = sources_from(chosen, MAIN)
    if sources and node not in _running:
        _running[node] = feed = Feed(MAIN, sources, banned=chosen.banned_users)
        feed.start()


def stop_feed(node: Any, **_: Any) -> None:
    """Receiver of ``server_stopping``."""
    feed = _running.pop(node, None)
    if feed is not None:
        feed.stop()
