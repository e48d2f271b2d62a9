import gc

import gevent

from realtime_wall import signals
from realtime_wall.protocol.json_input import LARGE
from realtime_wall.protocol.websocket.frames import Close
from realtime_wall.sockets.budgets.account import PaidTurn
from realtime_wall.transports.websocket.plain_websocket import WebSocket
from realtime_wall.wire.connection import Wire
from realtime_wall.wire.turns import Turns
from tests.fakes import masked, text
from tests.live import wait_for
from tests.transports.websocket.client import CLOSE, PING, PONG, Visitor, connect

LARGE_EVENT = {"type": "a", "message": [{"n": number} for number in range(20_000)], "id": 1}


def heard_events(name="a"):
    heard = []
    connect(signals.socket_client_event_by_type[name], lambda *_, event, **__: heard.append(event.data))
    return heard


def test_while_a_large_message_is_read_others_have_their_turns(visitor, monkeypatch):
    heard, turns = heard_events(), []
    wait = Wire.turns.wait
    monkeypatch.setattr(Wire.turns, "wait", lambda: (turns.append(1), wait()))

    visitor.say(LARGE_EVENT)
    assert visitor.wire.paused
    wait_for(lambda: heard)
    visitor.settle()

    assert heard == [LARGE_EVENT["message"]]
    assert len(turns) > 50
    assert not visitor.wire.paused


def test_large_messages_are_read_one_after_the_other_without_the_garbage_collector(visitor, monkeypatch):
    heard, turns = heard_events(), []

    def note(turn):
        turns.append((turn._account, gc.isenabled()))
        gevent.sleep(0)

    monkeypatch.setattr(PaidTurn, "__call__", note)
    other = Visitor(visitor.node).begin()
    for one in (visitor, other):
        one.say(LARGE_EVENT)
    wait_for(lambda: len(heard) == 2)
    other.settle()

    half = len(turns) // 2
    assert half > 50
    assert turns == [(visitor.frames.account, False)] * half + [(other.frames.account, False)] * half


def test_what_follows_a_large_message_waits_for_it(visitor):
    heard = []
    connect(signals.socket_client_message, lambda *_, message, **__: heard.append(message))
    large = [{"type": "message", "message": {"n": number, "text": "x" * LARGE}} for number in range(2)]
    visitor.say(large[0], "small")
    visitor.wire.owner.received(text(large[1]) + masked(PING, b"?") + text("end"))
    wait_for(lambda: len(heard) == 4)
    wait_for(lambda: (PONG, b"?") in visitor.wire.frames())
    visitor.settle()

    assert [one if isinstance(one, str) else one["n"] for one in heard] == [0, "small", 1, "end"]


def test_a_large_message_of_a_client_that_is_gone_is_heard_by_nobody(visitor, monkeypatch):
    monkeypatch.setattr(Wire, "turns", Turns(-1.0))
    heard = heard_events()
    visitor.say(LARGE_EVENT, {"type": "a", "message": "small"})
    gevent.sleep(0)  # its reading has begun
    visitor.wire.abort("reset")
    other = Visitor(visitor.node).begin()
    other.say(LARGE_EVENT)
    wait_for(lambda: heard)
    other.settle()

    assert len(heard) == 1


def test_who_closes_behind_a_large_message_is_closed(visitor):
    visitor.say(LARGE_EVENT)
    visitor.wire.owner.received(masked(CLOSE, b"\x03\xe8"))

    wait_for(lambda: visitor.wire.ended)
    assert visitor.wire.close() == Close(1000, "")


def test_a_paused_client_is_not_read_from_because_a_large_message_was_read(node, visitor):
    gate = gevent.event.Event()
    connect(signals.socket_client_message, lambda *_, **__: gate.wait(10))
    visitor.say(LARGE_EVENT, *["more"] * (node.config.inbox_size + 2))
    wait_for(lambda: visitor.transport.session.inbox.paused)
    gevent.sleep(0.01)
    assert visitor.wire.paused

    gate.set()
    wait_for(lambda: not visitor.wire.paused)
    visitor.settle()


def test_a_fault_behind_a_large_message_cuts_off_nobody_else(visitor, monkeypatch, caplog):
    def fail(self, text):
        raise RuntimeError("ours")

    monkeypatch.setattr(WebSocket, "text", fail)
    visitor.say(LARGE_EVENT)
    wait_for(lambda: visitor.wire.ended)

    assert visitor.wire.ended == "failed here"
    assert "a client's message could not be handled" in caplog.text


def test_the_client_pays_for_the_time_that_its_message_takes_and_not_for_others_turns(visitor, monkeypatch):
    paid, heard = [], heard_events()
    account = visitor.frames.account

    def wait():
        paid.append(account.seconds)
        gevent.sleep(0.02)

    monkeypatch.setattr(Wire.turns, "wait", wait)

    visitor.say({**LARGE_EVENT, "message": LARGE_EVENT["message"][:3000]})
    wait_for(lambda: heard)

    assert len(paid) > 5
    assert paid == sorted(paid)
    assert 0 < paid[-1] < len(paid) * 0.02
