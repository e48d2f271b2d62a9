"""Who is on a channel, as Socket.IO's clients are told."""

import json

import pytest

from realtime_wall import signals
from realtime_wall.transports.engineio.session import sessions
from tests.fakes import running_node
from tests.live import wait_for
from tests.transports.socketio.client import Visitor, connect


def who(socket, channel):
    return {"id": socket.auth.get("name", "nobody")}


@pytest.fixture
def node():
    with running_node(channels={"*": {"PRESENCE": who}}, presence_grace=30.0) as node:
        yield node
        for session in list(sessions.values()):
            session.end("the test is over")
        assert node.pool.wait_until_idle(10)


def lists(visitor):
    return [[one["id"] for one in event[1]["people"]] for event in visitor.events() if event[0] == "presence"]


def joined(visitor):
    return [event[1]["person"]["id"] for event in visitor.events() if event[0] == "joined"]


def test_who_subscribes_is_told_behind_the_answer(node):
    ada, bob = Visitor(node).connect(name="ada"), Visitor(node).connect(name="bob")
    ada.say('21["subscribe","room"]')
    wait_for(lambda: lists(ada) == [["ada"]])
    bob.say('21["subscribe","room"]')
    wait_for(lambda: lists(bob) == [["ada", "bob"]])

    wait_for(lambda: joined(ada) == ["ada", "bob"])
    told = bob.told()
    answer = next(one for one in told if one.startswith("31"))
    assert json.loads(answer[2:])[0]["channel"] == "room"
    assert told.index(answer) < next(i for i, one in enumerate(told) if '"presence"' in one)


def test_who_is_subscribed_when_it_connects_is_told_after_its_welcome(node):
    connect(signals.socket_connected, lambda sender, **_: sender.subscribe("room"))

    ada = Visitor(node).connect(name="ada")

    wait_for(lambda: lists(ada) == [["ada"]])


def test_who_comes_back_is_told_again_and_had_not_left(node):
    ada, bob = Visitor(node).connect(name="ada"), Visitor(node).connect(name="bob")
    for visitor in (ada, bob):
        visitor.say('21["subscribe","room"]')
        wait_for(lambda visitor=visitor: lists(visitor))
    wait_for(lambda: joined(ada) == ["ada", "bob"])
    ada.wire.abort("reset")
    ada.settle()

    again = Visitor(node).connect(name="ada", pid=ada.answer["pid"], offset=ada.offset)

    wait_for(lambda: lists(again) == [["ada", "bob"]])
    assert again.answer["sid"] == ada.answer["sid"]
    Visitor(node).connect(name="eve").say('21["subscribe","room"]')
    wait_for(lambda: joined(bob)[-1:] == ["eve"])
    assert [event[0] for event in bob.events() if event[0] in ("joined", "left")][-1] == "joined"
    assert "left" not in str(bob.events())
