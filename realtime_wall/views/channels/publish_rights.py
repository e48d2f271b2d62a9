"""Who may publish over HTTP, and who may see and do the rest of it: information, deletion, statistics?

Closed by default. A signed token opens it, or a member of the staff who has passed Django's CSRF check, or
the channel's rule; and programs on this machine, where ``PUBLISH_FROM_LOOPBACK`` lets them.
"""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

from realtime_wall.auth import channel_permissions, origins
from realtime_wall.channels.rules import Rule
from realtime_wall.node.node import Node
from realtime_wall.server.http import proxy_headers
from realtime_wall.views.channels import channel_request
from realtime_wall.views.channels.channel_request import RequestRefused

SAFE = ("GET", "HEAD", "OPTIONS")
NOT_AUTHORIZED = "Channel id not authorized for this method."
# Whoever a rule lets speak on a channel may not silence it, or look at all of them.
ADMINISTRATION = Rule()


def check_may_write(node: Node, request: HttpRequest, channel: str) -> None:
    """RequestRefused unless it may publish on the channel."""
    _check(node, request, node.rules.of(channel), channel)


def check_may_look(node: Node, request: HttpRequest, channel: str) -> None:
    """RequestRefused unless it may know what goes on on the channel."""
    try:
        check_may_write(node, request, channel)
    except RequestRefused:
        check_may_administer(node, request, channel)


def check_may_administer(node: Node, request: HttpRequest, pattern: str) -> None:
    """RequestRefused unless it may delete the channel, or see the statistics of all that fit a pattern.

    The pattern is a name, or has one ``*``, at its end: then a token for a pattern fits it when it fits
    every name that it stands for.
    """
    _check(node, request, ADMINISTRATION, pattern)


def _check(node: Node, request: HttpRequest, rule: Rule, channel: str) -> None:
    tokens = channel_request.tokens_of(request)
    if any(channel_permissions.may_write_openly(rule, request, channel, token) for token in tokens):
        return
    if channel_permissions.may_write(rule, request, channel):
        if not _is_authenticated_by_browser(request) or _passes_csrf(request):
            return
        raise RequestRefused(403, "CSRF verification failed: send the header X-CSRFToken, or a token.")
    if not _is_local(node, request):
        raise RequestRefused(403, NOT_AUTHORIZED)


def _is_authenticated_by_browser(request: HttpRequest) -> bool:
    """Whether a browser would say who it is on any page's behalf: by a cookie, or as it is signed in."""
    user = getattr(request, "user", None)
    return settings.SESSION_COOKIE_NAME in request.COOKIES or bool(user and user.is_authenticated)


def _passes_csrf(request: HttpRequest) -> bool:
    """The views are exempt, as most who publish are no browsers; who is one is checked here."""
    if request.method in SAFE:
        return True
    check = CsrfViewMiddleware(lambda request: HttpResponse())
    check.process_request(request)
    return check.process_view(request, HttpResponse, (), {}) is None


def _is_local(node: Node, request: HttpRequest) -> bool:
    """Whether a program on this machine asks."""
    may = node.config.publish_from_loopback
    if not (settings.DEBUG if may is None else may):
        return False
    # The handler always says; where it does not, this is no connection of ours.
    if request.META.get(proxy_headers.META_KEY, True) or not _is_loopback(
        request.META.get("REMOTE_ADDR", "")
    ):
        return False
    origin = request.META.get("HTTP_ORIGIN")
    if origin is None:
        return "HTTP_SEC_FETCH_SITE" not in request.META
    # A page of any site may have its name lead here (DNS rebinding): it is then of "the same origin".
    parts = origins.parse(origin)
    return parts is not None and (parts[1] == "localhost" or _is_loopback(parts[1].strip("[]")))


def _is_loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback
