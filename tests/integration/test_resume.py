"""A client may lose its connection at any moment: it hears everything, once, or is told of a gap."""

import json
from contextlib import contextmanager
from unittest.mock import patch

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import InvalidStatus

from realtime_wall import api
from realtime_wall.channels.position import Position
from realtime_wall.sockets.delivery import backlog
from realtime_wall.transports.websocket import plain_websocket
from realtime_wall.transports.websocket.plain_websocket import WebSocket
from tests.fakes import RecordingWire, a_request, no_receivers, running_node
from tests.live import LiveServer

CHANNELS = ["a", "b", "c", "d", "e"]
HISTORY = 12  # little enough that a client may be away for too long


@contextmanager
def small_portions():
    """So that a few messages are too many to be told at once."""
    with patch.object(backlog, "PORTION", 1000), patch.object(plain_websocket, "PORTION", 1000):
        yield


class Follower:
    """A client that keeps a cursor for each channel, as docs/reference/plain-websocket.rst says."""

    def __init__(self, node, published):
        self.node = node
        self.published = published  # channel -> offsets, in order
        self.cursors = {}  # channel -> its cursor, while it is wanted
        self.heard = {}  # channel -> offsets since it was subscribed to, or since the last gap
        self.begins = {}  # channel -> the offset after which it has to have heard everything
        self.connect()

    def connect(self):
        self.wire = RecordingWire()
        self.transport = WebSocket(self.node, self.wire, a_request(), None)
        self.transport.begin(b"", None)
        self.read = 0
        for channel, cursor in list(self.cursors.items()):
            self.subscribe(channel, Position.parse(cursor))

    @property
    def is_connected(self):
        return self.wire.is_open

    def subscribe(self, channel, since=None):
        self.transport.session.socket.subscribe(channel, since)
        self.is_cut = since is not None and any(
            offset > since.offset for offset in self.published[channel][:-HISTORY]
        )
        self.look()
        # A gap when and only when something is missing, and no further than that.
        assert self.last_answer == ("gap" if self.is_cut else "subscribed")
        assert not self.is_cut or self.begins[channel] == self.published[channel][-HISTORY - 1]

    def unsubscribe(self, channel):
        self.look()
        self.transport.session.socket.unsubscribe(channel)
        for known in (self.cursors, self.heard, self.begins):
            known.pop(channel, None)

    def drop(self, lost):
        """The connection breaks, and the last frames never arrive."""
        self.look(lost)
        self.wire.abort("reset")

    def look(self, lost=0):
        frames = [json.loads(payload) for opcode, payload in self.wire.frames() if opcode == 1]
        for frame in frames[self.read : len(frames) - lost]:
            self.read += 1
            getattr(self, "_" + frame["type"])(frame)

    def _welcome(self, frame): ...

    def _subscribed(self, frame):
        channel, cursor = frame["channel"], frame["cursor"]
        self.last_answer = "subscribed"
        if channel not in self.cursors:
            self._begin(channel, cursor)
        self.cursors[channel] = cursor

    def _gap(self, frame):
        self.last_answer = "gap"
        self._begin(frame["channel"], frame["cursor"])
        self.cursors[frame["channel"]] = frame["cursor"]

    def _begin(self, channel, cursor):
        self.begins[channel] = Position.parse(cursor).offset
        self.heard[channel] = []

    def _message(self, frame):
        channel, cursor = frame["channel"], frame["cursor"]
        offset = Position.parse(cursor).offset
        assert frame["message"] == offset
        assert channel in self.cursors, "a message of a channel that it has left"
        assert offset > Position.parse(self.cursors[channel]).offset, "late, or twice"
        self.heard[channel].append(offset)
        self.cursors[channel] = cursor

    def check(self):
        for channel, begin in self.begins.items():
            assert self.heard[channel] == [one for one in self.published[channel] if one > begin]


class World:
    def __init__(self, node):
        self.node = node
        self.published = {channel: [] for channel in CHANNELS}
        self.followers = [Follower(node, self.published) for _ in range(3)]
        for follower in self.followers:
            for channel in CHANNELS:
                follower.subscribe(channel)

    def publish(self, channel, count):
        for _ in range(count):
            position = api.publish(channel, self.node.broker.top.offset + 1)
            self.published[channel].append(position.offset)

    def subscribe(self, who, channel):
        follower = self.followers[who]
        if follower.is_connected and channel not in follower.cursors:
            follower.subscribe(channel)

    def unsubscribe(self, who, channel):
        if self.followers[who].is_connected:
            self.followers[who].unsubscribe(channel)

    def again(self, who, channel):
        """Leave a channel and come back to it, with the cursor."""
        follower = self.followers[who]
        if follower.is_connected and channel in follower.cursors:
            follower.look()
            follower.transport.session.socket.unsubscribe(channel)
            follower.subscribe(channel, Position.parse(follower.cursors[channel]))

    def drop(self, who, lost):
        if self.followers[who].is_connected:
            self.followers[who].drop(lost)

    def come_back(self, who):
        if not self.followers[who].is_connected:
            self.followers[who].connect()

    def stall(self, who):
        """Stop reading for a while: what is written waits in the outbox."""
        self.followers[who].wire.outbox_size = 1

    def read_on(self, who):
        self.followers[who].wire.drain()

    def turn(self):
        """Let what was published go out, as far as it goes."""
        gevent.sleep(0)

    def finish(self):
        for who in range(len(self.followers)):
            self.come_back(who)
            self.read_on(who)
        last = api.publish("a", self.node.broker.top.offset + 1)
        self.published["a"].append(last.offset)
        # Not only its queue: it takes turns in the middle of a delivery, too.
        while self.node._fan_out.oldest_pending_offset is not None:
            gevent.sleep(0)
        for follower in self.followers:
            follower.look()
            follower.check()


who, channel = st.integers(0, 2), st.sampled_from(CHANNELS)
steps = st.one_of(
    st.tuples(st.just("publish"), channel, st.integers(1, 5)),
    st.tuples(st.just("subscribe"), who, channel),
    st.tuples(st.just("unsubscribe"), who, channel),
    st.tuples(st.just("again"), who, channel),
    st.tuples(st.just("drop"), who, st.integers(0, 4)),
    st.tuples(st.just("come_back"), who),
    st.tuples(st.just("stall"), who),
    st.tuples(st.just("read_on"), who),
    st.tuples(st.just("turn")),
)


@given(st.lists(steps, min_size=60, max_size=150))
def test_every_client_hears_every_message_once_and_in_order_or_is_told_of_a_gap(steps):
    with no_receivers(), small_portions(), running_node(history_size=HISTORY) as node:
        world = World(node)
        for step, *arguments in steps:
            getattr(world, step)(*arguments)
        world.finish()


# With a real server


@pytest.fixture
def server():
    with LiveServer(settings={"HISTORY_SIZE": HISTORY}) as server:
        yield server


def messages(client, count):
    return [client.read()["message"] for _ in range(count)]


def test_a_client_that_comes_back_to_a_channel_is_given_what_it_missed_and_then_hears_on(server):
    with server.client() as publisher:
        with server.client() as client:
            start = client.subscribe("room")["cursor"]
        for number in range(3):
            publisher.ask("publish", {"channel": "room", "data": number})
            publisher.ask("publish", {"channel": "another room", "data": "unheard"})

        with server.client() as client:
            answer = client.subscribe("room", since=start)
            publisher.ask("publish", {"channel": "room", "data": "live"})

            assert (answer["type"], answer["recovered"], answer["cursor"]) == ("subscribed", True, start)
            assert messages(client, 4) == [0, 1, 2, "live"]


def test_a_client_that_was_away_for_too_long_is_told_of_a_gap_and_then_hears_on(server):
    with server.client() as publisher, server.client() as client:
        start = publisher.subscribe("room")["cursor"]
        lost, *_ = [
            publisher.ask("publish", {"channel": "room", "data": number}) for number in range(HISTORY + 1)
        ]

        gap = client.subscribe("room", since=start)
        publisher.ask("publish", {"channel": "room", "data": "live"})

        assert (gap["type"], gap["channel"], gap["cursor"]) == ("gap", "room", lost)
        assert messages(client, HISTORY + 1) == [*range(1, HISTORY + 1), "live"]


@pytest.mark.parametrize(("size", "count"), [(400_000, 4), (2000, 1000)], ids=["large", "many"])
def test_a_client_that_missed_more_than_an_outbox_holds_gets_it_on_one_connection(size, count):
    with LiveServer() as server, server.client() as publisher, server.client() as client:
        start = client.welcome["cursor"]
        for _ in range(count):
            publisher.ask("publish", {"channel": "room", "data": "x", "times": size})
        client.subscribe("room", since=start)

        assert [len(message) for message in messages(client, count)] == [size] * count
        publisher.ask("publish", {"channel": "room", "data": "live"})
        assert messages(client, 1) == ["live"]


def test_a_server_that_started_anew_cannot_tell_and_says_so(server):
    with server.client() as client:
        before = client.subscribe("room")["cursor"]
    server.stop()
    server.log.write_text("")
    server.start()

    with server.client() as client:
        gap = client.subscribe("room", since=before)

    assert gap["type"] == "gap"
    assert gap["cursor"].partition(":")[0] != before.partition(":")[0]


def test_what_was_broadcast_is_given_to_who_comes_back_but_not_its_own(server):
    with server.client() as other:
        with server.client() as client:
            cursor, session = client.welcome["cursor"], client.session
            own = client.ask("broadcast", "its own")
        other.ask("broadcast", "of another")

        with server.client(f"?since={cursor}&session={session}") as back:
            assert back.welcome["cursor"] == own
            other.ask("broadcast", "live")
            assert messages(back, 2) == ["of another", "live"]

        with server.client(f"?since={cursor}") as stranger:
            assert messages(stranger, 3) == ["its own", "of another", "live"]


def test_what_was_broadcast_too_long_ago_is_a_gap(server):
    with server.client() as other, server.client() as client:
        start = client.welcome["cursor"]
        lost, *_ = [other.ask("broadcast", number) for number in range(HISTORY + 1)]

        with server.client(f"?since={start}") as back:
            assert back.welcome["cursor"] == start  # until it has heard of the gap
            assert back.read() == {"type": "gap", "cursor": lost}
            assert messages(back, HISTORY) == [*range(1, HISTORY + 1)]


def test_a_cursor_that_is_none_is_refused_before_the_handshake(server):
    with pytest.raises(InvalidStatus, match="400"):
        server.client("?since=nonsense")
