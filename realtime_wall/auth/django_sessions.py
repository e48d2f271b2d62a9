"""Who is behind a socket? Asked when somebody has left, not when everybody arrives.

A handshake costs no query for this: the session's key comes with its cookie, and whose session it is
stands in the session store, which is asked about all sockets at once. That takes some 40 us for each, in
which everybody else has turns.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from itertools import islice
from typing import Any

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
    load_backend,
)
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.functional import LazyObject, SimpleLazyObject, empty

from realtime_wall.auth import lazy_request
from realtime_wall.auth.handshake_request import HandshakeRequest, known_session_key, lazy_user, read_user
from realtime_wall.auth.lazy_request import LazyRequest, if_made
from realtime_wall.wire.time_slice import TimeSlice

# Of a query: its rows are read in one piece, in which nobody else has a turn.
CHUNK = 100


@dataclass(frozen=True, slots=True)
class DjangoSession:
    """A session that goes on."""

    user_id: str | None  # a primary key, or None for nobody's
    ends: float | None  # seconds since 1970; None when the store cannot tell
    password: str = ""  # a part of what Django keeps in the session of the password's hash


@dataclass(frozen=True, slots=True)
class SessionUser:
    """A session, and its user as it is now."""

    session: DjangoSession
    user: Any
    is_good: bool  # nobody's, or of a user who may sign in, with the password of then


def session_key_of(request: HttpRequest) -> str | None:
    """The key of the Django session that a handshake came with."""
    if isinstance(request, LazyRequest):
        seen = if_made(request)
        if seen is None:
            return request.known_session_key
        request = seen
    if isinstance(request, HandshakeRequest):
        return known_session_key(request)
    return getattr(getattr(request, "session", None), "session_key", None)


def has_read_session(request: HttpRequest, key: str) -> bool:
    """Whether the request has found its session in the store; what it knows of it, it keeps."""
    seen = if_made(request)
    session: Any = None if seen is None else seen.__dict__.get("session")  # or nobody has asked for it
    return session is not None and session.accessed and session.session_key == key


def sessions_of(keys: Iterable[str]) -> dict[str, DjangoSession]:
    """What the store knows of each; one that has ended is left out."""
    return {key: _session_of(data, ends) for key, data, ends in _stored(keys)}


def accounts_of(keys: Iterable[str]) -> dict[str, SessionUser]:
    """The same, with the users, who are read at once."""
    stored = list(_stored(keys))
    users = _users_of([data for _, data, _ in stored if SESSION_KEY in data])
    time_slice, accounts = TimeSlice(), {}
    for key, data, ends in stored:
        user = users.get((data.get(BACKEND_SESSION_KEY), data.get(SESSION_KEY)))
        accounts[key] = _account_of(data, ends, user)
        time_slice.yield_if_due()
    return accounts


def _stored(keys: Iterable[str]) -> Iterator[tuple[str, Mapping[str, Any], float | None]]:
    store, time_slice = import_module(settings.SESSION_ENGINE).SessionStore, TimeSlice()
    if not hasattr(store, "get_model_class"):  # no table: a cache, files, the cookie itself
        for key in keys:
            session = store(key)
            if session.keys():
                yield key, session, None
            time_slice.yield_if_due()
        return
    alive = store.get_model_class().objects.filter(expire_date__gt=timezone.now())
    rest = iter(keys)
    while chunk := list(islice(rest, CHUNK)):
        for row in alive.filter(session_key__in=chunk):
            yield row.session_key, row.get_decoded(), row.expire_date.timestamp()
            time_slice.yield_if_due()


def _session_of(data: Mapping[str, Any], ends: float | None) -> DjangoSession:
    return DjangoSession(data.get(SESSION_KEY), ends, str(data.get(HASH_SESSION_KEY, ""))[:16])


def _account_of(data: Mapping[str, Any], ends: float | None, user: Any) -> SessionUser:
    from django.contrib.auth.models import AnonymousUser  # once the apps are loaded

    if SESSION_KEY not in data:
        return SessionUser(_session_of(data, ends), AnonymousUser(), True)
    is_good = user is not None and _has_password(user, data.get(HASH_SESSION_KEY))
    return SessionUser(_session_of(data, ends), user if is_good else AnonymousUser(), is_good)


def _has_password(user: Any, found: Any) -> bool:
    """As Django's ``get_user`` looks at it."""
    if not hasattr(user, "get_session_auth_hash"):
        return True
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(str(found or ""), one) for one in hashes)


def _users_of(sessions: Collection[Mapping[str, Any]]) -> dict[tuple[Any, Any], Any]:
    """By backend and id, as the session has them; whoever may not sign in any more is left out."""
    wanted = defaultdict(set)
    for data in sessions:
        wanted[data.get(BACKEND_SESSION_KEY)].add(data[SESSION_KEY])
    found: dict[tuple[Any, Any], Any] = {}
    for path, ids in wanted.items():
        if path not in settings.AUTHENTICATION_BACKENDS:
            continue
        backend: Any = load_backend(str(path))
        found |= {(path, id): user for id, user in _read_users(backend, ids) if user is not None}
    return found


def _read_users(backend: Any, ids: Iterable[str]) -> Iterator[tuple[str, Any]]:
    from django.contrib.auth.backends import ModelBackend

    model: Any = get_user_model()
    keys = {id: key for id in ids if (key := _primary_key(model, id)) is not None}
    time_slice = TimeSlice()
    if type(backend).get_user is not ModelBackend.get_user:
        for id, key in keys.items():
            yield id, backend.get_user(key)
            time_slice.yield_if_due()
        return
    rest = iter(keys.values())
    while chunk := list(islice(rest, CHUNK)):
        users = model._default_manager.in_bulk(chunk)
        for user in users.values():
            if backend.user_can_authenticate(user):
                yield model._meta.pk.value_to_string(user), user
        time_slice.yield_if_due()


def _primary_key(model: Any, id: Any) -> Any:
    """None for what no user of this model can have: the session is of another time."""
    try:
        return model._meta.pk.to_python(id)
    except ValidationError:
        return None


def renew_user(requests: list[HttpRequest]) -> None:
    """Let the requests of one user see it as it is now. It is read once, and only if somebody looks."""
    for one in requests:
        lazy_request.forget_user(one)
    seen = [one for one in map(if_made, requests) if one is not None]  # the others read it when they are
    if not seen:
        return
    fresh: Any = lazy_user(seen[0])
    for request in seen:
        if hasattr(request, "user"):
            request.user = fresh


def forget(request: HttpRequest) -> None:
    """Let a request read its session and its user anew when it is asked for them next."""
    if isinstance(request, LazyRequest):
        lazy_request.forget_user(request)
        seen = if_made(request)
        if seen is None:
            return
        request = seen
    known = request.__dict__
    session: Any = known.get("session")
    state = None if session is None else getattr(session, "__dict__", None)
    if state is not None and state.pop("_session_cache", None) is not None:
        state["modified"] = False
        if session.session_key is None:  # it has ended; whoever ends its sockets looks for its key
            session._session_key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if "user" in known:
        _forget_user_of(request)


def forget_user(request: HttpRequest) -> None:
    lazy_request.forget_user(request)
    seen = if_made(request)
    if seen is not None:
        _forget_user_of(seen)


def _forget_user_of(request: HttpRequest) -> None:
    user: Any = request.__dict__.get("user")
    if user is None:
        return
    if not isinstance(user, LazyObject):
        if isinstance(user, Model) and user.pk is not None:  # of a middleware of the project's
            request.user = SimpleLazyObject(partial(_read_again, type(user), user.pk))  # type: ignore[assignment]
        return
    state = object.__getattribute__(user, "__dict__")  # in one step: it is asked after each job
    reads = state.get("_setupfunc")
    if isinstance(reads, partial) and reads.func is read_user and reads.args != (request,):
        request.user = lazy_user(request)
    elif state["_wrapped"] is not empty and reads is not None:
        request.__dict__.pop("_cached_user", None)  # of the middleware
        state["_wrapped"] = empty


def _read_again(model: Any, pk: Any) -> Any:
    from django.contrib.auth.models import AnonymousUser  # once the apps are loaded

    found = model._default_manager.filter(pk=pk).first()
    return AnonymousUser() if found is None or not found.is_active else found
