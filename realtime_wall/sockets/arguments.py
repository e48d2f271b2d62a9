"""The arguments of an event, as JSON that is written once for every kind of client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from realtime_wall.errors import InvalidMessage
from realtime_wall.json_text import encode_json
from realtime_wall.protocol.socketio import extract_binary


@dataclass(frozen=True, slots=True)
class Arguments:
    """``data_json`` is null for no argument, itself for one, and an array for several."""

    data_json: str
    arity: int = 1
    # Bytes among the arguments; in the JSON stand Socket.IO's placeholders for them.
    attachments: tuple[bytes, ...] = ()

    @property
    def parts(self) -> list[str]:
        """The JSON of the arguments for a protocol that lists them; several may share a part."""
        if self.arity == 1:
            return [self.data_json]
        return [self.data_json[1:-1]] if self.arity else []


def for_all(args: tuple[Any, ...]) -> Arguments:
    """The same for what goes to many clients, of which some cannot be sent bytes."""
    arguments = encode_args(args)
    if arguments.attachments:
        raise InvalidMessage("cannot be broadcast: bytes can only be sent to one Socket.IO client")
    return arguments


def encode_args(args: tuple[Any, ...]) -> Arguments:
    """InvalidMessage says what cannot be sent."""
    try:
        return _encode(args, ())
    except InvalidMessage:
        values, attachments = extract_binary(list(args))
        if not attachments:
            raise
    return _encode(tuple(values), tuple(attachments))


def _encode(args: tuple[Any, ...], attachments: tuple[bytes, ...]) -> Arguments:
    if len(args) == 1:
        return Arguments(encode_json(args[0]), 1, attachments)
    return Arguments(encode_json(args) if args else "null", len(args), attachments)
