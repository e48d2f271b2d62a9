"""Everything that a network may do, again and again: what is stored, and what the pages show.

``make prove`` takes 300 faults of X over 100,000 posts; an hour of back-off takes a moment.
"""

import os
import random

import gevent
import pytest
from django.db import OperationalError

from realtime_wall.wall.feed.feed import Feed
from realtime_wall.wall.models import Tweet
from realtime_wall.wall.sources.bluesky import BlueskySource
from realtime_wall.wall.sources.reconnect_backoff import ReconnectBackoff
from realtime_wall.wall.sources.x.recent_search import Search
from realtime_wall.wall.sources.x.shared_stream import SharedStream, XShare
from realtime_wall.wall.sources.x.stream import TAG, XStreamSource
from tests.fake_jetstream import FakeJetstream
from tests.fake_x import KEEP_ALIVE, FakeX, hang_up, refuse, stream
from tests.wall.fakes import FakeClock, x_line

PROVE = bool(os.environ.get("REALTIME_WALL_PROVE"))
FAULTS, POSTS = (300, 100_000) if PROVE else (30, 4_000)
IN_A_HOLE = 4
SEED = int(os.environ.get("SEED", "5"))

NOISE = [
    b"{no json\r\n",
    b"[1, 2]\r\n",
    b'{"data": {"id": "1", "text": "\xff"}}\r\n',
    b"[" * 5_000 + b"\r\n",
    b'{"errors": [{"title": "operational-disconnect"}]}\r\n',
    KEEP_ALIVE,
]
# What ends a connection, and the least and the most seconds until the next dial.
NETWORK = (0.0, 16.0)
ENDINGS = [
    (lambda parts: [stream(*parts, end="close")], NETWORK),
    (lambda parts: [stream(*parts, end="cut")], NETWORK),
    (lambda parts: [stream(*parts, end="close"), hang_up], NETWORK),
    (lambda parts: [stream(*parts, end="close"), refuse(503)], (5.0, 320.0)),
    (lambda parts: [stream(*parts, end="close"), refuse(500)], (5.0, 320.0)),
    (lambda parts: [stream(*parts, end="close"), refuse(429)], (60.0, 900.0)),
    (lambda parts: [stream(*parts, end="close"), refuse(420)], (60.0, 900.0)),
]


class Script:
    """Posts in order, some in holes, some twice, some edited; and what should be there at the end."""

    def __init__(self, x):
        self.random = random.Random(SEED)
        self.x = x
        self.next_id = 1000
        self.expected = {}  # id -> text
        self.waits = []  # the least and the most after each dial
        self.sent = []

    def post(self):
        self.next_id += 1
        line = x_line(self.next_id, f"number {self.next_id} #tides")
        self.expected[str(self.next_id)] = line["data"]["text"]
        self.x.found.append(line)
        self.sent.append(line)
        return line

    def edit(self):
        before = self.random.choice(self.sent[-50:])
        first = before["data"].get("edit_history_tweet_ids", [before["data"]["id"]])
        self.next_id += 1
        history = [*first, str(self.next_id)]
        line = x_line(self.next_id, f"edited {self.next_id} #tides", edit_history_tweet_ids=history)
        self.expected[history[0]] = line["data"]["text"]
        self.x.found.append(line)
        self.sent[self.sent.index(before)] = line
        return line

    def connection(self, posts):
        parts = []
        for _ in range(posts):
            parts.append(self.post())
            chance = self.random.random()
            if chance < 0.05:
                parts.append(self.random.choice(self.sent[-200:]))
            elif chance < 0.08:
                parts.append(self.edit())
            elif chance < 0.11:
                parts.append(self.random.choice(NOISE))
        make, wait = self.random.choice(ENDINGS)
        acts = make(parts)
        self.waits += [NETWORK] * (len(acts) - 1) + [wait]
        for _ in range(IN_A_HOLE):
            self.post()  # while nobody is connected
        return acts


@pytest.fixture
def clock():
    return FakeClock()


def test_after_every_fault_what_is_stored_and_shown_is_what_was_posted(database, publisher, clock):
    streams = FakeClock()  # the dials alone make its time pass
    jitterless = {"clock": streams, "backoff": ReconnectBackoff(jitter=lambda: 0.0)}
    with FakeX(clock=streams) as x, FakeJetstream() as jetstream:
        script = Script(x)
        for _ in range(FAULTS):
            x.script += script.connection(POSTS // FAULTS - IN_A_HOLE)
        x.script.append(x.open_stream)
        shared = SharedStream(
            lambda connected: XStreamSource(
                "token", tag=TAG, base_url=x.url, stall=20.0, on_connected=connected, **jitterless
            )
        )
        search = Search("token", ["#tides"], base_url=x.url)
        # As after a restart: what is older than the cursor is not asked for again.
        on_x = XShare(shared, "main", ["#tides"], search, cursor="1000", clock=clock)
        on_bluesky = BlueskySource(
            ["#tides"],
            url=jetstream.url,
            profiles_url=jetstream.profiles_url,
            cursor="1",
            stall=20.0,
            clock=clock,
            backoff=ReconnectBackoff(jitter=lambda: 0.0),
        )
        skies = Skies(jetstream)
        feed = Feed("main", [on_x, on_bluesky], publisher=publisher)
        feed.start()
        try:
            skies.play(POSTS // 20)
            expected = {("x", key): text for key, text in script.expected.items()} | skies.expected
            wait_until(
                lambda: is_all_there(expected),
                lambda: difference(expected),
                60 + POSTS / 200,
            )
        finally:
            feed.stop()
        dials = list(x.dials)

    assert walls_of(publisher) == expected
    assert Tweet.objects.filter(source="x").count() == len(script.expected)
    gaps = [after - before for before, after in zip(dials, dials[1:], strict=False)]
    for gap, (least, most) in zip(gaps, script.waits, strict=True):
        # Fifty dials in a quarter of an hour may make any wait longer, to 22.5 seconds.
        assert least <= gap <= max(most, 22.5) + 0.01
    assert all(sum(dial <= other <= dial + 900 for other in dials) <= 50 for dial in dials)


class Skies:
    """Bluesky's part: posts, updates and deletions, with cuts in between."""

    def __init__(self, server):
        self.server = server
        self.random = random.Random(SEED)
        self.expected = {}
        self.server.commit("create", "0", {"text": "before the cursor"})

    def play(self, posts):
        for number in range(posts):
            self.commit("create", number, f"sky {number} #tides")
            chance = self.random.random()
            victim = self.random.randint(max(0, number - 50), number)
            if chance < 0.1:
                self.commit("update", victim, f"sky {victim}, edited {number} #tides")
            elif chance < 0.2:
                self.commit("delete", victim, None)
            elif chance < 0.23:
                self.server.send("{no json")
            elif chance < 0.26:
                self.server.cut()
                gevent.sleep(0.002)

    def commit(self, operation, number, text):
        from tests.fake_jetstream import DID

        key = ("bluesky", f"{DID}/3k{number}")
        if operation == "update" and key not in self.expected:
            return  # nobody updates what is deleted
        self.server.commit(operation, f"3k{number}", text and {"text": text})
        if text is None:
            self.expected.pop(key, None)
        else:
            self.expected[key] = text


def is_all_there(expected):
    try:
        return counted(expected) and shown() == expected
    except OperationalError:
        return False  # just being written


def counted(expected):
    """What costs less to see."""
    return Tweet.objects.filter(state="shown").count() >= len(expected)


def shown():
    rows = Tweet.objects.filter(state="shown").values_list("source", "post_id", "content__text")
    return {(source, post_id): text for source, post_id, text in rows}


def walls_of(publisher):
    """What a page shows that has been open all the time."""
    wall = {}
    for _, message, event, _ in publisher.published:
        key = message["source"], message["id"]
        if event == "tweet_removed":
            del wall[key]
            continue
        assert (key in wall) is (event == "tweet_changed"), "each post comes once"
        wall[key] = message["text"]
    return wall


def difference(expected):
    found = shown()
    missing, other = expected.keys() - found.keys(), found.keys() - expected.keys()
    return f"{len(found)} of {len(expected)}; missing {sorted(missing)[:3]}, too many {sorted(other)[:3]}"


def wait_until(condition, what, patience):
    with gevent.Timeout(patience, False):
        while not condition():
            gevent.sleep(0.1)
        return
    raise AssertionError(what())
