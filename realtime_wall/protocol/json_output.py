"""JSON as it goes to clients: written once, and refused when some client could not read it."""

from __future__ import annotations

import json.encoder
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from realtime_wall.errors import InvalidMessage

# Dates, decimals, UUIDs and lazy strings as Django writes them. NaN and Infinity are no JSON:
# every official Socket.IO client that is sent one disconnects, returns, and is sent it again.
_ENCODER = DjangoJSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class _BytesAsText(DjangoJSONEncoder):
    def default(self, value: Any) -> Any:
        if isinstance(value, (bytes, bytearray, memoryview)):
            return b64encode(value).decode()
        return super().default(value)


_ENCODER_WITH_BYTES = _BytesAsText(ensure_ascii=False, allow_nan=False, separators=(",", ":"))

# The pieces of a value's JSON; the number is its indentation.
Write = Callable[[Any, int], Sequence[str]]


def _writer_of(encoder: json.JSONEncoder) -> Write:
    """What ``encode`` makes anew for every value, made once: of a short one that was three quarters.

    It does not look for a value that is inside itself: that is nested without end.
    """
    make = vars(json.encoder)["c_make_encoder"]
    if make is None:  # a Python without it
        return lambda value, _: (encoder.encode(value),)
    write: Write = make(
        None,
        encoder.default,
        vars(json.encoder)["encode_basestring"],
        encoder.indent,
        encoder.key_separator,
        encoder.item_separator,
        encoder.sort_keys,
        encoder.skipkeys,
        encoder.allow_nan,
    )
    return write


_write, _write_with_bytes = _writer_of(_ENCODER), _writer_of(_ENCODER_WITH_BYTES)


def encode_json(value: Any, bytes_as_text: bool = False) -> str:
    """The JSON text of a value; :class:`InvalidMessage` says what cannot be sent.

    JSON has no bytes: they cannot be sent, or are written in base64.
    """
    try:
        text = "".join((_write_with_bytes if bytes_as_text else _write)(value, 0))
    except RecursionError as problem:
        raise InvalidMessage("cannot be sent as JSON: nested too deeply, or inside itself") from problem
    except (TypeError, ValueError) as problem:
        raise InvalidMessage(f"cannot be sent as JSON: {problem}") from problem
    if not text.isascii():
        _check_surrogates(text)
    return text


def _check_surrogates(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as problem:
        raise InvalidMessage(
            f"cannot be sent: it has half of a surrogate pair, {text[problem.start]!r}"
        ) from problem
