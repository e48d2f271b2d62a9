"""Many posts as cards, in HTML.

One page of them takes some milliseconds, and on a loaded machine many. In a server others have a turn in
between: its event loop stands still for none.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.template.loader import get_template

from realtime_wall.node import node
from realtime_wall.wall.pages.card import card, card_labels, utc_now
from realtime_wall.wire.time_slice import TimeSlice

TURN = 0.004  # seconds


def cards(posts: Iterable[dict[str, Any]]) -> list[str]:
    template, labels, now = get_template("realtime_wall_wall/card.html"), card_labels(), utc_now()
    time_slice = TimeSlice(TURN) if node.current() is not None else None
    made = []
    for post in posts:
        made.append(template.render({"card": card(post, labels, now)}))
        if time_slice is not None:
            time_slice.yield_if_due()
    return made
