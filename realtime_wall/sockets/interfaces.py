"""What a client's session asks of its surroundings, and what its handle asks of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from django.http import HttpRequest

from realtime_wall.brokers.commands import Publish
from realtime_wall.brokers.results import Receipt
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import CatchUp, Since
from realtime_wall.channels.rules import Rules
from realtime_wall.sockets.arguments import Arguments
from realtime_wall.sockets.dispatch.inbox import Inbox, Pool
from realtime_wall.sockets.pending_acks import Reply
from realtime_wall.wire.connection import Written


class Transport(Protocol):
    """How a session reaches its client."""

    @property
    def kind(self) -> str:
        """``websocket`` or ``polling``."""

    @property
    def reserved_events(self) -> frozenset[str]:
        """Names that no event of user code can have on the way to this client."""

    def accept(self) -> None:
        """The connect receivers have agreed."""

    def refuse(self, reason: str, data: Any) -> None:
        """One of them has not; ``reason`` is short, ``data`` what the client is to be sent."""

    def send_event(self, name: str | None, arguments: Arguments, reply_id: int | None) -> Written:
        """Send an event; without a name it is a message."""

    def send_ack(self, event_id: Any, arguments: Arguments) -> None: ...
    def send_not_received(self, event_id: Any, name: str) -> None:
        """The client wants an event acknowledged that no receiver is connected to."""

    def send_caught_up(
        self, channel: str, since: Position | None, catch_up: CatchUp, command_id: Any
    ) -> None: ...
    def send_expelled(self, channel: str) -> None:
        """The client had to leave a channel."""

    def close(self, code: int, reason: str) -> None: ...
    def abort(self, reason: str) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...

    def leave_lanes(self) -> None:
        """Be asked before the next message is delivered to this client."""

    @property
    def is_behind(self) -> bool:
        """Whether something still waits for the client to read."""


class Node(Protocol):
    """What a session asks of the server process it lives in."""

    pool: Pool
    rules: Rules
    channels_per_connection: int

    def perform(self, command: Publish) -> Receipt: ...
    def come_up_to(self, since: Since) -> None: ...
    def subscribe(self, transport: Any, channels: Mapping[str, int], since: Since) -> CatchUp: ...
    def unsubscribe(self, transport: Any, channel: str) -> None: ...
    def closed_because(self, channel: str) -> str | None: ...


class Inside(Protocol):
    """What a handle asks of the session behind it."""

    request: HttpRequest
    namespace: str
    auth: Any
    recovered: bool
    channels: tuple[str, ...]
    inbox: Inbox
    transport: Transport

    @property
    def log_id(self) -> str: ...
    @property
    def context(self) -> dict[str, Any]: ...
    def send_event(self, name: str | None, arguments: Arguments) -> Written: ...
    def send_volatile(self, name: str | None, arguments: Arguments) -> Written: ...
    def ask(self, name: str, arguments: Arguments, reply: Reply) -> None: ...
    def publish(
        self,
        channel: str,
        event: str | None,
        arguments: Arguments,
        exclude: str | None,
        volatile: bool = False,
    ) -> Receipt: ...
    def subscribe(self, channel: str, since: Position | None = None) -> bool: ...
    def unsubscribe(self, channel: str) -> bool: ...
