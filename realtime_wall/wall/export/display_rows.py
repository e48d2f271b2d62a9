"""What was on which screen, from when to when, and could it be seen? As rows for whoever paid for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from realtime_wall.wall.export.csv_stream import in_pages
from realtime_wall.wall.models import Tweet, Wall

HEAD = ("screen", "post", "author", "text", "from", "to", "seconds", "visible", "clock_ahead", "page")
EXCERPT = 280


def display_rows(wall: Wall) -> Iterator[tuple[Any, ...]]:
    """Times are by the screen's clock, which was so many seconds ahead of the server's when it said so."""
    yield HEAD
    known: dict[str, tuple[str, str]] = {}
    for display in in_pages(wall.displays.all()):
        author, text = known.get(display.key) or known.setdefault(display.key, _post(wall, display.key))
        yield (
            display.screen,
            display.key,
            author,
            text,
            _time(display.since),
            _time(display.until),
            f"{(display.until - display.since).total_seconds():.1f}",
            "yes" if display.is_visible else "no",
            f"{display.ahead / 1000:.1f}",
            display.page,
        )


def _post(wall: Wall, key: str) -> tuple[str, str]:
    source, _, post_id = key.partition(":")
    tweet = Tweet.objects.filter(wall=wall, source=source, post_id=post_id).only("content").first()
    if tweet is None:
        return "", ""
    content = tweet.content
    who = content.get("author_name") or content.get("author_username") or ""
    return str(who), str(content.get("text", ""))[:EXCERPT]


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
