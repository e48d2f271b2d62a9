"""A client may lose its connection at any moment: it misses nothing, hears nothing twice, or is told of a gap."""

import json

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall import api
from realtime_wall.channels.position import Position
from realtime_wall.transports.websocket import WebSocket
from tests.fakes import RecordingWire, a_request, no_receivers, running_node
from tests.live import LiveServer, wait_for

CHANNELS = ["a", "b", "c", "d", "e"]
HISTORY = 12  # little enough that a client may be away for too long


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
        self.transport.socket.subscribe(channel, since)
        self.is_cut = since is not None and any(
            offset > since.offset for offset in self.published[channel][:-HISTORY]
        )
        self.look()
        # A gap when and only when something is missing.
        assert self.last_answer == ("gap" if self.is_cut else "subscribed")

    def unsubscribe(self, channel):
        self.look()
        self.transport.socket.unsubscribe(channel)
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
            follower.transport.socket.unsubscribe(channel)
            follower.subscribe(channel, Position.parse(follower.cursors[channel]))

    def drop(self, who, lost):
        if self.followers[who].is_connected:
            self.followers[who].drop(lost)

    def come_back(self, who):
        if not self.followers[who].is_connected:
            self.followers[who].connect()

    def turn(self):
        """Let what was published go out, as far as it goes."""
        gevent.sleep(0)

    def finish(self):
        for who in range(len(self.followers)):
            self.come_back(who)
        last = api.publish("a", self.node.broker.top.offset + 1)
        self.published["a"].append(last.offset)
        while self.node._fan_out._queue:
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
    st.tuples(st.just("turn")),
)


@given(st.lists(steps, min_size=60, max_size=150))
def test_every_client_hears_every_message_once_and_in_order_or_is_told_of_a_gap(steps):
    with no_receivers(), running_node(history_size=HISTORY) as node:
        world = World(node)
        for step, *arguments in steps:
            getattr(world, step)(*arguments)
        world.finish()
