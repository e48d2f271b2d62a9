import json
from dataclasses import replace

import pytest
from django.test import RequestFactory

from realtime_wall import api, signals
from realtime_wall.channels.names import EVERYONE
from realtime_wall.errors import InvalidMessage, Refuse
from realtime_wall.node.fan_out.subscriber import Encoded, ListensOnly
from realtime_wall.sockets.client_session import session_of
from realtime_wall.sockets.delivery.backlog import PORTION
from realtime_wall.transports.engineio.session import EngineSession
from realtime_wall.transports.socketio.socketio_client import SocketIOClient
from realtime_wall.wire.connection import SENT
from tests.fakes import masked, running_node
from tests.live import wait_for
from tests.transports.socketio.client import TEXT, Visitor, connect


def test_the_session_it_came_with_is_watched(node, monkeypatch):
    arrived = []
    monkeypatch.setattr(node.revocation.sessions, "arrived", arrived.append)

    visitor = Visitor(node).connect()

    assert arrived == [visitor.socket.request]


def test_a_client_is_welcomed_with_its_id_and_a_secret_to_come_back_with(visitor):
    assert set(visitor.answer) == {"sid", "pid"}
    assert visitor.socket.id == visitor.answer["sid"]
    assert (visitor.greeted, visitor.offset) == ([], None)


@pytest.mark.parametrize(
    ("settings", "path"), [({"resume_timeout": 0}, "/socket.io/"), ({}, "/socket.io/?resume=0")]
)
def test_who_cannot_come_back_gets_no_secret_and_no_offsets(settings, path):
    with running_node(**settings) as node:
        visitor = Visitor(node, path=path).connect()
        visitor.socket.emit("a", 1)
        api.broadcast_emit("b", 2)

        assert set(visitor.answer) == {"sid"}
        assert visitor.told()[1:] == ['2["a",1]', '2["b",2]']
        visitor.wire.abort("reset")
        visitor.settle()


def test_auth_is_an_empty_dict_for_who_gave_none(node):
    assert Visitor(node).connect().socket.auth == {}
    assert Visitor(node).connect(token=1).socket.auth == {"token": 1}


def test_a_refused_client_gets_the_reason_and_nothing_that_was_sent_to_it(node, happened):
    def refuse(sender, **_):
        sender.emit("secret")
        raise Refuse({"code": 7})

    connect(signals.socket_connected, refuse)
    visitor = Visitor(node)

    assert visitor.ask("0", '2["still here"]') == ['4{"message":"refused","data":{"code":7}}']
    assert happened == ["connected", "disconnected", "finished"]
    assert node.subscriptions.snapshot(EVERYONE) == ()


def test_an_event_reaches_its_receivers_with_its_arguments_and_its_answer_the_client(visitor):
    connect(signals.socket_client_event_by_type["add"], lambda *_, event, **__: sum(event.args))

    assert visitor.ask('27["add",1,2]', '2["add",3]') == ["37[3]"]


def test_a_message_is_heard_as_a_message_and_as_an_event_of_that_name(visitor):
    heard = []
    connect(signals.socket_client_message, lambda *_, message, **__: heard.append(message))
    connect(signals.socket_client_event_by_type["message"], lambda *_, event, **__: heard.append(event.args))
    connect(signals.socket_client_event, lambda *_, event, **__: heard.append("not an event to all"))

    visitor.ask('2["message","a"]', '2["message",1,2]', '2["message"]')

    assert heard == ["a", ["a"], [1, 2], [1, 2], None, []]


def test_an_event_receiver_may_acknowledge_a_message(visitor):
    connect(signals.socket_client_event_by_type["message"], lambda *_, event, **__: event.ack(*event.args))

    assert visitor.ask('25["message",1,2]') == ["35[1,2]"]


def test_a_number_may_name_an_event(visitor):
    connect(signals.socket_client_event_by_type["7"], lambda *_, event, **__: event.args)

    assert visitor.ask('21[7,"a"]') == ['31[["a"]]']


@pytest.mark.parametrize("packet", ["399[1]", "3[1]", "3999999999999999[1]", "30[]"])
def test_an_answer_that_nobody_asked_for_is_ignored(visitor, packet):
    answers = []
    visitor.socket.emit("ready?", callback=answers.append)

    visitor.ask(packet)

    assert answers == []
    assert visitor.ask("31[2]", "31[3]") == []
    assert answers == [2]


def test_a_volatile_event_is_left_out_for_who_is_behind(visitor):
    visitor.socket.emit("a", volatile=True)
    visitor.wire.outbox_size = 1
    visitor.socket.emit("b", volatile=True)
    visitor.socket.emit("c")

    assert visitor.events() == [["a"], ["c"]]


def test_other_codes_let_the_client_come_back(visitor):
    visitor.socket.disconnect(1012, "restart")

    assert visitor.wire.close().code == 1012
    assert visitor.told()[-1] != "1"


def test_what_was_missed_is_told_as_fast_as_it_is_read_and_live_messages_behind_it(node, visitor):
    visitor.socket.subscribe("room")
    visitor.wire.abort("reset")
    for number in range(3):
        api.publish("room", f"{number}{'x' * PORTION}", event="news")
    again = Visitor(node)
    again.wire.outbox_size = 1

    again.connect(pid=visitor.answer["pid"], offset=visitor.offset)
    api.broadcast_emit("news", "live")
    assert again.events() == []
    again.wire.drain()

    assert [event[1][0] for event in again.events()] == ["0", "1", "2", "l"]


def test_a_polling_client_is_told_in_portions_too(node, visitor):
    visitor.socket.subscribe("room")
    offset = visitor.offset
    visitor.wire.abort("reset")
    for number in range(20):
        api.publish("room", f"{number}{'x' * PORTION}", event="news")
    session = EngineSession(node, "")
    session.begin(SocketIOClient(node, session, RequestFactory().get("/socket.io/")))
    session.poll()
    auth = json.dumps({"pid": visitor.answer["pid"], "offset": offset})
    session.post(f"40{auth}".encode())
    assert node.pool.wait_until_idle(10)

    heard = []
    while len(heard) < 20:
        bodies = session.poll().split("\x1e")
        heard += [json.loads(one[2:])[1] for one in bodies if one.startswith('42["news"')]

    assert [one.rstrip("x") for one in heard] == [str(number) for number in range(20)]
    assert session.is_open


def test_older_messages_of_a_channel_leave_a_client_with_its_newest_offset(node, visitor):
    start = str(node.broker.top)
    api.publish("room", 1, event="news")
    api.broadcast_emit("news", 2)
    newest = str(node.broker.top)

    visitor.ask(f'21["subscribe","room","{start}"]')

    assert visitor.events() == [["news", 2], ["news", 1]]
    assert visitor.offset == f"{newest}.1"  # it knows the answer to one subscribe


def test_a_message_that_is_being_delivered_has_not_been_told_to_all(node):
    seen = []

    class Witness(ListensOnly):
        def deliver(self, encoded):
            seen.append(node.delivered_position().offset)
            return SENT

    node.subscribe(Witness(), {"room": 0})

    position = api.publish("room", 1)

    wait_for(lambda: seen, "its delivery")
    assert seen == [position.offset - 1]
    wait_for(lambda: node.delivered_position() == position, "its end")


def test_who_may_not_stay_on_a_channel_is_told_by_an_event(visitor):
    visitor.socket.subscribe("room")

    session_of(visitor.socket).expel("room")
    api.publish("room", "unheard")
    api.broadcast_emit("news", "heard")

    assert visitor.events()[-2:] == [["unsubscribed", {"channel": "room"}], ["news", "heard"]]


def test_a_volatile_broadcast_that_is_older_than_what_the_client_has_is_left_out(visitor):
    api.broadcast_emit("news", 1)
    stale = replace(visitor.node.broker.newest(EVERYONE, 1)[0], is_volatile=True, event="stale")
    api.broadcast_emit("news", 2)

    namespace = next(iter(visitor.client._namespaces.values()))
    namespace.deliver(Encoded([stale]))

    assert visitor.events()[-1] == ["news", 2]


def test_the_answers_to_a_burst_leave_together_and_in_order(visitor):
    connect(signals.socket_client_event_by_type["add"], lambda sender, event, **_: event.data)
    writes, write = [], visitor.wire.write
    visitor.wire.write = lambda data: (writes.append(data), write(data))[1]

    visitor.wire.owner.received(b"".join(masked(TEXT, f'42{n}["add",{n}]') for n in range(20)))
    visitor.settle()

    assert visitor.told()[-20:] == [f"3{n}[{n}]" for n in range(20)]
    assert len(writes) <= 5  # the event loop has its turn between, on a busy machine


def test_a_client_that_is_lost_while_it_is_refused_ends_once(node, happened, caplog):
    visitor = Visitor(node)

    def refuse(sender, **_):
        visitor.wire.breaks = True
        raise Refuse("not today")

    connect(signals.socket_connected, refuse)
    visitor.ask("0")

    assert happened == ["connected", "disconnected", "finished"]
    assert not [record for record in caplog.records if record.exc_info]


def test_who_left_a_namespace_is_sent_nothing_more_that_waited_for_it_there(node, visitor):
    start = node.broker.top
    for _ in range(3):
        api.publish("room", "x" * PORTION, event="news")
    visitor.wire.outbox_size = 1
    visitor.ask(f'21["subscribe","room","{start}"]')
    visitor.ask("1")

    visitor.wire.drain()

    assert visitor.events() == []


# What stands at the end of an event, and which names one may have


@pytest.mark.parametrize("argument", [1, b"bytes"])
def test_an_event_that_asks_for_an_answer_has_no_offset_before_the_clients_callback(visitor, argument):
    visitor.socket.emit("question", argument, callback=print)
    visitor.socket.emit("plain", argument)

    texts = [one for one in visitor.told() if isinstance(one, str)]
    question, plain = (json.loads(one[one.index("[") :]) for one in texts[-2:])
    assert len(question) == 2
    assert plain[-1] == str(visitor.node.broker.top)


def test_an_event_that_nothing_receives_is_not_acknowledged(visitor):
    connect(signals.socket_client_event_by_type["known"], lambda *_, **__: None)

    assert visitor.ask('21["misspelt",1]', '22["known"]') == ["32[null]"]


@pytest.mark.parametrize("signal", [signals.socket_client_event, signals.socket_client_message])
def test_a_receiver_of_all_events_or_messages_receives_each(visitor, signal):
    connect(signal, lambda *_, **__: None)
    name = "message" if signal is signals.socket_client_message else "any"

    assert visitor.ask(f'21["{name}"]') == ["31[null]"]


@pytest.mark.parametrize(
    ("data", "message"),
    [({"message": "not today", "code": 7}, "not today"), ({"message": 7}, "refused"), ([1], "refused")],
)
def test_the_message_of_a_refusal_is_the_one_that_the_client_shows(node, data, message):
    def refuse(*_, **__):
        raise Refuse(data)

    connect(signals.socket_connected, refuse)

    (answer,) = Visitor(node).ask("0")
    assert json.loads(answer[1:]) == {"message": message, "data": data}


@pytest.mark.parametrize("name", ["error", "gap", "welcome", "ack", "subscribe", "subscribed", "unsubscribe"])
def test_a_name_that_only_plain_clients_know_is_free(visitor, name):
    visitor.socket.emit(name, 1)

    assert visitor.events() == [[name, 1]]
    with pytest.raises(InvalidMessage, match="is reserved"):
        api.broadcast_emit(name, 1)  # which reaches plain clients, too


@pytest.mark.parametrize(
    "name", ["connect", "unsubscribed", "retracted", "realtime_wall:gap", "realtime_wall:offset"]
)
def test_a_name_of_the_clients_own_or_the_servers_is_not(visitor, name):
    with pytest.raises(InvalidMessage, match="is reserved"):
        visitor.socket.emit(name, 1)
    with pytest.raises(InvalidMessage, match="is reserved"):
        visitor.socket.call(name, timeout=0)
    with pytest.raises(InvalidMessage, match="is reserved"):
        api.broadcast_emit(name, 1)
