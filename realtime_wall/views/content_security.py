"""What may a page with our scripts load, and where may it connect to? Its Content-Security-Policy.

Files of the site and connections to it, nothing else, and nothing inline. A site with a policy of its own
keeps that: Django's ``SECURE_CSP``, django-csp's ``CONTENT_SECURITY_POLICY``, or a header of the view.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static

from realtime_wall.templatetags.realtime import socketio_client_address

HEADER = "Content-Security-Policy"
# Who may frame the page is X-Frame-Options' to say: ``frame-ancestors`` would overrule it.
NOTHING_ELSE: dict[str, list[str]] = {
    "default-src": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
}

View = Callable[..., HttpResponse]


def strict_policy(view: View) -> View:
    """For a view whose page has ``{% socketio_client_script %}`` or ``{% realtime_client %}``."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        add_policy(request, response, script_src=[_file_elsewhere(socketio_client_address())])
        return response

    return answer


def add_policy(request: HttpRequest, response: HttpResponse, **more: Iterable[str]) -> None:
    """``more`` are a directive's sources besides the site, as the header has them: ``img_src=["https:"]``."""
    if getattr(settings, "SECURE_CSP", None) or getattr(settings, "CONTENT_SECURITY_POLICY", None):
        return
    files = ["'self'", origin_of(static("realtime_wall/realtime.js"))]
    # 'self' stands for WebSockets too, but older Safaris do not know it.
    own_sockets = f"{'wss' if request.is_secure() else 'ws'}://{request.get_host()}"
    sources = NOTHING_ELSE | {
        "script-src": files,
        "style-src": files,
        "img-src": files,
        "font-src": files,
        "connect-src": ["'self'", own_sockets],
    }
    for name, added in more.items():
        directive = name.replace("_", "-")
        sources[directive] = [*sources.get(directive, ()), *added]
    parts = [f"{name} {' '.join(filter(None, found))}" for name, found in sources.items()]
    response.headers.setdefault(HEADER, "; ".join(parts))


def origin_of(address: str) -> str:
    """``https://example.com``; nothing for a path of this site."""
    parts = urlsplit(address)
    scheme = f"{parts.scheme}://" if parts.scheme else ""
    return scheme + parts.netloc.rpartition("@")[2] if parts.netloc else ""


def _file_elsewhere(address: str) -> str:
    """That one file is allowed, not all that its server has."""
    return address.partition("?")[0] if origin_of(address) else ""
