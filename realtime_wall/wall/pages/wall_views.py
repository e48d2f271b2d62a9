"""The page of a wall, and what a page that was away reads again."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from realtime_wall.wall.models import MAIN, State
from realtime_wall.wall.moderation.pinned_post import pinned
from realtime_wall.wall.pages.card import key_of, utc_now
from realtime_wall.wall.pages.layout import address_of, frame, wall_called
from realtime_wall.wall.pages.wall_policy import wall_policy
from realtime_wall.wall.queries import newest
from realtime_wall.wall.stage.contrast import below_aa, contrasts
from realtime_wall.wall.stage.director import staged, state_of
from realtime_wall.wall.stage.look import COLOURS, asked_in, colours_of, look_of, merged, style_of
from realtime_wall.wall.stage.source_problems import is_down
from realtime_wall.wall.stage.tables import StagePicture

KEPT = 200  # as many as wall.js keeps in the page
WORKER = Path(__file__).parent.parent / "static/realtime_wall_wall/worker.js"


@require_safe
@never_cache
@xframe_options_sameorigin  # the remote and the admin show what it looks like
@partial(wall_policy, has_films=True)
def wall_page(request: HttpRequest, slug: str = MAIN) -> HttpResponse:
    wall = wall_called(slug)
    # On the event's own screens only: who is not there need not post.
    code = address_of("code", wall) if wall.post_key and request.GET.get("screen") else ""
    director, asked = state_of(wall), asked_in(request.GET)
    look = merged(look_of(wall), asked)
    page = frame(request, wall) | {
        "code": code,
        "director": director,
        "asked": asked,
        "look": look,
        "style": f"{address_of('look-style', wall)}?{_query(request, look)}",
        "title": look["title"],
        "hashtag": look["hashtag"],
        "theme": look["theme"],
        "layout": director["layout"] or look["layout"],
    }
    return render(request, "realtime_wall_wall/wall.html", page)


def _query(request: HttpRequest, look: dict[str, Any]) -> str:
    query = request.GET.copy()
    query["v"] = str(look["number"])
    return query.urlencode()


@require_safe
@cache_control(public=True, max_age=31_536_000, immutable=True)  # another picture has another name
def stage_picture(request: HttpRequest, name: str) -> HttpResponse:
    """A logo, or the picture of a slide."""
    found = get_object_or_404(StagePicture, pk=name)
    answer = HttpResponse(bytes(found.data), content_type="image/webp")
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


@require_safe
@cache_control(max_age=3600)
def look_style(request: HttpRequest, slug: str = MAIN) -> HttpResponse:
    """The colours and the font; ``v`` in the address changes with them."""
    look = merged(look_of(wall_called(slug)), asked_in(request.GET))
    return HttpResponse(style_of(look), content_type="text/css; charset=utf-8")


@require_safe
@never_cache
def look_contrast(request: HttpRequest, slug: str = MAIN) -> JsonResponse:
    """How well colours that somebody is about to choose can be read."""
    asked = asked_in(request.GET)
    colours = colours_of(look_of(wall_called(slug)) | dict.fromkeys(COLOURS, "") | asked)
    return JsonResponse({"contrasts": contrasts(colours), "refused": sorted(below_aa(colours))})


@require_safe
@never_cache
def posts(request: HttpRequest, slug: str = MAIN) -> JsonResponse:
    """What a page missed that has everything up to the post ``?after=``, which is its key.

    ``keys`` are all posts that a page may show, newest first, so that it can put the missed ones in
    their places and take out what has been removed; ``edited`` are those of them that it may show as
    they were. Without a usable key all of them are sent. ``pinned`` is the post that stays on top,
    ``staged`` the one that the director has put on the stage, and ``director`` all that he has said.
    ``down`` is whether none of the wall's sources works.
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
        "down": is_down(wall),
        "count": wall.tweets.filter(state=State.SHOWN).count(),
    }
    return JsonResponse(answer)


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker: it may answer for the pages below its own address only, so it is no static file."""
    answer = HttpResponse(WORKER.read_bytes(), content_type="text/javascript")
    answer["Cache-Control"] = "no-cache"
    return answer
