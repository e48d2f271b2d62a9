"""A client of the site, as a test has it: what it says, and what it was sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import AsyncResult, Event

from realtime_wall.testing.carriers import (
    ClientCarrier,
    ClientWebSocket,
    Endpoint,
    HandshakeRefused,
    StreamCarrier,
)
from realtime_wall.testing.dialects import (
    ConnectRefused,
    Dialect,
    ErrorReply,
    EventStreamDialect,
    ItemDialect,
    PlainDialect,
    Received,
    SocketIODialect,
)
from realtime_wall.testing.network import Network
from realtime_wall.testing.polling_carriers import EnginePollingCarrier, LongPollCarrier

if TYPE_CHECKING:
    from realtime_wall.sockets.socket import Socket

__all__ = ["ConnectRefused", "ErrorReply", "RealtimeClient", "Received"]

# How long a test waits for what it was promised, in seconds.
PATIENCE = 5.0

TWO_WAY = ("websocket", "socketio", "socketio_polling")
ONE_WAY = ("channel_websocket", "eventsource", "stream", "long_polling")
TRANSPORTS = (*TWO_WAY, *ONE_WAY)


class RealtimeClient:
    """Made by ``connect()``; from then on it hears and answers by itself."""

    def __init__(
        self,
        transport: str,
        address: Endpoint,
        *,
        channels: Sequence[str] = (),
        since: str | None = None,
        namespace: str = "/",
        auth: Any = None,
        poll_path: str = "",
        settle: Callable[[], object],
        network: Network | None = None,
        timeout: float = PATIENCE,
    ) -> None:
        self.transport = transport
        self.network = network
        self.closed: tuple[int | None, str] | None = None  # its code and reason, once it is
        self.unread: list[Received] = []
        self._channels = list(channels)
        self._address = address
        self._namespace, self._auth, self._poll_path = namespace, auth, poll_path
        self._settle, self._timeout = settle, timeout
        self._changed = Event()
        self._answers: dict[str, Callable[..., Any]] = {}
        self._open(address, auth, since)

    # The connection

    def _open(self, address: Endpoint, auth: Any, since: str | None) -> None:
        self.closed = None
        try:
            with gevent.Timeout(self._timeout, ConnectRefused(None, f"no answer in {self._timeout:g} s")):
                self._carrier = self._new_carrier(address)
                self._dialect = dialect = self._new_dialect(self._carrier, auth)
                dialect.answers = self._answers
                dialect.accepted.get()
        except HandshakeRefused as refused:
            raise ConnectRefused(refused.status, refused.text) from None
        if self.transport in ("websocket", "channel_websocket"):
            self._settle()  # a WebSocket is opened first, and refused afterwards
            if self.closed is not None:
                raise ConnectRefused(*self.closed)
        if self.transport in TWO_WAY:
            for channel in self._channels:
                self._ask(partial(dialect.subscribe, channel, since, None))

    def _new_carrier(self, address: Endpoint) -> ClientCarrier:
        match self.transport:
            case "socketio_polling":
                return EnginePollingCarrier(address)
            case "eventsource":
                return StreamCarrier(address, b"\n\n")
            case "stream":
                return StreamCarrier(address, b"\r\n")
            case "long_polling":
                return LongPollCarrier(address, self._poll_path)
            case _:
                return ClientWebSocket(address)

    def _new_dialect(self, carrier: ClientCarrier, auth: Any) -> Dialect:
        def report(received: Received | None) -> None:
            if self._carrier is not carrier:
                return  # of a connection before this one
            if received is None:
                self.closed = carrier.closed
            else:
                self.unread.append(received)
            self._changed.set()

        self._carrier = carrier
        if self.transport in ("socketio", "socketio_polling"):
            return SocketIODialect(carrier, report, self._namespace, auth)
        if self.transport == "websocket":
            return PlainDialect(carrier, report)
        return (EventStreamDialect if self.transport == "eventsource" else ItemDialect)(carrier, report)

    @property
    def session_id(self) -> str:
        return self._dialect.session_id

    @property
    def cursor(self) -> str:
        """Up to here it has everything."""
        return self._dialect.cursor

    @property
    def socket(self) -> Socket:
        """What receivers have of it; of a client in the process."""
        from realtime_wall.sockets.registry import connected_sockets

        found = connected_sockets.get(self.session_id)
        assert found is not None, "it is not connected"
        return found

    def close(self) -> None:
        """End the connection as a page does that is closed."""
        self._carrier.close()
        self._settle()

    def drop(self) -> None:
        """Lose the connection without a word; the server may keep the session for a while."""
        self._carrier.drop()
        self._settle()

    def reconnect(self) -> None:
        """Come back, and be sent what was missed."""
        if self.closed is None:
            self.drop()
        before, cursor = self._dialect, self._dialect.cursor or None
        query, headers, auth = dict(self._address.query), dict(self._address.headers), self._auth
        if self.transport == "websocket":
            query |= {"session": before.session_id, "since": before.cursor}
        elif self.transport in TWO_WAY:
            auth = before.auth or auth
        elif self.transport == "eventsource":
            headers["Last-Event-ID"] = before.cursor
        elif cursor:
            query["since"] = cursor
        if self.transport in TWO_WAY and auth is not self._auth:
            channels, self._channels = self._channels, []  # the session has them
            self._open(replace(self._address, query=query, headers=headers), auth, since=None)
            self._channels = channels
        else:
            self._open(replace(self._address, query=query, headers=headers), auth, since=cursor)

    # What it says

    def emit(self, name: str, *args: Any) -> None:
        self._dialect.emit(name, args)

    def send(self, message: Any) -> None:
        self._dialect.emit("message", (message,))

    def call(self, name: str, *args: Any, timeout: float = PATIENCE) -> Any:
        """Emit, and wait for what a receiver returns; ErrorReply when the server answers with an error."""
        return self._ask(partial(self._dialect.emit, name, args), timeout)

    def subscribe(self, channel: str, since: str | None = None, token: str | None = None) -> None:
        """ErrorReply when it may not."""
        self._ask(partial(self._dialect.subscribe, channel, since, token))
        self._channels.append(channel)

    def unsubscribe(self, channel: str) -> None:
        self._ask(partial(self._dialect.unsubscribe, channel))
        self._channels.remove(channel)

    def answer(self, name: str, answer: Callable[[Any], Any]) -> None:
        """What it acknowledges such an event with from now on: for ``socket.call``, ``broadcast_call``."""
        self._answers[name] = answer

    def _ask(self, ask: Callable[[AsyncResult[Any]], object], timeout: float = PATIENCE) -> Any:
        reply: AsyncResult[Any] = AsyncResult()
        ask(reply)
        return reply.get(timeout=timeout)

    # What it was sent

    def receive(
        self, event: str | None = None, *, channel: str | None = None, timeout: float = PATIENCE
    ) -> Received:
        """The next it is sent, of this event and channel if they are given; what is before stays unread."""

        def is_wanted(one: Received) -> bool:
            return (event is None or one.event == event) and (channel is None or one.channel == channel)

        deadline = monotonic() + timeout
        while True:
            self._changed.clear()
            for number, one in enumerate(self.unread):
                if is_wanted(one):
                    return self.unread.pop(number)
            left = deadline - monotonic()
            if left <= 0 or self.closed is not None:
                raise AssertionError(f"{event or 'nothing'} was not sent: {self._state()}")
            self._changed.wait(left)

    def wait_closed(self, timeout: float = PATIENCE) -> tuple[int | None, str]:
        """The code and the reason with which the server has closed it."""
        deadline = monotonic() + timeout
        while self.closed is None:
            self._changed.clear()
            if (left := deadline - monotonic()) <= 0:
                raise AssertionError(f"it was not closed: {self._state()}")
            self._changed.wait(left)
        return self.closed

    def assert_nothing_sent(self) -> None:
        """Nothing is unread, once all receivers have run and all is delivered."""
        self._settle()
        assert not self.unread, self._state()

    def _state(self) -> str:
        state = "connected" if self.closed is None else f"closed ({self.closed[0]}, {self.closed[1]!r})"
        return f"{self.transport} client, {state}, unread: {self.unread or 'nothing'}"

    def __repr__(self) -> str:
        return f"<{self._state()}>"
