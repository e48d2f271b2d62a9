"""The page of a wall that shows where its posts were written: a map of the world, without any service."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from realtime_wall import cursor
from realtime_wall.wall.models import MAIN
from realtime_wall.wall.pages.layout import reading_frame, wall_called
from realtime_wall.wall.pages.query_threads import TooBusy, run_query
from realtime_wall.wall.pages.script_config import live_words
from realtime_wall.wall.pages.wall_policy import wall_policy
from realtime_wall.wall.queries.archive import Search, find
from realtime_wall.wall.world_map.box import WORLD, BadSearch, Box, counted

SHOWN = 500  # posts on the map
PLACES = 12
SMALLEST = 0.5  # degrees of a box that is drawn


@require_safe
@never_cache
@wall_policy
def map_page(request: HttpRequest, slug: str = MAIN) -> HttpResponse:
    """``?box=west,south,east,north`` shows a part of it, and the places in there."""
    wall = wall_called(slug)
    box, posts, problem, status = WORLD, list[dict[str, Any]](), "", 200
    position = cursor()
    try:
        search = Search.parse(request.GET)
        box = search.box or WORLD
        posts = run_query(partial(find, wall, replace(search, box=box, limit=SHOWN))).posts
    except BadSearch as bad:
        problem, status = str(bad), 400
    except TooBusy:
        problem, status = gettext("Many are searching right now. Try again in a moment."), 503
    context = reading_frame(request, wall, "map") | {
        "problem": problem,
        "view": _view(box),
        "dots": [dot_of(post) for post in posts],
        "places": counted(posts, PLACES),
        "is_world": box == WORLD,
        "cursor": position,
        "config": live_words(wall) | {"box": [box.west, box.south, box.east, box.north], "most": SHOWN},
    }
    return render(request, "realtime_wall_wall/map.html", context, status=status)


def dot_of(post: dict[str, Any]) -> dict[str, str]:
    """Where it is in the drawing, in which x is 180 + longitude and y is 90 - latitude."""
    words = " ".join(filter(None, (post["author_name"], post.get("place"), post["text"][:140])))
    return {
        "x": f"{180 + post['longitude']:.3f}",
        "y": f"{90 - post['latitude']:.3f}",
        "key": f"{post['source']}:{post['id']}",
        "words": words,
    }


def _view(box: Box) -> str:
    """The part of the drawing that is seen; over the date line all of its width is."""
    west, east = (box.west, box.east) if box.west < box.east else (-180.0, 180.0)
    width, height = max(east - west, SMALLEST), max(box.north - box.south, SMALLEST)
    return f"{180 + west:g} {90 - box.north:g} {width:g} {height:g}"
