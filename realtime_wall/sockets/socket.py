"""The handle that user code has for a connected client: what it names, and nothing else.

What it does is done by the session behind it (``client_session.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import HttpRequest
from gevent.event import AsyncResult

from realtime_wall.brokers.results import Receipt
from realtime_wall.channels.names import EVERYONE, check_channel, check_event_name
from realtime_wall.channels.position import Position
from realtime_wall.channels.wildcards import is_wildcard
from realtime_wall.protocol.json_output import encode_json
from realtime_wall.sockets.arguments import Arguments, encode_args
from realtime_wall.sockets.interfaces import Inside
from realtime_wall.sockets.pending_acks import Reply
from realtime_wall.typed_events import declared
from realtime_wall.typed_events.declared import Name


class Session(dict[str, Any]):
    """The id of a client's session, and a dict for user code that lives as long."""

    __slots__ = ("session_id",)

    def __init__(self, session_id: str) -> None:
        super().__init__()
        self.session_id = session_id


class Socket:
    __slots__ = ("__weakref__", "_session", "session")

    def __init__(self, inside: Inside, session: Session) -> None:
        self._session = inside
        self.session = session

    @property
    def id(self) -> str:
        return self.session.session_id

    @property
    def request(self) -> HttpRequest:
        """Of the handshake."""
        return self._session.request

    @property
    def user(self) -> Any:
        return getattr(self._session.request, "user", None)

    @property
    def namespace(self) -> str:
        """Of Socket.IO; others have the main one."""
        return self._session.namespace

    @property
    def auth(self) -> Any:
        """What a Socket.IO client gave to be let in; an empty dict when it gave nothing."""
        return {} if self._session.auth is None else self._session.auth

    @property
    def recovered(self) -> bool:
        """Whether it continues the session of a connection that was lost."""
        return self._session.recovered

    @property
    def context(self) -> dict[str, Any]:
        """A dict that lives as long as the connection."""
        return self._session.context

    @property
    def channels(self) -> tuple[str, ...]:
        return self._session.channels

    def __repr__(self) -> str:
        return f"<Socket {self._session.log_id}>"

    # To this client

    def send(self, text: object) -> None:
        """Send a text message; what is no string becomes its string."""
        data_json = encode_json(text if isinstance(text, str) else str(text))
        self._session.send_event(None, Arguments(data_json))

    def emit(
        self, name: Name, *args: Any, callback: Callable[..., Any] | None = None, volatile: bool = False
    ) -> None:
        """Send an event. ``callback(*args)`` is called with the client's acknowledgement, if one comes.

        A ``volatile`` event is left out when the client is behind with reading.
        """
        name, args = declared.name_and_args(name, args)
        arguments, session = encode_args(args), self._session
        check_event_name(name, session.transport.reserved_events)
        if callback is None:
            (session.send_volatile if volatile else session.send_event)(name, arguments)
        elif not (volatile and session.transport.is_behind):
            # A receiver like any other: in its turn.
            reply = Reply(lambda answer: session.inbox.put(partial(callback, *answer)), lambda: None)
            session.ask(name, arguments, reply)

    def call(self, name: Name, *args: Any, timeout: float = 10.0) -> Any:
        """Send an event and wait for its acknowledgement: ``timeout`` seconds, or until the client is gone.

        Then there is a TimeoutError.
        """
        name, args = declared.name_and_args(name, args)
        arguments = encode_args(args)
        result: AsyncResult[Any] = AsyncResult()
        lost = TimeoutError(f"{name!r} was not acknowledged: the client is gone")
        # At once: behind the inbox an answer would wait for the receiver that waits for it.
        reply = Reply(
            lambda answer: result.set(answer[0] if len(answer) == 1 else tuple(answer)),
            lambda: result.set_exception(lost),
        )
        check_event_name(name, self._session.transport.reserved_events)
        self._session.ask(name, arguments, reply)
        if not result.wait(timeout) and not result.ready():
            raise TimeoutError(f"{name!r} was not acknowledged within {timeout} s")
        return result.get()

    def ack(self, event_id: Any, *args: Any) -> None:
        """Acknowledge the event with this id; :meth:`Event.ack` knows its own."""
        self._session.transport.send_ack(event_id, encode_args(args))

    def disconnect(self, code: int = 3503, reason: str = "disconnected by the server") -> None:
        """End the connection. Codes from 3500 to 3999 tell our client to stay away."""
        self._session.transport.close(code, reason)

    # To others

    def broadcast(self, message: Any) -> Receipt:
        """Send a message to every other socket."""
        return self._session.publish(EVERYONE, None, encode_args((message,)), self.id)

    def broadcast_send(self, text: object) -> Receipt:
        return self.broadcast(text if isinstance(text, str) else str(text))

    def broadcast_emit(
        self, name: Name, *args: Any, include_self: bool = False, volatile: bool = False
    ) -> Receipt:
        """Send an event to every other socket, or to this one too."""
        name, args = declared.name_and_args(name, args)
        check_event_name(name)
        exclude = None if include_self else self.id
        return self._session.publish(EVERYONE, name, encode_args(args), exclude, volatile)

    def broadcast_channel(self, message: Any, channel: str | None = None) -> Receipt:
        """Send a message to all others in a channel; None means in all of this socket's channels."""
        return self._to_channels(message, channel, self.id)

    def send_and_broadcast(self, message: Any) -> Receipt:
        """Send a message to every socket, this one included."""
        return self._session.publish(EVERYONE, None, encode_args((message,)), None)

    def send_and_broadcast_channel(self, message: Any, channel: str | None = None) -> Receipt:
        return self._to_channels(message, channel, None)

    def _to_channels(self, message: Any, channel: str | None, exclude: str | None) -> Receipt:
        arguments, session = encode_args((message,)), self._session
        own = (name for name in session.channels if not is_wildcard(name))
        names = own if channel is None else (check_channel(channel),)
        receipts = (session.publish(name, None, arguments, exclude) for name in names)
        return sum(receipts, Receipt())

    # Channels

    def subscribe(self, channel: str, since: Position | None = None) -> bool:
        """Join a channel, from a position if given; False when it is in it or a receiver refused.

        ``on_subscribe`` receivers run first, with the channel already among :attr:`channels`; one that
        returns False refuses, and nothing of the channel was sent.
        """
        return self._session.subscribe(channel, since)

    def unsubscribe(self, channel: str) -> bool:
        """Leave a channel; False when it was not in it."""
        return self._session.unsubscribe(channel)
