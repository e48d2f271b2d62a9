"""Where are the bytes among the data of a Socket.IO packet?

They travel behind it, and a placeholder stands where each belongs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from realtime_wall.errors import InvalidMessage
from realtime_wall.protocol.engineio import BadPacket

# Called again and again while much is read, if there is one.
Turn = Callable[[], None] | None


def places_of(data: Any, attachments: int, turn: Turn = None) -> list[tuple[Any, Any]]:
    """Where each attachment goes: a list or dict, and what to put it under.

    Each has exactly one place. A client that may write thousands of places for one large attachment
    makes whatever we send on of it thousands of times as large.
    """
    places: dict[int, tuple[Any, Any]] = {}
    found = 0
    for num, container, key in _placeholders(data, turn):
        found += 1
        # False and 0.0 are keys equal to 0.
        if type(num) is int:
            places[num] = (container, key)
    if found != attachments or sorted(places) != list(range(attachments)):
        raise BadPacket("placeholders and attachments do not match")
    return [places[num] for num in range(attachments)]


# Of one container; small ones cost less than the reading of them.
_ITEMS_PER_TURN = 1000


def _placeholders(container: Any, turn: Turn) -> Iterator[tuple[object, Any, Any]]:
    """As deep as the JSON was allowed to be: no deeper than Python's stack."""
    items = container.items() if isinstance(container, dict) else enumerate(container)
    for count, (key, item) in enumerate(items, 1):
        if turn is not None and not count % _ITEMS_PER_TURN:
            turn()
        if type(item) is dict and item.get("_placeholder") is True:
            yield item.get("num"), container, key
        elif type(item) is dict or type(item) is list:
            yield from _placeholders(item, turn)


def extract_binary(value: Any) -> tuple[Any, list[bytes]]:
    """The value with a placeholder for all bytes in it, and the bytes; itself when it has none."""
    attachments: list[bytes] = []
    lookalikes: list[Any] = []
    try:
        extracted = _extract(value, attachments, lookalikes)
    except RecursionError:
        raise InvalidMessage("cannot be sent: nested too deeply") from None
    if not attachments:
        return value, attachments
    if lookalikes:
        # Somebody's data that would be taken for a place of ours, by every client it is sent to.
        raise InvalidMessage("cannot be sent: a dict with '_placeholder' together with bytes")
    return extracted, attachments


def _extract(value: Any, attachments: list[bytes], lookalikes: list[Any]) -> Any:
    if isinstance(value, (bytes, bytearray, memoryview)):
        attachments.append(bytes(value))
        return {"_placeholder": True, "num": len(attachments) - 1}
    if isinstance(value, dict):
        if value.get("_placeholder") is True:
            lookalikes.append(value)
        return {key: _extract(item, attachments, lookalikes) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_extract(item, attachments, lookalikes) for item in value]
    return value
