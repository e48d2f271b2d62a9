"""How are the screens of a wall? For the moderators' page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from realtime_wall.wall.models import Tweet, Wall

AWAY = timedelta(seconds=30)  # three reports that have not come
EXCERPT = 80


def screens_of(wall: Wall) -> list[dict[str, Any]]:
    """``state`` is live, hidden (nobody sees that tab) or away; ``ahead`` is its clock, in seconds."""
    now = timezone.now()
    screens = list(wall.screens.order_by("name"))
    posts = _posts(wall, {screen.post for screen in screens if screen.post})
    return [
        {
            "name": screen.name,
            "state": "away" if now - screen.seen > AWAY else "live" if screen.is_visible else "hidden",
            "seen": screen.seen.isoformat(),
            "layout": screen.layout,
            "post": posts.get(screen.post, screen.post),
            "ahead": round(screen.ahead / 1000, 1),
        }
        for screen in screens
    ]


def _posts(wall: Wall, keys: set[str]) -> dict[str, str]:
    """What stands on the screens, in a few words."""
    ids = {key.partition(":")[2] for key in keys}
    found: dict[str, str] = {}
    for tweet in Tweet.objects.filter(wall=wall, post_id__in=ids):
        content = tweet.content
        who = content.get("author_name") or content.get("author_username") or ""
        found[str(tweet)] = f"{who}: {content.get('text', '')}"[:EXCERPT]
    return found
