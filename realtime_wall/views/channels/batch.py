"""Several commands in one request: ``batch/``. Each is done, and answered, as if it came alone, in order.

A body is an array of at most a hundred objects, no larger than a message. What each may have, and who may
say it, is that of ``pub/`` and ``stats/``; one that is refused has its status and holds up no other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from realtime_wall.brokers.commands import Delete, Publish, Retract
from realtime_wall.channels.idempotency import check_key
from realtime_wall.channels.names import check_channel, check_event_id, check_event_name
from realtime_wall.errors import InvalidChannel, InvalidMessage, MessageTooBig
from realtime_wall.node.introspection import queries
from realtime_wall.node.node import Node
from realtime_wall.protocol.json_input import BadJSON
from realtime_wall.protocol.json_output import encode_json
from realtime_wall.views.channels import channel_request, publish_rights
from realtime_wall.views.channels.channel_request import ForeignRequest, RequestRefused
from realtime_wall.views.channels.publish import load, read_body

METHODS = ("POST", "OPTIONS")
MOST = 100

Fields = dict[str, Any]


@csrf_exempt  # publish_rights.py runs the check for those who are signed in
def batch(request: HttpRequest) -> HttpResponse:
    try:
        node = channel_request.node_for(request, *METHODS)
        response = HttpResponse() if request.method == "OPTIONS" else _answer(node, request)
    except ForeignRequest as refused:
        return channel_request.with_no_cache(refused.response())
    except RequestRefused as refused:
        response = refused.response()
    return channel_request.with_no_cache(channel_request.with_cors(request, response, ", ".join(METHODS)))


def _answer(node: Node, request: HttpRequest) -> HttpResponse:
    try:
        commands = load(node, read_body(node, request).decode())
    except (UnicodeDecodeError, BadJSON) as problem:
        raise RequestRefused(400, f"The commands are no JSON: {problem}.") from problem
    if not isinstance(commands, list) or not 0 < len(commands) <= MOST:
        raise RequestRefused(400, f"The commands are an array of 1 to {MOST} objects.")
    answers = encode_json([_one(node, request, command) for command in commands])
    return HttpResponse(answers.encode(), content_type="application/json; charset=utf-8")


def _one(node: Node, request: HttpRequest, command: Any) -> Fields:
    try:
        if not isinstance(command, dict) or command.get("do") not in _DO:
            raise RequestRefused(400, f"A command is an object; its 'do' is one of {', '.join(_DO)}.")
        channel = check_channel(command.get("channel"))
        return {"status": 200, **_DO[command["do"]](node, request, channel, command)}
    except RequestRefused as refused:
        return {"status": refused.status, "explain": refused.explanation}
    except MessageTooBig as problem:
        return {"status": 413, "explain": str(problem)}
    except (InvalidChannel, InvalidMessage) as problem:
        return {"status": 400, "explain": str(problem)}


def _publish(node: Node, request: HttpRequest, channel: str, command: Fields) -> Fields:
    _not_events(node, channel)
    publish_rights.check_may_write(node, request, channel)
    event, event_id, key = (command.get(name) for name in ("event", "event_id", "idempotency_key"))
    publish = Publish(
        channel=channel,
        data_json=encode_json(command.get("data")),
        event=None if event is None else check_event_name(event),
        event_id=None if event_id is None else check_event_id(event_id),
        counted=False,
        idempotency_key=None if key is None else check_key(key),
    )
    return {"cursor": node.perform(publish).position}


def _retract(node: Node, request: HttpRequest, channel: str, command: Fields) -> Fields:
    _not_events(node, channel)
    publish_rights.check_may_administer(node, request, channel)
    which = check_event_id(command.get("which"))
    return {"cursor": node.perform(Retract(channel=channel, message_ref=which)).position}


def _delete(node: Node, request: HttpRequest, channel: str, command: Fields) -> Fields:
    _not_events(node, channel)
    publish_rights.check_may_administer(node, request, channel)
    return {"subscribers": node.perform(Delete(channel=channel)).sockets}


def _information(node: Node, request: HttpRequest, channel: str, command: Fields) -> Fields:
    publish_rights.check_may_look(node, request, channel)
    return queries.everywhere(node, channel)


def _not_events(node: Node, channel: str) -> None:
    if channel == node.config.events_channel:
        raise RequestRefused(403, "Only internal routines can change events channel.")


_DO: dict[str, Callable[[Node, HttpRequest, str, Fields], Fields]] = {
    "publish": _publish,
    "retract": _retract,
    "delete": _delete,
    "info": _information,
}
