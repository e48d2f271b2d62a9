"""The director's page, for a phone: it shows what the audience sees, and steers it. For moderators alone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from realtime_wall.wall.models import MAIN, Wall
from realtime_wall.wall.moderation.rights import may_moderate
from realtime_wall.wall.pages.desk_views import acting, sign_in_address
from realtime_wall.wall.pages.layout import address_of, moderators_frame, reading_frame, wall_called
from realtime_wall.wall.pages.script_config import live_words
from realtime_wall.wall.pages.wall_policy import wall_policy
from realtime_wall.wall.stage.director import direct
from realtime_wall.wall.stage.tables import Layout


@require_safe
@never_cache
@partial(wall_policy, has_frames=True)
def remote_page(request: HttpRequest, slug: str = MAIN) -> HttpResponse:
    user: Any = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return redirect_to_login(request.get_full_path(), sign_in_address())
    wall = wall_called(slug)
    if not may_moderate(user, wall):
        page = reading_frame(request, wall, "remote") | {"user": user, "sign_in": sign_in_address()}
        return render(request, "realtime_wall_wall/no_moderator.html", page, status=403)
    page = moderators_frame(request, wall, "remote") | {
        "screen": address_of("wall", wall),
        "layouts": Layout.choices,
        "config": live_words(wall)
        | {
            "posts": address_of("posts", wall),
            "act": address_of("remote-act", wall),
            "desk_act": address_of("desk-act", wall),
            "problems": address_of("desk-screens", wall),
            "csrf": get_token(request),
            "words": _words(),
        },
    }
    return render(request, "realtime_wall_wall/remote.html", page)


def _direct(wall: Wall, user: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
    return direct(wall, asked)


remote_act = acting(_direct)


def _words() -> dict[str, str]:
    return {
        "pause": gettext("Pause"),
        "play": gettext("Play"),
        "blank": gettext("Blank"),
        "unblank": gettext("Show"),
        "show": gettext("Show"),
        "pin": gettext("Pin"),
        "unpin": gettext("Unpin"),
        "speed": gettext("Speed {}"),
        "failed": gettext("That did not work: {}"),
        "signed_out": gettext("You are signed out, or no moderator any more."),
        "nothing": gettext("There is nothing else to show."),
    }
