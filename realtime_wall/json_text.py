"""JSON as it goes to clients: written once, and refused when some client could not read it."""

from __future__ import annotations

from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from realtime_wall.errors import InvalidMessage

# Dates, decimals, UUIDs and lazy strings as Django writes them. NaN and Infinity are no JSON:
# every official Socket.IO client that is sent one disconnects, returns, and is sent it again.
_ENCODER = DjangoJSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def encode_json(value: Any) -> str:
    """The JSON text of a value; :class:`InvalidMessage` says what cannot be sent."""
    try:
        text = _ENCODER.encode(value)
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
