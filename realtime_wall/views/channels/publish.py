"""Publishing over HTTP: ``pub/``.

POST or PUT puts the body on one or several channels, GET describes a channel, DELETE drops it. Statuses and
explanations are those of nginx push stream's publisher. docs/reference/channels.rst describes it.
"""

from __future__ import annotations

from contextlib import nullcontext
from time import monotonic
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig
from django.http import HttpRequest, HttpResponse, QueryDict, UnreadablePostError
from django.http.request import RawPostDataException
from django.views.decorators.csrf import csrf_exempt

from realtime_wall.brokers.commands import Delete, Publish
from realtime_wall.channels.idempotency import check_key
from realtime_wall.channels.names import check_event_id, check_event_name
from realtime_wall.errors import InvalidMessage, MessageTooBig
from realtime_wall.node.introspection import queries, statistics
from realtime_wall.node.node import Node
from realtime_wall.protocol.json_input import LARGE, BadJSON, load_json
from realtime_wall.protocol.json_output import encode_json
from realtime_wall.views.channels import channel_request, publish_rights
from realtime_wall.views.channels.channel_request import ForeignRequest, RequestRefused
from realtime_wall.wire import gc_pause
from realtime_wall.wire.connection import Wire

METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS")
_CHECKS = {"GET": publish_rights.check_may_look, "DELETE": publish_rights.check_may_administer}
NO_CHANNEL = "The channel does not exist."
TOO_LARGE = "The message is larger than MESSAGE_SIZE."


@csrf_exempt  # publish_rights.py runs the check for those who are signed in
def publish(request: HttpRequest, channels: str = "") -> HttpResponse:
    try:
        node = channel_request.node_for(request, *METHODS)
        response = HttpResponse() if request.method == "OPTIONS" else _answer(node, request, channels)
    except ForeignRequest as refused:
        return channel_request.with_no_cache(refused.response())
    except RequestRefused as refused:
        response = refused.response()
    return channel_request.with_no_cache(channel_request.with_cors(request, response, ", ".join(METHODS)))


def _answer(node: Node, request: HttpRequest, channels: str) -> HttpResponse:
    names = channel_request.names_of(node, channels or _channels_in_query(request.GET))
    if node.config.events_channel in names and request.method != "GET":
        raise RequestRefused(403, "Only internal routines can change events channel.")
    check = _CHECKS.get(request.method or "", publish_rights.check_may_write)
    for name in names:
        check(node, request, name)
    if request.method == "GET":
        information = queries.everywhere(node, "/".join(names))
        if not any(map(statistics.is_known, information.get("infos", [information]))):
            raise RequestRefused(404, NO_CHANNEL)
        return _json(encode_json(information))
    try:
        body = read_body(node, request)
        if request.method == "DELETE":
            return _delete(node, names, body)
        return _publish(node, request, names, body)
    except MessageTooBig as problem:
        raise RequestRefused(413, TOO_LARGE) from problem
    except InvalidMessage as problem:
        raise RequestRefused(400, str(problem)) from problem


def _channels_in_query(query: QueryDict) -> str:
    return query.get("channels") or query.get("id") or ""


def _information(node: Node, names: list[str], **more: Any) -> str:
    return encode_json({**queries.everywhere(node, "/".join(names)), **more})


def _publish(node: Node, request: HttpRequest, names: list[str], body: bytes) -> HttpResponse:
    if not body:
        raise RequestRefused(400, "Empty post requests are not allowed.")
    given = request.META
    event, event_id, key = map(given.get, ("HTTP_EVENT_TYPE", "HTTP_EVENT_ID", "HTTP_IDEMPOTENCY_KEY"))
    event = check_event_name(event) if event else None
    event_id = check_event_id(event_id) if event_id else None
    key = check_key(key) if key else None
    data_json = _data_json(node, request, body)
    if any(map(node.has_too_many_channels, names)):
        raise RequestRefused(403, channel_request.TOO_MANY_CHANNELS)
    for name in names:
        command = Publish(
            channel=name,
            data_json=data_json,
            event=event,
            event_id=event_id,
            counted=False,
            idempotency_key=key,
        )
        position = node.perform(command).position
    if not node.config.channel_info_on_publish:
        return HttpResponse()
    information = _information(node, names, cursor=position)
    return _json(node.publisher_answers.put((*names, key), information, monotonic()) if key else information)


def _delete(node: Node, names: list[str], body: bytes) -> HttpResponse:
    notice = _text(body) or Delete(channel="").notice
    kept = sum(map(node.broker.published, names))
    receipts = [node.perform(Delete(channel=name, notice=notice)) for name in names]
    if not kept and not any(receipts):
        raise RequestRefused(404, NO_CHANNEL)
    return HttpResponse(headers={channel_request.EXPLAIN: "Channel deleted."})


def read_body(node: Node, request: HttpRequest) -> bytes:
    """What was sent; no more of it is read than a message may have."""
    limit = node.config.message_size
    try:
        if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", ""):  # of which Django reads nothing
            body: bytes = request.META["wsgi.input"].read(limit + 1)
        elif int(request.META.get("CONTENT_LENGTH") or 0) > limit:
            raise RequestRefused(413, TOO_LARGE)
        else:
            # What nobody has read yet is read here: DATA_UPLOAD_MAX_MEMORY_SIZE is for forms.
            body = request.body if hasattr(request, "_body") else request.read()
    except RequestDataTooBig as problem:
        raise RequestRefused(413, "The message is larger than DATA_UPLOAD_MAX_MEMORY_SIZE.") from problem
    except RawPostDataException as problem:  # the CSRF check has looked for its token in it
        raise RequestRefused(400, "A message is sent as it is, not as a form.") from problem
    except (UnreadablePostError, OSError, BadRequest) as problem:
        raise RequestRefused(400, "The message did not arrive.") from problem
    if len(body) > limit:
        raise RequestRefused(413, TOO_LARGE)
    return body


def _data_json(node: Node, request: HttpRequest, body: bytes) -> str:
    text = _text(body)
    if request.content_type != "application/json":
        return encode_json(text)
    try:
        return encode_json(load(node, text))
    except BadJSON as problem:
        raise RequestRefused(400, f"The message is no JSON: {problem.reason}.") from problem


def load(node: Node, text: str) -> Any:
    """The value of a JSON text; of large ones there is one at a time, and others have their turns."""
    with gc_pause.reading() if len(text) > LARGE else nullcontext():
        return load_json(text, node.config.json_depth, node.config.json_values, Wire.turns.wait)


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as problem:
        raise RequestRefused(400, "The message is no UTF-8.") from problem


def _json(text: str) -> HttpResponse:
    return HttpResponse(text.encode(), content_type="application/json; charset=utf-8")
