"""What do the scripts of a page have to be told? Where to listen, and every word they may have to say."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext

from realtime_wall.wall.models import Wall
from realtime_wall.wall.moderation.pinned_post import pinned_key
from realtime_wall.wall.moderation.screens import screens_channel
from realtime_wall.wall.pages.card import card_labels, utc_now
from realtime_wall.wall.stage.director import state_of


def live_words(wall: Wall) -> dict[str, Any]:
    """Of any page that shows posts as they come."""
    return {
        "channel": wall.channel,
        "screens": screens_channel(wall.slug),
        "pinned": pinned_key(wall),
        "least": wall.least,
        "layout": "stream",
        "seconds": 12,
        "quiet": 120,
        "director": state_of(wall),
        "now": utc_now().isoformat(),
        "card": card_labels(),
        "more": gettext("{} more"),
        "status": {
            "live": gettext("live"),
            "lost": gettext("connection lost"),
            "failed": gettext("no connection"),
            "closed": gettext("connection closed: load the page again"),
        },
    }
