"""Many posts as cards, in HTML.

One page of them takes some milliseconds, and on a loaded machine many. In a server others have a turn in
between: its event loop stands still for none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.template.loader import get_template

from realtime_wall.api import time_slice
from realtime_wall.wall.pages.card import card, card_labels, utc_now

TURN = 0.004  # seconds


def cards(posts: Iterable[dict[str, Any]], badges: Mapping[str, str] | None = None) -> list[str]:
    template, labels, now = get_template("realtime_wall_wall/card.html"), card_labels(badges), utc_now()
    turn = time_slice(TURN)
    made = []
    for post in posts:
        made.append(template.render({"card": card(post, labels, now)}))
        turn.yield_if_due()
    return made
