"""What screens report, and what moderators learn of it."""

from __future__ import annotations

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from realtime_wall.api import run_in_threadpool, visitor_address
from realtime_wall.wall.displays import screen_report
from realtime_wall.wall.displays.screen_list import screens_of
from realtime_wall.wall.models import MAIN, Wall
from realtime_wall.wall.pages.desk_views import for_moderators
from realtime_wall.wall.pages.layout import wall_called
from realtime_wall.wall.phone_posts.phone_limits import count_of
from realtime_wall.wall.stage.source_problems import source_problems
from realtime_wall.wall.untrusted_json import load_json

LARGEST = 128 * 1024
OF_AN_ADDRESS = 6000  # reports in ten minutes: a hundred screens


@csrf_exempt  # it has no session; a page of another site cannot send this type without being asked about
@require_POST
@never_cache
def report(request: HttpRequest, slug: str = MAIN) -> HttpResponse:
    wall = wall_called(slug)
    if request.content_type != "application/json":
        return JsonResponse({"error": "it is no JSON"}, status=415)
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST:
        return JsonResponse({"error": "that is too much at once"}, status=413)
    if count_of("screens", visitor_address(request, network=True)) > OF_AN_ADDRESS:
        return JsonResponse({"error": "too many reports"}, status=429)
    try:
        asked = load_json(request.body)
        if not isinstance(asked, dict):
            raise screen_report.BadReport("it is no JSON object")
        read = screen_report.read(asked)
        run_in_threadpool(lambda: screen_report.store(wall, read))
    except screen_report.BadReport as problem:
        return JsonResponse({"error": str(problem)}, status=400)
    except ValueError:
        return JsonResponse({"error": "it is no JSON"}, status=400)
    except DatabaseError:
        return JsonResponse({"error": "the database is unavailable"}, status=503)
    return JsonResponse({"taken": len(read.displays)})


@require_safe
@never_cache
@for_moderators
def desk_screens(request: HttpRequest, wall: Wall) -> HttpResponse:
    def find() -> dict[str, object]:
        return {"screens": screens_of(wall), "problems": source_problems(wall)}

    return JsonResponse(run_in_threadpool(find))
