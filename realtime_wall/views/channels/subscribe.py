"""Listening to channels over HTTP: ``ws/``, ``ev/``, ``sub/``, ``lp/`` and ``poll/``.

docs/reference/channels.rst describes the addresses. Each is asked like a page: URLconf, middleware,
session and user come first, then the origin, the project's hook and the channels' rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from email.utils import formatdate
from functools import partial, wraps
from time import time

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from realtime_wall.channels import where
from realtime_wall.channels.resume import messages_of
from realtime_wall.node.node import Node
from realtime_wall.protocol.http_stream import head
from realtime_wall.server.http import hand_over
from realtime_wall.transports.one_way import formats
from realtime_wall.transports.one_way.formats import EVENTS, FRAME, LINES, RETRY, UNNAMED_EVENTS, Format
from realtime_wall.transports.one_way.listener import Listener
from realtime_wall.transports.one_way.long_polling import Body, LongPoll, validators
from realtime_wall.transports.one_way.padding import padding_of
from realtime_wall.transports.websocket.channel_websocket import open_channels, refuse
from realtime_wall.views import visitor_limits
from realtime_wall.views.channels import channel_request
from realtime_wall.views.channels.channel_request import ChannelRequest, ForeignRequest, RequestRefused
from realtime_wall.views.channels.websocket_publish import publisher_for_socket
from realtime_wall.wire.connection import Wire

MODE = "HTTP_X_NGINX_PUSHSTREAM_MODE"
METHODS = "GET, OPTIONS"
_CALLBACK = re.compile(r"[A-Za-z_$0-9][A-Za-z0-9_.$]{0,63}").fullmatch

View = Callable[..., HttpResponse]


def _subscriber(view: Callable[[HttpRequest, ChannelRequest], HttpResponse]) -> View:
    """What all of them have in common: preflights, refusals, and headers."""

    @csrf_exempt  # nothing changes here: a POST is answered 405
    @wraps(view)
    def answer(request: HttpRequest, channels: str = "") -> HttpResponse:
        try:
            if request.method == "OPTIONS":
                channel_request.node_for(request, "OPTIONS")
                return channel_request.with_cors(request, HttpResponse(), METHODS)
            response = view(request, channel_request.subscription(request, channels))
        except ForeignRequest as refused:
            return channel_request.with_no_cache(refused.response())
        except RequestRefused as refused:
            response = refused.response()
        return channel_request.with_no_cache(channel_request.with_cors(request, response, METHODS))

    return answer


@_subscriber
def events(request: HttpRequest, wanted: ChannelRequest) -> HttpResponse:
    """``ev/``: Server-Sent Events."""
    seconds = visitor_limits.seconds_to_wait(wanted.node, request)
    if wanted.node.stopping or seconds:
        # Any other status, and an EventSource never comes back.
        text = f"retry: {seconds * 1000 or RETRY}\n\n"
        return HttpResponse(text, content_type=EVENTS.content_type)
    return _stream(request, wanted, UNNAMED_EVENTS if "unnamed" in request.GET else EVENTS)


@_subscriber
def stream(request: HttpRequest, wanted: ChannelRequest) -> HttpResponse:
    """``sub/``: an endless response; for pushstream.js a page of script calls in a frame."""
    mode = request.META.get(MODE, "")
    if mode == "polling":
        return _poll(request, wanted)
    if mode == "long-polling":
        return _long_poll(request, wanted)
    if "streamid" not in request.GET:
        return _stream(request, wanted, LINES)
    response = _stream(request, wanted, FRAME)
    response["X-Frame-Options"] = "SAMEORIGIN"  # Django says DENY, and this page is made for a frame
    return response


@_subscriber
def long_poll(request: HttpRequest, wanted: ChannelRequest) -> HttpResponse:
    """``lp/``: one answer, as soon as there is a message."""
    return _long_poll(request, wanted)


@_subscriber
def poll(request: HttpRequest, wanted: ChannelRequest) -> HttpResponse:
    """``poll/``: what is new, or 304."""
    return _poll(request, wanted)


def websocket(request: HttpRequest, channels: str = "") -> HttpResponse:
    """``ws/``: a WebSocket; who may not listen is closed after the 101, with the reason."""
    offer = hand_over.of(request)
    try:
        node = channel_request.node_for(request, "GET")
        if offer is None:
            raise RequestRefused(426, "this address speaks WebSocket (RFC 6455)")
        if node.stopping:
            raise RequestRefused(503, "the server restarts", Retry_After="2")
        _refuse_too_many(node, request)
    except RequestRefused as refused:
        return refused.response()
    try:
        wanted = channel_request.subscription(request, channels)
    except RequestRefused as refused:
        reason = json.dumps({"http_status": refused.status, "explain": refused.explanation})
        reason = reason if len(reason) <= 123 else json.dumps({"http_status": refused.status})
        return offer.accept(partial(refuse, node, reason))
    publish = publisher_for_socket(node, request, list(wanted.channels))
    opener = partial(
        open_channels,
        node,
        wanted.channels,
        wanted.since,
        publish,
        wanted.session_key,
        framing=offer.framing,
        where=wanted.where,
    )
    return channel_request.with_no_cache(offer.accept(opener))


def _stream(request: HttpRequest, wanted: ChannelRequest, format: Format) -> HttpResponse:
    offer = _offer(request, wanted)
    chunked = offer.version != "HTTP/1.0"
    user_agent = request.META.get("HTTP_USER_AGENT", "")

    def opened(wire: Wire, headers: list[tuple[str, str]]) -> None:
        fields = [*_kept(headers), ("Date", formatdate(usegmt=True)), ("Content-Type", format.content_type)]
        fields.append(("Connection", "close"))
        if chunked:
            fields.append(("Transfer-Encoding", "chunked"))
        listener = Listener(
            wanted.node,
            wire,
            format,
            chunked=chunked,
            session_key=wanted.session_key,
            padding=padding_of(wanted.node.config.padding, user_agent),
            where=wanted.where,
        )
        listener.begin(head("200 OK", fields), wanted.channels, wanted.since)

    return offer.accept(opened)


def _long_poll(request: HttpRequest, wanted: ChannelRequest) -> HttpResponse:
    response = _missed_now(request, wanted)
    if response is not None:
        return response
    offer, body, top = _offer(request, wanted), _body(request, wanted), wanted.node.broker.top

    def opened(wire: Wire, headers: list[tuple[str, str]]) -> None:
        fields = [*_kept(headers), ("Connection", "close")]
        poll = LongPoll(wanted.node, wire, fields, body, wanted.session_key, wanted.where)
        poll.begin(tuple(wanted.channels), top)

    return offer.accept(opened)


def _poll(request: HttpRequest, wanted: ChannelRequest) -> HttpResponse:
    response = _missed_now(request, wanted)
    if response is None:
        response = HttpResponse(status=304)
        _validate(response, validators(wanted.node.broker.top, time()))
    config = wanted.node.config
    response[channel_request.HEARTBEAT] = f"{max(config.ping_interval, config.long_poll_timeout):g}"
    return response


def _missed_now(request: HttpRequest, wanted: ChannelRequest) -> HttpResponse | None:
    """What was missed, if anything: the answer at once."""
    node = wanted.node
    node.come_up_to(wanted.since)
    items = where.wanted(wanted.where, node.catch_up(wanted.channels, wanted.since).items)
    if not items:
        return None
    body, messages = _body(request, wanted), messages_of(items)
    response = HttpResponse(body.text(formats.items_of(items)), content_type=body.content_type)
    last = messages[-1] if messages else None
    # Up to the log's end nothing else was for this client: all of it is in the answer.
    _validate(response, validators(node.broker.top, last.time if last else time()))
    return response


def _validate(response: HttpResponse, fields: list[tuple[str, str]]) -> None:
    for name, value in fields:
        response[name] = value


def _body(request: HttpRequest, wanted: ChannelRequest) -> Body:
    callback = request.GET.get("callback", "")
    if not callback or not wanted.node.config.jsonp:
        return Body(wanted.node)
    if not _CALLBACK(callback):
        raise RequestRefused(400, "The callback is no name of a function.")
    return Body(wanted.node, callback)


def _offer(request: HttpRequest, wanted: ChannelRequest) -> hand_over.Stream:
    if wanted.node.stopping:
        raise RequestRefused(503, "the server restarts", Retry_After="2")
    offer = hand_over.stream_of(request)
    if offer is None:
        raise RequestRefused(426, "this address needs the live server: start it with 'manage.py rungevent'")
    _refuse_too_many(wanted.node, request)
    return offer


def _kept(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The response's headers, without what would describe its empty body."""
    return [
        (name, value)
        for name, value in headers
        if not name.lower().startswith("content-") or name.lower() == "content-security-policy"
    ]


def _refuse_too_many(node: Node, request: HttpRequest) -> None:
    if seconds := visitor_limits.seconds_to_wait(node, request):
        raise RequestRefused(429, visitor_limits.TOO_MANY, Retry_After=str(seconds))
