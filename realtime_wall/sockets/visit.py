"""A socket's visit, from its connect receivers to its last: what is sent to the signals, and when."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from realtime_wall import signals
from realtime_wall.errors import InvalidMessage, Refuse
from realtime_wall.events import Event
from realtime_wall.json_text import encode_json
from realtime_wall.sockets import receivers
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


def message(socket: Socket, data: Any) -> None:
    socket.inbox.put(partial(_message, socket, data))


def event(socket: Socket, name: str, args: list[Any], event_id: Any) -> None:
    socket.inbox.put(partial(_event, socket, name, args, event_id))


def end(socket: Socket) -> None:
    """The connection is gone. Called once; a plain connection can never be resumed as a visit."""
    connected_sockets.remove(socket)
    socket.is_gone = True
    socket.inbox.put(partial(_disconnected, socket))


def _connected(socket: Socket) -> None:
    outcome = receivers.run(signals.socket_connected, socket)
    if outcome.refused is not None:
        socket.is_refused = True
        socket.disconnect(REFUSED, _reason(outcome.refused))


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


def _message(socket: Socket, data: Any) -> None:
    if not socket.is_refused:
        receivers.run(signals.socket_client_message, socket, message=data)


def _event(socket: Socket, name: str, args: list[Any], event_id: Any) -> None:
    if socket.is_refused:
        return
    acknowledge = None if event_id is None else partial(_acknowledge, socket, event_id)
    happened = Event(name, args, acknowledge)
    outcome = receivers.run(signals.socket_client_event, socket, event=happened)
    if name in signals.socket_client_event_by_type:
        by_name = receivers.run(signals.socket_client_event_by_type[name], socket, event=happened)
        outcome.values.extend(by_name.values)
        outcome.failed = outcome.failed or by_name.failed
    if acknowledge is None or happened.acknowledged:
        return
    answer = outcome.answer
    if answer is None and outcome.failed:
        happened.ack({"error": "failed"})
    else:
        happened.ack(answer)


def _acknowledge(socket: Socket, event_id: Any, args: tuple[Any, ...]) -> None:
    try:
        socket.ack(event_id, *args)
    except InvalidMessage:
        log.exception("the answer to an event of socket %s cannot be sent", socket.log_id)
        socket.ack(event_id, {"error": "failed"})


def _disconnected(socket: Socket) -> None:
    receivers.run(signals.socket_disconnected, socket)
    receivers.run(signals.socket_finished, socket)
