"""What a process asks of the servers, and what it is told.

The verbs of the public API are these commands. A server performs them itself; any other process
sends them over the bus as JSON.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass
from typing import Any, get_type_hints

from realtime_wall.channels.idempotency import check_key
from realtime_wall.channels.message import Binary
from realtime_wall.channels.names import (
    BETWEEN_SERVERS,
    EVERYONE,
    check_channel,
    check_event_id,
    check_event_name,
)
from realtime_wall.protocol.json_input import load_json
from realtime_wall.protocol.socketio import places_of

# Of what our own side sends: Python's encoder gives up before that.
MAX_DEPTH = 1000
# Close code of a visitor whose session is over: our client stays away on 3500 to 3999.
LOGGED_OUT = 3501
# RFC 6455 7.4: what a server may say; and 5.5: a close frame has room for 123 bytes of reason.
CLOSE_CODES = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}
MAX_REASON = 123
# How long clients may be waited for.
MAX_TIMEOUT = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """Put a message on a channel's log and deliver it.

    ``wanted`` asks for listeners: when nobody is subscribed, NoSocket is raised and nothing is logged.
    ``counted`` waits for the deliveries, so that the receipt says whom they reached. With the
    ``idempotency_key`` of an earlier one on the channel it changes nothing, and has that one's position.
    """

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


@dataclass(frozen=True, slots=True, kw_only=True)
class SendTo:
    """Send a message to one socket; nothing is logged."""

    session_id: str
    data_json: str
    event: str | None = None
    binary: Binary | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Send an event to everybody on a channel, and gather what each answers; nothing is logged."""

    channel: str
    event: str
    data_json: str
    arity: int = 1
    binary: Binary | None = None
    timeout: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Retract:
    """Take a message out of a channel's log and off every screen.

    ``which`` is its event id or its position. One that is not kept any more is announced all the same.
    """

    channel: str
    which: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Drop a channel's log; its subscribers are told, and leave it."""

    channel: str
    farewell: str = "Channel deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class GetPosition:
    """Ask for the log's position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisconnectUser:
    """Close the sockets of a user, or of a Django session; by default it keeps their clients away."""

    user_id: str | None = None
    session_key: str | None = None
    code: int = LOGGED_OUT
    reason: str = "signed out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnect:
    """Close one socket; one that was cut off and might come back cannot, either."""

    session_id: str
    code: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecheckPermissions:
    """Ask the rules again for the sockets of a user, or of everybody: who may do what has changed."""

    user_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Ask how many are on a channel."""

    channel: str


# Those that are answered by a receipt.
Command = (
    Publish
    | SendTo
    | Retract
    | Delete
    | GetPosition
    | DisconnectUser
    | Disconnect
    | RecheckPermissions
    | Count
)
WITH_DATA = (Publish, SendTo, Ask)
COMMANDS: dict[str, type[Command | Ask]] = {
    kind.__name__: kind
    for kind in (
        *WITH_DATA,
        Retract,
        Delete,
        GetPosition,
        DisconnectUser,
        Disconnect,
        RecheckPermissions,
        Count,
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """Ask for what is published on channels that fit a pattern, the last so many first; without an end."""

    pattern: str
    last: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GetStatistics:
    """Ask for the statistics of a channel, of all that begin so (``news*``), of ``ALL``, or for a summary."""

    what: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Ask each server what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sockets:
    """Ask who is connected, or on a channel: some at a time, those behind a session id."""

    channel: str | None = None
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetPresence:
    """Ask which persons are on a channel with PRESENCE."""

    channel: str


# What is answered not by a receipt, but by any number of values.
Question = Follow | GetStatistics | Servers | Sockets | GetPresence
QUESTIONS: dict[str, type[Question]] = {
    kind.__name__: kind for kind in (Follow, GetStatistics, Servers, Sockets, GetPresence)
}
MAX_LAST = 1000


@dataclass(frozen=True, slots=True)
class Receipt:
    """Whom a message reached; true when that was anybody.

    ``sockets`` took it, ``queued`` of them into their outbox because they read slowly, ``dropped`` were
    cut off because it was full. ``position`` is None for what is not logged.
    """

    processes: int = 0
    sockets: int = 0
    queued: int = 0
    dropped: int = 0
    position: str | None = None

    def __bool__(self) -> bool:
        return self.sockets > 0

    def __add__(self, other: Receipt) -> Receipt:
        return Receipt(
            self.processes + other.processes,
            self.sockets + other.sockets,
            self.queued + other.queued,
            self.dropped + other.dropped,
            self.position or other.position,
        )

    def __str__(self) -> str:
        return (
            f"reached {self.sockets} socket{'' if self.sockets == 1 else 's'} in {self.processes} "
            f"process{'' if self.processes == 1 else 'es'}, {self.queued} queued, {self.dropped} dropped, "
            f"position {self.position}"
        )


@dataclass(frozen=True, slots=True)
class Spooled:
    """Instead of a position: the message waits in this server until Redis takes it, before anything newer.

    It is lost when the server ends before that; the log then says how many were.
    """


@dataclass(frozen=True, slots=True)
class Answers:
    """What clients answered to a question that was put to all of them, by their session ids.

    No argument is None, several are a list. ``silent`` are those who did not answer in time, or are gone.
    """

    answers: dict[str, Any]
    silent: tuple[str, ...] = ()

    def __add__(self, other: Answers) -> Answers:
        return Answers({**self.answers, **other.answers}, (*self.silent, *other.silent))


def to_json(command: Command | Ask | Question) -> dict[str, Any]:
    value = {"verb": type(command).__name__, **asdict(command)}
    if isinstance(command, WITH_DATA) and command.binary is not None:
        attachments = [b64encode(one).decode() for one in command.binary.attachments]
        value["binary"] = json.dumps([command.binary.json, *attachments])
    return value


def check_close(code: int, reason: str) -> None:
    """ValueError for what no close frame can say."""
    if code not in CLOSE_CODES:
        raise ValueError(f"{code} is no code that a server may close with: 1000 to 1014, 3000 to 4999")
    if len(reason.encode()) > MAX_REASON:
        raise ValueError(f"the reason of a close has at most {MAX_REASON} bytes")


def from_json(value: object, *, of_server: bool = False) -> Command | Ask | Question:
    """The command or the question in a decoded JSON value; ValueError for anything else.

    A message that some client could not read would be in the log for all who come back, so it is
    checked here, once, as the public verbs check what their callers give them. What is between
    servers only a server can say.
    """
    if not isinstance(value, dict):
        raise ValueError("a command is a JSON object")
    fields = {key: item for key, item in value.items() if key != "verb"}
    verb = str(value.get("verb"))
    kind = COMMANDS.get(verb) or QUESTIONS.get(verb)
    if kind is None:
        raise ValueError("an unknown command")
    if isinstance(fields.get("binary"), str):
        fields["binary"] = _binary(fields["binary"])
    hints = get_type_hints(kind)
    if not all(isinstance(item, hints.get(key, object)) for key, item in fields.items()):
        raise ValueError("a command with a field of the wrong type")
    try:
        command = kind(**fields)
    except TypeError as problem:
        raise ValueError(f"a command with the wrong fields: {problem}") from problem
    if isinstance(command, WITH_DATA):
        value = load_json(command.data_json, MAX_DEPTH)
        if command.event is not None:
            check_event_name(command.event)
    if isinstance(command, Follow) and not (0 <= command.last <= MAX_LAST):
        raise ValueError(f"nobody can ask for more than the last {MAX_LAST} messages")
    if isinstance(command, (Retract, Delete, GetPresence)) or (
        isinstance(command, Sockets) and command.channel
    ):
        check_channel(command.channel)
    if isinstance(command, (DisconnectUser, Disconnect)):
        check_close(command.code, command.reason)
    if isinstance(command, Retract):
        check_event_id(command.which)
    if isinstance(command, Ask) and not 0 < command.timeout <= MAX_TIMEOUT:
        raise ValueError("a command with a timeout that makes no sense")
    if isinstance(command, Publish):
        if command.idempotency_key is not None:
            check_key(command.idempotency_key)
        if command.event_id is not None:
            check_event_id(command.event_id)
    if isinstance(command, (Publish, Ask)):
        is_between = of_server and command.channel.startswith(BETWEEN_SERVERS)
        if command.channel != EVERYONE and not is_between:
            check_channel(command.channel)
        if command.arity != 1 and command.arity != _arity(value):
            raise ValueError("a command with the wrong number of arguments")
    return command


def _binary(text: str) -> Binary:
    value = load_json(text, MAX_DEPTH)
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise ValueError("a command with a field of the wrong type")
    json_text, *encoded = value
    attachments = tuple(b64decode(one, validate=True) for one in encoded)
    places_of([load_json(json_text, MAX_DEPTH)], len(attachments))
    return Binary(json_text, attachments)


def _arity(value: object) -> int:
    """How many arguments a value stands for when they are not one."""
    return len(value) if isinstance(value, list) else 0 if value is None else 1
