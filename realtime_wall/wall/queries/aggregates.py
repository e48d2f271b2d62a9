"""What do the posts of a wall add up to: by whom, passed on how often, in which language, when?

The database counts, in one pass over the posts; a hundred thousand of them take about half a second,
so this is asked beside the event loop, and the answer is good for some seconds. Hidden posts do not
count. A retweet counts for the author of the original, as passed on.
"""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.core.cache import cache
from django.db import connections
from django.db.models import Func, QuerySet, TextField

from realtime_wall.wall.models import State, Tweet, Wall

MOST = 50  # people, and posts, that are remembered by name
GOOD_FOR = 10  # seconds
# Lists of a stranger's choosing are cut: nobody reads about the fortieth language.
KINDS = 30
PORTION = 500  # groups; the event loop gets its turn between two of them

# What is counted (or the minute), its source (or None), posts, the newest of their rows.
Group = tuple[str, str | None, int, int]


@dataclass(frozen=True, slots=True)
class Span:
    """From this moment on, and before that one."""

    since: datetime | None = None
    until: datetime | None = None

    def of(self, posts: QuerySet[Tweet]) -> QuerySet[Tweet]:
        if self.since is not None:
            posts = posts.filter(created_at__gte=self.since)
        return posts if self.until is None else posts.filter(created_at__lt=self.until)


EVER = Span()


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    posts: int  # of their own
    passed_on: int  # how often others passed them on
    row: int  # of the newest tweet that shows them


@dataclass(frozen=True, slots=True)
class PassedOn:
    source: str
    post_id: str  # the original's
    times: int
    row: int  # of the newest retweet


@dataclass(slots=True)
class Figures:
    posts: int = 0
    retweets: int = 0  # of them
    people: int = 0
    top_people: list[Person] = field(default_factory=list)
    top_posts: list[PassedOn] = field(default_factory=list)
    media: list[tuple[str, int]] = field(default_factory=list)  # photo, video, gif; "" for none
    languages: list[tuple[str, int]] = field(default_factory=list)
    sources: list[tuple[str, int]] = field(default_factory=list)
    minutes: dict[datetime, int] = field(default_factory=dict)  # in order; those with a post

    @property
    def originals(self) -> int:
        return self.posts - self.retweets


def figures(wall: Wall, span: Span = EVER) -> Figures:
    """As they were some seconds ago at most."""
    key = f"realtime_wall.figures.{wall.pk}.{_text(span.since)}.{_text(span.until)}"
    found: Figures | None = cache.get(key)
    if found is None:
        found = count(wall, span)
        cache.set(key, found, GOOD_FOR)
    return found


def count(wall: Wall, span: Span = EVER) -> Figures:
    tally = _Tally()
    for portion in _groups(span.of(wall.tweets.filter(state=State.SHOWN)).order_by()):
        tally.add(portion)
    return tally.figures()


class _Tally:
    """Adds up groups of posts that are alike."""

    def __init__(self) -> None:
        self._minutes: dict[datetime, int] = {}
        self._media: Counter[str] = Counter()
        self._languages: Counter[str] = Counter()
        self._sources: Counter[str] = Counter()
        self._own: Counter[str] = Counter()
        self._passed_on: Counter[str] = Counter()
        self._times: Counter[tuple[str, str]] = Counter()
        self._newest: dict[Any, int] = {}  # row that shows a person, or a post

    def add(self, groups: Sequence[Group]) -> None:
        for minute, source, number, _ in groups:
            if source is None:
                self._minutes[datetime.fromisoformat(minute).replace(tzinfo=UTC)] = number
        alike = [(source, number, row) for _, source, number, row in groups if source is not None]
        # One call for many: each costs more than what it reads.
        facets = json.loads(f"[{','.join(facets for facets, source, _, _ in groups if source is not None)}]")
        for (source, number, row), (username, name, language, kind, original) in zip(
            alike, facets, strict=True
        ):
            person = str(username or "").casefold() or str(name or "")
            self._show(person, row)
            if original:
                post = source, str(original)
                self._passed_on[person] += number
                self._times[post] += number
                self._show(post, row)
            else:
                self._own[person] += number
            self._media[str(kind or "")] += number
            self._languages[str(language or "")] += number
            self._sources[source] += number

    def _show(self, what: object, row: int) -> None:
        if row > self._newest.get(what, 0):
            self._newest[what] = row

    def figures(self) -> Figures:
        own, passed_on, times, newest = self._own, self._passed_on, self._times, self._newest
        people = own | passed_on
        people.pop("", None)  # posts that nobody signed
        ranked = heapq.nsmallest(MOST, people, key=lambda who: (-own[who], -passed_on[who], who))
        # Of those passed on as often the newer one comes first: it had less time.
        posts = heapq.nsmallest(MOST, times, key=lambda post: (-times[post], -newest[post]))
        return Figures(
            posts=self._sources.total(),
            retweets=passed_on.total(),
            people=len(people),
            top_people=[Person(who, own[who], passed_on[who], newest[who]) for who in ranked],
            top_posts=[PassedOn(*post, times[post], newest[post]) for post in posts],
            media=self._media.most_common(KINDS),
            languages=self._languages.most_common(KINDS),
            sources=self._sources.most_common(KINDS),
            minutes=dict(sorted(self._minutes.items())),
        )


def _groups(posts: QuerySet[Tweet]) -> Iterator[Sequence[Group]]:
    """What is alike, by what is counted and by the minute; each post is read and taken apart once."""
    inner = posts.annotate(facets=_Facets("content"), minute=_Minute("created_at"))
    sql, parameters = inner.values_list("facets", "minute", "source", "id").query.sql_with_params()
    statement = f"""
        WITH counted AS MATERIALIZED ({sql})
        SELECT facets, source, COUNT(*), MAX(id) FROM counted GROUP BY facets, source
        UNION ALL SELECT minute, NULL, COUNT(*), MAX(id) FROM counted GROUP BY minute
    """
    with connections[posts.db].cursor() as cursor:
        cursor.execute(statement, parameters)
        while portion := cursor.fetchmany(PORTION):
            yield portion


class _Minute(Func):
    """``2026-11-21 09:30``, of UTC."""

    function = "substr"
    template = "substr(%(expressions)s, 1, 16)"  # SQLite keeps moments as such texts
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')"
        return self.as_sql(compiler, connection, template=template, **context)


class _Facets(Func):
    """What is counted of a post, as one JSON list: taking a post apart is what takes the time."""

    template = (
        "json_extract(%(expressions)s, '$.author_username', '$.author_name', '$.lang', "
        "'$.media[0].kind', '$.original_id')"
    )
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        ((content, parameters),) = [compiler.compile(one) for one in self.source_expressions]
        parts = ("'author_username'", "'author_name'", "'lang'", None, "'original_id'")
        taken = [f"{content}->{part}" if part else f"{content}#>'{{media,0,kind}}'" for part in parts]
        return f"jsonb_build_array({', '.join(taken)})::text", [*parameters] * len(parts)


def _text(moment: datetime | None) -> str:
    return f"{moment.timestamp():.0f}" if moment else ""
