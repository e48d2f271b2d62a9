"""Decorators for ``<app>/events.py``, and the event that its handlers are given.

::

    from realtime_wall.events import on_connect, on_event

    @on_connect
    def greet(request, socket, context):
        socket.emit("greeting", f"Hello, {request.user}")

    @on_event(name="add")
    def add(request, socket, context, event):
        return sum(event.data)          # what is returned acknowledges the event

``context`` is a dict that lives as long as the connection. All decorators but ``on_connect`` take
``channel="<regex>"``: the handler then runs for sockets that are subscribed to a matching channel
(for ``on_subscribe`` and ``on_unsubscribe``: when that channel matches). Without it, it always runs.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, overload

from realtime_wall import signals
from realtime_wall.typed_events import declared
from realtime_wall.typed_events.declared import event as event

Handler = TypeVar("Handler", bound=Callable[..., Any])

__all__ = [
    "Event",
    "EventError",
    "Published",
    "event",
    "on_connect",
    "on_disconnect",
    "on_error",
    "on_event",
    "on_finish",
    "on_message",
    "on_published",
    "on_subscribe",
    "on_unsubscribe",
]


class EventError(TypeError):
    """A handler was registered in a way that can never work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What was published on a channel, for :func:`on_published`."""

    channel: str
    data_json: str
    event: str | None
    event_id: str | None
    cursor: str
    time: float  # since 1970

    @property
    def data(self) -> Any:
        return json.loads(self.data_json)


# Patterns of channels, and whom to call with what is published there; a server reads it when it starts.
published_receivers: list[tuple[str, Callable[[Published], object]]] = []


class _Flag:
    """True or false as an attribute and as a call: the seeds' users write both."""

    __slots__ = ("_value",)

    def __init__(self, value: bool) -> None:
        self._value = value

    def __bool__(self) -> bool:
        return self._value

    def __call__(self) -> bool:
        return self._value

    def __repr__(self) -> str:
        return repr(self._value)


class Event:
    """Something a client sent with a name, and maybe wants acknowledged."""

    __slots__ = ("_acknowledge", "_acknowledged", "args", "name")

    def __init__(
        self, name: str, args: list[Any], acknowledge: Callable[[tuple[Any, ...]], None] | None = None
    ) -> None:
        self.name = name
        self.args = args
        self._acknowledge = acknowledge
        self._acknowledged = False

    @property
    def data(self) -> Any:
        """The only argument, or the list of several, or None."""
        return self.args[0] if len(self.args) == 1 else (self.args or None)

    @property
    def acknowledgeable(self) -> _Flag:
        return _Flag(self._acknowledge is not None)

    @property
    def acknowledged(self) -> _Flag:
        return _Flag(self._acknowledged)

    def ack(self, *args: Any) -> None:
        """Answer the event, once; a second answer, or one nobody asked for, is not sent."""
        if self._acknowledge is None or self._acknowledged:
            return
        self._acknowledged = True
        self._acknowledge(args)

    def __repr__(self) -> str:
        return f"<Event {self.name!r}>"


class _Decorator(Protocol):
    """As ``@on_connect`` or ``@on_message(channel="...")``; the function stays what it is."""

    @overload
    def __call__(self, handler: Handler, *, channel: str | None = None) -> Handler: ...
    @overload
    def __call__(self, handler: None = None, *, channel: str | None = None) -> _Keep: ...


class _Keep(Protocol):
    def __call__(self, handler: Handler, /) -> Handler: ...


def _decorator(signal: signals.Signal, argument: str | None, takes_channel: bool = True) -> _Decorator:
    """A decorator that connects ``handler(request, socket, context[, argument])`` to a signal."""

    def decorate(handler: Any = None, *, channel: str | None = None) -> Any:
        if handler is None:
            return functools.partial(decorate, channel=channel)
        if channel is not None and not takes_channel:
            raise EventError("on_connect takes no channel: a socket that connects is in none yet")
        signal.connect(_receiver(handler, argument, channel), weak=False)
        return handler

    return decorate


def _receiver(handler: Callable[..., Any], argument: str | None, channel: str | None) -> signals.Receiver:
    if not callable(handler):
        raise EventError(f"{handler!r} is no function; options are given by name, as in name={handler!r}")
    pattern = re.compile(channel) if channel is not None else None

    # ``wraps`` makes the log name the handler, not this function.
    @functools.wraps(handler)
    def receiver(socket: Any, *, request: Any, **kwargs: Any) -> Any:
        if pattern is not None:
            named = kwargs.get("channel")
            channels = socket.channels if named is None else (named,)
            if not any(pattern.match(name) for name in channels):
                return None
        if argument is None:
            return handler(request, socket, socket.context)
        return handler(request, socket, socket.context, kwargs[argument])

    return receiver


on_connect = _decorator(signals.socket_connected, None, takes_channel=False)
on_message = _decorator(signals.socket_client_message, "message")
on_subscribe = _decorator(signals.socket_subscribed, "channel")
on_unsubscribe = _decorator(signals.socket_unsubscribed, "channel")
on_error = _decorator(signals.socket_error, "exception")
on_disconnect = _decorator(signals.socket_disconnected, None)
on_finish = _decorator(signals.socket_finished, None)


@overload
def on_event(handler: type[Any], *, channel: str | None = None) -> _Keep: ...
@overload
def on_event(handler: Handler, *, channel: str | None = None) -> Handler: ...
@overload
def on_event(handler: None = None, *, name: str | None = None, channel: str | None = None) -> _Keep: ...


def on_event(handler: Any = None, *, name: str | None = None, channel: str | None = None) -> Any:
    """Handle client events: all of them, those with a name, or one that is declared by :func:`event`."""
    found = declared.find(handler)
    if found is not None:
        signal = signals.socket_client_event_by_type[found.name]

        def decorate(handler: Any) -> Any:
            receiver = functools.wraps(handler)(declared.receiver_for(found, handler))
            _decorator(signal, "event")(receiver, channel=channel)
            return handler

        return decorate
    if isinstance(handler, type):
        raise EventError(f"{handler!r} is no declared event: write @event above it")
    signal = signals.socket_client_event if name is None else signals.socket_client_event_by_type[name]
    return _decorator(signal, "event")(handler, channel=channel)


def on_published(pattern: str) -> _Keep:
    """Call a function with everything that this server publishes on channels that fit the pattern.

    ``*`` stands for any characters. The function runs in a greenlet, for one message after the other.
    """
    if not isinstance(pattern, str):
        raise EventError("on_published takes a pattern of channel names, as in on_published('tweets*')")

    def decorate(handler: Handler) -> Handler:
        published_receivers.append((pattern, handler))
        return handler

    return decorate
