"""From its connect receivers to its last: what of a session is sent to the signals, and when."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any

from realtime_wall import signals
from realtime_wall.config import current as config
from realtime_wall.errors import InvalidMessage, Refuse
from realtime_wall.events import Event
from realtime_wall.protocol.json_output import encode_json
from realtime_wall.sockets.arguments import encode_args
from realtime_wall.sockets.client_session import ClientSession
from realtime_wall.sockets.dispatch import message_log, middleware, receivers
from realtime_wall.sockets.dispatch.receivers import Call
from realtime_wall.sockets.registry import connected_sockets
from realtime_wall.sockets.request import forget_parsed

log = logging.getLogger(__name__)

# Close code of a refused client: our own stays away on 3500 to 3999.
REFUSED = 3500
# RFC 6455 5.5: a close frame has room for 123 bytes of reason.
MAX_REASON = 123


def begin(
    session: ClientSession, earlier_id: str | None = None, then: Callable[[], object] | None = None
) -> None:
    """``then`` is called behind the connect receivers, before anybody else has a turn."""
    connected_sockets.add(session.socket, earlier_id)
    session.inbox.put(partial(_connected, session, then))


def message(session: ClientSession, *args: Any, message_id: Any = None) -> None:
    """A message; from Socket.IO, whose clients call it an event, one with any number of arguments."""
    acknowledge = None if message_id is None else partial(_acknowledge, session, message_id)
    happened = Event("message", list(args), acknowledge)
    line_format = config().message_log_format
    if line_format is not None:
        message_log.note(line_format, session.request, "message", happened.data)
    session.inbox.put(partial(_dispatch, session, happened, message_id, is_message=True))


def event(session: ClientSession, name: str, args: list[Any], event_id: Any) -> None:
    line_format = config().message_log_format
    if line_format is not None:
        message_log.note(line_format, session.request, name, args)
    happened = Event(name, args, None if event_id is None else partial(_acknowledge, session, event_id))
    session.inbox.put(partial(_dispatch, session, happened, event_id))


def end(session: ClientSession, may_return: bool = False, earlier_id: str | None = None) -> None:
    """The connection is lost; called once. A session that cannot be resumed is over with it."""
    connected_sockets.remove(session.socket, earlier_id)
    session.disconnected()
    session.inbox.abandoned_at = monotonic()
    _send_in_turn(session, signals.socket_disconnected)
    if not may_return:
        finish(session)


def finish(session: ClientSession) -> None:
    """The session can never be resumed; called once."""
    _send_in_turn(session, signals.socket_finished)


def _send_in_turn(session: ClientSession, signal: signals.Signal) -> None:
    """In its turn: what runs or waits may still connect a receiver. Without any no greenlet is woken."""
    if session.inbox.jobs is not None or signal.receivers_for(session.socket):
        session.inbox.put(partial(receivers.run, signal, session.socket))


def _connected(session: ClientSession, then: Callable[[], object] | None) -> None:
    outcome = middleware.connect(session.socket)
    forget_parsed(session.request)
    session.is_refused = outcome.refused is not None
    if session.is_disconnected:
        return
    if outcome.refused is None:
        session.transport.accept()
    else:
        session.transport.refuse(_reason(outcome.refused), outcome.refused.data)
    if then is not None:
        then()


def _reason(refusal: Refuse) -> str:
    if refusal.data is None:
        return "refused"
    try:
        as_json = encode_json(refusal.data)
    except InvalidMessage:
        log.exception("the data of a Refuse cannot be sent")
        return "refused"
    reason = refusal.data if isinstance(refusal.data, str) else as_json
    return reason if len(reason.encode()) <= MAX_REASON else "refused"


def _dispatch(session: ClientSession, happened: Event, event_id: Any, is_message: bool = False) -> None:
    if session.is_refused:
        return
    calls: list[Call] = []
    arguments = {"event": happened}
    if is_message:
        calls.append((signals.socket_client_message, {"message": happened.data}))
    elif signals.socket_client_event.receivers:  # most events have none but those of their name
        calls.append((signals.socket_client_event, arguments))
    by_name = signals.socket_client_event_by_type.get(happened.name)
    if by_name is not None:
        calls.append((by_name, arguments))
    if config().event_middleware:
        outcome = middleware.dispatch(calls, session.socket, happened)
    else:
        outcome = receivers.run_together(calls, session.socket)
    answer = outcome.answer
    if answer is None and not outcome.was_received:
        if event_id is not None:  # to acknowledge it would make a misspelt name look like success
            session.transport.send_not_received(event_id, happened.name)
    elif answer is None and outcome.failed:
        happened.ack({"error": "failed"})
    else:  # an event that was answered, or wants no answer, knows it
        happened.ack(answer)


def _acknowledge(session: ClientSession, event_id: Any, args: tuple[Any, ...]) -> None:
    try:
        session.transport.send_ack(event_id, encode_args(args))
    except InvalidMessage:
        log.exception("the answer to an event of socket %s cannot be sent", session.log_id)
        session.socket.ack(event_id, {"error": "failed"})
