"""A wall's posts for programs, page by page, with the place in the channel from which to listen."""

from __future__ import annotations

from functools import partial

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from realtime_wall import cursor
from realtime_wall.wall.archive import BadSearch, Search, find
from realtime_wall.wall.aside import TooBusy, beside
from realtime_wall.wall.models import MAIN
from realtime_wall.wall.views import wall_called


@require_safe
@never_cache
def api_posts(request: HttpRequest, slug: str = MAIN) -> JsonResponse:
    """``{"posts": [...], "next": "..." or null, "live": {"channel": "tweets", "cursor": "..."}}``."""
    wall = wall_called(slug)
    try:
        search = Search.parse(request.GET)
        # Before the posts are read: what is stored in between is in the answer, or comes live, or both.
        position = cursor()
        found = beside(partial(find, wall, search))
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
