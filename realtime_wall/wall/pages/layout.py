"""What do all pages of a wall have around their content? Its title, its hashtag, the way to the others."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext

from realtime_wall.wall import options
from realtime_wall.wall.models import MAIN, Wall

THEMES = ("dark", "light")


def wall_called(slug: str) -> Wall:
    """The main wall is made when it is first asked for; another one has to be there."""
    return Wall.called() if slug == MAIN else get_object_or_404(Wall, slug=slug)


def address_of(page: str, wall: Wall) -> str:
    """Of one of the wall's pages, by its name in ``urls.py``; "wall" is the wall itself."""
    if wall.slug != MAIN:
        return reverse(f"realtime_wall_wall:{page}", args=[wall.slug])
    return reverse("realtime_wall_wall:" + ("main" if page == "wall" else f"main-{page}"))


def frame(
    request: HttpRequest, wall: Wall, current: str = "wall", usual_theme: str = THEMES[0]
) -> dict[str, Any]:
    """For the templates; ``links`` lead to all pages."""
    asked = request.GET.get("theme", "")
    names = {
        "wall": gettext("Wall"),
        "archive": gettext("Archive"),
        "map": gettext("Map"),
        "report": gettext("Report"),
    }
    if wall.slug == MAIN and options.current().visitors:
        names["search"] = gettext("Search")
    return {
        "wall": wall,
        "title": title_of(wall),
        "hashtag": hashtag_of(wall),
        "theme": asked if asked in THEMES else usual_theme,
        "links": _links(wall, names, current),
    }


def _links(wall: Wall, names: dict[str, str], current: str) -> list[dict[str, Any]]:
    return [
        {"url": address_of(name, wall), "word": word, "is_current": name == current}
        for name, word in names.items()
    ]


def reading_frame(request: HttpRequest, wall: Wall, current: str) -> dict[str, Any]:
    """Of a page that is read at arm's length, in the reader's own theme."""
    return frame(request, wall, current, "auto")


def moderators_frame(request: HttpRequest, wall: Wall, current: str) -> dict[str, Any]:
    """Of a page for moderators alone: it leads to the other one, and on a phone all links are in one line."""
    names = {
        "wall": gettext("Wall"),
        "desk": gettext("Desk"),
        "remote": gettext("Remote"),
        "archive": gettext("Archive"),
    }
    return reading_frame(request, wall, current) | {"links": _links(wall, names, current)}


def title_of(wall: Wall) -> str:
    return wall.title or (gettext("Live wall") if wall.slug == MAIN else wall.slug)


def hashtag_of(wall: Wall) -> str:
    """What to post with: the wall's own hashtag; else, on the main wall, the first that is asked for."""
    if wall.hashtag:
        return "#" + wall.hashtag.lstrip("#")
    tracked = options.current().track_keywords if wall.slug == MAIN else ()
    return next((keyword for keyword in tracked if keyword.startswith("#")), "")
