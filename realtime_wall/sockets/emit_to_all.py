"""One event to a choice of sockets: written once, and no client's failure is another's."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from realtime_wall.sockets.arguments import Arguments
from realtime_wall.sockets.client_session import session_of
from realtime_wall.sockets.socket import Socket
from realtime_wall.wire.connection import DROPPED
from realtime_wall.wire.time_slice import SLICE, TimeSlice

log = logging.getLogger(__name__)


def emit_to_all(sockets: Iterable[Socket], name: str, arguments: Arguments, volatile: bool) -> int:
    """To how many it was sent."""
    time_slice, sent = TimeSlice(SLICE), 0
    for socket in sockets:
        session = session_of(socket)
        if session.is_disconnected:
            continue
        send = session.send_volatile if volatile else session.send_event
        try:
            sent += send(name, arguments) is not DROPPED
        except Exception:
            log.exception("an event could not be sent to %r", socket)
        time_slice.yield_if_due()
    return sent
