"""A wall's posts for a spreadsheet, and for a program: all that visitors may see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from realtime_wall.wall.export.csv_stream import in_pages
from realtime_wall.wall.models import Tweet

FIELDS = (
    "source",
    "id",
    "created_at",
    "author_name",
    "author_username",
    "text",
    "lang",
    "url",
    "retweeted_by",
)
HEAD = (*FIELDS, "pictures", "received_at")


def post_rows(tweets: QuerySet[Tweet]) -> Iterator[tuple[Any, ...]]:
    yield HEAD
    for tweet in in_pages(tweets):
        content = tweet.content
        pictures = " ".join(str(media.get("url", "")) for media in content.get("media", ()))
        yield (*(content.get(field) or "" for field in FIELDS), pictures, tweet.received_at.isoformat())


def post_json(tweets: QuerySet[Tweet]) -> Iterator[str]:
    """One document, ``{"posts": [...]}``, a post in each line."""
    yield '{"posts": ['
    for number, tweet in enumerate(in_pages(tweets)):
        yield (",\n" if number else "\n") + json.dumps(tweet.content, ensure_ascii=False)
    yield "\n]}\n"
