"""Whatever happens to a client in a namespace, it takes the ways of the table and no others."""

import json

import gevent
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from realtime_wall import NoSocket, api, signals
from realtime_wall.channels.names import EVERYONE
from realtime_wall.errors import Refuse
from realtime_wall.sockets.delivery.backlog import PORTION
from realtime_wall.transports.engineio.session import sessions
from realtime_wall.transports.socketio.namespace_state import (
    GONE,
    LIVE,
    TRANSITIONS,
    CatchingUp,
    Gone,
    ImpossibleNamespaceTransition,
    Joining,
    following,
)
from tests.fakes import no_receivers, running_node
from tests.transports.socketio.client import Visitor, connect


def test_every_state_is_reached_and_only_the_last_is_not_left():
    reached = {Joining}.union(*TRANSITIONS.values())

    assert reached == TRANSITIONS.keys()
    assert [state for state, after in TRANSITIONS.items() if not after] == [Gone]
    assert not any(Joining in after for after in TRANSITIONS.values())


@pytest.mark.parametrize(("state", "new"), [(Joining(None, {}), LIVE), (GONE, LIVE), (LIVE, LIVE)])
def test_what_the_table_does_not_have_is_refused(state, new):
    with pytest.raises(ImpossibleNamespaceTransition):
        following(state, new)


class Namespaces(RuleBasedStateMachine):
    """A client that comes back again and again, and all that it, its channels and its line can do."""

    def __init__(self):
        super().__init__()
        self.receivers = no_receivers()
        self.receivers.__enter__()
        self.context = running_node(
            outbox_size=4 * PORTION, channels={"room": {"OVERFLOW": "latest", "KEY": "id"}}
        )
        self.node = self.context.__enter__()
        self.answer = gevent.event.Event()  # of the connect receivers
        self.refuses = False
        connect(signals.socket_connected, self.decide)
        self.visitor = self.namespace = None

    def teardown(self):
        self.answer.set()
        for session in list(sessions.values()):
            session.end("the test is over")
        self.context.__exit__(None, None, None)
        self.receivers.__exit__(None, None, None)

    def decide(self, sender, **_):
        sender.emit("greeting")
        self.answer.wait(10)
        if self.refuses:
            raise Refuse("not today")

    @initialize()
    def arrive(self):
        self.knock("")

    def knock(self, auth):
        offset = self.visitor.offset if self.visitor else None
        self.visitor = Visitor(self.node)
        self.visitor.brought = offset
        self.visitor.say(f"0{auth}")
        self.namespace = self.visitor.client._namespaces.get("/")
        gevent.sleep(0)

    @property
    def state(self):
        return self.namespace._state

    # The client, and its line

    @rule(is_known=st.booleans())
    def come_back(self, is_known):
        # No precondition: whether it has gone by then may depend on how busy the machine is.
        if self.state is not GONE:
            return
        auth = {"pid": self.namespace._recovery.secret, "offset": self.visitor.offset}
        self.knock(json.dumps(auth) if is_known else "")

    @rule(text=st.sampled_from(['21["subscribe","room"]', '22["unsubscribe","room"]', '23["event"]', "1"]))
    def say(self, text):
        if self.visitor.session.is_open and self.state is not GONE:
            self.visitor.say(text)
            gevent.sleep(0)

    @rule()
    def subscribe_since_the_beginning(self):
        epoch = self.node.broker.top.epoch
        self.say(f'24["subscribe","room","{epoch}:0"]')

    @rule()
    def hang_up(self):
        self.visitor.wire.abort("reset")

    @rule(is_slow=st.booleans())
    def read(self, is_slow):
        if is_slow:
            self.visitor.wire.outbox_size = 1
        else:
            self.visitor.wire.drain()

    # Our side

    @rule(refuses=st.booleans())
    def decide_now(self, refuses):
        self.refuses = refuses
        self.answer.set()
        self.visitor.settle()
        self.answer.clear()

    @rule(size=st.sampled_from([1, PORTION]), channel=st.sampled_from(["room", EVERYONE]))
    def publish(self, size, channel):
        data = {"id": 1, "text": "x" * size}
        if channel == EVERYONE:
            try:
                api.broadcast_emit("news", data)
            except NoSocket:
                return
        else:
            api.publish(channel, data, event="news")
        gevent.sleep(0)

    @rule(code=st.sampled_from([1012, 3503]))
    def disconnect(self, code):
        self.namespace.session.socket.disconnect(code, "we stop")

    @rule()
    def emit(self):
        self.namespace.session.socket.emit("event")

    # What holds in each state

    @invariant()
    def nothing_is_written_before_the_welcome(self):
        if self.namespace is not None and isinstance(self.state, Joining):
            assert self.visitor.told() == [""] or len(self.visitor.told()) == 0

    @invariant()
    def nothing_waits_for_who_is_live(self):
        if self.namespace is not None and self.state is LIVE:
            assert not self.namespace._has_backlog

    @invariant()
    def something_waits_for_who_catches_up(self):
        if self.namespace is not None and isinstance(self.state, CatchingUp):
            assert self.namespace._has_backlog

    @invariant()
    def who_is_gone_is_subscribed_nowhere_and_its_socket_knows(self):
        if self.namespace is not None and self.state is GONE:
            assert self.namespace.session.is_disconnected
            for channel in ("room", EVERYONE):
                assert self.namespace not in self.node.subscriptions.snapshot(channel)

    @invariant()
    def everybody_else_hears_what_is_for_all(self):
        if self.namespace is not None and self.state is not GONE:
            assert self.namespace in self.node.subscriptions.snapshot(EVERYONE)


Namespaces.TestCase.settings = settings(stateful_step_count=25, deadline=None, max_examples=60)
TestClientsTakeOnlyTheWaysOfTheTable = Namespaces.TestCase


def test_every_way_of_the_table_is_taken_by_some_client(node, monkeypatch):
    taken = set()

    def noted(state, new):
        taken.add((type(state), type(new)))
        return following(state, new)

    monkeypatch.setattr("realtime_wall.transports.socketio.namespace_subscriber.following", noted)
    Visitor(node).say("0", "1")  # it leaves while it joins
    visitor = Visitor(node).connect()
    visitor.wire.abort("reset")
    for _ in range(3):
        api.publish("room", "x" * PORTION)
    again = Visitor(node).connect()
    again.wire.outbox_size = 1
    again.ask(f'21["subscribe","room","{node.broker.top.epoch}:0"]')
    namespace = again.client._namespaces["/"]
    assert isinstance(namespace._state, CatchingUp)
    again.wire.abort("reset")

    assert taken == {(state, new) for state, after in TRANSITIONS.items() for new in after}
