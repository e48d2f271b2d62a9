"""A JSON value with parts of it changed, as bytes say: more of a reader is reached than by random text."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from itertools import islice
from typing import Any

WORDS: list[Any] = [
    *(None, True, False, 0, -1, 1, 7, 2**31, 2**63, -(2**63), 0.5, 1e308, float("nan"), float("inf")),
    *("", " ", "a", "0", "-1", "5", "9" * 30, "x" * 300, "\0", "\ud800", "\u202e", "é", "🌊", "\r\n", "<b>"),
    *("2027-01-15T08:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-23:59", "2027-01-15"),
    *(
        "https://a.example/b.png",
        "http://[",
        "javascript:x",
        "//a",
        "/static/a.png",
        "#tag",
        "@me",
        "a:1",
        "*",
    ),
    *([], {}, [None], ["a"], [[]], [{}], {"a": 1}, {"": {}}, ["a"] * 50, [{"start": 0, "end": 2}]),
]
WORDS.append([])
for _ in range(40):  # deep
    WORDS[-1] = [WORDS[-1]]


def mutated(sample: Any, data: bytes) -> Any:
    """Each change: two bytes where, one what, and perhaps some that are a text."""
    root = [deepcopy(sample)]
    rest = iter(data)
    for high in rest:
        places = list(_places(root))
        if len(places) > 200:  # copies of copies
            break
        holder, key = places[(high << 8 | next(rest, 0)) % len(places)]
        what = next(rest, 0)
        if what == 255:
            size = next(rest, 0)
            holder[key] = bytes(islice(rest, size)).decode("utf-8", "replace")
        elif what == 254:
            other, name = places[next(rest, 0) % len(places)]
            holder[key] = deepcopy(other[name])
        elif what == 253 and isinstance(holder, dict):
            del holder[key]
        else:
            holder[key] = deepcopy(WORDS[what % len(WORDS)])
    return root[0]


def _places(root: Any) -> Iterator[tuple[Any, Any]]:
    """Without recursion: each place of what is deep would pass through all generators above it."""
    holders = [root]
    while holders:
        holder = holders.pop()
        for key, value in holder.items() if isinstance(holder, dict) else enumerate(holder):
            yield holder, key
            if isinstance(value, (dict, list)):
                holders.append(value)
