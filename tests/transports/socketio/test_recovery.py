"""A client that keeps what the official one keeps, and is cut off at any byte, hears everything once.

All its messages are of channels that it is in from its welcome on, so it knows what it has to have heard.
"""

import json

import gevent
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from realtime_wall import NoSocket, api, signals
from realtime_wall.channels.names import EVERYONE
from realtime_wall.transports.engineio.session import sessions
from tests.fakes import no_receivers
from tests.neighbours import running_nodes
from tests.oracle.reading import Frames
from tests.transports.socketio.client import Visitor, connect

SHARES = st.sampled_from([0, 0.4, 0.9, 1])


def join(sender, **_):
    if not sender.recovered:
        sender.subscribe("room")


class CutClient(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.receivers = no_receivers()
        self.receivers.__enter__()
        self.context = running_nodes(2)
        self.nodes = self.context.__enter__()
        connect(signals.socket_connected, join)
        connect(signals.socket_client_event_by_type["greet"], lambda sender, **_: sender.emit("hello"))
        self.published = []  # (offset, number)
        self.began = {}  # by secret: what was published before its session
        self.pid = self.offset = None
        self.heard = []  # in this session
        self.is_over = False  # the session cannot be resumed
        self.come_back(0)

    def teardown(self):
        for at in (1, 0):
            self.cut_off(1.0)
            self.come_back(at)
            self.publish("room")
            self.publish(EVERYONE)
            self.read(1.0)
        assert self.heard == self.published[self.began[self.pid] :]
        for session in list(sessions.values()):
            session.end("the test is over")
        self.context.__exit__(None, None, None)
        self.receivers.__exit__(None, None, None)

    # Its connection

    @rule(at=st.integers(0, 1))
    def come_back(self, at):
        """Over another connection, where the old one may look alive."""
        auth = {"pid": self.pid, "offset": self.offset} if self.pid else {}
        self.visitor = visitor = Visitor(self.nodes[at])
        self.unread, self.frames = 0, Frames()
        visitor.say("0" + json.dumps({key: value for key, value in auth.items() if value}))
        while not visitor.told():
            gevent.sleep(0)
        visitor.settle()
        pid = json.loads(visitor.told()[0][1:])["pid"]
        assert (pid == self.pid) == (bool(self.pid) and not self.is_over)
        self.began.setdefault(pid, len(self.published))

    @rule(share=SHARES)
    def read(self, share):
        """Some of what is on its way; at the end perhaps half of a message."""
        written = self.visitor.wire.written
        until = self.unread + round(share * (len(written) - self.unread))
        for _, payload in self.frames.receive(written[self.unread : until]):
            self.told(payload.decode())
        self.unread = until

    @rule(share=SHARES)
    def cut_off(self, share):
        self.read(share)
        self.visitor.wire.abort("cut")
        self.visitor.settle()

    def told(self, text):
        if text.startswith("40"):
            pid = json.loads(text[2:])["pid"]
            if pid != self.pid:
                self.pid, self.heard, self.is_over = pid, [], False
        elif text.startswith("42"):
            name, *arguments = json.loads(text[2:])
            if isinstance(arguments[-1], str):
                self.offset = arguments[-1]
            if name == "news":
                self.heard.append(arguments[0])
                began = self.began[self.pid]
                assert self.heard == self.published[began : began + len(self.heard)]

    # What happens meanwhile

    @rule(channel=st.sampled_from(["room", "elsewhere", EVERYONE]))
    def publish(self, channel):
        number = len(self.published) + 1
        try:
            if channel == EVERYONE:
                api.broadcast_emit("news", number)
            else:
                api.publish(channel, number, event="news")
        except NoSocket:
            return
        if channel != "elsewhere":
            self.published.append(number)
        gevent.sleep(0)

    @rule()
    def be_sent_an_event_of_its_own(self):
        if self.visitor.wire.is_open:
            self.visitor.say('2["greet"]')
            self.visitor.settle()

    @rule(share=SHARES, missed=st.integers(0, 2), at=st.integers(0, 1))
    def be_away_for_too_long(self, share, missed, at):
        self.cut_off(share)
        for node in self.nodes:
            for one in node.detached_sessions.all():
                node.detached_sessions.expire(one)
        self.is_over = True
        for _ in range(missed):
            self.publish("room")
        self.come_back(at)


CutClient.TestCase.settings = settings(stateful_step_count=30, deadline=None, max_examples=50)
TestACutClientHearsEverythingOnce = CutClient.TestCase
