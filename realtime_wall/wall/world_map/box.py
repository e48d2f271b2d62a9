"""Which posts were written inside a box on the map? And in which places were most written?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q


class BadSearch(ValueError):
    """A question that cannot be answered, and why."""


_NUMBER = re.compile(r"-?\d{1,3}(?:\.\d{1,6})?").fullmatch


@dataclass(frozen=True, slots=True)
class Box:
    """Degrees; one whose west is greater than its east goes over the date line."""

    west: float
    south: float
    east: float
    north: float

    def __str__(self) -> str:
        return ",".join(f"{one:g}" for one in (self.west, self.south, self.east, self.north))

    @classmethod
    def parse(cls, text: str) -> Box:
        """From ``west,south,east,north``."""
        parts = text.split(",")
        if len(parts) != 4 or not all(map(_NUMBER, parts)):
            raise BadSearch("a box has four numbers: west,south,east,north")
        west, south, east, north = map(float, parts)
        if max(abs(west), abs(east)) > 180 or not -90 <= south <= north <= 90:
            raise BadSearch("a box goes from -180 to 180 degrees, and from the south to the north")
        return cls(west, south, east, north)

    def condition(self) -> Q:
        west, east = Q(content__longitude__gte=self.west), Q(content__longitude__lte=self.east)
        between = (west | east) if self.west > self.east else (west & east)
        return between & Q(content__latitude__gte=self.south, content__latitude__lte=self.north)


WORLD = Box(-180, -90, 180, 90)


def counted(posts: Iterable[dict[str, Any]], most: int) -> list[tuple[str, int]]:
    """The places that most posts name, with how many."""
    return Counter(post["place"] for post in posts if post.get("place")).most_common(most)
