"""What is to be told of an event when it is over, and while it goes on?

The figures are counted by :mod:`figures`; the posts and the people among them are read anew each time,
so that what was hidden a moment ago is in no report. What was moderated is for the staff.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from realtime_wall.wall.models import State, Tweet, Wall
from realtime_wall.wall.queries.aggregates import Figures, Span, figures

LISTED = 10
HIDDEN_LISTED = 50
LATELY = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}

Message = dict[str, Any]


class BadSpan(ValueError):
    """A time that cannot be read."""


@dataclass(frozen=True, slots=True)
class TopPerson:
    post: Message  # one that shows them
    posts: int
    passed_on: int


@dataclass(frozen=True, slots=True)
class TopPost:
    post: Message  # the original, as far as it is known
    times: int


@dataclass(slots=True)
class Moderated:
    """What visitors do not see."""

    by_staff: int = 0
    by_author: int = 0
    rejected: list[tuple[str, int]] = field(default_factory=list)  # reason, posts
    hidden: list[Tweet] = field(default_factory=list)  # by staff, the newest


def span_of(since: str, until: str, lately: str, now: datetime) -> Span:
    """From ``?from=&to=``, on the site's clock, or ``?last=hour``; a ``to`` of a day means its end."""
    if lately in LATELY:
        return Span(now - LATELY[lately], None)
    span = Span(_moment(since, timedelta()), _moment(until, timedelta(days=1)))
    if span.since and span.until and span.since >= span.until:
        raise BadSpan(f"{since} is not before {until}")
    return span


def _moment(text: str, rest_of_day: timedelta) -> datetime | None:
    if not text:
        return None
    try:
        day = parse_date(text) if len(text) == 10 else None
        moment = parse_datetime(f"{text}T00:00") if day else parse_datetime(text)
        if moment is None or moment.year < 1000 or moment.year > 9000:  # so that no zone leads out of time
            raise ValueError
    except ValueError:
        raise BadSpan(f"{text[:40]!r} is no time: write 2026-11-21 or 2026-11-21T09:30") from None
    if day:
        moment += rest_of_day
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


def top_people(wall: Wall, counted: Figures, number: int = LISTED) -> list[TopPerson]:
    """Those who wrote most, then those who were passed on most."""
    people = counted.top_people[:number]
    rows = _rows(wall, [person.row for person in people])
    return [
        TopPerson(rows[person.row], person.posts, person.passed_on)
        for person in people
        if person.row in rows  # not hidden since
    ]


def top_posts(wall: Wall, counted: Figures, number: int = LISTED) -> list[TopPost]:
    """The originals of what was passed on most; one that is hidden is not shown by its retweets."""
    ranked = counted.top_posts
    originals = {
        (tweet.source, tweet.post_id): tweet
        for tweet in wall.tweets.filter(
            source__in={post.source for post in ranked}, post_id__in={post.post_id for post in ranked}
        ).order_by()
    }
    rows = _rows(wall, [post.row for post in ranked])
    found = []
    for post in ranked:
        original = originals.get((post.source, post.post_id))
        if original is not None and original.state != State.SHOWN:
            continue
        message = original.content if original is not None else rows.get(post.row)
        if message is not None:
            found.append(TopPost(message | {"retweeted_by": ""}, post.times))
    return found[:number]


def _rows(wall: Wall, ids: list[int]) -> dict[int, Message]:
    return dict(wall.tweets.filter(id__in=ids, state=State.SHOWN).order_by().values_list("id", "content"))


def moderated(wall: Wall, span: Span) -> Moderated:
    of_span = span.of(wall.tweets.all())
    by_author, hidden = Q(state=State.TAKEN_BACK), Q(state=State.HIDDEN)
    counts = of_span.aggregate(by_author=Count("id", by_author), by_staff=Count("id", hidden))
    rejected = wall.rejected.order_by()
    if span.since is not None:
        rejected = rejected.filter(received_at__gte=span.since)
    if span.until is not None:
        rejected = rejected.filter(received_at__lt=span.until)
    reasons = rejected.values_list("reason").annotate(number=Count("id")).order_by("-number", "reason")
    return Moderated(
        by_staff=counts["by_staff"],
        by_author=counts["by_author"],
        rejected=list(reasons[:LISTED]),
        hidden=list(of_span.filter(hidden)[:HIDDEN_LISTED]),
    )


@dataclass(slots=True)
class Report:
    figures: Figures
    people: list[TopPerson]
    posts: list[TopPost]
    moderated: Moderated | None  # for the staff


def report(wall: Wall, span: Span, for_staff: bool) -> Report:
    counted = figures(wall, span)
    return Report(
        counted,
        top_people(wall, counted),
        top_posts(wall, counted),
        moderated(wall, span) if for_staff else None,
    )
