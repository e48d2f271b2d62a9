"""What do programs ask of the moderators' desk? The same lists and acts, with a token, answered in JSON."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from realtime_wall.api import run_in_threadpool
from realtime_wall.wall.models import MAIN, Ban, Wall
from realtime_wall.wall.moderation import desk_acts
from realtime_wall.wall.pages.desk_views import answer_act, answer_posts
from realtime_wall.wall.programs.program_token import SPAN, Program, asks_too_often, note_seen, program_of

View = Callable[[HttpRequest, Wall, Program], HttpResponse]


def for_programs(method: str) -> Callable[[View], Callable[..., HttpResponse]]:
    """401 for who has no token, 403 for another wall's, 429 for who asks too often."""

    def decorate(view: View) -> Callable[..., HttpResponse]:
        @csrf_exempt  # no cookie lets anybody in here
        @transaction.non_atomic_requests
        @never_cache
        @wraps(view)
        def answer(request: HttpRequest, slug: str = MAIN) -> HttpResponse:
            if request.method != method:
                return _refuse(405, f"this is asked by {method}", {"Allow": method})
            try:
                program = program_of(request)
                if program is None:
                    return _refuse(
                        401, "send a token: 'Authorization: Bearer rwt_...'", {"WWW-Authenticate": "Bearer"}
                    )
                wall = Wall.called() if slug == MAIN else Wall.objects.filter(slug=slug).first()
                # Whoever may not ask about a wall does not learn whether there is one.
                if wall is None or program.token.wall_id not in (None, wall.pk):
                    return _refuse(403, "this token is not of such a wall")
                if asks_too_often(program):
                    return _refuse(429, "that is too often; wait a minute", {"Retry-After": str(SPAN)})
                run_in_threadpool(lambda: note_seen(program))
                return view(request, wall, program)
            except DatabaseError:
                return _refuse(503, "the database is unavailable", {"Retry-After": "1"})

        return answer

    return decorate


@for_programs("GET")
def list_posts(request: HttpRequest, wall: Wall, program: Program) -> HttpResponse:
    """``?state=``, of waiting, shown, hidden and banned; ``&behind=`` the ``next`` of an earlier answer."""
    return answer_posts(request, wall)


@for_programs("POST")
def act(request: HttpRequest, wall: Wall, program: Program) -> HttpResponse:
    """What the desk does: ``{"action": "approve", "posts": [{"key": "x:1", "seen": "waiting"}]}``."""

    def perform(wall: Wall, user: Any, asked: dict[str, Any]) -> dict[str, Any]:
        action, act_id = asked.get("action"), asked.get("act")
        lifts = action == "undo" and isinstance(act_id, str) and Ban.objects.filter(act=act_id).exists()
        if not program.may("unban" if lifts else str(action)):
            raise desk_acts.Forbidden("this token has no right to that")
        return desk_acts.perform(wall, program, asked)

    return answer_act(request, wall, program, perform)


def _refuse(status: int, reason: str, headers: dict[str, str] | None = None) -> JsonResponse:
    return JsonResponse({"error": reason}, status=status, headers=headers)
