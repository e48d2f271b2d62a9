"""Shows what has waited long enough, and publishes what those who decided it could not.

One server of all does it, in a greenlet; the database is asked in a thread. A moderator and the clock may
come to the same post at once: whoever changes its state first has decided.
"""

from __future__ import annotations

import logging
from typing import Any

import gevent
from django.db import DatabaseError
from django.db.models import F, QuerySet
from django.utils import timezone
from gevent.event import Event

from realtime_wall import cluster
from realtime_wall.api import run_in_threadpool
from realtime_wall.cluster import Lease
from realtime_wall.wall.feed.announce import announce
from realtime_wall.wall.feed.publish_queue import publisher
from realtime_wall.wall.feed.store import Stored
from realtime_wall.wall.models import Mode, State, Tweet
from realtime_wall.wall.moderation.desk_channel import listed
from realtime_wall.wall.moderation.open_pages import publish_late
from realtime_wall.wall.programs import webhook_queue
from realtime_wall.wall.write_transaction import write_transaction

logger = logging.getLogger(__name__)

LEASE = "delay-line"
EVERY = 0.5  # seconds, while something waits for the clock
IDLE = 2.0  # else: most walls have no delay, and each look is a connection to the database
WITHOUT_DATABASE = 5.0
PORTION = 50


class DelayLine:
    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._stopping = Event()
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        self._stopping.set()
        if self._greenlet is not None:
            self._greenlet.join(timeout=1)
            self._greenlet.kill()
        self._lease.release()

    def _run(self) -> None:
        pause = IDLE
        while not self._stopping.wait(pause):
            pause = IDLE
            try:
                if self._lease.take() and self._look():
                    pause = EVERY
            except DatabaseError as problem:
                logger.info("what waits cannot be looked up: %s", problem)
                pause = WITHOUT_DATABASE
            except Exception:
                logger.exception("what has waited long enough could not be shown")

    def _look(self) -> bool:
        """Show what is due; whether more waits for the clock."""
        for slug, stored in run_in_threadpool(release_due).items():
            announce(slug, stored, publisher())
        return run_in_threadpool(look_after_the_rest)


def look_after_the_rest() -> bool:
    """Publish what could not be; whether something waits for the clock."""
    publish_late()
    return Tweet.objects.filter(state=State.WAITING, show_at__isnull=False).exists()


def release_due() -> dict[str, Stored]:
    """What is shown from now on, by the wall's slug."""
    found: dict[str, Stored] = {}
    if not _due().exists():
        return found
    with write_transaction():
        for tweet in _due():
            as_it_was = Tweet.objects.filter(pk=tweet.pk, state=State.WAITING, show_at=tweet.show_at)
            change: dict[str, Any] = {"state": State.SHOWN, "reason": "", "show_at": None}
            if as_it_was.update(**change, publications=F("publications") + 1):
                stored = found.setdefault(tweet.wall.slug, Stored())
                tweet.publications += 1
                stored.new.append(tweet.content)
                stored.event_ids[str(tweet)] = tweet.event_ids[-1:]
                stored.waiting.append(listed(tweet.content, State.SHOWN, was=State.WAITING))
                webhook_queue.note(tweet.wall, [tweet.content])
    return found


def _due() -> QuerySet[Tweet]:
    due = Tweet.objects.filter(state=State.WAITING, show_at__lte=timezone.now())
    # On a wall where posts are approved by now, the clock approves none.
    due = due.exclude(wall__mode=Mode.APPROVED).select_related("wall").order_by("show_at", "id")
    return due[:PORTION]


# The receivers of signals

_running: dict[Any, DelayLine] = {}


def start(node: Any, **_: Any) -> None:
    """Receiver of ``server_started``."""
    if node not in _running:
        _running[node] = line = DelayLine(cluster.lease(LEASE))
        line.start()


def stop(node: Any, **_: Any) -> None:
    """Receiver of ``server_stopping``."""
    line = _running.pop(node, None)
    if line is not None:
        line.stop()
