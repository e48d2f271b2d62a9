"""Run the receivers of one signal, so that none of them can hurt anybody else.

Receivers run in the order in which they were connected. One that raises is logged with its name and
sent to ``socket_error``; the others still run. Database connections are given back afterwards.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from types import CoroutineType
from typing import Any, Protocol

from django.db import DatabaseError, connections, transaction
from django.db.backends.signals import connection_created
from django.http import HttpRequest
from gevent import getcurrent

from realtime_wall import signals
from realtime_wall.async_functions import result_of
from realtime_wall.auth.lazy_request import LazyRequest
from realtime_wall.config import current as config
from realtime_wall.errors import Refuse
from realtime_wall.sockets.dispatch import receiver_figures, visitor_context

log = logging.getLogger(__name__)

# Of a greenlet that has opened a database connection and not given it back. (To look for it in a set of weak
# references took as long as to run a short receiver.)
_HAS_CONNECTION = "_realtime_wall_has_connection"

# Only who arrives, or wants to hear a channel, can be turned away; any other Refuse is a fault.
REFUSABLE = (signals.socket_connected, signals.socket_subscribed)


class Sender(Protocol):
    """What is asked of a socket here."""

    @property
    def request(self) -> HttpRequest: ...


@dataclass(slots=True)
class Outcome:
    values: list[Any] = field(default_factory=list)
    failed: bool = False
    refused: Refuse | None = None

    @property
    def was_received(self) -> bool:
        """Whether there was a receiver."""
        return bool(self.values) or self.failed

    @property
    def answer(self) -> Any:
        """The first value that is not None: what a receiver returned to acknowledge an event."""
        for value in self.values:
            if value is not None:
                return value
        return None


def run(signal: signals.Signal, socket: Sender, **arguments: Any) -> Outcome:
    """Send a signal about a socket to its receivers, each on its own."""
    outcome = Outcome()
    _send(signal, socket, arguments, outcome)
    return outcome


def _send(signal: signals.Signal, socket: Sender, arguments: dict[str, Any], outcome: Outcome) -> None:
    receivers = signal.receivers_for(socket)
    if not receivers:
        return
    request = socket.request
    if isinstance(request, LazyRequest) and not _is_prepared(request, outcome):
        return
    for receiver in receivers:
        started, failed = monotonic(), False
        receiver_figures.running.set(receiver)
        try:
            returned = receiver(socket, request=request, **arguments)
            outcome.values.append(result_of(returned) if type(returned) is CoroutineType else returned)
        # SystemExit, a gevent.Timeout or a GreenletExit raised in a receiver is the receiver's fault, too.
        except BaseException as problem:
            if isinstance(problem, Refuse) and signal in REFUSABLE:
                outcome.refused = problem
                break
            outcome.failed = failed = True
            name, fields = _fields(receiver, signal)
            log.exception("%s failed on %s of %r", name, signal.name, socket, extra=fields)
            if signal is not signals.socket_error:
                run(signals.socket_error, socket, exception=problem)
        finally:
            seconds = monotonic() - started
            receiver_figures.note(receiver, seconds, failed)
            if seconds > config().slow_receiver:
                name, fields = _fields(receiver, signal)
                log.warning("%s took %.1f s on %s", name, seconds, signal.name, extra=fields)


def _fields(receiver: Any, signal: signals.Signal) -> tuple[str, dict[str, str]]:
    """Its name, and what a log of fields is sorted by."""
    name = signals.name_of(receiver)
    return name, {"receiver": name, "signal": signal.name}


def _is_prepared(request: LazyRequest, outcome: Outcome) -> bool:
    try:
        visitor_context.prepare(request)
    except Refuse as refused:  # it has returned, and the site would not have let it in
        outcome.failed, outcome.refused = True, refused
        return False
    return True


# A signal, and what it is sent with.
Call = tuple[signals.Signal, dict[str, Any]]


def run_together(calls: Sequence[Call], socket: Sender) -> Outcome:
    """Send several signals about one thing; in one database transaction, if the project wants that."""
    outcome = Outcome()
    if config().event_transaction:
        _run_in_transaction(calls, socket, outcome)
        return outcome
    for signal, arguments in calls:
        _send(signal, socket, arguments, outcome)
    return outcome


def _run_in_transaction(calls: Sequence[Call], socket: Sender, outcome: Outcome) -> None:
    try:
        with transaction.atomic():
            for signal, arguments in calls:
                _send(signal, socket, arguments, outcome)
            if outcome.failed:
                transaction.set_rollback(True)
    except DatabaseError:
        outcome.failed = True
        log.exception("the transaction of an event of %r failed", socket)


def release_database() -> None:
    """Close what this greenlet opened; ``close_old_connections`` would leave it open for ever.

    A connection inside ``atomic`` belongs to a test (or to a receiver that is not done) and stays.
    """
    greenlet = getcurrent()
    if not getattr(greenlet, _HAS_CONNECTION, False):
        return  # to ask Django would make it set up what it keeps for a greenlet
    setattr(greenlet, _HAS_CONNECTION, False)
    for connection in connections.all(initialized_only=True):
        if connection.connection is None:
            continue
        if connection.in_atomic_block:
            setattr(greenlet, _HAS_CONNECTION, True)
        else:
            connection.close()


def _opened(connection: Any = None, **_: Any) -> None:
    setattr(getcurrent(), _HAS_CONNECTION, True)
    receiver_figures.note_connection(connection)


connection_created.connect(_opened, dispatch_uid="realtime_wall.receivers")
