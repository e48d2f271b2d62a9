"""The page of a wall, and what a page that was away reads again."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from realtime_wall.wall import history, options
from realtime_wall.wall.card import key_of
from realtime_wall.wall.models import MAIN, Wall

KEPT = 200  # as many as wall.js keeps in the page
THEMES = ("dark", "light")


@require_safe
@never_cache
def wall_page(request: HttpRequest, slug: str = MAIN) -> HttpResponse:
    wall = wall_called(slug)
    asked = request.GET.get("theme")
    context = {
        "wall": wall,
        "title": wall.title or (gettext("Live wall") if slug == MAIN else slug),
        "hashtag": _hashtag(wall),
        "theme": asked if asked in THEMES else THEMES[0],
    }
    return render(request, "realtime_wall_wall/wall.html", context)


@require_safe
@never_cache
def posts(request: HttpRequest, slug: str = MAIN) -> JsonResponse:
    """What a page missed that has everything up to the post ``?after=``, which is its key.

    ``keys`` are all posts that a page may show, newest first, so that it can put the missed ones in
    their places and take out what has been removed; ``edited`` are those of them that it may show as
    they were. Without a usable key all of them are sent.
    """
    wall = wall_called(slug)
    shown = history.newest(wall, KEPT)
    missed = history.newer_than(wall, request.GET.get("after", ""), KEPT)
    answer = {
        "posts": missed.posts if missed.known and not missed.more else shown,
        "keys": [key_of(post) for post in shown],
        "edited": [post for post in shown if post.get("edited")],
        "count": wall.tweets.filter(hidden=False).count(),
    }
    return JsonResponse(answer)


def _hashtag(wall: Wall) -> str:
    """What to post with: the wall's own hashtag; else, on the main wall, the first that is asked for."""
    if wall.hashtag:
        return "#" + wall.hashtag.lstrip("#")
    tracked = options.current().track_keywords if wall.slug == MAIN else ()
    return next((keyword for keyword in tracked if keyword.startswith("#")), "")


def wall_called(slug: str) -> Wall:
    """The main wall is made when it is first asked for; another one has to be there."""
    return Wall.called() if slug == MAIN else get_object_or_404(Wall, slug=slug)
