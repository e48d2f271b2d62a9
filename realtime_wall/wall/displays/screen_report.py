"""What does a screen say of itself? What it shows, what it has shown since it last said so.

A name is whatever a browser says: nothing is shown or hidden by it, and what is stored is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from realtime_wall.wall.displays.display_tables import Display, Screen
from realtime_wall.wall.models import Wall
from realtime_wall.wall.moderation.screens import MOST, NAME_SIZE

DISPLAYS = 400  # of one report
OLDEST = timedelta(days=30)  # a screen may have been without network for long
FARTHEST = 2**31 - 1  # milliseconds between two clocks, as the table has them
_PAGE = re.compile(r"[0-9a-f]{8,16}", re.ASCII)


class BadReport(ValueError):
    """It is none of our script's."""


@dataclass(frozen=True, slots=True)
class ReportedScreen:
    screen: str
    layout: str
    post: str
    is_visible: bool
    ahead: int
    displays: list[Display]


def read(report: Mapping[str, Any]) -> ReportedScreen:
    now = timezone.now()
    ahead = round((_time(report.get("now")) - now) / timedelta(milliseconds=1))
    ahead = max(-FARTHEST, min(ahead, FARTHEST))
    name = _text(report.get("screen"), NAME_SIZE).strip()
    if not name or not name.isprintable():
        raise BadReport("'screen' is its name")
    listed = report.get("displays", [])
    if not isinstance(listed, list) or len(listed) > DISPLAYS:
        raise BadReport(f"'displays' is a list of at most {DISPLAYS}")
    earliest = now + timedelta(milliseconds=ahead) - OLDEST
    displays = [_display(one, name, ahead) for one in listed]
    return ReportedScreen(
        screen=name,
        layout=_text(report.get("layout"), 32),
        post=_text(report.get("post"), 100),
        is_visible=report.get("visible") is True,
        ahead=ahead,
        displays=[one for one in displays if one.since > earliest],
    )


def store(wall: Wall, report: ReportedScreen) -> None:
    """Raises BadReport for a screen that is one too many."""
    state = {
        "seen": timezone.now(),
        "layout": report.layout,
        "post": report.post,
        "is_visible": report.is_visible,
        "ahead": report.ahead,
    }
    if not wall.screens.filter(name=report.screen).update(**state):
        if wall.screens.count() >= MOST:
            raise BadReport(f"a wall has at most {MOST} screens; delete some in the admin")
        Screen.objects.bulk_create([Screen(wall=wall, name=report.screen, **state)], ignore_conflicts=True)
    for display in report.displays:
        display.wall = wall
    Display.objects.bulk_create(report.displays, ignore_conflicts=True)


def _display(listed: Any, screen: str, ahead: int) -> Display:
    if not isinstance(listed, Mapping):
        raise BadReport("each of 'displays' is an object")
    page, number = listed.get("page"), listed.get("number")
    if not isinstance(page, str) or not _PAGE.fullmatch(page):
        raise BadReport("'page' is of 8 to 16 hexadecimal digits")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 2**31:
        raise BadReport("'number' counts the displays of a page")
    since, until = _time(listed.get("from")), _time(listed.get("to"))
    return Display(
        screen=screen,
        key=_text(listed.get("key"), 100),
        since=min(since, until),  # a clock that was set back
        until=until,
        is_visible=listed.get("visible") is True,
        ahead=ahead,
        page=page,
        number=number,
    )


def _text(value: Any, size: int) -> str:
    if not isinstance(value, str) or len(value) > size or "\x00" in value:
        raise BadReport(f"a text of at most {size} characters is missing")
    return value


def _time(milliseconds: Any) -> datetime:
    if not isinstance(milliseconds, (int, float)) or isinstance(milliseconds, bool):
        raise BadReport("a time is in milliseconds since 1970")
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError) as problem:
        raise BadReport("that time is out of reach") from problem
