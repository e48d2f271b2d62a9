import json

import gevent
import pytest

from realtime_wall import api, signals
from realtime_wall.errors import Refuse
from realtime_wall.sockets.client_session import session_of
from realtime_wall.sockets.delivery.backlog import PORTION
from tests.fakes import running_node
from tests.live import wait_for
from tests.transports.socketio.client import Visitor, connect


def test_what_connect_receivers_send_comes_after_the_welcome_and_in_order(node):
    def greet(sender, **_):
        sender.emit("one")
        sender.send("two")
        sender.emit("three", b"bytes")

    connect(signals.socket_connected, greet)

    visitor = Visitor(node).connect()

    assert [one[:9] for one in visitor.greeted] == ['2["one","', '2["messag', '51-["thre', b"bytes"]


def test_what_is_published_before_the_welcome_follows_it_once(node):
    def join(sender, **_):
        sender.subscribe("room")
        api.publish("room", 1, event="news")
        api.broadcast_emit("news", 2)
        gevent.sleep(0.01)  # it is on its way
        api.publish("room", 3, event="news")

    connect(signals.socket_connected, join)

    visitor = Visitor(node).connect()

    wait_for(lambda: len(visitor.events()) == 3, "the news")
    assert visitor.events() == [["news", 1], ["news", 2], ["news", 3]]


def test_a_channel_that_was_left_again_before_the_welcome_is_not_heard(node):
    def change_mind(sender, **_):
        sender.subscribe("room")
        api.publish("room", 1)
        sender.unsubscribe("room")

    connect(signals.socket_connected, change_mind)

    assert Visitor(node).connect().greeted == []
    assert node.subscriptions.snapshot("room") == ()


def test_a_client_that_comes_back_goes_on_with_its_visit(node, visitor, happened):
    visitor.socket.subscribe("room")
    visitor.socket.context["n"] = visitor.socket.session["m"] = 1
    visitor.wire.abort("reset")
    recovered = []
    connect(signals.socket_connected, lambda sender, **_: recovered.append(sender.recovered))

    again = visitor.come_back()

    assert again.answer == visitor.answer
    assert again.socket.channels == ("room",)
    assert (again.socket.context, dict(again.socket.session)) == ({"n": 1}, {"m": 1})
    assert recovered == [True]
    assert happened == ["disconnected", "connected"]


def test_what_it_missed_comes_once_in_the_order_of_the_log(node, visitor):
    for channel in ("one", "two"):
        visitor.socket.subscribe(channel)
    api.publish("one", 0, event="news")
    wait_for(visitor.events, "the first")
    visitor.wire.abort("reset")
    api.publish("two", 1, event="news")
    api.publish("elsewhere", "x", event="news")
    api.publish("one", 2, event="news")

    again = visitor.come_back()
    assert again.events() == [["news", 1], ["news", 2]]
    assert again.come_back().events() == []


def test_the_old_connection_of_a_client_that_came_back_is_ended_first(node, visitor, happened):
    again = visitor.come_back()

    assert visitor.wire.ended == "the client came back"
    assert happened == ["disconnected", "connected"]
    assert again.answer == visitor.answer


def test_its_receivers_finish_with_the_old_connection_before_they_hear_the_new_one(node, visitor):
    order = []
    gate = gevent.event.Event()
    connect(signals.socket_client_message, lambda *_, **__: (gate.wait(10), order.append("old")))
    connect(signals.socket_disconnected, lambda *_, **__: order.append("disconnected"))
    connect(signals.socket_connected, lambda *_, **__: order.append("connected"))
    visitor.say('2["message"]')
    pid, offset = visitor.answer["pid"], visitor.offset
    visitor.wire.abort("reset")

    again = Visitor(node)
    again.say("0" + json.dumps({"pid": pid, "offset": offset}))
    gate.set()
    again.settle()

    assert order == ["old", "disconnected", "connected"]


@pytest.mark.threat("S35")
def test_a_receiver_may_refuse_a_channel_to_who_comes_back(node, visitor):
    visitor.socket.subscribe("room")
    visitor.wire.abort("reset")
    api.publish("room", "secret")
    connect(signals.socket_subscribed, lambda *_, **__: False)

    again = visitor.come_back()

    assert (again.socket.channels, again.events()) == ((), [])


def test_or_refuse_the_client_whose_visit_is_then_over(node, visitor, happened):
    visitor.wire.abort("reset")

    def refuse(*_, **__):
        raise Refuse("blocked")

    connect(signals.socket_connected, refuse)

    again = Visitor(node)
    assert again.ask("0" + json.dumps({"pid": visitor.answer["pid"], "offset": visitor.offset})) == [
        '4{"message":"blocked"}'
    ]
    assert happened == ["disconnected", "connected", "disconnected", "finished"]
    assert node.detached_sessions._detached == {}


def test_a_visit_keeps_its_channels_when_its_return_is_cut_off_too(node, visitor):
    visitor.socket.subscribe("room")
    pid, offset = visitor.answer["pid"], visitor.offset
    visitor.wire.abort("reset")
    second = Visitor(node)

    def cut(*_, **__):
        second.wire.abort("reset")

    signals.socket_connected.connect(cut)
    second.say("0" + json.dumps({"pid": pid, "offset": offset}))
    second.settle()
    signals.socket_connected.disconnect(cut)
    api.publish("room", 1, event="news")

    third = Visitor(node).connect(pid=pid, offset=offset)

    assert third.answer == visitor.answer
    assert third.socket.channels == ("room",)
    assert third.events() == [["news", 1]]


def test_what_was_published_while_a_return_was_not_welcomed_yet_is_not_lost_with_it(node, visitor):
    visitor.socket.subscribe("room")
    pid, offset = visitor.answer["pid"], visitor.offset
    visitor.wire.abort("reset")
    second = Visitor(node)

    def publish_and_cut(*_, **__):
        api.publish("room", 1, event="news")
        gevent.sleep(0.01)  # delivered
        second.wire.abort("reset")

    signals.socket_connected.connect(publish_and_cut)
    second.say("0" + json.dumps({"pid": pid, "offset": offset}))
    second.settle()
    signals.socket_connected.disconnect(publish_and_cut)

    assert Visitor(node).connect(pid=pid, offset=offset).events() == [["news", 1]]


@pytest.mark.parametrize("writes", [1, 2, 3, 4])
def test_nor_when_it_is_cut_in_the_middle_of_its_welcome(node, visitor, writes):
    visitor.socket.subscribe("room")
    visitor.wire.abort("reset")
    api.publish("room", 1, event="news")
    second = Visitor(node)
    write = second.wire.write
    left = iter(range(writes - 1))
    second.wire.write = lambda data: (
        write(data) if next(left, None) is not None else second.wire.abort("reset")
    )

    second.say("0" + json.dumps({"pid": visitor.answer["pid"], "offset": visitor.offset}))
    second.settle()
    heard = second.events()
    offset = second.offset if writes > 2 else visitor.offset

    third = Visitor(node).connect(pid=visitor.answer["pid"], offset=offset)
    assert third.answer == visitor.answer
    assert heard + third.events() == [["news", 1]]


def test_what_still_waited_to_be_written_when_the_connection_was_lost_is_not_lost(node, visitor):
    visitor.socket.subscribe("room")
    visitor.wire.abort("reset")
    for number in range(3):
        api.publish("room", f"{number}{'x' * PORTION}", event="news")
    again = Visitor(node)
    again.wire.outbox_size = 1  # it reads nothing
    again.connect(pid=visitor.answer["pid"], offset=visitor.offset)
    api.publish("room", "3", event="news")
    gevent.sleep(0.01)  # delivered
    assert again.events() == []

    again.wire.abort("reset")
    third = again.come_back()
    third.settle()

    assert [event[1][0] for event in third.events()] == ["0", "1", "2", "3"]


def test_who_was_never_welcomed_has_nothing_to_come_back_to(node, happened):
    visitor = Visitor(node)
    connect(signals.socket_connected, lambda *_, **__: visitor.wire.abort("reset"))

    visitor.say("0")
    visitor.settle()

    assert happened == ["connected", "disconnected", "finished"]
    assert (node.detached_sessions._detached, node.detached_sessions._attached) == ({}, {})


@pytest.mark.parametrize(
    "auth",
    [
        {"pid": "wrong", "offset": "{offset}"},
        {"pid": "{pid}", "offset": "nonsense"},
        {"pid": "{pid}", "offset": "epoch:1"},
        {"pid": "{pid}", "offset": 5},
        {"pid": ["{pid}"], "offset": "{offset}"},
        {"pid": "{pid}", "offset": ["{offset}"]},
    ],
    ids=str,
)
def test_with_anything_else_a_client_is_somebody_new(node, visitor, auth):
    visitor.socket.emit("event")
    known = {"{pid}": visitor.answer["pid"], "{offset}": visitor.offset}
    visitor.wire.abort("reset")

    again = Visitor(node).connect(**{key: known.get(str(value), value) for key, value in auth.items()})

    assert again.answer["pid"] != visitor.answer["pid"]
    assert again.answer["sid"] != visitor.answer["sid"]
    assert again.socket.recovered is False


@pytest.mark.threat("S35")
def test_a_visit_belongs_to_its_namespace_and_its_visitor(node):
    visitor = Visitor(node, owner="cookie").connect()
    pid, offset, id = visitor.answer["pid"], visitor.offset, visitor.answer["sid"]

    stranger = Visitor(node, owner="other").connect(pid=pid, offset=offset)
    assert stranger.answer["sid"] != id
    assert visitor.wire.is_open

    elsewhere = Visitor(node, owner="cookie").connect("/admin,", pid=pid, offset=offset)
    assert elsewhere.answer["sid"] != id


def test_who_comes_back_while_the_log_is_cut_is_cut_off_and_then_somebody_new(visitor, happened):
    with running_node(history_size=2) as node:
        first = Visitor(node).connect()
        first.socket.subscribe("room")
        first.wire.abort("reset")
        signals.socket_connected.connect(flood := lambda *_, **__: [api.publish("room", n) for n in range(5)])

        again = Visitor(node)
        assert again.ask("0" + json.dumps({"pid": first.answer["pid"], "offset": first.offset})) == []
        assert again.wire.ended == "what it missed is not kept any more"
        assert happened[-3:] == ["connected", "disconnected", "finished"]
        signals.socket_connected.disconnect(flood)

        third = first.come_back()
        assert third.answer["pid"] != first.answer["pid"]
        assert (third.socket.recovered, third.socket.channels) == (False, ())
        third.wire.abort("reset")
        third.settle()


def test_in_quiet_channels_a_client_missed_nothing_however_much_the_log_forgot():
    with running_node(history_channels=1) as node:
        visitor = Visitor(node).connect()
        for channel in "abc":
            api.publish(channel, 1)
        gevent.sleep(0.01)  # delivered
        visitor.wire.abort("reset")

        again = visitor.come_back()

        assert again.answer == visitor.answer
        again.wire.abort("reset")
        again.settle()


def test_what_was_on_its_way_when_the_connection_was_lost_is_not_lost(node, visitor):
    visitor.socket.subscribe("room")
    api.publish("room", 1, event="news")
    visitor.wire.abort("reset")

    assert visitor.come_back().events() == [["news", 1]]


def test_who_was_told_to_leave_is_not_remembered(node, visitor):
    visitor.socket.disconnect()

    assert (node.detached_sessions._attached, node.detached_sessions._detached) == ({}, {})


def test_a_client_whose_receivers_are_behind_is_not_read_from_when_it_comes_back(visitor):
    session_of(visitor.socket).inbox.paused = True
    pid, offset = visitor.answer["pid"], visitor.offset
    visitor.wire.abort("reset")
    again = Visitor(visitor.node)
    pauses = []
    again.wire.pause = lambda: pauses.append(1)

    again.connect(pid=pid, offset=offset)

    assert pauses == [1]


def test_what_connect_receivers_send_is_no_part_of_the_welcome(node, monkeypatch):
    monkeypatch.setattr("realtime_wall.transports.socketio.namespace.WELCOME_PAUSE", 0.3)
    connect(signals.socket_connected, lambda sender, **_: sender.emit("hello"))
    visitor = Visitor(node)

    visitor.say("0")
    wait_for(visitor.told, "the welcome")

    assert len(visitor.told()) == 1
    visitor.settle()
    assert visitor.events() == [["hello"]]


def test_a_volatile_broadcast_is_left_out_for_who_is_not_welcomed_yet(node):
    hold = gevent.event.Event()
    connect(signals.socket_connected, lambda *_, **__: hold.wait(10))
    visitor = Visitor(node)
    visitor.say("0")

    receipt = api.broadcast_emit("moved", 1, volatile=True)

    assert (receipt.sockets, receipt.dropped) == (0, 1)
    hold.set()
    visitor.settle()
    assert visitor.events() == []


def test_what_was_written_while_others_still_waited_for_it_is_not_told_again(node, visitor, monkeypatch):
    visitor.socket.subscribe("room")
    before = node.broker.top
    api.publish("room", 1, event="news")
    gevent.sleep(0.01)  # delivered
    assert visitor.events() == [["news", 1]]
    with monkeypatch.context() as patch:
        patch.setattr(node, "delivered_position", lambda: before)  # so far all of its audience has come
        visitor.wire.abort("reset")
    api.publish("room", 2, event="news")

    assert visitor.come_back().events() == [["news", 2]]
