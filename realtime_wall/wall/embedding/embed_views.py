"""A wall in other sites' pages: the page for their frames, and the script that makes one."""

from __future__ import annotations

from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from realtime_wall.wall.embedding.allowed_sites import framed_where_allowed
from realtime_wall.wall.models import MAIN
from realtime_wall.wall.pages.archive_views import archive
from realtime_wall.wall.pages.wall_policy import wall_policy

SCRIPT = Path(__file__).parent.parent / "static/realtime_wall_wall/embed.js"


@require_safe
@never_cache
@framed_where_allowed
@wall_policy
def embedded_page(request: HttpRequest, slug: str = MAIN) -> HttpResponse:
    """The posts, live, and nothing around them."""
    return archive(request, slug, "realtime_wall_wall/embedded.html")


@require_safe
def script(request: HttpRequest) -> HttpResponse:
    """Under the walls' own address, which is all that it knows of where they are."""
    answer = HttpResponse(SCRIPT.read_bytes(), content_type="text/javascript")
    answer["Cache-Control"] = "public, max-age=3600"
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
