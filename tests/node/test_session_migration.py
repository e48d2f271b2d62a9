"""A client that comes back to another server than the one that it was cut off from."""

import json

import gevent
import pytest

from realtime_wall import api, signals
from realtime_wall.node import session_migration
from realtime_wall.sockets.recovery import detached_sessions
from realtime_wall.sockets.registry import connected_sockets
from realtime_wall.transports.engineio.session import sessions
from tests.fakes import no_receivers
from tests.live import wait_for
from tests.neighbours import running_nodes
from tests.transports.socketio.client import Visitor, connect


@pytest.fixture(autouse=True)
def own_receivers():
    with no_receivers():
        yield


@pytest.fixture
def nodes():
    with running_nodes(3, namespaces=["/", "/admin"]) as nodes:
        yield nodes
        for session in list(sessions.values()):
            session.end("the test is over")


@pytest.fixture
def happened():
    happened = []
    for name in ("socket_connected", "socket_disconnected", "socket_finished"):
        getattr(signals, name).connect(
            lambda sender, name=name, **_: happened.append((name.partition("_")[2], sender.id)), weak=False
        )
    return happened


def come_back(visitor, node, owner="", namespace=""):
    """The same client at another server; when it was welcomed."""
    again = Visitor(node, owner)
    auth = {"pid": visitor.answer["pid"], "offset": visitor.offset}
    again.say(f"0{namespace}{json.dumps(auth)}")
    return welcomed(again)


def welcomed(visitor):
    wait_for(visitor.told, "the welcome")
    visitor.settle()
    answer = visitor.told()[0]
    visitor.answer = json.loads(answer[answer.index("{") :])
    return visitor


def parked_at(nodes):
    return [len(node.detached_sessions.all()) for node in nodes]


def wait_until_forgotten(node):
    """It was told that the visit has come, and has nothing left of it."""
    wait_for(
        lambda: not node.detached_sessions._migrating and not node.detached_sessions.all(),
        "the word that it has come",
    )


def test_its_visit_goes_on_there(nodes, happened):
    one, two, _ = nodes
    visitor = Visitor(one).connect()
    id = visitor.socket.id
    visitor.socket.subscribe("room")
    visitor.socket.context.update(n=[1, {"a": None}])
    visitor.socket.session["m"] = "ü"
    visitor.wire.abort("reset")
    recovered = []
    connect(signals.socket_connected, lambda sender, **_: recovered.append(sender.recovered))

    again = come_back(visitor, two)

    assert again.answer == visitor.answer
    assert again.socket.channels == ("room",)
    assert (again.socket.context, dict(again.socket.session)) == ({"n": [1, {"a": None}]}, {"m": "ü"})
    assert again.socket.request is again.client.request
    assert recovered == [True]
    assert happened == [("connected", id), ("disconnected", id), ("connected", id)]
    wait_until_forgotten(one)


def test_and_on_and_back_wherever_its_client_comes(nodes, happened):
    visitor = Visitor(nodes[0]).connect()
    visitor.socket.subscribe("room")
    for number, node in enumerate([nodes[1], nodes[2], nodes[0], nodes[0], nodes[2]]):
        visitor.wire.abort("reset")
        api.publish("room", number, event="news")
        again = come_back(visitor, node)
        assert again.answer == visitor.answer
        assert again.events() == [["news", number]]
        visitor = again

    visitor.socket.disconnect()
    visitor.settle()
    assert [name for name, _ in happened].count("finished") == 1
    for node in nodes:
        wait_until_forgotten(node)


def test_what_was_missed_comes_once_in_the_order_of_the_log(nodes):
    visitor = Visitor(nodes[0]).connect()
    for channel in ("one", "two"):
        visitor.socket.subscribe(channel)
    visitor.wire.abort("reset")
    for number in range(6):
        api.publish(("one", "two", "elsewhere")[number % 3], number, event="news")

    again = come_back(visitor, nodes[1])

    assert again.events() == [["news", number] for number in (0, 1, 3, 4)]


def test_a_connection_that_looks_alive_at_the_other_server_is_ended_first(nodes, happened):
    visitor = Visitor(nodes[0]).connect()

    again = come_back(visitor, nodes[1])

    assert visitor.wire.ended == "the client came back"
    assert [name for name, _ in happened] == ["connected", "disconnected", "connected"]
    assert connected_sockets.get(again.answer["sid"]) is again.socket


def test_receivers_finish_with_the_old_connection_before_they_hear_the_new_one(nodes):
    order = []
    gate = gevent.event.Event()
    connect(signals.socket_client_message, lambda *_, **__: (gate.wait(10), order.append("old")))
    connect(signals.socket_disconnected, lambda sender, **_: order.append("disconnected"))
    connect(signals.socket_connected, lambda sender, **_: order.append(sender.context.get("n", "new")))
    visitor = Visitor(nodes[0]).connect()
    connect(signals.socket_disconnected, lambda sender, **_: sender.context.update(n="changed"))
    visitor.say('2["message"]')
    again = Visitor(nodes[1])

    again.say("0" + json.dumps({"pid": visitor.answer["pid"], "offset": visitor.offset}))
    gevent.spawn(gate.set)

    welcomed(again)
    assert order == ["new", "old", "disconnected", "changed"]


def test_but_it_does_not_wait_for_them_for_long(nodes, monkeypatch):
    monkeypatch.setattr(session_migration, "FINISHING", 0.05)
    gate = gevent.event.Event()
    connect(signals.socket_client_message, lambda *_, **__: gate.wait(10))
    visitor = Visitor(nodes[0]).connect()
    visitor.say('2["message"]')

    assert come_back(visitor, nodes[1]).answer == visitor.answer

    gate.set()


@pytest.mark.parametrize(
    "kept",
    [{1: "an int"}, {"a": (1, 2)}, {"a": {1}}, {"a": float("nan")}, {"a": {1, 2}}, {"a": b""}],
    ids=repr,
)
def test_what_is_no_json_stays_behind(nodes, caplog, kept):
    caplog.set_level("INFO", "realtime_wall")
    visitor = Visitor(nodes[0]).connect()
    visitor.socket.context.update(kept)
    visitor.socket.session["m"] = 1
    visitor.wire.abort("reset")

    again = come_back(visitor, nodes[1])

    assert (again.socket.context, dict(again.socket.session)) == ({}, {"m": 1})
    assert "is resumed at another server without its context" in caplog.text


def test_nor_does_what_is_too_large(nodes):
    visitor = Visitor(nodes[0]).connect()
    visitor.socket.context["a"] = "x" * nodes[0].config.message_size
    visitor.wire.abort("reset")

    assert come_back(visitor, nodes[1]).socket.context == {}


def test_a_channel_that_the_client_asked_for_is_asked_about_again_with_its_token(nodes, monkeypatch):
    asked = []
    visitor = Visitor(nodes[0]).connect()
    visitor.ask('21["subscribe","room",null,"token"]')
    assert visitor.socket.channels == ("room",)
    visitor.wire.abort("reset")
    monkeypatch.setattr(
        "realtime_wall.auth.channel_permissions.may_read",
        lambda rule, request, channel, token: asked.append((request, channel, token)),
    )

    again = come_back(visitor, nodes[1])

    assert again.socket.channels == ()
    assert asked == [(again.client.request, "room", "token")]


def test_a_server_that_is_behind_comes_up_to_what_its_client_has_heard(nodes):
    one, two, _ = nodes
    visitor = Visitor(one).connect()
    visitor.socket.subscribe("room")
    two.broker.link.hold()
    api.publish("room", 1, event="news")
    wait_for(visitor.events, "the news")
    again = Visitor(two)

    again.say("0" + json.dumps({"pid": visitor.answer["pid"], "offset": visitor.offset}))
    wait_for(lambda: two.broker._waiting, "somebody who waits for it")
    two.broker.link.release()

    welcomed(again)
    assert again.answer == visitor.answer
    assert again.events() == []


def test_one_that_does_not_come_up_to_it_takes_the_client_for_somebody_new(nodes, happened, monkeypatch):
    monkeypatch.setattr("realtime_wall.node.node.BEHIND", 0.05)
    visitor = Visitor(nodes[0]).connect()
    nodes[1].broker.link.hold()
    api.broadcast_emit("news", 1)
    wait_for(visitor.events, "the news")

    again = come_back(visitor, nodes[1])

    assert again.answer["pid"] != visitor.answer["pid"]
    assert ("finished", visitor.answer["sid"]) in happened
    nodes[1].broker.link.release()


# Who may


def test_nobody_else_gets_it_or_cuts_it_off(nodes):
    visitor = Visitor(nodes[0], owner="cookie").connect()

    thief = come_back(visitor, nodes[1], owner="other")

    assert thief.answer["sid"] != visitor.answer["sid"]
    assert visitor.wire.is_open
    assert come_back(visitor, nodes[1], owner="cookie").answer == visitor.answer


def test_it_belongs_to_its_namespace(nodes, happened):
    visitor = Visitor(nodes[0]).connect()

    again = come_back(visitor, nodes[1], namespace="/admin,")

    assert again.answer["sid"] != visitor.answer["sid"]
    assert [name for name, _ in happened].count("finished") == 1


def test_no_other_server_is_asked_about_what_is_no_secret_of_ours(nodes):
    for secret in ("", "nonsense", "a.b", "x" * 5000):
        Visitor(nodes[1]).connect(pid=secret, offset="e:1")

    assert [one.broker.link.envelopes for one in nodes[1:]] == [[], []]


def test_a_server_that_has_the_visit_asks_nobody(nodes):
    visitor = Visitor(nodes[1]).connect()
    visitor.wire.abort("reset")

    assert come_back(visitor, nodes[1]).answer == visitor.answer
    assert [one.broker.link.envelopes for one in nodes[1:]] == [[], []]


# What goes wrong


def test_a_visit_that_nobody_has_any_more_is_not_recovered(nodes):
    visitor = Visitor(nodes[0]).connect()
    visitor.socket.disconnect()

    assert come_back(visitor, nodes[1]).answer["pid"] != visitor.answer["pid"]


def test_a_server_that_does_not_answer_is_not_waited_for(nodes, monkeypatch):
    monkeypatch.setattr(session_migration, "PATIENCE", 0.05)
    visitor = Visitor(nodes[1]).connect()
    nodes[1].broker.link.deaf = True

    again = come_back(visitor, nodes[2])

    assert again.answer["pid"] != visitor.answer["pid"]


def test_one_that_gives_rubbish_is_not_believed(nodes, caplog):
    visitor = Visitor(nodes[1]).connect()
    for rubbish in (
        {},
        [],
        "x",
        {"id": 1},
        {**GOOD, "cursor": "nonsense"},
        {**GOOD, "context": 5},
        {**GOOD, "welcome": 5},
    ):
        nodes[1].handlers.add(session_migration.GiveSession, lambda request, rubbish=rubbish: rubbish)
        again = come_back(visitor, nodes[2])
        assert again.answer["pid"] != visitor.answer["pid"]

    assert caplog.text.count("is no session") == 7


GOOD = {
    "id": "x",
    "namespace": "/",
    "channels": [],
    "requested": {},
    "welcome": ["e:1", None],
    "cursor": "e:1",
    "complete": "e:1",
    "acks": [0, 0, None],
    "session": {},
    "context": {},
}


def test_a_failure_here_leaves_the_client_with_a_visit_of_its_own(nodes, caplog, monkeypatch):
    visitor = Visitor(nodes[0]).connect()
    monkeypatch.setattr(session_migration, "fetch", lambda *_: 1 / 0)

    assert come_back(visitor, nodes[1]).answer["pid"] != visitor.answer["pid"]
    assert "its earlier session was not found" in caplog.text


def test_a_visit_whose_taker_is_never_heard_of_again_ends_where_it_was(nodes, happened, monkeypatch):
    monkeypatch.setattr(detached_sessions, "MIGRATION_TIMEOUT", 0.01)
    visitor = Visitor(nodes[0]).connect()
    request = session_migration.GiveSession(secret=visitor.answer["pid"], owner="")

    (given,) = nodes[1].ask_servers([nodes[0].address], request, 5.0).values()

    assert given["id"] == visitor.answer["sid"]
    wait_for(lambda: ("finished", given["id"]) in happened, "its end")
    assert nodes[0].detached_sessions._migrating == {}
    assert nodes[1].ask_servers([nodes[0].address], request, 5.0) == {nodes[0].address: None}


def test_a_client_that_does_not_wait_for_its_visit_finds_it_at_the_next_server(nodes, happened):
    visitor = Visitor(nodes[0]).connect()
    second = Visitor(nodes[1])
    second.say("0" + json.dumps({"pid": visitor.answer["pid"], "offset": visitor.offset}))
    second.wire.abort("reset")
    wait_for(lambda: parked_at(nodes) == [0, 1, 0], "the visit at the second")

    third = come_back(visitor, nodes[2])

    assert third.answer == visitor.answer
    assert [name for name, _ in happened] == ["connected", "disconnected", "connected"]


def test_what_a_client_says_meanwhile_waits_and_is_heard_in_order(nodes):
    heard = []
    connect(signals.socket_client_message, lambda *_, message, **__: heard.append(message))
    visitor = Visitor(nodes[0]).connect()
    again = Visitor(nodes[1])
    back = "0" + json.dumps({"pid": visitor.answer["pid"], "offset": visitor.offset})

    again.say(back, '2["message",1]', '2["message",2]')
    assert again.wire.paused
    assert again.session.is_busy()  # a polling client's POST waits
    again.say('2["message",3]')
    welcomed(again)

    assert heard == [1, 2, 3]
    assert not again.wire.paused


@pytest.mark.parametrize("nonsense", ["0", "2", '4{"message":"no"}'])
def test_nonsense_that_a_client_says_meanwhile_ends_its_session(nodes, nonsense):
    visitor = Visitor(nodes[0]).connect()
    again = Visitor(nodes[1])

    again.say("0" + json.dumps({"pid": visitor.answer["pid"], "offset": visitor.offset}), nonsense)
    wait_for(lambda: again.wire.close(), "the end")

    assert again.wire.close().code == 1002
    wait_for(lambda: sum(parked_at(nodes)) == 1, "its visit")


def test_a_server_that_ends_finishes_what_it_has_given_away_and_nobody_has_taken(nodes, happened):
    visitor = Visitor(nodes[0]).connect()
    nodes[0].detached_sessions.migrate(visitor.answer["pid"], "")

    nodes[0].detached_sessions.close()
    visitor.settle()

    assert [name for name, _ in happened].count("finished") == 1
