"""JSON as it goes to clients: written once, and refused when some client could not read it."""

from __future__ import annotations

from base64 import b64encode
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


def encode_json(value: Any, bytes_as_text: bool = False) -> str:
    """The JSON text of a value; :class:`InvalidMessage` says what cannot be sent.

    JSON has no bytes: they cannot be sent, or are written in base64.
    """
    encoder = _ENCODER_WITH_BYTES if bytes_as_text else _ENCODER
    try:
        text = encoder.encode(value)
    except (TypeError, ValueError, RecursionError) as problem:
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
