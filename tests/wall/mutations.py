"""What a broken or hostile program could send instead of a good thing, and what has to become of each.

All are made of a good one: each of its fields as something else or left out, its JSON cut off anywhere,
its bytes damaged.
"""

import copy
import json
import random
from itertools import count
from typing import NamedTuple

# Whatever a field is, most of these are something else.
VALUES = [
    None,
    True,
    0,
    -1,
    2**63,
    2**70,
    1e308,
    "",
    "x" * 5_000,
    [],
    [None],
    [[]],
    {},
    {"a": {"b": []}},
    "\x00",
    "\ud800",
]
LEFT_OUT = object()
DEEP = "[" * 20_000


class Case(NamedTuple):
    data: bytes
    is_good: bool | None  # None where either will do


def mutations(make, is_good):
    """Of what ``make`` makes of a number; a field changed may still be good: ``is_good(path, value)``."""
    numbers = count(1)
    for path in paths(make(0)):
        for value in [*VALUES, LEFT_OUT]:
            yield Case(encoded(changed(make(next(numbers)), path, value)), is_good(path, value))
    good = encoded(make(next(numbers)))
    for data in [*map(encoded, VALUES), *cut_off(good, 40), *no_json(good)]:
        yield Case(data, False)
    for number in range(60):
        yield Case(damaged(encoded(make(next(numbers))), random.Random(number)), None)


def encoded(value):
    """As bytes a network could send: half surrogates as JSON has them."""
    return json.dumps(value).encode()


def paths(value, path=()):
    """Of every field, however deep."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from paths(inner, (*path, key))


def changed(value, path, new):
    whole = inner = copy.deepcopy(value)
    for key in path[:-1]:
        inner = inner[key]
    if new is LEFT_OUT:
        del inner[path[-1]]
    else:
        inner[path[-1]] = new
    return whole


def cut_off(data, times):
    """No beginning of an object is one."""
    return [data[: len(data) * number // times] for number in range(1, times)]


def no_json(data):
    yield from (DEEP.encode(), b"\xff\xfe", b"\x00", b"<html>", b"NaN", b"{no json", b"[" + data, data + b"}")
    yield from (data[:1] + data, data.replace(b'"', b"'"), data.replace(b":", b"="), data + data)


def damaged(data, chance):
    """Some bytes of it are others, or gone; no end of a line is among them."""
    bytes_ = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(bytes_))
        bytes_[place : place + chance.randint(0, 2)] = chance.choice(
            b'\x00\x7f\x80\xff"\\{}[],:0e-'
        ).to_bytes()
    return bytes(bytes_)
