"""What a request on a channel's address asks for, and whether it may: the same for every way to listen.

Refusals have an empty body and say why in a header, as those of nginx push stream do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from django.http import HttpRequest, HttpResponse

from realtime_wall.auth import authorize_hook, channel_permissions, django_sessions, origins
from realtime_wall.channels import path
from realtime_wall.channels.path import BadPath
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import Since
from realtime_wall.channels.where import BadWhere, Where, from_texts
from realtime_wall.errors import InvalidPosition
from realtime_wall.node import node as nodes
from realtime_wall.node.node import Node

EXPLAIN = "X-Nginx-PushStream-Explain"
# How many seconds a stream or a long poll is silent at most: who waits longer waits for nobody.
HEARTBEAT = "Realtime-Heartbeat"
EXPOSED = f"ETag, Last-Modified, {EXPLAIN}, {HEARTBEAT}"
ALLOWED_HEADERS = "If-Modified-Since,If-None-Match,Etag,Event-Id,Event-Type,Last-Event-ID,Idempotency-Key"
LONGEST_EVENT_ID = 128
TOO_MANY_CHANNELS = "Number of channels were exceeded."
CLOSED = {
    "full": "Subscribers limit per channel has been exceeded.",
    "no_channel": "Subscriber could not create channels.",
    "too_many": TOO_MANY_CHANNELS,
}
_ETAG = re.compile(r'(?:W/)?"([^"]*)"').fullmatch
_WHOLE = re.compile(r"[0-9]{1,18}").fullmatch


class RequestRefused(Exception):
    """The answer to a request that is not served."""

    def __init__(self, status: int, explanation: str, **headers: str) -> None:
        self.status = status
        self.explanation = explanation
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        super().__init__(explanation)

    def response(self) -> HttpResponse:
        # A header has one line; what a stranger sent may be quoted in it.
        text = re.sub(r"[^ -~]+", "?", self.explanation)[:300]
        return HttpResponse(status=self.status, headers={EXPLAIN: text, **self.headers})


class ForeignRequest(RequestRefused):
    """The page that asks may not read the answer either."""


@dataclass(frozen=True, slots=True)
class ChannelRequest:
    node: Node
    channels: dict[str, int]  # with how many messages to look back
    since: Since
    session_key: str | None
    where: Where | None = None  # which of the messages; None for all


def node_for(request: HttpRequest, *methods: str) -> Node:
    """The node that serves this request, whose method and origin are fine."""
    node = nodes.current()
    if node is None:
        raise RequestRefused(426, "this address needs the live server: start it with 'manage.py rungevent'")
    problem = origins.problem_with(request, node.config)
    if problem is not None:
        raise ForeignRequest(403, problem)
    if request.method not in methods:
        raise RequestRefused(405, "this method is not for this address", Allow=", ".join(methods))
    return node


def subscription(request: HttpRequest, channels: str) -> ChannelRequest:
    """What a subscriber asks for; RequestRefused when it may not have it."""
    node = node_for(request, "GET")
    refused = authorize_hook.refusal(request, node.config)
    if refused is not None:
        raise RequestRefused(403, "refused")
    found = channels_of(node, channels or request.GET.get("channels", ""))
    for channel in found:
        _check(node, request, channel)
    where = _where_of(node, request, found)
    node.revocation.sessions.arrived(request)
    return ChannelRequest(node, found, since_of(request), django_sessions.session_key_of(request), where)


def _where_of(node: Node, request: HttpRequest, channels: Iterable[str]) -> Where | None:
    texts = request.GET.getlist("where")
    try:
        wheres = {from_texts(texts, node.rules.of(channel)) for channel in channels} if texts else set()
    except BadWhere as problem:
        raise RequestRefused(400, str(problem)) from problem
    return wheres.pop() if wheres else None


def channels_of(node: Node, text: str) -> dict[str, int]:
    """The channels to listen to, with how many messages to look back."""
    try:
        return path.parse(text, node.config.channels_per_connection, node.rules)
    except BadPath as problem:
        raise RequestRefused(problem.status, problem.explanation) from problem


def names_of(node: Node, text: str) -> list[str]:
    """The channels to publish to, or to describe."""
    try:
        return path.names(text, node.config.channels_per_connection)
    except BadPath as problem:
        raise RequestRefused(problem.status, problem.explanation) from problem


def _check(node: Node, request: HttpRequest, channel: str) -> None:
    rule = node.rules.of(channel)
    if not any(channel_permissions.may_read(rule, request, channel, token) for token in tokens_of(request)):
        raise RequestRefused(403, "Channel id not authorized for this method.")
    closed = node.closed_because(channel)
    if closed is not None:
        raise RequestRefused(403, CLOSED[closed])


def tokens_of(request: HttpRequest) -> list[str | None]:
    """For several channels there may be several; none at all is one way, too."""
    bearer = request.META.get("HTTP_AUTHORIZATION", "").partition("Bearer ")[2].strip()
    # Who publishes often has none of it in the address, and need not wait until that is parsed.
    given = request.GET.getlist("token")[:16] if request.META.get("QUERY_STRING") else []
    return [*given, *([bearer] if bearer else [])] or [None]


def since_of(request: HttpRequest) -> Since:
    """What the client had last, in the most exact of the ways in which it says so."""
    query, headers = request.GET, request.META
    if query.get("since"):
        return Since(position=_cursor(query["since"]))
    last_id = headers.get("HTTP_LAST_EVENT_ID") or query.get("eventid") or ""
    position = _position(last_id) or _position(_tag_text(headers.get("HTTP_IF_NONE_MATCH", "")))
    if position is not None:
        return Since(position=position)
    if last_id:
        return Since(event_id=last_id[:LONGEST_EVENT_ID])
    when = _seconds(query.get("time") or headers.get("HTTP_IF_MODIFIED_SINCE", ""))
    if when is None:
        return Since()
    tag = query.get("tag") or _tag_text(headers.get("HTTP_IF_NONE_MATCH", ""))
    return Since(time=when, tag=int(tag) if _WHOLE(tag) and int(tag) else None)


def _cursor(text: str) -> Position:
    try:
        return Position.parse(text)
    except InvalidPosition as problem:
        raise RequestRefused(400, str(problem)) from problem


def _position(text: str) -> Position | None:
    try:
        return Position.parse(text)
    except InvalidPosition:
        return None


def _tag_text(etag: str) -> str:
    """What is in an ETag, which has quotes; push stream's own have none."""
    match = _ETAG(etag)
    return match[1] if match else etag.removeprefix("W/")


def _seconds(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def with_cors(request: HttpRequest, response: HttpResponse, methods: str) -> HttpResponse:
    """An origin that passed the check may read the answer, with its cookies."""
    origin = request.META.get("HTTP_ORIGIN")
    if origin is not None:
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Allow-Credentials"] = "true"
        response["Access-Control-Allow-Methods"] = methods
        response["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
        response["Access-Control-Expose-Headers"] = EXPOSED
    response["Vary"] = "Origin"
    return response


def with_no_cache(response: HttpResponse) -> HttpResponse:
    """Nobody on the way may keep it, or hold it back."""
    response["Expires"] = "Thu, 01 Jan 1970 00:00:01 GMT"
    response["Cache-Control"] = "no-cache, no-store, must-revalidate"
    response["X-Accel-Buffering"] = "no"  # nginx in front would collect a stream
    response["X-Content-Type-Options"] = "nosniff"
    return response
