"""What does a receiver find of the visitor whose socket it runs for?

What middleware had set up when it let the handshake in: the language, the time zone, whatever else is in
context variables. Each dispatch begins with that, and with nothing of anybody else's. What most visitors
share (a language) is kept once for all of them.

And the present: what a dispatch has read of the session and the user is forgotten when it ends.
"""

from __future__ import annotations

import decimal
from collections.abc import Callable, Hashable
from contextvars import Context, ContextVar, copy_context
from threading import get_ident
from typing import Any
from weakref import WeakValueDictionary

from asgiref import local
from asgiref.sync import AsyncToSync, SyncToAsync
from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest
from django.utils.module_loading import import_string

from realtime_wall.auth import django_sessions
from realtime_wall.auth.lazy_request import LazyRequest, if_made, made
from realtime_wall.config import current as config

# In the request's own dict, as Django keeps there what middleware adds.
_KEPT = "_realtime_wall_context"
_RUNNING = "_realtime_wall_running"

# asgiref's Local is a context variable whose value belongs to one thread (a greenlet, here).
_Storage: Any = getattr(local, "_Storage", ())


class _Values:
    """Context variables and their values, as many visitors may have them."""

    __slots__ = ("__weakref__", "_variables")

    def __init__(self, variables: list[tuple[ContextVar[Any], Any]]) -> None:
        self._variables = variables

    def enter(self, function: Callable[[], Any]) -> Any:
        for variable, value in self._variables:
            mine = isinstance(value, _Storage)
            variable.set(_Storage(get_ident(), value.data) if mine else value)
        return function()


_shared: WeakValueDictionary[Hashable, _Values] = WeakValueDictionary()


def remember(request: HttpRequest) -> bool:
    """Keep what middleware has set up until now, for the receivers of the sockets of this handshake.

    False when that is nothing.
    """
    others = _of_the_machinery()
    found = [
        (variable, value) for variable, value in copy_context().items() if _is_kept(variable, value, others)
    ]
    if found:
        key = frozenset((id(variable), _same(value)) for variable, value in found)
        values = _shared.get(key)
        if values is None:
            values = _shared[key] = _Values(found)
        request.__dict__[_KEPT] = values
    return bool(found)


def prepare(request: HttpRequest) -> None:
    """Before user code runs for it. A client that returned by a ticket has not met middleware yet: if that
    sets up more than the request, it does so now. Refuse when the site does not let it in."""
    if isinstance(request, LazyRequest) and request.needs_context and if_made(request) is None:
        made(request)
        values = request.__dict__.get(_KEPT)
        if values is not None:
            values.enter(lambda: None)


def run(request: HttpRequest | None, function: Callable[[], Any]) -> Any:
    """Run what is to be done for a visitor in its context; without a request in nobody's."""
    values = None if request is None else request.__dict__.get(_KEPT)
    return Context().run(function) if values is None else Context().run(values.enter, function)


def run_job(request: HttpRequest, job: Callable[[], object]) -> None:
    """Run a job inside what the project puts around it; afterwards the request knows no past."""
    state = request.__dict__
    state[_RUNNING] = state.get(_RUNNING, 0) + 1  # namespaces share a request
    try:
        around = config().receiver_context
        if around is None:
            job()
        else:
            prepare(request)
            with (import_string(around) if isinstance(around, str) else around)(request):
                job()
    finally:
        running = state.pop(_RUNNING) - 1
        if running:
            state[_RUNNING] = running
        else:
            django_sessions.forget(request)


def _of_the_machinery() -> set[Any]:
    """Variables that belong to a greenlet or a request, and mean nothing later."""
    locals_ = (caches._connections, AsyncToSync.executors)  # type: ignore[attr-defined]
    return {
        *(getattr(getattr(one, "_storage", None), "_data", None) for one in locals_),
        AsyncToSync.async_single_thread_context,
        SyncToAsync.thread_sensitive_context,
        SyncToAsync.deadlock_context,
    }


def _is_kept(variable: ContextVar[Any], value: Any, others: set[Any]) -> bool:
    if variable in others or isinstance(value, decimal.Context):
        return False
    if isinstance(value, _Storage):
        # The script's prefix is set for each request: as a rule to what it is anyway.
        # So is the URLconf.
        usual = ({"value": "/"}, {"value": settings.ROOT_URLCONF})
        return bool(value.thread_id == get_ident() and value.data and value.data not in usual)
    return True


def _same(value: Any) -> Hashable:
    """Equal for values that may stand for each other."""
    if isinstance(value, _Storage):
        return frozenset((name, _same(item)) for name, item in value.data.items())
    return (type(value), value) if isinstance(value, (str, int, bool, type(None))) else id(value)
