"""Which names may a channel and an event have?"""

from __future__ import annotations

from unicodedata import is_normalized

from realtime_wall.errors import InvalidChannel, InvalidMessage
from realtime_wall.protocol.plain import RESERVED, event_name_problem

MAX_NAME = 128
MAX_EVENT_ID = 128

# The channel that every WebSocket and Socket.IO socket is in. It is no name that check_channel
# lets pass, so that nobody can subscribe to it or publish on it by name.
EVERYONE = "*"
# What begins so is between servers: no such name either, and nothing of it is delivered to anybody else.
BETWEEN_SERVERS = "*."
# There they announce to each other who is present.
PRESENCE = f"{BETWEEN_SERVERS}presence"


def check_channel(name: object) -> str:
    """The name of a channel, unchanged; :class:`InvalidChannel` says what is wrong with it."""
    if not isinstance(name, str):
        raise InvalidChannel(name, "a name is a str")
    if not 0 < len(name) <= MAX_NAME:
        raise InvalidChannel(name, f"a name has 1 to {MAX_NAME} characters")
    if not name.isprintable():
        raise InvalidChannel(name, "a name has printable characters and spaces only")
    if name[0] == " " or name[-1] == " ":
        raise InvalidChannel(name, "a name neither begins nor ends with a space")
    if "/" in name or "*" in name:
        raise InvalidChannel(name, "a name has no '/' and no '*'")
    if name == "ALL":
        raise InvalidChannel(name, "this name means every channel in the statistics")
    # Two spellings that look the same would be two channels.
    if not is_normalized("NFC", name):
        raise InvalidChannel(name, "a name is in Unicode's normal form NFC")
    return name


def check_event_id(event_id: object) -> str:
    """A message's own id, unchanged; it may go into a header, and into a line of its own."""
    if isinstance(event_id, str) and 0 < len(event_id) <= MAX_EVENT_ID and event_id.isprintable():
        return event_id
    reason = f"is no text of 1 to {MAX_EVENT_ID} printable characters"
    raise InvalidMessage(f"event id {str(event_id)[:140]!r} {reason}")


def check_event_name(name: str, reserved: frozenset[str] = RESERVED) -> str:
    """The name of an event that user code emits, unchanged; it has to fit every client that it is for."""
    problem = event_name_problem(name, reserved)
    # A "message" is what send() and broadcast() write: under its name nothing else can happen.
    if problem and name != "message":
        raise InvalidMessage(f"event name {str(name)[:140]!r} {problem}")
    return name
