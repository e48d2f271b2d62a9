"""How much is written at least to browsers that show nothing of a stream before so many bytes have come?

``PADDING`` names them by what their User-Agent has: ``{"[Mm]obile Safari": [1024, 256]}`` pads what a stream
begins with to 1024 bytes, and each message to 256. What is added means nothing to who reads the stream.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

LARGEST = 64 * 1024


class Padding(NamedTuple):
    """The least bytes of a stream's beginning, and of each message."""

    opening: int = 0
    message: int = 0


NONE = Padding()


def padding_of(setting: Mapping[str, Any], user_agent: str) -> Padding:
    """Of the first entry whose pattern is in it."""
    if not setting:
        return NONE
    found = (value for pattern, value in setting.items() if _compiled(pattern).search(user_agent))
    return Padding(*next(found, NONE))


@lru_cache(100)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def problem(pattern: Any, sizes: Any) -> str | None:
    """What is wrong with an entry, as the rest of a sentence."""
    try:
        re.compile(pattern)
    except (re.error, TypeError):
        return "is no regular expression of a User-Agent"
    is_pair = isinstance(sizes, (list, tuple)) and len(sizes) == 2
    if not is_pair or any(type(one) is not int or not 0 <= one <= LARGEST for one in sizes):
        return f"needs two numbers up to {LARGEST}: bytes to begin with, and of each message"
    return None
