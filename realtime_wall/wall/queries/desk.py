"""What do moderators find of a wall? Its posts by state, its bans, and how many wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from realtime_wall.wall.models import Ban, Decision, State, Tweet, Wall
from realtime_wall.wall.moderation.desk_channel import listed

PAGE = 60


@dataclass(frozen=True, slots=True)
class DeskPage:
    items: list[dict[str, Any]]
    next: int | None  # where the next page begins


def posts_in(wall: Wall, state: State, behind: int | None = None) -> DeskPage:
    """Who waits longest comes first; of the others, the newest."""
    rows = wall.tweets.filter(state=state)
    if state == State.WAITING:
        rows = rows.filter(id__gt=behind or 0).order_by("id")
    else:
        rows = (rows.filter(id__lt=behind) if behind else rows).order_by("-id")
    found = list(rows.annotate(by=Subquery(_last_decisions().values("by")[:1]))[: PAGE + 1])
    items = [
        listed(tweet.content, tweet.state, tweet.reason, tweet.show_at, by=tweet.by or "")
        for tweet in found[:PAGE]
    ]
    return DeskPage(items, found[PAGE - 1].pk if len(found) > PAGE else None)


def _last_decisions() -> QuerySet[Decision]:
    return Decision.objects.filter(tweet=OuterRef("pk")).order_by("-id")


def waiting(wall: Wall) -> int:
    return wall.tweets.filter(state=State.WAITING).count()


def bans_of(wall: Wall) -> list[dict[str, Any]]:
    """Those that hold here, the newest first."""
    bans = Ban.objects.filter(Q(wall=wall) | Q(wall=None)).exclude(until__lte=timezone.now())
    return [
        {
            "id": ban.pk,
            "name": str(ban),
            "username": ban.username,
            "source": ban.source,
            "everywhere": ban.wall_id is None,
            "until": ban.until.isoformat() if ban.until else None,
            "by": ban.by,
        }
        for ban in bans[:500]
    ]


def found_by(wall: Wall, key: str) -> Tweet | None:
    source, _, post_id = key.partition(":")
    return wall.tweets.filter(source=source, post_id=post_id).first()
