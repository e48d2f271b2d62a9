"""Who is behind a socket? Asked when somebody has left, not when everybody arrives.

A handshake costs no query for this: the session's key comes with its cookie, and whose session it is
stands in the session store, which is asked about all sockets at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from itertools import islice
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import LazyObject, SimpleLazyObject, empty

# SQLite takes no more variables in a query than this, by default.
CHUNK = 500


@dataclass(frozen=True, slots=True)
class DjangoSession:
    """A session that goes on."""

    user_id: str | None  # a primary key, or None for nobody's
    ends: float | None  # seconds since 1970; None when the store cannot tell


def session_key_of(request: HttpRequest) -> str | None:
    """The key of the Django session that a handshake came with."""
    return getattr(getattr(request, "session", None), "session_key", None)


def has_read_session(request: HttpRequest, key: str) -> bool:
    """Whether the request has found its session in the store; what it knows of it, it keeps."""
    session = getattr(request, "session", None)
    return session is not None and session.accessed and session.session_key == key


def sessions_of(keys: Iterable[str]) -> dict[str, DjangoSession]:
    """What the store knows of each; one that has ended is left out."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    if not hasattr(store, "get_model_class"):  # no table: a cache, files, the cookie itself
        return dict(_one_by_one(store, keys))
    alive = store.get_model_class().objects.filter(expire_date__gt=timezone.now())
    found: dict[str, DjangoSession] = {}
    rest = iter(keys)
    while chunk := list(islice(rest, CHUNK)):
        for row in alive.filter(session_key__in=chunk):
            user_id = row.get_decoded().get(SESSION_KEY)
            found[row.session_key] = DjangoSession(user_id, row.expire_date.timestamp())
    return found


def _one_by_one(store: Any, keys: Iterable[str]) -> Iterator[tuple[str, DjangoSession]]:
    for key in keys:
        session = store(key)
        if session.keys():
            yield key, DjangoSession(session.get(SESSION_KEY), None)


def renew_user(requests: list[HttpRequest]) -> None:
    """Let the requests of one user see it as it is now. It is read once, and only if somebody looks."""
    fresh: Any = SimpleLazyObject(partial(_read_user, requests[0]))
    for request in requests:
        if hasattr(request, "user"):
            request.user = fresh


def forget(request: HttpRequest) -> None:
    """Let a request read its session and its user anew when it is asked for them next."""
    session: Any = request.__dict__.get("session")
    state = getattr(session, "__dict__", None)
    if state is not None and state.pop("_session_cache", None) is not None:
        state["modified"] = False
        if session.session_key is None:  # it has ended; whoever ends its sockets looks for its key
            session._session_key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    forget_user(request)


def forget_user(request: HttpRequest) -> None:
    user: Any = request.__dict__.get("user")
    if not isinstance(user, LazyObject):
        if isinstance(user, Model) and user.pk is not None:  # of a middleware of the project's
            request.user = SimpleLazyObject(partial(_read_again, type(user), user.pk))  # type: ignore[assignment]
        return
    state = user.__dict__
    reads = state.get("_setupfunc")
    if isinstance(reads, partial) and reads.func is _read_user and reads.args != (request,):
        request.user = SimpleLazyObject(partial(_read_user, request))  # type: ignore[assignment]
    elif state["_wrapped"] is not empty and reads is not None:
        request.__dict__.pop("_cached_user", None)  # of the middleware
        state["_wrapped"] = empty


def _read_again(model: Any, pk: Any) -> Any:
    from django.contrib.auth.models import AnonymousUser  # once the apps are loaded

    found = model._default_manager.filter(pk=pk).first()
    return AnonymousUser() if found is None or not found.is_active else found


def _read_user(request: HttpRequest) -> Any:
    request.__dict__.pop("_cached_user", None)  # of the middleware
    return get_user(request)
