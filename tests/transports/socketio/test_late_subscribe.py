"""A client asks for what it missed on a channel, and is cut off at any byte of the answer.

It comes back as the official client does, with its last offset, and asks again for the channels of whose
answer it does not know: in the end it has heard everything.
"""

import json
from time import monotonic

import pytest

from realtime_wall import api, signals
from realtime_wall.channels.position import Position
from tests.fakes import no_receivers, running_node
from tests.oracle.reading import Frames
from tests.transports.socketio.client import Visitor

MISSED = ["early", "later", "last"]
KEPT = len(MISSED) + 1  # room for one that is published while the client is away


class Listener:
    """What a program keeps of what it is told, by the documentation."""

    def __init__(self, node, cursor):
        self.node = node
        self.cursor = cursor  # of "room"
        self.knows = False  # that it is subscribed
        self.heard = []
        self.gaps = []  # as events; the answers that say so are among what was heard
        self.offset = self.pid = None

    def visit(self, share=None, after=None):
        """Connect, ask for the room where that is still to do, and hear a part of the answer."""
        visitor = Visitor(self.node)
        visitor.say("0" + json.dumps({"pid": self.pid, "offset": self.offset} if self.pid else {}))
        visitor.settle()
        self._hear(visitor.wire, 0, None)
        start = len(visitor.wire.written)
        if not self.knows:
            visitor.say(f'21["subscribe","room","{self.cursor}"]')
            visitor.settle()
        if after:
            visitor.say(after)
            visitor.settle()
        size = len(visitor.wire.written)
        self._hear(visitor.wire, start, None if share is None else start + share)
        visitor.wire.abort("cut")
        visitor.settle()
        return size - start

    def _hear(self, wire, start, end):
        for _, payload in Frames().receive(wire.written[start:end]):
            text = payload.decode()
            if text.startswith("40"):
                pid = json.loads(text[2:])["pid"]
                self.knows = self.knows and pid == self.pid
                self.pid = pid
            elif text.startswith("42"):
                name, *arguments = json.loads(text[2:])
                self.offset = arguments[-1]
                if name == "news":
                    self._news(arguments[0], Position.parse(arguments[1]))
                elif name == "realtime_wall:gap":
                    self.gaps.append(arguments[0])
            elif text.startswith("431"):
                (answer,) = json.loads(text[3:])
                self.knows = True
                self.cursor = Position.parse(answer.get("cursor", str(self.cursor)))
                if answer.get("recovered") is False:
                    self.heard.append("gap")

    def _news(self, what, position):
        """What is not behind its cursor it has had."""
        if position.epoch != self.cursor.epoch or position.offset > self.cursor.offset:
            self.heard.append(what)
            self.cursor = position


@pytest.fixture
def listener():
    with no_receivers(), running_node(channels={"room": {"HISTORY_SIZE": KEPT}}) as node:
        start = api.publish("room", "old", event="news")
        for number in MISSED:
            api.publish("room", number, event="news")
        api.publish("elsewhere", "newer than all of them")
        yield Listener(node, start)


def test_the_answer_says_where_the_client_stands_and_not_where_it_will(listener):
    start = listener.cursor
    visitor = Visitor(listener.node).connect()

    (answer, *_) = [one for one in visitor.ask(f'21["subscribe","room","{start}"]') if one[0] == "3"]

    assert json.loads(answer[2:])[0] == {"channel": "room", "cursor": str(start), "recovered": True}
    (answer, *_) = (
        Visitor(listener.node).connect().ask(f'21["subscribe","room","{listener.node.broker.top}"]')
    )
    assert json.loads(answer[2:])[0]["cursor"] == str(listener.node.broker.top)


def each_cut(node, start, change=lambda listener: None):
    """What a client has heard in the end, for each byte after which its answer may be cut."""
    size = Listener(node, start).visit()
    for share in range(size + 1):
        listener = Listener(node, start)
        listener.visit(share)
        change(listener)
        # It comes after all that was missed, and may be told before the client can ask again.
        api.publish("room", f"live {share}", event="news")
        listener.visit()
        yield share, size, listener.heard, [f"live {share}"]
        node.broker.log.retract("room", node.broker.top.offset, monotonic())


def test_wherever_the_answer_is_cut_nothing_of_the_channel_is_lost(listener):
    for share, size, heard, live in each_cut(listener.node, listener.cursor):
        assert heard == MISSED + live, f"cut after {share} of {size} bytes"


def test_nor_when_the_session_cannot_be_resumed(listener):
    def elsewhere(one):
        one.pid = "another server's"

    for share, size, heard, live in each_cut(listener.node, listener.cursor, elsewhere):
        assert heard == MISSED + live, f"cut after {share} of {size} bytes"


def test_a_gap_comes_before_what_follows_it(listener):
    """The answer that told it may have been lost."""
    for share, size, heard, live in each_cut(listener.node, Position("another", 5)):
        # Told by the second answer only, it is about the live message as well.
        assert heard in (["gap", *live], ["gap"]), f"cut after {share} of {size} bytes"
    assert heard == ["gap", *live]


def test_what_is_kept_follows_a_gap_wherever_the_answer_is_cut(listener):
    node = listener.node
    for number in range(KEPT):
        api.publish("room", number, event="news")

    cuts = each_cut(node, listener.cursor)
    next(cuts)  # the first of them has made room for what is published live
    for share, size, heard, live in cuts:
        assert heard == ["gap", 1, 2, 3, *live], f"cut after {share} of {size} bytes"


def test_a_gap_is_an_event_for_who_asked_for_no_answer(listener):
    node = listener.node
    visitor = Visitor(node).connect()

    visitor.ask('2["subscribe","room","earlier:5"]')

    assert visitor.events() == [["realtime_wall:gap", {"channel": "room", "cursor": str(node.broker.top)}]]


def test_a_connect_receiver_that_subscribes_from_a_lost_position_has_its_client_hear_of_the_gap(listener):
    node = listener.node

    def join(sender, **_):
        sender.subscribe("room", Position("earlier", 5))

    with no_receivers():
        signals.socket_connected.connect(join)
        visitor = Visitor(node).connect()

    assert visitor.events() == [["realtime_wall:gap", {"channel": "room", "cursor": str(node.broker.top)}]]


def test_whose_answer_came_resumes_its_session_though_nothing_came_after_it(listener):
    one = Listener(listener.node, listener.cursor)
    one.visit()
    pid = one.pid
    one.visit()

    assert (one.pid, one.heard) == (pid, MISSED)


def test_so_does_who_has_heard_that_all_of_it_is_lost(listener):
    one = Listener(listener.node, Position("earlier", 5))
    one.visit()
    pid = one.pid
    one.visit()

    assert (one.pid, one.heard, len(one.gaps)) == (pid, ["gap"], 1)


def test_so_does_who_was_sent_an_event_of_its_own_after_the_answer(listener):
    one = Listener(listener.node, listener.cursor)

    signals.socket_client_event_by_type["greet"].connect(lambda sender, **_: sender.emit("hi"), weak=False)
    one.visit(after='2["greet"]')
    pid = one.pid
    one.visit()

    assert one.pid == pid
