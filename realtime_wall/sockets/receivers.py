"""Run the receivers of one signal, so that none of them can hurt anybody else.

Receivers run in the order in which they were connected. One that raises is logged with its name and
told to ``socket_error``; the others still run. Database connections are given back afterwards.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any

from django.db import connections

from realtime_wall import signals
from realtime_wall.config import current as config
from realtime_wall.errors import Refuse

if TYPE_CHECKING:
    from realtime_wall.sockets.socket import Socket

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Outcome:
    values: list[Any] = field(default_factory=list)
    failed: bool = False
    refused: Refuse | None = None

    @property
    def answer(self) -> Any:
        """The first value that is not None: what a receiver returned to acknowledge an event."""
        return next((value for value in self.values if value is not None), None)


def run(signal: signals.Signal, socket: Socket, **arguments: Any) -> Outcome:
    """Send a signal about a socket to its receivers, each on its own."""
    outcome = Outcome()
    for receiver in signal.receivers_for(socket):
        started = monotonic()
        try:
            outcome.values.append(receiver(socket, request=socket.request, **arguments))
        except Refuse as refusal:
            outcome.refused = refusal
            break
        # SystemExit, a gevent.Timeout or a GreenletExit raised in a receiver is the receiver's fault, too.
        except BaseException as problem:
            outcome.failed = True
            log.exception("%s failed on %s of socket %s", name_of(receiver), signal.name, socket.log_id)
            if signal is not signals.socket_error:
                run(signals.socket_error, socket, exception=problem)
        finally:
            seconds = monotonic() - started
            if seconds > config().slow_receiver:
                log.warning("%s took %.1f s on %s", name_of(receiver), seconds, signal.name)
    return outcome


def name_of(receiver: Any) -> str:
    return f"{getattr(receiver, '__module__', '?')}.{getattr(receiver, '__qualname__', repr(receiver))}"


def release_database() -> None:
    """Close what this greenlet opened; ``close_old_connections`` would leave it open for ever.

    A connection inside ``atomic`` belongs to a test (or to a receiver that is not done) and stays.
    """
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None and not connection.in_atomic_block:
            connection.close()
