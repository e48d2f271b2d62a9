"""Which posts does somebody who looks through a wall find, and where do they go on?

Posts come newest first, page by page. A page ends at a :class:`Place`, the time and the row of its last
post, and the next one begins behind it: whatever arrives meanwhile, nothing is shown twice. Hidden
posts are never found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connections
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import QueryDict

from realtime_wall.wall.models import State, Tweet, Wall
from realtime_wall.wall.world_map.box import BadSearch, Box

USUAL, MOST = 50, 100  # posts in a page
WORDS_SIZE = 100  # characters of a search
MOST_WORDS = 8
NAME_SIZE = 100
MOST_SOURCES = 8
SEARCHED = ("text", "author_name", "author_username")
START = datetime(1, 1, 1, tzinfo=UTC)

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Behind a post: the moment it was written, and its row, which tells apart what is of one moment."""

    created_at: datetime
    row: int

    def __str__(self) -> str:
        since = (self.created_at - START) // timedelta(microseconds=1)
        return f"{since:x}-{self.row:x}"

    @classmethod
    def parse(cls, text: str) -> Place:
        match = re.fullmatch(r"([0-9a-f]{1,15})-([0-9a-f]{1,16})", text)
        if match is None:
            raise BadSearch("this is no place in the archive: take 'next' of an earlier answer")
        since, row = (int(part, 16) for part in match.groups())
        try:
            created_at = START + timedelta(microseconds=since)
        except OverflowError:
            raise BadSearch("this place lies beyond the calendar") from None
        if row >= 2**63:  # the column's end
            raise BadSearch("this place lies beyond the last row")
        return cls(created_at, row)


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked for; without anything, every post."""

    words: tuple[str, ...] = ()  # all of them, each in the text or in the author's names
    author: str = ""
    sources: tuple[str, ...] = ()
    box: Box | None = None
    behind: Place | None = None
    limit: int = USUAL

    @classmethod
    def parse(cls, query: QueryDict) -> Search:
        """From ``?q=&author=&source=&box=&page=&limit=``."""
        page = query.get("page", "")
        return cls(
            words=words_of(query.get("q", "")),
            author=_plain(query.get("author", ""), "author", NAME_SIZE).strip().lstrip("@"),
            sources=_sources(query.getlist("source")),
            box=Box.parse(str(query["box"])) if query.get("box") else None,
            behind=Place.parse(page) if page else None,
            limit=_limit(query.get("limit", "")),
        )

    def as_query(self) -> dict[str, Any]:
        """The question without the place, for an address; what is not asked for is left out."""
        query = {"q": " ".join(self.words), "author": self.author, "source": list(self.sources)}
        query["box"] = str(self.box) if self.box else ""
        return {name: value for name, value in query.items() if value}


@dataclass(frozen=True, slots=True)
class Found:
    posts: list[Message]  # newest first
    next: Place | None  # where the next page begins, if there is one


def find(wall: Wall, search: Search) -> Found:
    rows = list(
        matching(wall, search)
        .order_by("-created_at", "-id")
        .values_list("content", "created_at", "id")[: search.limit + 1]
    )
    shown = rows[: search.limit]
    more = len(rows) > len(shown)
    return Found([content for content, _, _ in shown], Place(*shown[-1][1:]) if more else None)


def sources_of(wall: Wall) -> list[str]:
    """Where the posts of a wall have come from."""
    shown = wall.tweets.filter(state=State.SHOWN)
    return list(shown.order_by("source").values_list("source", flat=True).distinct())


def words_of(text: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(_plain(text, "q", WORDS_SIZE).split()))
    if len(words) > MOST_WORDS:
        raise BadSearch(f"q has more than {MOST_WORDS} words")
    return words


def matching(wall: Wall, search: Search) -> QuerySet[Tweet]:
    found = wall.tweets.filter(state=State.SHOWN)
    if search.sources:
        found = found.filter(source__in=search.sources)
    if search.box is not None:
        found = found.filter(search.box.condition())
    if search.author:
        found = found.filter(content__author_username__iexact=search.author)
    for word in search.words:
        if connections[found.db].vendor == "sqlite":
            found = found.alias(whole=Cast("content", TextField())).filter(_has_somewhere(word))
        found = found.filter(_has(word))
    if search.behind is not None:
        created_at, row = search.behind.created_at, search.behind.row
        # The first condition says the same as the second, in a way that the index understands.
        found = found.filter(created_at__lte=created_at)
        found = found.filter(Q(created_at__lt=created_at) | Q(id__lt=row))
    return found


def _has(word: str) -> Q:
    asked = Q()
    for field in SEARCHED:
        for spelling in _spellings(word):
            asked |= Q(**{f"content__{field}__icontains": spelling})
    return asked


def _has_somewhere(word: str) -> Q:
    """Looking at the JSON as it was written is several times as fast as taking it apart."""
    asked = Q()
    for spelling in _spellings(word):
        asked |= Q(whole__icontains=json.dumps(spelling)[1:-1])
    return asked


def _spellings(word: str) -> list[str]:
    """SQLite knows upper and lower case of ASCII only, so other words are asked for in each."""
    if word.isascii():
        return [word]
    return list(dict.fromkeys((word, word.lower(), word.upper(), word.capitalize())))


def _plain(text: str, name: str, size: int) -> str:
    """Databases refuse some characters, and nobody types so many."""
    if len(text) > size:
        raise BadSearch(f"{name} has more than {size} characters")
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise BadSearch(f"{name} has characters that no post can have")
    return text


def _sources(names: Sequence[str]) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(_plain(name, "source", 32) for name in names if name))
    if len(wanted) > MOST_SOURCES:
        raise BadSearch(f"more than {MOST_SOURCES} sources")
    return wanted


def _limit(text: str) -> int:
    if not text:
        return USUAL
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) < 1:
        raise BadSearch("limit has to be a number from 1")
    return min(int(text), MOST)
