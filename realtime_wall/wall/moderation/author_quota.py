"""Has an author had his share of a wall? So many posts in ten minutes; what comes beyond them waits.

It is counted in memory, in the process that stores: one that begins anew has forgotten ten minutes at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from realtime_wall.wall.models import Wall

SPAN = 600.0  # seconds
AUTHORS = 50_000  # who are remembered


class AuthorQuota:
    def __init__(self) -> None:
        # By wall and author, who came last behind: when each of his posts came that had a place.
        self._times: dict[tuple[int, str], dict[str, float]] = {}

    def is_used_up(self, wall: Wall, message: Mapping[str, Any], now: datetime) -> bool:
        """Whether this one is more than there may be; if not, it counts. The same post counts once."""
        who, key, moment = (wall.pk, author_of(message)), message["id"], now.timestamp()
        times = {post: time for post, time in self._times.pop(who, {}).items() if time > moment - SPAN}
        self._times[who] = times
        if len(self._times) > AUTHORS:
            del self._times[next(iter(self._times))]
        if key in times:
            return False
        if len(times) >= wall.quota:
            return True
        times[key] = moment
        return False


def author_of(message: Mapping[str, Any]) -> str:
    """Who has brought it to the wall: of what was passed on, who did that."""
    name = message["retweeted_by_username"] or message["author_id"] or message["author_username"]
    return f"{message['source']}:{name.casefold()}"
