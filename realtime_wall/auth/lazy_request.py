"""The request of a client that returned by a ticket: no middleware has seen it, until somebody needs that.

What came over the wire (``META``, ``GET``, ``COOKIES``, headers) is there. Whatever else is asked of it (the
session, what middleware adds, and the user where more than the session says who it is) makes it go through
the whole site first, as a handshake would have.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest

from realtime_wall.auth.handshake_request import BodylessRequest
from realtime_wall.errors import Refuse

# Lets it go through the site: what came out, or why the site refuses.
Make = Callable[["LazyRequest"], "HttpRequest | str"]

_PREFIX = "_realtime_wall_"
_MADE, _REFUSED = "_realtime_wall_made", "_realtime_wall_refused"
_USER = "_realtime_wall_user"
# What Django looks for in a request's own dict; a GET has none of it.
_OF_A_BODY = {"_post", "_files", "_body", "_read_started"}


class LazyRequest(BodylessRequest):
    read_user: Callable[[], Any] | None = None  # without the site; it may find none

    def __init__(
        self, meta: dict[str, Any], session_key: str | None, make: Make, needs_context: bool = False
    ) -> None:
        state = self.__dict__
        state["META"] = state["environ"] = meta
        state["path"] = state["path_info"] = meta["PATH_INFO"]
        state["method"] = "GET"
        self.known_session_key = session_key  # by its cookie
        self.needs_context = needs_context  # whether middleware sets up more than the request
        self.make = make
        self.on_refused: Callable[[str], object] = lambda reason: None

    def __getattr__(self, name: str) -> Any:
        """Only what is not here."""
        if name.startswith((_PREFIX, "__")) or name in _OF_A_BODY:
            raise AttributeError(name)
        if name == "user" and (user := _user_of(self)) is not None:
            return user
        return getattr(made(self), name)


def _user_of(request: LazyRequest) -> Any:
    """None when the site has to say it, or has."""
    state = request.__dict__
    if request.read_user is None or _MADE in state or _REFUSED in state:
        return None
    if _USER not in state:
        state[_USER] = request.read_user()
    return state[_USER]


def forget_user(request: HttpRequest) -> None:
    """What it has read without the site; other requests have read none so."""
    request.__dict__.pop(_USER, None)


def made(request: HttpRequest) -> HttpRequest:
    """What the site makes of it; of any other request, itself. Refuse when the site does not let it in."""
    if not isinstance(request, LazyRequest):
        return request
    state = request.__dict__
    if _MADE not in state:
        found: HttpRequest | str = state.get(_REFUSED) or request.make(request)
        if isinstance(found, str):
            state[_REFUSED] = found
            request.on_refused(found)
            raise Refuse(found)
        state[_MADE] = found
        state["META"] = state["environ"] = found.META
        # What else is known of its visitor; its session and user it has itself.
        state |= {name: value for name, value in found.__dict__.items() if name.startswith(_PREFIX)}
    return state[_MADE]  # type: ignore[no-any-return]


def if_made(request: HttpRequest) -> HttpRequest | None:
    """The same, when the site has seen it already."""
    return request.__dict__.get(_MADE) if isinstance(request, LazyRequest) else request
