"""Sources for figures: a flood, and one that numbers its posts and can go on from any of them."""

import json
import os
import time
from dataclasses import replace

from gevent.event import Event

from realtime_wall.wall.sources.x.x_payload import from_x, read_line
from tests.wall.fakes import x_line

TEXTS = 500


def lines():
    """As X sends them, each with a link and a hashtag."""
    for number in range(TEXTS):
        text = f"Number {number}: the #tides come in at 07:{number % 60:02}, see https://t.example/{number}"
        start = text.index("#tides")
        entities = {
            "hashtags": [{"start": start, "end": start + 6, "tag": "tides"}],
            "urls": [
                {
                    "start": text.index("https"),
                    "end": len(text),
                    "url": f"https://t.example/{number}",
                    "display_url": "t.example",
                }
            ],
        }
        yield json.dumps(x_line(number + 1, text, entities=entities)).encode()


class Flood:
    """FLOOD posts as fast as they are taken."""

    name = "flood"

    def __init__(self, order):
        self._stopping = Event()

    def run(self, emit):

        posts = [from_x(read_line(line), source="flood") for line in lines()]
        began = int(time.time() * 1000)
        for number in range(int(os.environ["FLOOD"])):
            if self._stopping.is_set():
                return
            post = posts[number % TEXTS]
            emit(replace(post, id=f"{began}-{number}", cursor=""))
        self._stopping.wait()

    def stop(self):
        self._stopping.set()


class Numbered:
    """A post every moment, numbered from the cursor on: a hole in the numbers is a lost post."""

    name = "numbered"

    def __init__(self, order):
        self._next = int(order.cursor or 0) + 1
        self._stopping = Event()

    def run(self, emit):
        line = next(lines())
        while not self._stopping.wait(float(os.environ["NUMBERED_EVERY"])):
            post = from_x(read_line(line), source="numbered")
            emit(replace(post, id=str(self._next), cursor=str(self._next)))
            self._next += 1

    def stop(self):
        self._stopping.set()
