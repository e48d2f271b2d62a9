"""What a process has the servers do: each verb, the way that it takes, and what makes it valid.

The verbs of the public API are these commands. A server performs them itself; any other process
sends them over the bus as JSON (``command_json.py``).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar, Generic, TypeVar

from realtime_wall.brokers.results import Answers, Receipt
from realtime_wall.channels.idempotency import check_key
from realtime_wall.channels.message import Binary
from realtime_wall.channels.names import (
    BETWEEN_SERVERS,
    EVERYONE,
    check_channel,
    check_event_id,
    check_event_name,
)
from realtime_wall.errors import NoSocket
from realtime_wall.protocol.json_input import load_json

# Of what our own side sends: Python's encoder gives up before that.
MAX_DEPTH = 1000
# Close code of a visitor whose session is over: our client stays away on 3500 to 3999.
LOGGED_OUT = 3501
# RFC 6455 7.4: what a server may say; and 5.5: a close frame has room for 123 bytes of reason.
CLOSE_CODES = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}
MAX_REASON = 123
# How long clients may be waited for.
MAX_TIMEOUT = 3600.0

R = TypeVar("R")


class Route(Enum):
    """The way that a command, or a question, takes (``router.py``)."""

    SEQUENCED = auto()  # into the order of all; every server reports whom it reached
    OWNER = auto()  # to the server that a session is on
    EVERY_SERVER = auto()  # to all servers; their results are added up
    LINK = auto()  # nowhere: the link knows
    # Of questions
    EACH_SERVER = auto()  # to all servers, each of which answers once
    PORTIONS = auto()  # to one server after the other, some answers at a time
    ANY_SERVER = auto()  # to one server after the other, until one has answered
    FOLLOW = auto()  # to the process that is asked, which answers without an end


@dataclass(frozen=True, slots=True)
class Request:
    """Whatever a server can be asked; what only servers ask each other is no more than this."""

    def check(self, *, of_server: bool = False) -> None:
        """ValueError when it makes no sense. What is between servers only a server can say.

        For what comes from another process: our own callers were checked where they called.
        """


@dataclass(frozen=True, slots=True)
class Command(Request, Generic[R]):
    """Has one result, whatever the number of servers."""

    route: ClassVar[Route] = Route.EVERY_SERVER

    @property
    def client_timeout(self) -> float:
        """How long clients may take for their part of it."""
        return 0.0

    def add_up(self, results: Sequence[R]) -> R:
        """The result of all from those of the servers that have such clients."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class _Receipted(Command[Receipt]):
    def add_up(self, results: Sequence[Receipt]) -> Receipt:
        return sum(results, Receipt())


# Into the order


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish(_Receipted):
    """Put a message on a channel's log and deliver it.

    ``wanted`` asks for listeners: when nobody is subscribed, NoSocket is raised and nothing is logged.
    ``counted`` waits for the deliveries, so that the receipt says whom they reached. With the
    ``idempotency_key`` of an earlier one on the channel it changes nothing, and has that one's position.
    """

    route = Route.SEQUENCED

    channel: str
    data_json: str
    arity: int = 1  # how many arguments of an event data_json has: an array of several, null for none
    event: str | None = None
    event_id: str | None = None
    exclude: str | None = None
    wanted: bool = False
    counted: bool = True
    # Not logged, and left out for whoever is behind with reading.
    volatile: bool = False
    binary: Binary | None = None
    idempotency_key: str | None = None

    @property
    def text(self) -> str:
        """What the greatest size of a message is meant for."""
        return self.data_json

    def check(self, *, of_server: bool = False) -> None:
        if self.idempotency_key is not None:
            check_key(self.idempotency_key)
        if self.event_id is not None:
            check_event_id(self.event_id)
        _check_audience(self.channel, of_server)
        _check_data(self.data_json, self.event, self.arity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retract(_Receipted):
    """Take a message out of a channel's log and off every screen.

    ``message_ref`` is its event id or its position. One that is not kept any more is announced all the same.
    """

    route = Route.SEQUENCED
    wanted: ClassVar[bool] = False
    counted: ClassVar[bool] = True
    event: ClassVar[str | None] = None
    idempotency_key: ClassVar[str | None] = None
    text: ClassVar[str] = ""

    channel: str
    message_ref: str

    def check(self, *, of_server: bool = False) -> None:
        check_channel(self.channel)
        check_event_id(self.message_ref)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(_Receipted):
    """Drop a channel's log; its subscribers are notified, and leave it."""

    route = Route.SEQUENCED
    wanted: ClassVar[bool] = False
    counted: ClassVar[bool] = True
    event: ClassVar[str | None] = None
    idempotency_key: ClassVar[str | None] = None

    channel: str
    notice: str = "Channel deleted"  # what its subscribers are sent

    @property
    def text(self) -> str:
        return json.dumps(self.notice)

    def check(self, *, of_server: bool = False) -> None:
        check_channel(self.channel)


SequencedCommand = Publish | Retract | Delete


# To the server of one client


@dataclass(frozen=True, slots=True, kw_only=True)
class SendTo(_Receipted):
    """Send a message to one socket; nothing is logged."""

    route = Route.OWNER

    session_id: str
    data_json: str
    arity: int = 1
    event: str | None = None
    binary: Binary | None = None

    def check(self, *, of_server: bool = False) -> None:
        _check_data(self.data_json, self.event, self.arity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnect(_Receipted):
    """Close one socket; one that was cut off and might come back cannot, either."""

    route = Route.OWNER

    session_id: str
    code: int
    reason: str

    def check(self, *, of_server: bool = False) -> None:
        check_close(self.code, self.reason)


# To every server


@dataclass(frozen=True, slots=True, kw_only=True)
class DisconnectUser(_Receipted):
    """Close the sockets of a user, or of a Django session; by default it keeps their clients away."""

    user_id: str | None = None
    session_key: str | None = None
    code: int = LOGGED_OUT
    reason: str = "signed out"
    spares_anonymous: bool = False  # whether a session that was nobody's is left alone

    def check(self, *, of_server: bool = False) -> None:
        check_close(self.code, self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecheckPermissions(_Receipted):
    """Ask the rules again for the sockets of a user, or of everybody: who may do what has changed."""

    user_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move(_Receipted):
    """Put sockets on a channel, or take them off it: one, those of a user, or those on another channel."""

    channel: str
    off: bool = False
    session_id: str | None = None
    user_id: str | None = None
    on: str | None = None

    def check(self, *, of_server: bool = False) -> None:
        check_channel(self.channel)
        if self.on is not None:
            check_channel(self.on)
        if (self.session_id, self.user_id, self.on).count(None) != 2:
            raise ValueError("say whom: one of session_id, user and on")


@dataclass(frozen=True, slots=True, kw_only=True)
class Count(_Receipted):
    """Ask how many are on a channel; with an ``exclude``, whether anybody is whom that leaves in."""

    channel: str
    exclude: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Command[Answers]):
    """Send an event to everybody on a channel, and gather what each answers; nothing is logged."""

    channel: str
    event: str
    data_json: str
    arity: int = 1
    binary: Binary | None = None
    timeout: float = 5.0

    @property
    def client_timeout(self) -> float:
        return self.timeout

    def add_up(self, results: Sequence[Answers]) -> Answers:
        if not results:
            raise NoSocket(f"There is nobody to ask on the channel: {self.channel}")
        return sum(results, Answers({}))

    def check(self, *, of_server: bool = False) -> None:
        if not 0 < self.timeout <= MAX_TIMEOUT:
            raise ValueError("a command with a timeout that makes no sense")
        _check_audience(self.channel, of_server)
        _check_data(self.data_json, self.event, self.arity)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetPosition(_Receipted):
    """Ask for the log's position."""

    route = Route.LINK


# What is checked of several


def check_close(code: int, reason: str) -> None:
    """ValueError for what no close frame can say."""
    if code not in CLOSE_CODES:
        raise ValueError(f"{code} is no code that a server may close with: 1000 to 1014, 3000 to 4999")
    if len(reason.encode()) > MAX_REASON:
        raise ValueError(f"the reason of a close has at most {MAX_REASON} bytes")


def _check_audience(channel: str, of_server: bool) -> None:
    if channel != EVERYONE and not (of_server and channel.startswith(BETWEEN_SERVERS)):
        check_channel(channel)


def _check_data(data_json: str, event: str | None, arity: int = 1) -> None:
    """A message that some client could not read would be in the log for all who come back."""
    value = load_json(data_json, MAX_DEPTH)
    if event is not None:
        check_event_name(event)
    if arity != 1 and arity != _arity(value):
        raise ValueError("a command with the wrong number of arguments")


def _arity(value: object) -> int:
    """How many arguments a value stands for when they are not one."""
    return len(value) if isinstance(value, list) else 0 if value is None else 1
