"""Is this request from a page of ours?

A browser sends cookies with a WebSocket handshake to any site, so without this check every page on the
web could talk to us in the name of our visitors (cross-site WebSocket hijacking).
"""

from __future__ import annotations

import re
from functools import lru_cache

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest

from realtime_wall.config import Config

# In ALLOWED_ORIGINS: clients outside browsers, which send cookies and no Origin, may connect.
NO_ORIGIN = "none"

DEFAULT_PORTS = {"http": 80, "https": 443}
# As browsers write it: never a path, user information, or letters beyond ASCII in a host's name.
_ORIGIN = re.compile(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?", re.ASCII | re.IGNORECASE)

# The pages of an app's shell: capacitor://localhost, ionic://localhost, chrome-extension://<id>.
_OF_AN_APP = re.compile(r"([a-z][a-z0-9+.-]*)://([a-z0-9._-]+)(?::([0-9]{1,5}))?", re.ASCII | re.IGNORECASE)
_OF_NO_APP = {"http", "https", "ws", "wss", "file", "data", "blob", "about", "javascript"}

Parts = tuple[str, str, int]


def problem_with(request: HttpRequest, config: Config) -> str | None:
    """Why a live connection is refused to this origin, with the setting to change; None when it is fine."""
    origin = request.META.get("HTTP_ORIGIN")
    if origin is None:
        if request.META.get("HTTP_SEC_FETCH_SITE") in ("cross-site", "same-site"):
            return "a request from another site came without an Origin header"
        # Browsers send none with a plain GET of the same origin.
        is_plain = request.method in ("GET", "HEAD") and "HTTP_UPGRADE" not in request.META
        if request.COOKIES and not is_plain and NO_ORIGIN not in config.allowed_origins:
            return (
                "a WebSocket handshake, or a POST, with cookies needs an Origin header. A client that is no "
                "browser can send one; or add 'none' to REALTIME_WALL['ALLOWED_ORIGINS']"
            )
        return None
    try:
        own = f"{request.scheme}://{request.get_host()}"
    except DisallowedHost as problem:
        return str(problem)
    parts = _parse_any(origin)
    if parts is not None and (parts == parse(own) or _is_allowed(parts, tuple(config.allowed_origins))):
        return None
    allowed = [own, *config.allowed_origins]
    return (
        f"origin {origin!r} is not allowed; allowed: {', '.join(allowed)}. Add it to "
        "REALTIME_WALL['ALLOWED_ORIGINS'], or let the proxy pass Host and X-Forwarded-Proto on "
        "(SECURE_PROXY_SSL_HEADER)"
    )


def is_usable(entry: str) -> bool:
    """Whether an entry of ``ALLOWED_ORIGINS`` can ever fit an origin."""
    return entry == NO_ORIGIN or _parse_entry(entry) is not None


def _is_allowed(parts: Parts, entries: tuple[str, ...]) -> bool:
    scheme, host, port = parts
    for allowed_scheme, allowed_host, allowed_port in _parse_entries(entries):
        if (scheme, port) == (allowed_scheme, allowed_port):
            if host == allowed_host:
                return True
            if allowed_host.startswith("*.") and host.endswith(allowed_host[1:]):
                return True
    return False


@lru_cache(maxsize=16)
def _parse_entries(entries: tuple[str, ...]) -> list[Parts]:
    return [parts for parts in map(_parse_entry, entries) if parts is not None]


def _parse_entry(entry: str) -> Parts | None:
    """An origin, or the pattern of all subdomains: ``https://*.example.com``."""
    scheme, _, rest = entry.partition("://")
    if not rest.startswith("*."):
        return _parse_any(entry)
    domain = parse(f"{scheme}://{rest[2:]}")
    return None if domain is None else (domain[0], f"*.{domain[1]}", domain[2])


def _parse_any(origin: str) -> Parts | None:
    match = _OF_AN_APP.fullmatch(origin)
    if match is None or match[1].lower() in _OF_NO_APP:
        return parse(origin)
    return match[1].lower(), match[2].lower(), int(match[3] or 0)


def parse(origin: str) -> Parts | None:
    """Scheme, host and port; None for what is no plain origin ('null', a path, user information)."""
    match = _ORIGIN.fullmatch(origin)
    if match is None:
        return None
    scheme, host, port = match.groups()
    return scheme.lower(), host.lower(), int(port or DEFAULT_PORTS[scheme.lower()])
