"""``make bench ARGS=peers``: four questions to four servers, in one run, as a table for the docs."""

from __future__ import annotations

import statistics

from bench.figures import socketio

COLUMNS = ("ours", "python-socketio", "node", "bare")
TITLES = ("figure", "ours", "python-socketio", "on Node", "bare loop")
WIDTHS = (44, 9, 17, 9, 11)


def rows():
    delivery, size = socketio.delivery_cpu()
    yield f"CPU of a delivery of {size} bytes, us", delivery, "{:.1f}"
    yield "memory of an idle client, KB", socketio.memory_kilobytes(), "{:.1f}"
    handshake = socketio.handshake_cpu()
    yield "CPU of a handshake, us", handshake, "{:.0f}"
    yield "CPU of an event with its ack, us", socketio.events_cpu(), "{:.0f}"
    view = statistics.median(handshake["view"])
    yield "CPU of a Django view, see below, us", {"ours": [view]}, "{:.0f}"


def show():
    rule = " ".join("=" * width for width in WIDTHS)
    print(rule, _line(TITLES), rule, sep="\n")
    for name, measured, form in rows():
        cells = (
            form.format(statistics.median(measured[column])) if column in measured else ""
            for column in COLUMNS
        )
        print(_line((name, *cells)), flush=True)
    print(rule)


def _line(cells):
    return " ".join(f"{cell:<{width}}" for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()
