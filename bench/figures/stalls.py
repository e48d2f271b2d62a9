"""How long does one stranger's request head keep the event loop, and with it everybody else?

All shapes of ``tests/server/head_shapes.py`` are sent by each road on which a head is read. What one takes is
beside what the same head takes with letters in that place, which are as many and harmless.
"""

from __future__ import annotations

import contextlib
import statistics

from bench.figures.figure import Figure
from bench.server import Ours
from tests.server.head_shapes import LENGTH, PLACES, head, shapes

# Milliseconds of the loop's thread beyond the same head's with letters, which takes one or two.
LIMIT = 8.0
ASKED_AGAIN = 4
# Seconds for an answer: a long poll that asks for what is to come has none, and is held by then.
PATIENCE = 0.2

HANDSHAKE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
    "Sec-WebSocket-Version": "13",
}
# So that whatever can be read of a head is read.
SETTINGS = {
    "CHANNELS": {"*": {"WRITE": "all", "TAGS": ["a"], "WILDCARDS": 10, "HISTORY_SIZE": 10}},
    "JSONP": True,
    "TRUSTED_PROXIES": ["127.0.0.1"],
}
# A name, a line's target, and the headers.
ROADS = (
    ("GET of a page", "GET /user/", {}),
    ("WebSocket", "GET /ws/", HANDSHAKE),
    ("WebSocket by ticket", "GET /ws/?session=a&ticket=b", HANDSHAKE),
    ("channels by WebSocket", "GET /events/ws/a", HANDSHAKE),
    ("EventSource", "GET /events/ev/a", {}),
    ("long poll", "GET /events/lp/a.b1", {}),
    ("Socket.IO by polling", "GET /socket.io/?EIO=4&transport=polling", {}),
    ("statistics", "GET /events/stats/a", {}),
    ("POST that publishes", "POST /events/pub/?id=a", {"Content-Length": "1"}),
)


class Stranger:
    def __init__(self, ours):
        self.ours = ours

    def ask(self, road, place, value):
        """CPU milliseconds of the server until it has answered."""
        _, target, headers = road
        data = head(target, {"Host": f"127.0.0.1:{self.ours.port}", **headers}, place, value, b"b")
        with self.ours.connect() as connection:
            connection.settimeout(PATIENCE)
            before = self.ours.cpu()
            connection.sendall(data)
            with contextlib.suppress(ConnectionResetError, TimeoutError):
                connection.recv(65536)
            return (self.ours.cpu() - before) * 1000


def beyond(stranger, road, place, value, harmless):
    """Milliseconds; what seems to be much is asked again, and has been least what it was."""
    found = stranger.ask(road, place, value) - harmless
    for _ in range(ASKED_AGAIN):
        if found <= LIMIT:
            break
        found = min(found, stranger.ask(road, place, value) - harmless)
    return found


def stalls():
    """The longest that any of these heads takes beyond a harmless one, on each road."""
    figures = []
    with Ours(**SETTINGS) as ours:
        stranger = Stranger(ours)
        stranger.ask(ROADS[-1], "Accept", "*/*")  # a message for the long poll
        for road in ROADS:
            found = []
            for place in PLACES:
                asked = [stranger.ask(road, place, "a" * LENGTH) for _ in range(ASKED_AGAIN)]
                harmless = statistics.median(asked)
                found += [
                    (beyond(stranger, road, place, value, harmless), place, name) for name, value in shapes()
                ]
            worst, place, name = max(found)
            detail = f"{worst:.1f} ms ({name} in {place}; {len(found):,} heads)"
            title = f"a head's CPU beyond a harmless one's: {road[0]}"
            figures.append(Figure(title, f"at most {LIMIT:g} ms", detail, worst <= LIMIT))
    return figures


FIGURES = [stalls]
