"""A wall's posts page by page: for programs, and as a page to look through."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from realtime_wall import cursor
from realtime_wall.wall.embedding.allowed_sites import read_where_allowed
from realtime_wall.wall.models import MAIN, Wall
from realtime_wall.wall.pages.card_list import cards
from realtime_wall.wall.pages.layout import address_of, reading_frame, wall_called
from realtime_wall.wall.pages.query_threads import TooBusy, run_query
from realtime_wall.wall.pages.script_config import live_words
from realtime_wall.wall.pages.wall_policy import wall_policy
from realtime_wall.wall.queries.archive import Found, Search, find, sources_of
from realtime_wall.wall.stage.look import badge_words, look_of
from realtime_wall.wall.world_map.box import BadSearch


@require_safe
@never_cache
@read_where_allowed
def api_posts(request: HttpRequest, slug: str = MAIN) -> JsonResponse:
    """``{"posts": [...], "next": "..." or null, "live": {"channel": "tweets", "cursor": "..."}}``."""
    wall = wall_called(slug)
    try:
        search = Search.parse(request.GET)
        # Before the posts are read: what is stored in between is in the answer, or comes live, or both.
        position = cursor()
        found = run_query(partial(find, wall, search))
    except BadSearch as problem:
        return JsonResponse({"error": str(problem)}, status=400)
    except TooBusy:
        busy = JsonResponse({"error": "too many searches at once; try again in a moment"}, status=503)
        busy["Retry-After"] = "5"
        return busy
    return JsonResponse(
        {
            "posts": found.posts,
            "next": str(found.next) if found.next else None,
            "live": {"channel": wall.channel, "cursor": position},
        }
    )


@require_safe
@never_cache
@wall_policy
def archive_page(request: HttpRequest, slug: str = MAIN) -> HttpResponse:
    """The same posts, with a search box; with a script the page goes on by itself."""
    return archive(request, slug, "realtime_wall_wall/archive.html")


def archive(request: HttpRequest, slug: str, template: str) -> HttpResponse:
    """A page of the wall's posts."""
    wall = wall_called(slug)
    search, found, sources, problem, status = Search(), Found([], None), list[str](), "", 200
    position = cursor()
    try:
        search = Search.parse(request.GET)
        found, sources = run_query(lambda: (find(wall, search), sources_of(wall)))
    except BadSearch as bad:
        problem, status = str(bad), 400
    except TooBusy:
        problem, status = gettext("Many are searching right now. Try again in a moment."), 503
    context = reading_frame(request, wall, "archive") | {
        "search": search,
        "sources": sources,
        "problem": problem,
        "cards": cards(found.posts, badge_words(look_of(wall))),
        "cursor": position,
        "older": _older(search, found),
        "is_newest": search.behind is None,
        "config": _config(wall, search, found),
    }
    return render(request, template, context, status=status)


def _older(search: Search, found: Found) -> str:
    """The address of the next page, as a link's."""
    return "?" + urlencode(search.as_query() | {"page": str(found.next)}, doseq=True) if found.next else ""


def _config(wall: Wall, search: Search, found: Found) -> dict[str, Any]:
    return live_words(wall) | {
        "api": address_of("api-posts", wall),
        "query": urlencode(search.as_query(), doseq=True),
        "page": str(search.behind or ""),
        "next": str(found.next) if found.next else None,
        "words": search.words,
        "author": search.author,
        "sources": search.sources,
        "found": gettext("{} new"),
    }
