"""How does a table leave as CSV? Line by line, and no stranger's text is a formula in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, TypeVar, cast

from django.db.models import Model, QuerySet
from django.http import HttpResponse, StreamingHttpResponse

from realtime_wall.api import run_in_threadpool

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # with their full-width forms
Row = TypeVar("Row", bound=Model)
PAGE = 500  # rows that are read at once


class _Line:
    """A file for csv.writer that gives back what is written."""

    def write(self, text: str) -> str:
        return text


def cell(value: Any) -> Any:
    """A text that a spreadsheet would run gets an apostrophe: such programs show the text then."""
    if isinstance(value, str) and value.startswith(FORMULA):
        return "'" + value
    return value


def lines(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield "\ufeff"  # without it, some take UTF-8 for something else
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


def in_pages(rows: QuerySet[Row]) -> Iterator[Row]:
    """In the order of their ids, so many at once, beside the event loop."""
    last = 0
    while True:
        found: list[Row] = run_in_threadpool(partial(list, rows.filter(pk__gt=last).order_by("pk")[:PAGE]))
        yield from found
        if len(found) < PAGE:
            return
        last = found[-1].pk


def as_file(parts: Iterable[str], name: str, content_type: str) -> HttpResponse:
    answer = StreamingHttpResponse(parts, content_type=f"{content_type}; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    return cast(HttpResponse, answer)  # it is one to every decorator
