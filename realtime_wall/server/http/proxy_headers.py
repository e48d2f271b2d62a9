"""Did a proxy pass this request on, and are its headers about the client believed?

A proxy in front makes every stranger come from its own address, most often the loopback. What it
claims of them counts only when it is one of ``TRUSTED_PROXIES``; that it claimed anything is remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from realtime_wall.auth import visitor_address
from realtime_wall.auth.trusted_proxies import are_trusted

_ABOUT_THE_CLIENT = {"HTTP_FORWARDED", "HTTP_X_REAL_IP"}
_BY_PROXIES = {
    *_ABOUT_THE_CLIENT,
    *("HTTP_VIA", "HTTP_X_CLIENT_IP", "HTTP_X_CLUSTER_CLIENT_IP", "HTTP_TRUE_CLIENT_IP"),
    "HTTP_CF_CONNECTING_IP",
}
# In META: whether it came with any of them.
META_KEY = "realtime_wall.forwarded"
# What Traefik says of a WebSocket. Django, and every origin, know the schemes of pages only.
_SCHEMES = {"wss": "https", "ws": "http"}


def note(environ: dict[str, Any], trusted_proxies: Sequence[str]) -> None:
    """Note whether a proxy has claimed anything, and forget it unless it is trusted; and note the address."""
    forwarded = [key for key in environ if key.startswith("HTTP_X_FORWARDED_") or key in _BY_PROXIES]
    environ[META_KEY] = bool(forwarded)
    if not are_trusted(environ["REMOTE_ADDR"], trusted_proxies):
        for key in forwarded:
            if key.startswith("HTTP_X_FORWARDED_") or key in _ABOUT_THE_CLIENT:
                del environ[key]
    scheme = environ.get("HTTP_X_FORWARDED_PROTO")
    if scheme in _SCHEMES:
        environ["HTTP_X_FORWARDED_PROTO"] = _SCHEMES[scheme]
    address = visitor_address.address_of(environ, trusted_proxies, is_forwarded=bool(forwarded))
    environ[visitor_address.META_KEY] = address
