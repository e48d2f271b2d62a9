"""The arguments of an event, as JSON that is written once for every kind of client.

Bytes among them reach Socket.IO's clients as bytes. JSON has none: whoever is sent JSON reads them in base64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from realtime_wall.channels.message import Binary
from realtime_wall.errors import InvalidMessage
from realtime_wall.protocol.attachments import extract_binary
from realtime_wall.protocol.json_output import encode_json


@dataclass(slots=True)  # not frozen: each answer to a client has one, and that would take twice as long
class Arguments:
    """``data_json`` is null for no argument, itself for one, and an array for several."""

    data_json: str
    arity: int = 1
    binary: Binary | None = None

    @property
    def parts(self) -> list[str]:
        """The JSON of the arguments for Socket.IO, which lists them; several may share a part."""
        text = self.data_json if self.binary is None else self.binary.json
        if self.arity == 1:
            return [text]
        return [text[1:-1]] if self.arity else []


def encode_args(args: tuple[Any, ...]) -> Arguments:
    """InvalidMessage says what cannot be sent."""
    try:
        if len(args) == 1:
            return Arguments(encode_json(args[0]))
        return Arguments(_encode(args), len(args))
    except InvalidMessage:
        values, attachments = extract_binary(list(args))
        if not attachments:
            raise
    binary = Binary(_encode(tuple(values)), tuple(attachments))
    return Arguments(_encode(args, bytes_as_text=True), len(args), binary)


def _encode(args: tuple[Any, ...], bytes_as_text: bool = False) -> str:
    if len(args) == 1:
        return encode_json(args[0], bytes_as_text)
    return encode_json(args, bytes_as_text) if args else "null"
