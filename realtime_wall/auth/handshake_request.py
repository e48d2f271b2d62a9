"""The request of a handshake, which is kept for hours: its session and user are made when they are asked for.

Django makes both for each request, and few sockets ever ask: what it makes of a session's key, and a function
that would read the user, are half a kilobyte.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject, empty

# Whose function reads the user.
_MIDDLEWARE = "django.contrib.auth.middleware"
# In a session of Django's that nobody has looked at: its key, what reads it, and that it was not looked at.
_UNREAD = 4


class BodylessRequest(WSGIRequest):
    """A GET, of which each has the same to say about a body."""

    _encoding = None  # of Django's own: so each begins
    content_type = ""
    content_params: dict[str, str] = {}  # noqa: RUF012


class HandshakeRequest(BodylessRequest):
    known_session_key: str | None

    def __getattr__(self, name: str) -> Any:
        """Only what is not here."""
        if name == "session":
            made = _store(settings.SESSION_ENGINE)(self.known_session_key)
        elif name == "user":
            made = lazy_user(self)
        else:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        self.__dict__[name] = made
        return made


def leave_out_user_and_session(request: HttpRequest) -> None:
    """When both are as Django's middleware has made them, and nobody has looked at them yet."""
    state = request.__dict__
    user: Any = state.get("user")
    session: Any = state.get("session")
    if type(request) is not WSGIRequest or not _is_unread_session(session) or not _is_unread_user(user):
        return
    state["known_session_key"] = session.session_key
    del state["user"], state["session"]
    for name in ("content_type", "content_params"):
        if not state.get(name):
            state.pop(name, None)
    request.__class__ = HandshakeRequest


def known_session_key(request: HttpRequest) -> str | None:
    """Without making its session; of one that somebody has asked for, what it says now."""
    session: Any = request.__dict__.get("session")
    key: str | None = request.__dict__["known_session_key"] if session is None else session.session_key
    return key


def lazy_user(request: HttpRequest) -> Any:
    return SimpleLazyObject(partial(read_user, request))


def read_user(request: HttpRequest) -> Any:
    request.__dict__.pop("_cached_user", None)  # of the middleware
    return get_user(request)


def _is_unread_session(session: Any) -> bool:
    return (
        type(session) is _store(settings.SESSION_ENGINE)
        and len(session.__dict__) == _UNREAD
        and not session.accessed
        and not session.modified
    )


def _is_unread_user(user: Any) -> bool:
    if type(user) is not SimpleLazyObject:
        return False
    state = object.__getattribute__(user, "__dict__")
    return state["_wrapped"] is empty and getattr(state["_setupfunc"], "__module__", None) == _MIDDLEWARE


@lru_cache(4)
def _store(engine: str) -> Callable[[str | None], Any]:
    store: Callable[[str | None], Any] = import_module(engine).SessionStore
    return store
