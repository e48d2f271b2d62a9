"""A client asks for what it missed on a channel, and is cut off at any byte of the answer.

It comes back as the official client does, with its last offset, and asks again for the channels of whose
answer it does not know: in the end it has heard everything.
"""

import json

import pytest

from realtime_wall import api
from realtime_wall.channels.position import Position
from tests.fakes import running_node
from tests.oracle.reading import Frames
from tests.transports.socketio.client import Visitor

MISSED = ["early", "later", "last"]


class Listener:
    """What a program keeps of what it is told, by the documentation."""

    def __init__(self, node, cursor):
        self.node = node
        self.cursor = cursor  # of "room"
        self.knows = False  # that it is subscribed
        self.heard = []
        self.offset = self.pid = None

    def visit(self, share=None):
        """Connect, ask for the room where that is still to do, and hear a part of the answer."""
        visitor = Visitor(self.node)
        visitor.say("0" + json.dumps({"pid": self.pid, "offset": self.offset} if self.pid else {}))
        visitor.settle()
        self._hear(visitor.wire, 0, None)
        start = len(visitor.wire.written)
        if not self.knows:
            visitor.say(f'21["subscribe","room","{self.cursor}"]')
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
                    self.heard.append(arguments[0])
                    self.cursor = max(self.cursor, Position.parse(arguments[1]), key=lambda one: one.offset)
            elif text.startswith("431"):
                (answer,) = json.loads(text[3:])
                assert answer.get("recovered") or answer["error"] == "already_subscribed"
                self.knows = True
                self.cursor = Position.parse(answer.get("cursor", str(self.cursor)))


@pytest.fixture
def listener():
    with running_node() as node:
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


def test_wherever_the_answer_is_cut_nothing_of_the_channel_is_lost(listener):
    start, node = listener.cursor, listener.node
    size = Listener(node, start).visit()

    for share in range(size + 1):
        one = Listener(node, start)
        one.visit(share)
        one.visit()
        assert list(dict.fromkeys(one.heard)) == MISSED, f"cut after {share} of {size} bytes"


def test_nor_when_the_visit_cannot_go_on(listener):
    start, node = listener.cursor, listener.node
    size = Listener(node, start).visit()

    for share in range(size + 1):
        one = Listener(node, start)
        one.visit(share)
        one.pid = "another server's"
        one.visit()
        assert list(dict.fromkeys(one.heard)) == MISSED, f"cut after {share} of {size} bytes"
