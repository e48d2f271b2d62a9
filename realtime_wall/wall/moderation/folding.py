"""Is this the same post again? What is passed on, or copied, is one card, with how often it came.

A retweet is folded into its original, and a post whose words are those of another of the last hour into that
one; links and mentions do not count as words. Copies are remembered in the process that stores.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from realtime_wall.wall.models import State, Tweet, Wall
from realtime_wall.wall.moderation.phrase_matcher import fold_words

SPAN = 3600.0  # seconds
REMEMBERED = 20_000
SHORTEST = 12  # letters: two people may well say "good morning"
_NOT_OF_THE_TEXT = re.compile(r"https?://\S+|@\w+|\bRT\b")
COUNTED = (State.SHOWN, State.WAITING)


class CopyMemory:
    def __init__(self) -> None:
        # By wall and words, the oldest first: whose they were, and when.
        self._first: dict[tuple[int, str], tuple[str, float]] = {}

    def original_of(self, wall: Wall, message: Mapping[str, Any], now: datetime) -> str:
        """The key of the post with the same words; nothing for the first one, which is remembered."""
        words = fold_words(_NOT_OF_THE_TEXT.sub(" ", message["text"]))
        if len(words) < SHORTEST:
            return ""
        key, moment = f"{message['source']}:{message['id']}", now.timestamp()
        first, since = self._first.get((wall.pk, words), (key, moment))
        if since < moment - SPAN:
            first, since = key, moment
        self._first[wall.pk, words] = first, since
        if len(self._first) > REMEMBERED:
            del self._first[next(iter(self._first))]
        return "" if first == key else first


def count_copies(wall: Wall, keys: Counter[str]) -> list[Tweet]:
    """Note on each post how often it came again; those that are shown, to be drawn anew."""
    changed = []
    for key, number in keys.items():
        source, _, post_id = key.partition(":")
        rows = wall.tweets.select_for_update().filter(source=source, post_id=post_id, state__in=COUNTED)
        for row in rows:
            row.content["passed_on"] = row.content.get("passed_on", 0) + number
            if row.state == State.SHOWN:
                row.publications += 1
                changed.append(row)
            row.save(update_fields=["content", "publications"])
    return changed
