"""How much one phone may post, and one address, behind which a whole hall may be. Kept in Django's cache."""

from __future__ import annotations

import time

from django.core.cache import cache

SPAN = 600  # seconds
OF_A_PHONE, OF_AN_ADDRESS = 5, 120


def takes_too_much(phone: str, address: str) -> bool:
    """Whether this post is one too many; it counts in any case."""
    counts = [count_of("phone", phone), count_of("address", address)]
    return counts[0] > OF_A_PHONE or counts[1] > OF_AN_ADDRESS


def count_of(kind: str, who: str) -> int:
    """How often this kind of thing came from there in the present ten minutes, this time included."""
    key = f"realtime_wall.{kind}.{who}.{int(time.time() // SPAN)}"
    cache.add(key, 0, 2 * SPAN)
    try:
        return int(cache.incr(key))
    except ValueError:  # it was put out of a full cache between the two
        return 1
