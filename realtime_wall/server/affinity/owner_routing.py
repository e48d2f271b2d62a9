"""Which requests are another server's, and how do their connections get there?

An Engine.IO session lives in one server, and each of its requests may come to any. The id names the server:
whoever gets the request passes the whole connection on, with what was read of it, before Django has seen
anything, and the owner goes on as if it had accepted the connection itself (docs/decisions/0015).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

# One sid, in a request of Engine.IO. Whatever else there may be is answered here, as a mistake.
_SID = re.compile(rb"[?&]sid=([A-Za-z0-9_]{8})\.[A-Za-z0-9_-]+(?=[& ])")
_ENGINE = b"EIO="


@dataclass(frozen=True, slots=True)
class PassedConnection:
    """What goes with a connection."""

    peer: tuple[Any, ...] | str  # who is at its other end, as whoever accepted it saw it
    arrived: bytes  # what was read of it: a request head, and perhaps more
    is_far: bool = False  # by a tunnel: it ends with the answer, as the next request may be for anybody


def peer_from_json(value: object) -> tuple[Any, ...] | str:
    if value == "":
        return ""
    if not isinstance(value, list) or len(value) not in (2, 4) or not isinstance(value[0], str):
        raise ValueError("it does not say who is at its other end")
    return tuple(value)


# Passes a connection on to the server with this address. False when that cannot be reached in this way;
# then nothing has happened to the connection.
Carry = Callable[[str, Any, PassedConnection], bool]


class OwnerRouting:
    """A server's ways to the others."""

    def __init__(self, address: str, carriers: Sequence[Carry]) -> None:
        self._address = address
        self._carriers = carriers

    def owner_of(self, request_line: bytes) -> str | None:
        """The address of the other server that this request is meant for."""
        if _ENGINE not in request_line:
            return None
        found = _SID.findall(request_line)
        if len(found) != 1:
            return None
        owner: str = found[0].decode()
        return None if owner == self._address else owner

    def pass_on(self, owner: str, connection: Any, passed: PassedConnection) -> bool:
        """Afterwards the connection is not ours to read or write, only to close; False when it still is."""
        return any(carry(owner, connection, passed) for carry in self._carriers)
