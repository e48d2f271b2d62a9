"""What do the scripts of a page have to be told? Where to listen, and every word they may have to say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext

from realtime_wall.wall.models import Wall
from realtime_wall.wall.moderation.pinned_post import pinned_key
from realtime_wall.wall.moderation.screens import screens_channel
from realtime_wall.wall.pages.card import card_labels, utc_now
from realtime_wall.wall.stage.director import state_of
from realtime_wall.wall.stage.look import badge_words, look_of, merged
from realtime_wall.wall.stage.slides import slides_of
from realtime_wall.wall.stage.source_problems import is_down


def live_words(wall: Wall, asked: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Of any page that shows posts as they come; ``asked`` is what its address says of how it looks."""
    look, asked = look_of(wall), dict(asked or {})
    return {
        "look": look,
        "asked": asked,
        "channel": wall.channel,
        "screens": screens_channel(wall.slug),
        "pinned": pinned_key(wall),
        "director": state_of(wall),
        "slides": slides_of(wall),
        "down": is_down(wall),
        "now": utc_now().isoformat(),
        "card": card_labels(badge_words(merged(look, asked))),
        "more": gettext("{} more"),
        "fresh": gettext("{} new"),
        "status": {
            "live": gettext("live"),
            "behind": gettext("earlier posts"),
            "lost": gettext("connection lost"),
            "failed": gettext("no connection"),
            "closed": gettext("connection closed: load the page again"),
        },
    }
