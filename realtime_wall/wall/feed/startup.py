"""Starts the feeds of all walls with the server, and ends them with it."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from realtime_wall import cluster
from realtime_wall.wall import options
from realtime_wall.wall.feed import publish_queue
from realtime_wall.wall.feed.feed_supervisor import FeedSupervisor

LEASE = "feeder"

_running: dict[Any, FeedSupervisor] = {}


def start_feed(node: Any, **_: Any) -> None:
    """Receiver of ``server_started``."""
    if node not in _running:
        publish_queue.start(node.address)
        _running[node] = supervisor = FeedSupervisor(options.current, cluster.lease(LEASE))
        supervisor.start()


def stop_feed(node: Any, **_: Any) -> None:
    """Receiver of ``server_stopping``."""
    supervisor = _running.pop(node, None)
    if supervisor is not None:
        supervisor.stop()
        publish_queue.stop(node.address)


def sources_saved(**_: Any) -> None:
    """Receiver of Django's ``post_save`` and ``post_delete``: the admin may be in this very server."""
    transaction.on_commit(_look)


def _look() -> None:
    for supervisor in _running.values():
        supervisor.look()
