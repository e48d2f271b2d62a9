"""Shows what has waited long enough, and publishes what those who decided it could not.

One server of all does it, in a greenlet; the database is asked in a thread. A moderator and the clock may
come to the same post at once: whoever changes its state first has decided.
"""

from __future__ import annotations

from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone

from realtime_wall.api import run_in_threadpool
from realtime_wall.cluster import LeaderTask
from realtime_wall.wall.feed.announce import announce
from realtime_wall.wall.feed.publish_queue import publisher
from realtime_wall.wall.feed.store import Stored
from realtime_wall.wall.models import Mode, State, Tweet
from realtime_wall.wall.moderation.desk_channel import listed
from realtime_wall.wall.moderation.open_pages import publish_late
from realtime_wall.wall.programs import webhook_queue
from realtime_wall.wall.write_transaction import write_transaction

SOON = 0.5  # seconds, while something waits for the clock
PORTION = 50


class DelayLine(LeaderTask):
    name = "delay-line"
    every = 2.0  # most walls have no delay, and each look is a connection to the database

    def look(self) -> float | None:
        """Show what is due."""
        for slug, stored in run_in_threadpool(release_due).items():
            announce(slug, stored, publisher())
        return SOON if run_in_threadpool(look_after_the_rest) else None


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
