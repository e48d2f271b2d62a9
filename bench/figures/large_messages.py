"""How long 1 MiB from a client holds the event loop, and what the checks cost a small message."""

from __future__ import annotations

import json
import statistics
import time

from bench.figures.figure import ROUNDS, Figure, ratio
from bench.server import Ours
from bench.site.bench_app.views import json_document
from bench.swarm import Swarm

MEBIBYTE = 1024 * 1024
SIZE = MEBIBYTE - 100
# Of JSON_VALUES: just fewer.
VALUES = 248_000

# As long as a message may be, and most of them refused for JSON_VALUES.
UNITS = {
    "arrays 30 deep": "[" * 30 + "]" * 30,
    "arrays of all depths": "[],[[[[[]]]]]",
    "empty arrays": "[]",
    "empty objects": "{}",
    "small objects": '{"a":1}',
    "numbers": "1",
    "short texts": '"a"',
    "floats": "0.12345678901234567",
    "numbers of 4,000 digits": "9" * 4000,
    "items whose end is hard to see": '{"a":"},],,"}',
}
# So many values that the message is just not refused; an array or object counts as three, and a comma.
FITTING = {
    "empty arrays": ("[]", 4),
    "small objects": ('{"a":1}', 4),
    "numbers": ("1", 1),
    "short texts": ('"a"', 1),
}
TEXTS = {
    "escapes": r"\n" * VALUES,
    "escaped quotes": r"\"" * VALUES,
    "surrogate pairs": r"\ud83d\ude00" * (SIZE // 12),
    "letters": "x" * (SIZE - 50),
}


def worst_messages():
    """JSON that is made to hold up everybody, by name."""
    for name, unit in UNITS.items():
        yield name, _event("[" + ",".join([unit] * (SIZE // (len(unit) + 1) - 9)) + "]")
    for name, (unit, cost) in FITTING.items():
        count = min(VALUES // cost, SIZE // (len(unit) + 1) - 9)
        yield f"{name}, as many as may be", _event("[" + ",".join([unit] * count) + "]")
    for name, text in TEXTS.items():
        yield f"a text of {name}", _event(f'"{text}"')


def _event(data_json):
    return f'{{"type":"a","id":1,"message":{data_json}}}'.ljust(SIZE)


def stalls():
    """The longest work between two turns of the event loop while one message of 1 MiB arrives and is read."""
    messages = {
        "plain text": "x" * SIZE,
        "a document of small objects": json.dumps(json_document(MEBIBYTE - 4096)),
        **{f"JSON, {name}": text for name, text in worst_messages()},
    }
    longest = {name: [] for name in messages}
    with Ours() as ours, Swarm() as clients:
        for index in range(ROUNDS + 1):
            for name, text in messages.items():
                ours.get("/stall/")
                clients.message(ours.port, text)
                if index:  # the first round warms up
                    longest[name].append(ours.json("/stall/")["seconds"] * 1000)
    return [
        _figure(f"loop stall, 1 MiB: {name}", statistics.median(found)) for name, found in longest.items()
    ]


def _figure(name, milliseconds):
    return Figure(name, "at most 5 ms", f"{milliseconds:.2f} ms", milliseconds <= 5)


SMALL = (
    '{"type":"chat","message":{"text":"hello","n":1},"id":7}',
    '{"type":"move","message":{"x":0.5,"y":1.25},"id":7}',
    '["chat",{"text":"Hello, world","room":"lobby","at":1700000000}]',
    json.dumps({"type": "some", "message": [{"id": number, "name": "Some name"} for number in range(20)]}),
)


def json_checks():
    """CPU of reading small messages with all checks, against json.loads."""
    from realtime_wall.protocol.json_input import load_json

    ours, control = [], []
    for _ in range(ROUNDS * 10):
        before = time.thread_time()
        for text in SMALL * 500:
            json.loads(text)
        middle = time.thread_time()
        for text in SMALL * 500:
            load_json(text, 32, 250_000)
        after = time.thread_time()
        ours.append((after - middle) / 500 * 1e6)
        control.append((middle - before) / 500 * 1e6)
    return ratio("CPU to read and check four small messages", 1.2, "us", ours, control, "json.loads")


FIGURES = [stalls, json_checks]
