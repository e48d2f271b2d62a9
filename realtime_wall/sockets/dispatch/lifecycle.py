"""A socket's visit, from its connect receivers to its last: what is sent to the signals, and when."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from realtime_wall import signals
from realtime_wall.errors import InvalidMessage, Refuse
from realtime_wall.events import Event
from realtime_wall.protocol.json_output import encode_json
from realtime_wall.sockets.dispatch import message_log, receivers
from realtime_wall.sockets.registry import connected_sockets
from realtime_wall.sockets.socket import Socket

log = logging.getLogger(__name__)

# Close code of a refused client: our own stays away on 3500 to 3999.
REFUSED = 3500
# RFC 6455 5.5: a close frame has room for 123 bytes of reason.
MAX_REASON = 123


def begin(socket: Socket) -> None:
    connected_sockets.add(socket)
    socket.inbox.put(partial(_connected, socket))


def message(socket: Socket, *args: Any, message_id: Any = None) -> None:
    """A message; from Socket.IO, whose clients call it an event, one with any number of arguments."""
    happened = Event("message", list(args), _acknowledge_to(socket, message_id))
    message_log.note(socket.request, "message", happened.data)
    socket.inbox.put(partial(_message, socket, happened))


def event(socket: Socket, name: str, args: list[Any], event_id: Any) -> None:
    message_log.note(socket.request, name, args)
    socket.inbox.put(partial(_event, socket, Event(name, args, _acknowledge_to(socket, event_id))))


def end(socket: Socket, may_return: bool = False) -> None:
    """The connection is gone; called once. A visit that cannot be resumed is over with it."""
    connected_sockets.remove(socket)
    socket.is_gone = True
    socket.give_up_asking()
    socket.inbox.put(partial(receivers.run, signals.socket_disconnected, socket))
    if not may_return:
        finish(socket)


def finish(socket: Socket) -> None:
    """The visit can never go on; called once."""
    socket.inbox.put(partial(receivers.run, signals.socket_finished, socket))


def _connected(socket: Socket) -> None:
    outcome = receivers.run(signals.socket_connected, socket)
    socket.is_refused = outcome.refused is not None
    if socket.is_gone:
        return
    if outcome.refused is None:
        socket.accept()
    else:
        socket.refuse(_reason(outcome.refused), outcome.refused.data)


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


def _message(socket: Socket, happened: Event) -> None:
    _dispatch(socket, happened, signals.socket_client_message, {"message": happened.data})


def _event(socket: Socket, happened: Event) -> None:
    _dispatch(socket, happened, signals.socket_client_event, {"event": happened})


def _dispatch(socket: Socket, happened: Event, signal: signals.Signal, arguments: dict[str, Any]) -> None:
    if socket.is_refused:
        return
    calls = [(signal, arguments)]
    if happened.name in signals.socket_client_event_by_type:
        calls.append((signals.socket_client_event_by_type[happened.name], {"event": happened}))
    outcome = receivers.run_together(calls, socket)
    answer = outcome.answer
    if answer is None and outcome.failed:
        happened.ack({"error": "failed"})
    else:  # an event that was answered, or wants no answer, knows it
        happened.ack(answer)


def _acknowledge_to(socket: Socket, event_id: Any) -> Callable[[tuple[Any, ...]], None] | None:
    return None if event_id is None else partial(_acknowledge, socket, event_id)


def _acknowledge(socket: Socket, event_id: Any, args: tuple[Any, ...]) -> None:
    try:
        socket.ack(event_id, *args)
    except InvalidMessage:
        log.exception("the answer to an event of socket %s cannot be sent", socket.log_id)
        socket.ack(event_id, {"error": "failed"})
