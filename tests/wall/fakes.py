"""Stand-ins for what the feed meets: time, sources, publishing, and posts."""

import gevent
from gevent.event import Event

from realtime_wall.wall.post import Author, Post
from realtime_wall.wall.sources.x.x_payload import from_x

DEADLINE = 20.0


class FakeClock:
    """Waiting takes no time; what was waited for is remembered."""

    def __init__(self, now=1_800_000_000.0):
        self.start = now
        self.time = now
        self.waits = []

    def now(self):
        return self.time

    def elapsed(self):
        return self.time - self.start

    def wait(self, event, seconds):
        gevent.sleep(0)
        if event.is_set():
            return True
        self.waits.append(round(seconds, 3))
        self.time += max(seconds, 0)
        return False


class RecordingPublisher:
    """Takes the place of a server's queue, and of ``realtime_wall.publish``."""

    def __init__(self):
        self.published = []
        self.retracted = []
        self.problems = {}
        self._arrived = Event()

    def __call__(self, channel, data, event=None, event_id=None):
        if event_id in self.problems:
            raise self.problems[event_id]
        self.published.append((channel, data, event, event_id))
        self._arrived.set()

    publish = __call__

    def retract(self, channel, event_id):
        self.retracted.append((channel, event_id))

    @property
    def ids(self):
        return [event_id for _, _, _, event_id in self.published]

    def wait_for(self, count):
        self.wait_until(lambda: len(self.published) >= count)

    def wait_until(self, condition):
        with gevent.Timeout(DEADLINE, AssertionError(f"{len(self.published)} were published")):
            while not condition():
                self._arrived.clear()
                self._arrived.wait()


class ListSource:
    """Gives its posts, then waits to be stopped."""

    name = "list"

    def __init__(self, *posts):
        self.posts = posts
        self.given = 0
        self._stopping = Event()

    def run(self, emit):
        for post in self.posts:
            emit(post)
            self.given += 1
        self._stopping.wait()

    def stop(self):
        self._stopping.set()


def post(post_id="1", text="Hello from the harbour", *, username="maraquill", **fields):
    fields.setdefault("source", "list")
    fields.setdefault("created_at", FIRST.created_at)
    return Post(id=str(post_id), text=text, author=Author(username=username, name="Mara"), **fields)


def x_line(post_id="1", text="Hello from the harbour", **data):
    """What X's stream sends for a post."""
    return {
        "data": {
            "id": str(post_id),
            "text": text,
            "author_id": "7",
            "created_at": "2026-05-14T08:50:00.000Z",
            "lang": "en",
            **data,
        },
        "includes": {"users": [{"id": "7", "name": "Mara Quillfeather", "username": "maraquill"}]},
        "matching_rules": [{"id": "9", "tag": "realtime_wall:main"}],
    }


def x_sensitive_line(post_id, text):
    """With a picture that X holds to be not for everybody."""
    line = x_line(post_id, text, possibly_sensitive=True, attachments={"media_keys": ["3_1"]})
    line["includes"]["media"] = [{"media_key": "3_1", "type": "photo", "url": "https://img.example/1.jpg"}]
    return line


FIRST = from_x(x_line())
