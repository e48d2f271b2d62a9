"""The files that moderators take home: posts, and what screens have shown."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from realtime_wall.wall.export.csv_stream import as_file, lines
from realtime_wall.wall.export.display_rows import display_rows
from realtime_wall.wall.export.post_rows import post_json, post_rows
from realtime_wall.wall.models import Tweet, Wall
from realtime_wall.wall.pages.desk_views import for_moderators
from realtime_wall.wall.queries.archive import Search, matching
from realtime_wall.wall.world_map.box import BadSearch


@require_safe
@never_cache
@for_moderators
def posts_csv(request: HttpRequest, wall: Wall) -> HttpResponse:
    """With the archive's ``?q=``, ``author`` and ``source``."""
    try:
        return as_file(lines(post_rows(_asked(request, wall))), f"posts-{wall.slug}.csv", "text/csv")
    except BadSearch as problem:
        return HttpResponse(str(problem), status=400, content_type="text/plain; charset=utf-8")


@require_safe
@never_cache
@for_moderators
def posts_json(request: HttpRequest, wall: Wall) -> HttpResponse:
    try:
        return as_file(post_json(_asked(request, wall)), f"posts-{wall.slug}.json", "application/json")
    except BadSearch as problem:
        return HttpResponse(str(problem), status=400, content_type="text/plain; charset=utf-8")


@require_safe
@never_cache
@for_moderators
def displays_csv(request: HttpRequest, wall: Wall) -> HttpResponse:
    """The oldest first."""
    return as_file(lines(display_rows(wall)), f"displays-{wall.slug}.csv", "text/csv")


def _asked(request: HttpRequest, wall: Wall) -> QuerySet[Tweet]:
    return matching(wall, Search.parse(request.GET))
