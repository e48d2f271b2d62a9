"""What runs around the receivers of a connection, or of an event: the project's middleware.

As Django's, a middleware is called once with what comes next and returns what is called in its place::

    def only_members(get_response):
        def handle(socket, event):
            if not socket.user.is_authenticated:
                return {"error": "sign in"}      # the receivers do not run
            return get_response(socket, event)   # what they answered

        return handle

Around connections it is called with the socket alone, and may ``raise Refuse(data)``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from django.utils.module_loading import import_string

from realtime_wall import signals
from realtime_wall.async_functions import result_of
from realtime_wall.config import current as config
from realtime_wall.errors import Refuse
from realtime_wall.events import Event
from realtime_wall.sockets.dispatch import receivers, visitor_context
from realtime_wall.sockets.dispatch.receivers import Call, Outcome
from realtime_wall.sockets.socket import Socket

log = logging.getLogger(__name__)

Handler = Callable[..., Any]


def connect(socket: Socket) -> Outcome:
    """Run the connect receivers; who fails on the way there lets nobody in."""
    chain = config().connection_middleware
    if not chain:
        return receivers.run(signals.socket_connected, socket)
    outcomes: list[Outcome] = []

    def run_receivers() -> None:
        outcomes.append(receivers.run(signals.socket_connected, socket))
        if outcomes[-1].refused is not None:
            raise outcomes[-1].refused

    try:
        visitor_context.prepare(socket.request)
        _run(chain, run_receivers, socket)
    except Refuse as refused:
        return Outcome(refused=refused)
    except BaseException as problem:
        _report(socket, problem)
        return Outcome(failed=True, refused=Refuse())
    return outcomes[-1] if outcomes else Outcome(refused=Refuse())  # nobody has let it in


def dispatch(calls: Sequence[Call], socket: Socket, event: Event) -> Outcome:
    """Run the receivers of an event inside the project's middleware, of which it has some."""
    chain = config().event_middleware
    outcome = Outcome()

    def run_receivers() -> Any:
        nonlocal outcome
        outcome = receivers.run_together(calls, socket)
        return outcome.answer

    try:
        visitor_context.prepare(socket.request)
        answer = _run(chain, run_receivers, socket, event)
    except BaseException as problem:
        _report(socket, problem)
        return Outcome(failed=True)
    return outcome if answer is None or answer is outcome.answer else Outcome([answer])


# What the innermost of a chain, which is made once, runs here and now.
_receivers: ContextVar[Callable[[], Any]] = ContextVar("receivers")


def _run(chain: Sequence[Any], run_receivers: Callable[[], Any], *args: Any) -> Any:
    token = _receivers.set(run_receivers)
    try:
        return result_of(_chain(tuple(chain))(*args))
    finally:
        _receivers.reset(token)


@lru_cache(16)
def _chain(middleware: tuple[str | Callable[..., Any], ...]) -> Handler:
    """The first is the outermost."""
    handler: Handler = lambda *_: _receivers.get()()  # noqa: E731
    for one in reversed(middleware):
        factory = import_string(one) if isinstance(one, str) else one
        handler = factory(_waiting(handler))
    return handler


def _waiting(handler: Handler) -> Handler:
    def get_response(*args: Any) -> Any:
        return result_of(handler(*args))

    return get_response


def _report(socket: Socket, problem: BaseException) -> None:
    log.exception("a middleware failed on %r", socket)
    receivers.run(signals.socket_error, socket, exception=problem)
