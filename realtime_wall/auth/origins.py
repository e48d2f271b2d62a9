"""Is this request from a page of ours?

A browser sends cookies with a WebSocket handshake to any site, so without this check every page on the
web could talk to us in the name of our visitors (cross-site WebSocket hijacking).
"""

from __future__ import annotations

import re

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest

from realtime_wall.config import Config

DEFAULT_PORTS = {"http": 80, "https": 443}
# As browsers write it: never a path, user information, or letters beyond ASCII in a host's name.
_ORIGIN = re.compile(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?", re.ASCII | re.IGNORECASE)


def problem_with(request: HttpRequest, config: Config) -> str | None:
    """Why a live connection is refused to this origin, with the setting to change; None when it is fine."""
    origin = request.META.get("HTTP_ORIGIN")
    if origin is None:
        if request.META.get("HTTP_SEC_FETCH_SITE") in ("cross-site", "same-site"):
            return "a request from another site came without an Origin header"
        # Browsers send none with a plain GET of the same origin.
        is_plain = request.method in ("GET", "HEAD") and "HTTP_UPGRADE" not in request.META
        if request.COOKIES and not is_plain:
            return "a WebSocket handshake, or a POST, with cookies needs an Origin header"
        return None
    try:
        own = f"{request.scheme}://{request.get_host()}"
    except DisallowedHost as problem:
        return str(problem)
    allowed = [own, *config.allowed_origins]
    parts = parse(origin)
    if parts is not None and parts in map(parse, allowed):
        return None
    return (
        f"origin {origin!r} is not allowed; allowed: {', '.join(allowed)}. Add it to "
        "REALTIME_WALL['ALLOWED_ORIGINS'], or let the proxy pass Host and X-Forwarded-Proto on "
        "(SECURE_PROXY_SSL_HEADER)"
    )


def parse(origin: str) -> tuple[str, str, int] | None:
    """Scheme, host and port; None for what is no plain origin ('null', a path, user information)."""
    match = _ORIGIN.fullmatch(origin)
    if match is None:
        return None
    scheme, host, port = match.groups()
    return scheme.lower(), host.lower(), int(port or DEFAULT_PORTS[scheme.lower()])
