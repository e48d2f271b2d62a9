"""What is published once and delivered to everyone on a channel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from realtime_wall.channels.position import Position

# What a kept message takes besides its texts: the object, its position, its numbers.
_OVERHEAD = 300
# And what a text takes besides its characters.
_OF_A_TEXT = 49

# What a message leaves out begins so when that is everybody outside of a namespace, whose name follows.
OUTSIDE_OF = "*"


@dataclass(frozen=True, slots=True)
class Binary:
    """The bytes among the arguments of a message, and its JSON with Socket.IO's places for them."""

    json: str
    attachments: tuple[bytes, ...]

    @property
    def size(self) -> int:
        return len(self.json) + sum(map(len, self.attachments))


@dataclass(frozen=True, slots=True)
class Message:
    channel: str
    data_json: str
    position: Position
    # Counts from 1 within the channel.
    number: int
    # When it was published, in seconds since 1970.
    time: float
    event: str | None = None
    event_id: str | None = None
    # Who must not get it, on resume either: the sender of a broadcast, by its session, or whoever is
    # OUTSIDE_OF a namespace.
    exclude: str | None = None
    # How many arguments of an event data_json has: an array of several, null for none.
    arity: int = 1
    # The offset of the message that this one takes back. Who never had that one is sent neither.
    retracts: int | None = None
    # For clients that can be sent bytes; data_json has them in base64.
    binary: Binary | None = None
    # Not in the log: for those who are there and keep up. Its position is that of the message before it.
    is_volatile: bool = False

    def is_for(self, namespace: str) -> bool:
        """Whether those in a namespace may get it; all have sessions of their own, in one namespace each."""
        left_out = self.exclude
        return left_out is None or left_out[:1] != OUTSIDE_OF or left_out[1:] == namespace

    @property
    def size(self) -> int:
        """About how many bytes it takes to keep."""
        return size_of(self.data_json, self.binary)


# CPython keeps a text as one, two or four bytes for each character; PyPy, which does not tell, as UTF-8.
_size_of_text: Callable[[str], int] = getattr(
    str, "__sizeof__", lambda text: _OF_A_TEXT + len(text.encode("utf-8", "surrogatepass"))
)


def size_of(data_json: str, binary: Binary | None) -> int:
    own = _OVERHEAD + _size_of_text(data_json)
    return own if binary is None else own + binary.size
