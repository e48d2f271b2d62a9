"""What may a page of the wall load? Files of the site, pictures from all over the web, and on a stage films.

Templates that were changed and need more: the wall's CONTENT_SECURITY_POLICY, or a policy of the site.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

from realtime_wall.views.content_security import HEADER, add_policy, origin_of
from realtime_wall.wall import options

View = Callable[..., HttpResponse]


def wall_policy(view: View, has_frames: bool = False, has_films: bool = False) -> View:
    """For each view that answers with a page; ``has_frames`` is for one that shows others of this site."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        chosen = options.current()
        if chosen.content_security_policy:
            if chosen.content_security_policy != "none":
                response.headers.setdefault(HEADER, chosen.content_security_policy)
            return response
        server = origin_of(chosen.websocket_server)
        add_policy(
            request,
            response,
            img_src=["https:", "http:"],  # posts come with theirs
            media_src=["'self'", "https:", "http:"] if has_films else ["'none'"],
            connect_src=[
                server,
                server.replace("ws", "http", 1),
            ],  # the second for what takes a WebSocket's place
            frame_src=["'self'" if has_frames or chosen.oembed_url else "'none'"],
        )
        return response

    return answer
