from time import monotonic

import pytest

from realtime_wall import signals
from realtime_wall.transports.socketio.socketio_client import PATIENCE
from tests.transports.socketio.client import Visitor, connect


def test_only_registered_namespaces_can_be_connected_to_and_a_flood_of_others_leaves_nothing(node):
    visitor = Visitor(node)

    answers = visitor.ask(*(f"0/n{number}," for number in range(1000)))

    assert len(answers) == 1000
    assert answers[7] == '4/n7,{"message":"Invalid namespace"}'
    assert visitor.client._namespaces == {}
    assert visitor.client._left == frozenset()
    assert visitor.client.deadline is not None


@pytest.mark.parametrize(
    "texts",
    [
        ["0", "0"],
        ['2["event first"]'],
        ['2/admin,["not there"]'],
        ["0", "4{}"],
        ["0", "x"],
        ["0", "2{}"],
        ["0", '2["disconnect"]'],
        ["0", '2[{"__proto__":1}]'],
        ["0", b"unannounced"],
        ["0", '51-["a",{"_placeholder":true,"num":0}]', '2["text between"]'],
        ["0", '51-["a",{"_placeholder":true,"num":1}]'],
        ["0", '51-["a",{"_placeholder":true,"num":"0"}]'],
        ["0", '52-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]'],
        ["0", '5999999-["a"]'],
        ["0", '2["' + "[" * 20 + '"', "2[" + "[" * 20 + "]" * 21],
        ["0", "2" + "9" * 5000 + '["a"]'],
    ],
)
def test_what_breaks_the_protocol_ends_that_client_only(node, texts):
    connect(signals.socket_client_event_by_type["alive?"], lambda *_, **__: "yes")
    other, visitor = Visitor(node).connect(), Visitor(node)

    visitor.say(*texts)
    visitor.settle()

    assert visitor.wire.close().code == 1002
    assert not visitor.session.is_open
    assert other.ask('21["alive?"]') == ['31["yes"]']


def test_who_says_no_namespace_or_sends_no_attachments_is_cut_off_in_time(node):
    visitor, now = Visitor(node), monotonic()
    assert visitor.client.deadline == pytest.approx(now + PATIENCE, abs=1)
    visitor.connect()
    assert visitor.client.deadline is None

    visitor.say('51-["a",{"_placeholder":true,"num":0}]')
    assert visitor.client.deadline == pytest.approx(now + PATIENCE, abs=1)
    visitor.session.tick(now + PATIENCE + 1)
    assert not visitor.session.is_open


def test_attachments_that_come_lift_the_deadline(node, visitor):
    visitor.say('51-["a",{"_placeholder":true,"num":0}]', b"here")

    assert visitor.client.deadline is None
    visitor.session.tick(monotonic() + PATIENCE + 1)
    assert visitor.session.is_open


def test_to_disconnect_ends_the_namespace_and_nothing_else(node, happened):
    connect(signals.socket_client_event_by_type["alive?"], lambda *_, **__: "yes")
    visitor = Visitor(node).connect()
    visitor.ask("0/admin,")

    visitor.socket.disconnect()
    visitor.settle()

    assert visitor.told()[-1] == "1"
    assert happened == ["connected", "connected", "disconnected", "finished"]
    assert visitor.session.is_open
    # What was on its way is no fault of the client.
    assert visitor.ask('2["on its way"]', '2/admin,5["alive?"]') == ['3/admin,5["yes"]']


def test_a_client_that_left_everything_has_to_come_again_or_go(node, visitor):
    visitor.ask("1")

    assert visitor.client.deadline == pytest.approx(monotonic() + PATIENCE, abs=1)
    assert visitor.ask("0")[0].startswith('0{"sid"')
    assert visitor.client.deadline is None


def test_reading_goes_on_when_all_namespaces_have_caught_up(node, visitor):
    visitor.ask("0/admin,")
    one, two = (namespace.session.inbox for namespace in visitor.client._namespaces.values())
    one.paused = two.paused = True
    visitor.wire.pause()

    one.paused = False
    visitor.session.resume()
    assert visitor.wire.paused
    two.paused = False
    visitor.session.resume()
    assert not visitor.wire.paused


def test_each_thing_that_is_owed_has_a_time_of_its_own(node, visitor, monkeypatch):
    later = monotonic() + 1000
    monkeypatch.setattr("realtime_wall.transports.socketio.socketio_client.monotonic", lambda: later)

    visitor.say('51-["a",{"_placeholder":true,"num":0}]')
    assert visitor.client.deadline == later + PATIENCE

    visitor.say(b"here")
    later += 1000
    visitor.ask("1")
    assert visitor.client.deadline == later + PATIENCE
