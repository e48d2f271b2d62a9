"""The report of an event, as a page to look at, to print, and to send to those who paid for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import get_language_info, gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from realtime_wall.wall.models import MAIN
from realtime_wall.wall.pages.card import card, card_labels, utc_now
from realtime_wall.wall.pages.layout import reading_frame, wall_called
from realtime_wall.wall.pages.query_threads import TooBusy, run_query
from realtime_wall.wall.pages.wall_policy import wall_policy
from realtime_wall.wall.queries.aggregates import Span
from realtime_wall.wall.queries.chart import Chart, draw
from realtime_wall.wall.queries.report import BadSpan, Report, report, span_of

SHARES = 8  # lines of a list of shares; the rest are one line


@require_safe
@never_cache
@wall_policy
def report_page(request: HttpRequest, slug: str = MAIN) -> HttpResponse:
    wall = wall_called(slug)
    asked = {name: request.GET.get(name, "") for name in ("from", "to", "last")}
    context = reading_frame(request, wall, "report") | {"asked": asked, "lately": _lately(asked["last"])}
    for_staff = bool(getattr(getattr(request, "user", None), "is_staff", False))
    try:
        span = span_of(asked["from"], asked["to"], asked["last"], timezone.now())
        found = run_query(partial(report, wall, span, for_staff))
    except BadSpan as problem:
        return _page(request, context | {"problem": str(problem)}, 400)
    except TooBusy:
        return _page(request, context | {"problem": gettext("Many are reading right now. Try again.")}, 503)
    return _page(request, context | _context(found, span))


def _page(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    return render(request, "realtime_wall_wall/report.html", context, status=status)


def _context(found: Report, span: Span) -> dict[str, Any]:
    figures = found.figures
    chart = draw(figures.minutes, timezone.get_current_timezone())
    labels, now = card_labels(), utc_now()
    moments = list(figures.minutes)
    without = dict(figures.media).get("", 0)
    most = max((person.posts for person in found.people), default=1) or 1
    return {
        "figures": figures,
        "first": timezone.localtime(span.since or moments[0]) if moments else None,
        "last": timezone.localtime(moments[-1]) if moments else None,
        "chart": chart,
        "bars": list(_bars(chart)),
        "chart_unit": _unit(chart.minutes),
        "chart_labels": _times(chart),
        "peak_time": _peak_time(chart),
        "pictures": _percent(figures.posts - without, figures.posts),
        "people": [
            {
                "card": card(person.post, labels, now),
                "posts": person.posts,
                "passed_on": person.passed_on,
                "part": round(100 * person.posts / most, 1),
            }
            for person in found.people
        ],
        "posts": [{"card": card(top.post, labels, now), "times": top.times} for top in found.posts],
        "shares": [
            share
            for share in (
                _share(gettext("Pictures"), figures.media, figures.posts, _kind),
                _share(gettext("Languages"), figures.languages, figures.posts, _language),
                _share(gettext("Networks"), figures.sources, figures.posts, str),
            )
            if share["rows"]
        ],
        "moderated": found.moderated,
    }


def _share(title: str, counted: Sequence[tuple[str, int]], whole: int, word: Any) -> dict[str, Any]:
    rows = [{"word": word(name), "count": number} for name, number in counted[:SHARES]]
    rest = whole - sum(number for _, number in counted[:SHARES])
    if rest > 0:
        rows.append({"word": gettext("others"), "count": rest})
    return {"title": title, "rows": [row | {"percent": _percent(row["count"], whole)} for row in rows]}


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0


def _kind(kind: str) -> str:
    words = {
        "": gettext("text only"),
        "photo": gettext("photo"),
        "video": gettext("video"),
        "gif": gettext("GIF"),
    }
    return words.get(kind, kind)


def _language(code: str) -> str:
    if code in ("", "und"):
        return gettext("unknown")
    if code == "zxx" or code.startswith("q"):  # what X calls hashtags, links and pictures alone
        return gettext("no words")
    if code == "zh":  # Django names its ways of writing only
        return gettext("Chinese")
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code


def _unit(minutes: int) -> str:
    if minutes % 1440 == 0:
        days = minutes // 1440
        return ngettext("Posts per day", "Posts in {} days", days).replace("{}", str(days))
    if minutes % 60 == 0:
        hours = minutes // 60
        return ngettext("Posts per hour", "Posts in {} hours", hours).replace("{}", str(hours))
    return ngettext("Posts per minute", "Posts in {} minutes", minutes).replace("{}", str(minutes))


def _bars(chart: Chart) -> Iterator[dict[str, Any]]:
    """Written out once: templates are slow at it, and numbers of a drawing are written with a point."""
    for bar in chart.bars:
        if bar.count:
            yield {
                "x": f"{bar.x:g}",
                "y": f"{bar.y:g}",
                "width": f"{bar.width:g}",
                "height": f"{bar.height:g}",
                "is_peak": bar.is_peak,
                "when": date_format(bar.begins, "SHORT_DATETIME_FORMAT"),
                "count": bar.count,
            }


def _peak_time(chart: Chart) -> str:
    is_one_day = chart.peak and chart.labels[0].date() == chart.bars[-1].begins.date()
    return date_format(chart.peak.begins, "H:i" if is_one_day else "D j M, H:i") if chart.peak else ""


def _times(chart: Chart) -> list[str]:
    """As short as the whole allows."""
    if not chart.labels:
        return []
    days = (chart.labels[-1] - chart.labels[0]).days
    shape = "H:i" if days < 1 else "D H:i" if days < 7 else "j M"
    return [date_format(moment, shape) for moment in chart.labels]


def _lately(chosen: str) -> list[dict[str, Any]]:
    words = {"": gettext("All"), "week": gettext("Week"), "day": gettext("Day"), "hour": gettext("Hour")}
    return [
        {"url": "?" + urlencode({"last": name}) if name else "?", "word": word, "is_current": name == chosen}
        for name, word in words.items()
    ]
