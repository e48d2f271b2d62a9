"""``health/seen/``: what has arrived of a request? For ``manage.py realtime doctor``, outside.

Only who has the site's ``SECRET_KEY``, by a token, is answered. A proxy that drops a header, or another
scheme, is seen by comparing this with what was sent.
"""

from __future__ import annotations

import resource

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.views.decorators.csrf import csrf_exempt

from realtime_wall.auth import channel_token, visitor_address
from realtime_wall.auth.trusted_proxies import are_trusted
from realtime_wall.node import node as nodes
from realtime_wall.server.http import proxy_headers
from realtime_wall.views.channels import channel_request

# The doctor's channels, and its token's pattern.
CHANNELS = "doctor.*"
COOKIE = "realtime-doctor"
ASKED = (
    *("Origin", "Upgrade", "Connection", "Last-Event-ID", "Authorization", "Sec-WebSocket-Key"),
    *("X-Forwarded-For", "X-Forwarded-Proto"),
)


@csrf_exempt  # it changes nothing
def seen(request: HttpRequest) -> HttpResponse:
    node = nodes.current()
    if node is None:
        return HttpResponse("no live server\n", status=503, content_type="text/plain")
    token = request.GET.get("token")
    if not channel_token.allows(token, CHANNELS.replace("*", "seen"), write=True, user=None):
        refused = channel_request.RequestRefused(403, "no token of this site's SECRET_KEY, or too old")
        return channel_request.with_no_cache(refused.response())
    config = node.config
    found = {
        "scheme": request.scheme,
        "host": request.get_host(),
        "protocol": request.META.get("SERVER_PROTOCOL", ""),
        "headers": {name: name in request.headers for name in ASKED},
        "origin": request.headers.get("Origin"),
        "cookies": list(request.COOKIES),
        "body": len(request.body),
        "address": request.META.get(visitor_address.META_KEY, ""),
        "is_forwarded": bool(request.META.get(proxy_headers.META_KEY)),
        "is_trusted": are_trusted(request.META.get("REMOTE_ADDR", ""), config.trusted_proxies),
        "server": node.address,
        "script": static("realtime_wall/realtime.js"),
        "secure_cookies": settings.SESSION_COOKIE_SECURE,
        "has_ssl_header": settings.SECURE_PROXY_SSL_HEADER is not None,
        "ping_interval": config.ping_interval,
        "long_poll_timeout": config.long_poll_timeout,
        "message_size": config.message_size,
        "descriptors": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
    }
    response = JsonResponse(found)
    response.set_cookie(COOKIE, "1", max_age=60, httponly=True)
    return channel_request.with_no_cache(response)
