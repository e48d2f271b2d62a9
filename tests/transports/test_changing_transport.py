"""One cursor for every way of listening: a reader may change between them at any byte, and misses nothing."""

import json
import os

import gevent
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_wall.brokers.commands import Publish
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import Since
from realtime_wall.transports.one_way.formats import EVENTS, LINES
from realtime_wall.transports.one_way.listener import Listener
from realtime_wall.transports.one_way.long_polling import Body, LongPoll
from realtime_wall.transports.websocket.channel_websocket import open_channels
from realtime_wall.transports.websocket.plain_websocket import WebSocket
from tests.fakes import RecordingWire, a_request, no_receivers, running_node, text

CHANNELS = ("a", "b", "c", "d", "e")
PROVING = bool(os.environ.get("REALTIME_WALL_PROVE"))
EXAMPLES = 300 if PROVING else 30
MESSAGES = 1000 if PROVING else 80


class LostUntil(int):
    """A gap, among the numbers that were heard: up to this offset."""


class Reader:
    """Keeps what it heard of each channel, and up to where; whatever it reads is cut off somewhere."""

    def __init__(self, node):
        self.node = node
        self.heard = {channel: [] for channel in CHANNELS}
        self.cursors = dict.fromkeys(CHANNELS, node.broker.top)
        self.held = []  # channels of which something is lost; up to where is still to come
        self.wire = None
        self.read = None

    @property
    def cursor(self):
        """Up to here it has heard all of its channels."""
        return min(self.cursors.values(), key=lambda position: position.offset)

    def connect(self, kind):
        self.wire, self.held = RecordingWire(), []
        self.read = getattr(self, f"read_{kind}")
        getattr(self, f"connect_{kind}")()

    def cut(self, share):
        """Lose the connection; of the last bytes a share has arrived."""
        if self.wire is None:
            return
        data = self.wire.written
        self.read(data[: int(len(data) * share)])
        self.wire.abort("cut")
        self.wire = None

    # The ways to listen

    def connect_events(self, format=EVENTS):
        listener = Listener(self.node, self.wire, format, chunked=False, session_key=None)
        listener.begin(b"", dict.fromkeys(CHANNELS, 0), Since(position=self.cursor))

    def read_events(self, data):
        *events, _ = data.decode(errors="ignore").split("\n\n")
        for event in events:
            fields = dict(line.partition(": ")[::2] for line in event.splitlines())
            if "data" in fields:
                self.item(json.loads(fields["data"]))
            elif "id" in fields:
                self.moved(Position.parse(fields["id"]))

    def connect_lines(self):
        self.connect_events(LINES)

    def read_lines(self, data):
        *lines, _ = data.decode(errors="ignore").split("\r\n")
        for line in lines:
            self.item(json.loads(line))

    def connect_poll(self):
        found = self.node.catch_up(dict.fromkeys(CHANNELS, 0), Since(position=self.cursor))
        poll = LongPoll(self.node, self.wire, [], Body(self.node), None)
        poll.begin(CHANNELS, self.cursor if found.items else self.node.broker.top)

    def read_poll(self, data):
        head, _, body = data.partition(b"\r\n\r\n")
        if f"Content-Length: {len(body)}\r\n".encode() not in head + b"\r\n" or not body:
            return  # cut: it never arrived
        for line in body.decode().split("\r\n"):
            self.item(json.loads(line))

    def connect_frames(self):
        since = Since(position=self.cursor)
        open_channels(self.node, dict.fromkeys(CHANNELS, 0), since, None, None, self.wire, b"")

    def read_frames(self, data):
        for item in whole_texts(data):
            self.item(item)

    def connect_socket(self):
        WebSocket(self.node, self.wire, a_request(), None).begin(b"", None)
        for channel, cursor in self.cursors.items():
            self.wire.owner.received(text({"type": "subscribe", "channel": channel, "since": str(cursor)}))
        self.node.pool.wait_until_idle(10)

    def read_socket(self, data):
        for envelope in whole_texts(data):
            if envelope["type"] == "message":
                self.message(envelope["channel"], envelope["message"], Position.parse(envelope["cursor"]))

    # What it hears

    def item(self, item):
        if item["id"] > 0:
            self.message(item["channel"], item["text"], Position.parse(item["cursor"]))
            self.moved(Position.parse(item["cursor"]))  # one order for all channels
        elif item["id"] == -4:
            self.held.append(item["channel"])
            if item["cursor"] not in ("", str(self.cursor)):  # the last of them
                position = Position.parse(item["cursor"])
                for channel in self.held:
                    self.heard[channel].append(LostUntil(position.offset))
                self.held = []
                self.moved(position)

    def message(self, channel, number, position):
        if position.offset > self.cursors[channel].offset:
            self.heard[channel].append(number)
            self.cursors[channel] = position

    def moved(self, position):
        for channel, cursor in self.cursors.items():
            if position.offset > cursor.offset:
                self.cursors[channel] = position


def whole_texts(data):
    """The messages in whole text frames; the last one may be cut."""
    found = []
    while len(data) >= 2:
        size, start = data[1], 2
        if size == 126:
            size, start = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(data[2:10], "big"), 10
        if len(data) < max(start + size, 4):
            break
        found.append(json.loads(data[start : start + size]))
        data = data[start + size :]
    return found


SINGLE = ("events", "lines", "poll", "frames")
changes = st.tuples(
    st.sampled_from((*SINGLE, "socket")),
    st.floats(0, 1),
    st.lists(st.sampled_from(CHANNELS), max_size=MESSAGES // 8),  # published while it is connected
    st.lists(st.sampled_from(CHANNELS), max_size=MESSAGES // 16),  # and while it is away
)


class Speaker:
    """Publishes numbers: on each channel one after the other."""

    def __init__(self, node):
        self.node = node
        self.said = {channel: [] for channel in CHANNELS}
        self.offsets = {channel: [] for channel in CHANNELS}

    def say(self, channels):
        for channel in channels:
            number = len(self.said[channel]) + 1
            self.said[channel].append(number)
            receipt = self.node.perform(Publish(channel=channel, data_json=str(number), counted=False))
            self.offsets[channel].append(Position.parse(receipt.position).offset)
        while self.node.delivered_position() != self.node.broker.top:
            gevent.sleep(0)


def listen_through(node, story):
    reader, speaker = Reader(node), Speaker(node)
    for kind, share, while_there, while_away in story:
        reader.connect(kind)
        speaker.say(while_there)
        reader.cut(share)
        speaker.say(while_away)
    reader.connect("lines")
    reader.cut(1)
    return reader, speaker


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(changes, max_size=16))
def test_whatever_way_it_listens_each_message_is_heard_once_and_in_order(story):
    with no_receivers(), running_node() as node:
        reader, speaker = listen_through(node, story)

    assert reader.heard == speaker.said


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(changes.filter(lambda change: change[0] in SINGLE), max_size=16))
def test_a_gap_is_announced_when_and_only_when_something_is_lost(story):
    with no_receivers(), running_node(history_size=4) as node:
        reader, speaker = listen_through(node, story)

    for channel in CHANNELS:
        check_gaps(reader.heard[channel], speaker.offsets[channel])


def check_gaps(heard, offsets):
    last, lost_until = 0, None
    for one in [*heard, len(offsets) + 1]:  # what would come next
        if isinstance(one, LostUntil):
            lost_until = one
            continue
        assert one > last, heard
        lost = offsets[last : one - 1]
        assert bool(lost) is (lost_until is not None), (heard, offsets)
        assert not lost or max(lost) <= lost_until, (heard, offsets)  # what came after the gap was told
        last, lost_until = one, None
