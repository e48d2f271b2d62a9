"""Whatever happens to a session, in whatever order, it takes the ways of its table and no others."""

from time import monotonic

import gevent
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from realtime_wall.protocol.engineio import BadPacket
from realtime_wall.transports.engineio.engine_state import (
    CLOSED,
    CLOSING,
    OPEN,
    OPENING,
    TRANSITIONS,
    Closed,
    ImpossibleEngineTransition,
    Opening,
    Upgrading,
    following,
)
from realtime_wall.transports.engineio.polling import Conflict
from realtime_wall.transports.engineio.session import EngineSession, sessions
from tests.fakes import RecordingWire, masked, running_node
from tests.transports.engineio.client import TEXT, Listener


def test_every_state_is_reached_and_only_the_last_is_not_left():
    reached = {Opening}.union(*TRANSITIONS.values())

    assert reached == TRANSITIONS.keys()
    assert [state for state, following in TRANSITIONS.items() if not following] == [Closed]
    assert not any(Opening in following for following in TRANSITIONS.values())


@pytest.mark.parametrize(("state", "new"), [(OPENING, CLOSED), (CLOSED, OPEN), (CLOSING, OPEN)])
def test_what_the_table_does_not_have_is_refused(state, new):
    with pytest.raises(ImpossibleEngineTransition):
        following(state, new)


class Sessions(RuleBasedStateMachine):
    """One session, over polling or a WebSocket, and all that its client, its user and time can do."""

    def __init__(self):
        super().__init__()
        self.context = running_node(ping_interval=25, ping_timeout=20, outbox_size=200)
        self.node = self.context.__enter__()
        self.client = Listener()
        self.wires = []
        self.now = monotonic()

    def teardown(self):
        for session in list(sessions.values()):
            session.end("the test is over")
        gevent.sleep(0)
        self.context.__exit__(None, None, None)

    @initialize(is_polling=st.booleans())
    def begin(self, is_polling):
        if not is_polling:
            self.wires.append(RecordingWire())
        self.session = EngineSession(self.node, "", *self.wires)
        assert self.session._state is OPENING
        self.session.begin(self.client)

    # The client

    @rule(text=st.sampled_from(["4a", "4bad", "1", "2", "3", "5", "2probe", "x", ""]), wire=st.integers(0, 2))
    def say(self, text, wire):
        for one in self.wires[wire : wire + 1]:
            if one.is_open:
                one.owner.received(masked(TEXT, text))

    @rule()
    def upgrade(self):
        self.offer(masked(TEXT, "2probe") + masked(TEXT, "5"))

    @rule(wire=st.integers(0, 2))
    def hang_up(self, wire):
        for one in self.wires[wire : wire + 1]:
            one.abort("reset")

    @rule(early=st.sampled_from([b"", masked(TEXT, "2probe"), masked(TEXT, "4a")]))
    def offer(self, early):
        self.wires.append(RecordingWire())
        self.session.offer(self.wires[-1], early)

    @rule()
    def poll(self):
        self._request(self.session.poll)

    @rule(body=st.sampled_from([b"4a", b"3", b"1\x1e4a", b"1\x1e1", b"4bad", b"nonsense"]))
    def post(self, body):
        self._request(self.session.post, body)

    def _request(self, function, *args):
        """In a greenlet, as it may wait; nothing but what a view expects comes out of it."""

        def run():
            try:
                function(*args)
            except (BadPacket, Conflict) as problem:
                return problem

        greenlet = gevent.spawn(run)
        gevent.sleep(0)
        if greenlet.dead:
            greenlet.get()

    # Our side

    @rule(data=st.sampled_from(["short", b"bytes", "x" * 150]))
    def send(self, data):
        self.session.send(data)

    @rule(is_busy=st.booleans())
    def work(self, is_busy):
        self.client.busy = is_busy
        (self.session.pause if is_busy else self.session.resume)()
        gevent.sleep(0)

    @rule(seconds=st.sampled_from([1, 11, 26]))
    def wait(self, seconds):
        self.now += seconds
        self.session.tick(self.now)

    @rule(code=st.sampled_from([1000, 1012]))
    def close(self, code):
        self.session.close(code, "we stop")

    @rule()
    def abort(self):
        self.session.abort("enough")

    @rule()
    def end(self):
        # No precondition: whether it is closed by then may depend on how busy the machine is.
        self.session.end("over")
        assert self.session._state is CLOSED

    # What holds in each state

    @invariant()
    def its_handler_is_told_of_the_end_once(self):
        assert len(self.client.reasons) == (1 if self.session._state is CLOSED else 0)

    @invariant()
    def its_id_is_known_while_it_is_open(self):
        if self.session._state is not CLOSED:
            assert sessions[self.session.sid] is self.session

    @invariant()
    def it_upgrades_from_polling_only(self):
        if isinstance(self.session._state, Upgrading):
            assert self.session.frames is None
            assert self.session._state.probe.frames.wire.is_open

    @invariant()
    def only_a_websocket_is_closing(self):
        if self.session._state is CLOSING:
            assert self.session.frames.closing

    @invariant()
    def at_the_end_nobody_waits_and_nothing_is_open(self):
        if self.session._state is CLOSED:
            gevent.sleep(0)
            assert not getattr(self.session._carrier, "is_polled", False)
            assert self.session.send("late") == 0
            assert all(not wire.is_open or wire.close() is not None for wire in self.wires)


Sessions.TestCase.settings = settings(stateful_step_count=25, deadline=None)
TestSessionsTakeOnlyTheWaysOfTheTable = Sessions.TestCase


def test_every_way_of_the_table_is_taken_by_some_session(node, client, monkeypatch):
    taken = set()

    def noted(state, new):
        taken.add((type(state), type(new)))
        return following(state, new)

    monkeypatch.setattr("realtime_wall.transports.engineio.session.following", noted)

    def polling(*offers):
        session = EngineSession(node, "")
        session.begin(client)
        for arrived in offers:
            session.offer(RecordingWire(), b"".join(masked(TEXT, text) for text in arrived))
        return session

    polling().end("while open")
    polling([], ["x"]).end("after a second attempt failed")
    polling(["2probe"]).end("while it upgrades")
    upgraded = polling(["2probe", "5"])
    upgraded.close(1012, "we stop")
    upgraded.abort("no answer")

    assert taken == {(state, new) for state, after in TRANSITIONS.items() for new in after}
