"""A user's code, as a type checker sees it: it is read, and never run.

mypy reads it with the package, each time; a type that is Any fits no ``assert_type``.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_type

from django.http import HttpRequest

from realtime_wall import (
    broadcast,
    broadcast_call,
    broadcast_channel,
    broadcast_emit,
    cluster,
    cursor,
    publish,
    send,
)
from realtime_wall.api import OutgoingMessage, publish_many, run_in_threadpool
from realtime_wall.brokers.results import Receipt
from realtime_wall.channels.position import Position
from realtime_wall.events import Event, Published, event, on_connect, on_event, on_message, on_published
from realtime_wall.signals import socket_connected
from realtime_wall.sockets.socket import Socket
from realtime_wall.testing import Realtime

Context = dict[str, Any]


@event
@dataclass(frozen=True)
class Say:
    text: str


@event(name="said")
@dataclass(frozen=True)
class Said:
    text: str
    at: datetime | None = None


@on_connect
def enter(request: HttpRequest, socket: Socket, context: Context) -> None:
    socket.subscribe("lobby")
    socket.emit(Said("Hello"))
    socket.emit("greeting", "Hello")
    assert_type(socket.channels, tuple[str, ...])
    assert_type(socket.id, str)


@on_message(channel="lobby")
def heard(request: HttpRequest, socket: Socket, context: Context, message: object) -> str:
    return "thanks"


@on_event(Say)
def say(request: HttpRequest, socket: Socket, context: Context, message: Say) -> bool:
    assert_type(message.text, str)
    assert_type(publish("lobby", Said(message.text)), Position)
    return True


@on_event(name="add")
def add(request: HttpRequest, socket: Socket, context: Context, event: Event) -> int:
    return len(event.args)


@on_published("news*")
def log(published: Published) -> None:
    assert_type(published.channel, str)


@socket_connected.connect
def connected(sender: Socket, *, request: HttpRequest) -> None: ...


def verbs() -> None:
    assert_type(broadcast("to everyone"), Receipt)
    assert_type(broadcast_channel({"to": "a room"}, "room"), Receipt)
    assert_type(broadcast_emit(Said("to everyone")), Receipt)
    assert_type(broadcast_call("vote", timeout=2).silent, tuple[str, ...])
    assert_type(send("an id", "to one"), Receipt)
    assert_type(cursor(), str)
    assert_type(publish_many([OutgoingMessage("news", Said("many"))]), list[Position])
    assert_type(run_in_threadpool(lambda: 7), int)
    assert_type(publish("news", 1, on_commit=False), Position)
    assert_type([socket.session_id for socket in cluster.sockets()], list[str])
    assert_type(cluster.servers(), list[cluster.Server])


def in_a_test(realtime: Realtime) -> None:
    assert_type(realtime.connect(channels=["lobby"]).receive("said").channel, str | None)
