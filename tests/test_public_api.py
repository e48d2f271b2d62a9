"""The names and signatures that users rely on: a change here is a change for them."""

import dataclasses
import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import realtime_wall
from realtime_wall import errors, events, signals
from realtime_wall.brokers.results import Receipt
from realtime_wall.config import Config
from realtime_wall.signals import Signal, SignalsByName
from realtime_wall.sockets.registry import ConnectedSockets
from realtime_wall.sockets.socket import Session, Socket


def signature(function):
    """Names, kinds and defaults: what a caller can see, without the types."""
    parts = []
    for parameter in inspect.signature(function).parameters.values():
        star = {parameter.VAR_POSITIONAL: "*", parameter.KEYWORD_ONLY: "="}.get(parameter.kind, "")
        default = "" if parameter.default is parameter.empty else f"={parameter.default!r}"
        parts.append(f"{star}{parameter.name}{default}")
    return ", ".join(parts)


@pytest.mark.parametrize(
    ("name", "expected"),
    {
        "broadcast": "message, =namespace=None",
        "broadcast_channel": "message, channel, =namespace=None",
        "broadcast_call": "name, *args, =channel=None, =timeout=5.0",
        "broadcast_emit": "name, *args, =channel=None, =volatile=False, =namespace=None",
        "publish": "channel, data, event=None, event_id=None, =idempotency_key=None, =on_commit=False"
        ", =spool=False, =durable=False",
        "broadcast_changes": "model, =channel, =fields",
        "send": "session_id, message",
        "retract": "channel, which",
        "cursor": "",
        "channel_token": "pattern, =write=False, =user=None, =max_age=3600.0",
    }.items(),
)
def test_the_verbs(name, expected):
    assert signature(getattr(realtime_wall, name)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    {
        "publish_many": "messages",
        "OutgoingMessage": "channel, data, event=None, event_id=None",
        "run_in_threadpool": "function",
        "time_slice": "seconds=0.003",
        "visitor_address": "request, =network=False",
        "Backoff": "first, longest, =grow=doubled, =jitter=(1.0, 1.0), =draw=uniform",
    }.items(),
)
def test_what_long_work_in_a_server_needs(name, expected):
    from realtime_wall import api

    assert name in api.__all__
    found = signature(getattr(api, name))
    assert re.sub(r"<(?:function|bound method) (?:\w+\.)?(\w+)[^>]*>+", r"\1", found) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    {
        "servers": "",
        "sockets": "channel=None",
        "socket_page": "after='', limit=50, channel=None, user=None",
        "channel_page": "after='', limit=50, prefix=''",
        "history": "channel, last=20",
        "metrics": "",
        "disconnect": "session_id, code=3503, reason='disconnected by the server'",
        "disconnect_user": "user, code=3503, reason='disconnected by the server'",
        "subscribe": "channel, =session_id=None, =user=None, =on=None",
        "unsubscribe": "channel, =session_id=None, =user=None, =on=None",
        "presence": "channel",
        "statistics": "what=''",
        "this_server": "",
        "lease": "name",
        "watch": "pattern, function",
        "topic": "name, receive",
    }.items(),
)
def test_the_cluster(name, expected):
    from realtime_wall import cluster

    assert signature(getattr(cluster, name)) == expected
    assert name in cluster.__all__


def test_the_package_names_what_it_has_and_nothing_else():
    assert realtime_wall.__all__ == [
        *("InvalidMessage", "NoServer", "NoSocket", "Refuse", "Spooled"),
        *("broadcast", "broadcast_call", "broadcast_changes", "broadcast_channel", "broadcast_emit"),
        *("channel_token", "connected_sockets", "cursor", "publish", "raw_websocket", "retract", "send"),
    ]
    assert all(hasattr(realtime_wall, name) for name in realtime_wall.__all__)
    assert isinstance(realtime_wall.connected_sockets, ConnectedSockets)
    for name in ("InvalidMessage", "NoServer", "NoSocket", "Refuse"):
        assert getattr(realtime_wall, name) is getattr(errors, name)
    with pytest.raises(AttributeError, match="module 'realtime_wall' has no attribute 'boadcast'"):
        realtime_wall.boadcast  # noqa: B018


def test_importing_the_package_needs_neither_django_nor_gevent():
    code = (
        "import realtime_wall, sys; sys.exit(any(m in sys.modules for m in ('django', 'gevent', 'blinker')))"
    )

    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_what_can_go_wrong_is_a_tree():
    assert issubclass(errors.NoServer, errors.NoSocket)
    assert issubclass(errors.MessageTooBig, errors.InvalidMessage)
    for name in ("InvalidChannel", "InvalidMessage", "InvalidPosition"):
        assert issubclass(getattr(errors, name), ValueError)
    for name in (
        "InvalidChannel",
        "InvalidMessage",
        "InvalidPosition",
        "HistoryLost",
        "NoSocket",
        "PublishFailed",
    ):
        assert issubclass(getattr(errors, name), errors.RealtimeWallError)
    assert not issubclass(errors.Refuse, errors.RealtimeWallError)


def test_the_signals():
    names = {name for name, value in vars(signals).items() if isinstance(value, Signal)}

    assert names == {
        *("socket_connected", "socket_disconnected", "socket_finished"),
        *("socket_client_message", "socket_client_event", "socket_subscribed", "socket_unsubscribed"),
        *("socket_error", "server_started", "server_stopping"),
    }
    assert isinstance(signals.socket_client_event_by_type, SignalsByName)
    assert signature(Signal.connect) == "self, receiver, sender=ANY, weak=True, dispatch_uid=None"
    assert signature(Signal.disconnect) == "self, receiver=None, sender=ANY, dispatch_uid=None"


def test_the_decorators():
    assert set(events.__all__) == {
        *("on_connect", "on_message", "on_event", "on_subscribe", "on_unsubscribe", "on_error"),
        *("on_disconnect", "on_finish", "on_published", "event", "Event", "EventError", "Published"),
    }
    for name in ("on_connect", "on_message", "on_subscribe", "on_unsubscribe", "on_error", "on_finish"):
        assert signature(getattr(events, name)) == "handler=None, =channel=None"
    assert signature(events.on_event) == "handler=None, =name=None, =channel=None"
    assert signature(events.on_published) == "pattern"


def test_an_event():
    assert {name for name in dir(events.Event) if not name.startswith("_")} == {
        *("name", "args", "data", "ack", "acknowledgeable", "acknowledged")
    }
    assert signature(events.Event.ack) == "self, *args"


@pytest.mark.parametrize(
    ("name", "expected"),
    {
        "send": "self, text",
        "emit": "self, name, *args, =callback=None, =volatile=False",
        "call": "self, name, *args, =timeout=10.0",
        "ack": "self, event_id, *args",
        "broadcast": "self, message",
        "broadcast_send": "self, text",
        "broadcast_emit": "self, name, *args, =include_self=False, =volatile=False",
        "broadcast_channel": "self, message, channel=None",
        "send_and_broadcast": "self, message",
        "send_and_broadcast_channel": "self, message, channel=None",
        "disconnect": "self, code=3503, reason='disconnected by the server'",
    }.items(),
)
def test_the_methods_of_a_socket(name, expected):
    assert signature(getattr(Socket, name)) == expected


def test_a_socket_shows_what_user_code_may_call_and_nothing_else():
    assert {name for name in dir(Socket) if not name.startswith("_")} == {
        *("id", "session", "request", "user", "context", "namespace", "auth", "recovered", "channels"),
        *("send", "emit", "call", "ack", "disconnect", "subscribe", "unsubscribe"),
        *("broadcast", "broadcast_send", "broadcast_emit", "broadcast_channel"),
        *("send_and_broadcast", "send_and_broadcast_channel"),
    }
    assert [name for name in Socket.__slots__ if name.startswith("_")] == ["__weakref__", "_session"]


def test_the_inside_of_a_socket_is_reached_in_one_way():
    package = Path(realtime_wall.__file__).parent
    sources = {path.name: path.read_text() for path in package.rglob("*.py")}

    assert [name for name, source in sources.items() if re.search(r"\bsocket\._session\b", source)] == [
        "client_session.py"
    ]


def test_a_socket_joins_and_leaves_channels_by_name():
    assert signature(Socket.subscribe).startswith("self, channel, since=None")
    assert signature(Socket.unsubscribe) == "self, channel"


def test_the_attributes_of_a_socket():
    for name in ("id", "session", "request", "user", "context", "channels"):
        assert hasattr(Socket, name)
    assert issubclass(Session, dict)
    assert Session("the id").session_id == "the id"


def test_a_receipt():
    fields = [field.name for field in dataclasses.fields(Receipt)]

    assert fields == ["processes", "sockets", "queued", "dropped", "position"]
    assert not Receipt(processes=1, position="a:1")
    assert Receipt(processes=1, sockets=1)


def test_the_limits_that_hold_without_any_setting():
    config = Config()

    assert (config.message_size, config.message_fragments) == (1024 * 1024, 64)
    assert (config.json_depth, config.channels_per_connection) == (32, 64)
    assert config.json_values == 250_000
    assert config.outbox_size == 1024 * 1024
    assert (config.allowed_origins, config.authorize) == ([], None)


def test_the_urls():
    urls = import_module("realtime_wall.urls")

    assert urls.app_name == "realtime_wall"
    assert {str(url.pattern) for url in urls.urlpatterns} >= {"ws/", "health/"}


def test_the_command():
    command = import_module("realtime_wall.management.commands.rungevent").Command
    parser = command().create_parser("manage.py", "rungevent")

    assert parser.parse_args(["0:8000"]).addrport == "0:8000"
    assert parser.parse_args([]).addrport is None
