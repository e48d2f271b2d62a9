"""The project's own word on who may connect: its permission hook, asked before anything is agreed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.utils.module_loading import import_string

from realtime_wall.async_functions import result_of
from realtime_wall.config import Config
from realtime_wall.errors import Refuse
from realtime_wall.protocol.json_output import encode_json


def refusal(request: HttpRequest, config: Config) -> HttpResponse | None:
    """What the project's own permission hook answers; None when it agrees."""
    if config.authorize is None:
        return None
    authorize: Callable[[HttpRequest], Any] = (
        import_string(config.authorize) if isinstance(config.authorize, str) else config.authorize
    )
    try:
        agreed = result_of(authorize(request))
    except Refuse as refusal:
        if refusal.data is None:
            return HttpResponseForbidden("refused\n", content_type="text/plain; charset=utf-8")
        return HttpResponse(encode_json(refusal.data), status=403, content_type="application/json")
    return None if agreed else HttpResponseForbidden("refused\n", content_type="text/plain; charset=utf-8")
