"""Is this request from a page of ours?

A browser sends cookies with a WebSocket handshake to any site, so without this check every page on the
web could talk to us in the name of our visitors (cross-site WebSocket hijacking).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest

from realtime_wall.config import Config

DEFAULT_PORTS = {"http": 80, "https": 443}


def problem_with(request: HttpRequest, config: Config) -> str | None:
    """Why a live connection is refused to this origin, with the setting to change; None when it is fine."""
    origin = request.META.get("HTTP_ORIGIN")
    if origin is None:
        if request.META.get("HTTP_SEC_FETCH_SITE") in ("cross-site", "same-site"):
            return "a request from another site came without an Origin header"
        if request.COOKIES:
            return "a WebSocket handshake with cookies needs an Origin header"
        return None
    try:
        own = f"{request.scheme}://{request.get_host()}"
    except DisallowedHost as problem:
        return str(problem)
    allowed = [own, *config.allowed_origins]
    parts = _parts(origin)
    if parts is not None and parts in map(_parts, allowed):
        return None
    return (
        f"origin {origin!r} is not allowed; allowed: {', '.join(allowed)}. Add it to "
        "REALTIME_WALL['ALLOWED_ORIGINS'], or let the proxy pass Host and X-Forwarded-Proto on "
        "(SECURE_PROXY_SSL_HEADER)"
    )


def _parts(origin: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port; None for what is no plain origin ('null', a path, user information)."""
    try:
        split = urlsplit(origin)
        port = split.port
    except ValueError:
        return None
    if split.scheme not in DEFAULT_PORTS or not split.hostname:
        return None
    if split.path or split.query or split.fragment or "@" in split.netloc:
        return None
    return split.scheme, split.hostname, port or DEFAULT_PORTS[split.scheme]
