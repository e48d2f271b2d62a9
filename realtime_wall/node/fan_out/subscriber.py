"""What does the fan-out ask of whoever hears a channel, and in which bytes does a message reach it?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from realtime_wall.channels.message import OUTSIDE_OF, Message
from realtime_wall.channels.position import Position
from realtime_wall.sockets.client_session import ClientSession
from realtime_wall.wire.connection import Wire, Written

Codec = Callable[[list[Message]], bytes]


class Encoded(dict[Codec, bytes]):
    """The bytes of some messages for each kind of client, made when the first of a kind asks."""

    __slots__ = ("messages",)

    def __init__(self, messages: list[Message]) -> None:
        super().__init__()
        self.messages = messages

    def __missing__(self, codec: Codec) -> bytes:
        self[codec] = data = codec(self.messages)
        return data


class Subscriber(Protocol):
    """Whatever can be delivered to."""

    @property
    def session(self) -> ClientSession | None:
        """Its client's, if that one can be sent to and asked by itself; None for who only listens."""

    @property
    def is_behind(self) -> bool:
        """Whether it is to do without volatile messages now: something waits for its client."""

    def deliver(self, encoded: Encoded) -> Written: ...

    def deleted(self, channel: str, notice: str, position: Position) -> None:
        """The channel is no more; up to the position everything of it was delivered."""

    def is_known_as(self, session_id: str) -> bool:
        """Whether this is whom a message leaves out: under its present or an earlier id, or its namespace."""

    # For the fast lane (``fast_lane.py``)

    @property
    def codec(self) -> Codec | None:
        """What makes its bytes, which are those of others too; None when each is written something else."""

    @property
    def wire(self) -> Wire | None:
        """Its client's connection, if it has one of its own."""

    def is_ready(self, position: Position) -> bool:
        """Whether what follows this message may be sent on its wire without asking it."""

    def was_sent(self, position: Position) -> None:
        """Everything up to here was, without asking it; from now on it is asked again."""


class ListensOnly:
    """What is the same for every subscriber that is no socket."""

    __slots__ = ()
    session = None
    is_behind = True  # volatile messages are for sockets

    @property
    def codec(self) -> Codec | None:
        return None

    @property
    def wire(self) -> Wire | None:
        return None

    def is_known_as(self, session_id: str) -> bool:
        return session_id[:1] == OUTSIDE_OF  # it is in no namespace

    def is_ready(self, position: Position) -> bool:
        return False

    def was_sent(self, position: Position) -> None:
        """It has no cursor of its own."""
