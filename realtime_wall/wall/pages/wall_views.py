"""The page of a wall, and what a page that was away reads again."""

from __future__ import annotations

from pathlib import Path

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from realtime_wall.wall.models import MAIN, State
from realtime_wall.wall.moderation.pinned_post import pinned
from realtime_wall.wall.pages.card import key_of, utc_now
from realtime_wall.wall.pages.layout import address_of, frame, wall_called
from realtime_wall.wall.pages.wall_policy import wall_policy
from realtime_wall.wall.queries import newest
from realtime_wall.wall.stage.director import staged, state_of
from realtime_wall.wall.stage.tables import Layout

KEPT = 200  # as many as wall.js keeps in the page
WORKER = Path(__file__).parent.parent / "static/realtime_wall_wall/worker.js"


@require_safe
@never_cache
@xframe_options_sameorigin  # the remote and the admin show what it looks like
@wall_policy
def wall_page(request: HttpRequest, slug: str = MAIN) -> HttpResponse:
    wall = wall_called(slug)
    # On the event's own screens only: who is not there need not post.
    code = address_of("code", wall) if wall.post_key and request.GET.get("screen") else ""
    director = state_of(wall)
    page = {"code": code, "director": director, "layout": director["layout"] or Layout.STREAM}
    return render(request, "realtime_wall_wall/wall.html", frame(request, wall) | page)


@require_safe
@never_cache
def posts(request: HttpRequest, slug: str = MAIN) -> JsonResponse:
    """What a page missed that has everything up to the post ``?after=``, which is its key.

    ``keys`` are all posts that a page may show, newest first, so that it can put the missed ones in
    their places and take out what has been removed; ``edited`` are those of them that it may show as
    they were. Without a usable key all of them are sent. ``pinned`` is the post that stays on top,
    ``staged`` the one that the director has put on the stage, and ``director`` all that he has said.
    """
    wall = wall_called(slug)
    state = state_of(wall)
    shown = newest.newest(wall, KEPT)
    missed = newest.newer_than(wall, request.GET.get("after", ""), KEPT)
    answer = {
        "posts": missed.posts if missed.known and not missed.more else shown,
        "keys": [key_of(post) for post in shown],
        "edited": [post for post in shown if post.get("edited")],
        "pinned": tweet.content if (tweet := pinned(wall)) else None,
        "now": utc_now().isoformat(),
        "staged": tweet.content if (tweet := staged(wall, state)) else None,
        "director": state,
        "count": wall.tweets.filter(state=State.SHOWN).count(),
    }
    return JsonResponse(answer)


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker: it may answer for the pages below its own address only, so it is no static file."""
    answer = HttpResponse(WORKER.read_bytes(), content_type="text/javascript")
    answer["Cache-Control"] = "no-cache"
    return answer
