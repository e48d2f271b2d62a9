"""The request of a handshake, kept for as long as its connection lives.

User code wants its session, user, headers, cookies and query for hours; Django builds it to last
milliseconds. What only the response needed is dropped here, and what can be parsed again is parsed
when it is asked for: 11 KB become about 1.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from realtime_wall.auth import visitor_address
from realtime_wall.auth.handshake_request import leave_out_user_and_session

# Of no use once the response is written: Django's own, its messages', and ``auser``, which is for async.
_FOR_THE_RESPONSE = ("_messages", "_stream", "resolver_match", "csrf_processing_done", "auser")
# Put together again when it is asked for.
_CACHED = ("_current_scheme_host",)
# Parsed from META whenever they are first asked for.
_PARSED = ("GET", "COOKIES")
# Everything else in META repeats from client to client (names, browsers, languages): one copy serves all.
_UNIQUE = {"HTTP_COOKIE", "HTTP_AUTHORIZATION", "HTTP_X_FORWARDED_FOR", "QUERY_STRING", "REMOTE_PORT"}
_SPENT = {"HTTP_SEC_WEBSOCKET_KEY", "HTTP_SEC_WEBSOCKET_EXTENSIONS", visitor_address.META_KEY}


def keep(request: HttpRequest) -> HttpRequest:
    """The same request, made small: META's strings, GET, COOKIES, session and user stay usable."""
    meta = request.META = kept_meta(request.META)
    state = request.__dict__
    for name in (*_FOR_THE_RESPONSE, *_CACHED):
        state.pop(name, None)
    if "environ" in state:  # a WSGIRequest, which parses lazily
        state["environ"] = meta
    for name in ("path", "path_info", "method"):
        state[name] = sys.intern(state[name])
    return request


def kept_meta(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Its strings."""
    return {
        sys.intern(key): value if key in _UNIQUE else sys.intern(value)
        for key, value in meta.items()
        if type(value) is str and key not in _SPENT
    }


def forget_parsed(request: HttpRequest) -> None:
    """What the handshake, or a receiver, has read of it: the connect receivers may have read the same.

    And the session and the user, when none of them has looked.
    """
    leave_out_user_and_session(request)
    if "environ" in request.__dict__:  # a WSGIRequest, which parses lazily
        for name in _PARSED:
            request.__dict__.pop(name, None)
