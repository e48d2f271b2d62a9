"""One Socket.IO client and its namespaces, without a network."""

import json
from dataclasses import replace
from time import monotonic

import gevent
import pytest
from django.test import RequestFactory

from realtime_wall import api, signals
from realtime_wall.brokers.command import Publish
from realtime_wall.channels.message import Binary
from realtime_wall.channels.names import EVERYONE
from realtime_wall.errors import Refuse
from realtime_wall.fan_out import Encoded
from realtime_wall.sockets.backlog import PORTION
from realtime_wall.sockets.registry import connected_sockets
from realtime_wall.transports.engineio import Session, sessions
from realtime_wall.transports.socketio import PATIENCE, Client
from realtime_wall.wire.connection import SENT
from tests.fakes import RecordingWire, masked, no_receivers, running_node
from tests.live import wait_for

TEXT, BINARY = 1, 2
BINARY_ONE = Binary('{"_placeholder":true,"num":0}', (b"one",))
OFFSET_EVENT = "realtime_wall:offset"


class Visitor:
    """A client on a WebSocket: what it says is given to the transport, what it is told is looked at."""

    def __init__(self, node, owner="", path="/socket.io/"):
        self.node = node
        self.wire = RecordingWire()
        self.session = Session(node, owner)
        self.client = Client(node, self.session, RequestFactory().get(path))
        self.session.begin(self.client, self.wire)
        self.wire.written = b""

    def say(self, *texts):
        for text in texts:
            opcode, payload = (BINARY, text) if isinstance(text, bytes) else (TEXT, f"4{text}")
            self.wire.owner.received(masked(opcode, payload))

    def ask(self, *texts):
        """What it was told on saying something."""
        before = len(self.told())
        self.say(*texts)
        self.settle()
        return self.told()[before:]

    def settle(self):
        assert self.node.pool.wait_until_idle(10)

    def told(self):
        found = []
        for opcode, payload in self.wire.frames():
            if opcode == BINARY:
                found.append(payload)
            elif opcode == TEXT and OFFSET_EVENT.encode() not in payload:
                found.append(payload.decode().removeprefix("4"))
        return found

    def connect(self, namespace="", **auth):
        data = json.dumps(auth) if auth else ""
        (answer, *self.greeted) = self.ask(f"0{namespace}{data}")
        self.answer = json.loads(answer[answer.index("{") :])
        return self

    @property
    def socket(self):
        return connected_sockets.get(self.answer["sid"])

    @property
    def offset(self):
        """What the official client would keep: the last text at the end of an event."""
        events = [payload for opcode, payload in self.wire.frames() if payload.startswith(b"42")]
        return json.loads(events[-1][2:].lstrip(b"0123456789"))[-1]

    def events(self):
        """The events it was sent, without their offsets."""
        told = [json.loads(one[1:]) for one in self.told() if one.startswith("2[")]
        return [event[:-1] for event in told]

    def come_back(self, owner=""):
        again = Visitor(self.node, owner)
        return again.connect(pid=self.answer["pid"], offset=self.offset)


@pytest.fixture(autouse=True)
def own_receivers():
    with no_receivers():
        yield


@pytest.fixture
def node():
    with running_node(namespaces=["/", "/admin"], json_depth=8, outbox_size=1_000_000) as node:
        yield node
        for session in list(sessions.values()):
            session.end("the test is over")
        assert node.pool.wait_until_idle(10)


@pytest.fixture
def visitor(node):
    return Visitor(node).connect()


@pytest.fixture
def happened():
    happened = []
    for name in ("socket_connected", "socket_disconnected", "socket_finished"):
        signal = getattr(signals, name)
        signal.connect(lambda sender, name=name, **_: happened.append(name.partition("_")[2]), weak=False)
    return happened


def connect(signal, function):
    signal.connect(function, weak=False)


# The beginning


def test_the_session_it_came_with_is_watched(node, monkeypatch):
    arrived = []
    monkeypatch.setattr(node.departures.sessions, "arrived", arrived.append)

    visitor = Visitor(node).connect()

    assert arrived == [visitor.socket.request]


def test_a_client_is_welcomed_with_its_id_and_a_secret_to_come_back_with(visitor):
    assert set(visitor.answer) == {"sid", "pid"}
    assert visitor.socket.id == visitor.answer["sid"]
    # With an offset at once: a client that has none is not recovered.
    assert visitor.offset == str(visitor.node.broker.top)


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


def test_a_refused_client_gets_the_reason_and_nothing_that_was_sent_to_it(node, happened):
    def refuse(sender, **_):
        sender.emit("secret")
        raise Refuse({"code": 7})

    connect(signals.socket_connected, refuse)
    visitor = Visitor(node)

    assert visitor.ask("0", '2["still here"]') == ['4{"message":"refused","data":{"code":7}}']
    assert happened == ["connected", "disconnected", "finished"]
    assert node.subscriptions.snapshot(EVERYONE) == ()


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
    other, visitor = Visitor(node).connect(), Visitor(node)

    visitor.say(*texts)
    visitor.settle()

    assert visitor.wire.close().code == 1002
    assert visitor.session.is_over
    assert other.ask('21["message"]') == ["31[null]"]


def test_who_says_no_namespace_or_sends_no_attachments_is_cut_off_in_time(node):
    visitor, now = Visitor(node), monotonic()
    assert visitor.client.deadline == pytest.approx(now + PATIENCE, abs=1)
    visitor.connect()
    assert visitor.client.deadline is None

    visitor.say('51-["a",{"_placeholder":true,"num":0}]')
    assert visitor.client.deadline == pytest.approx(now + PATIENCE, abs=1)
    visitor.session.tick(now + PATIENCE + 1)
    assert visitor.session.is_over


def test_attachments_that_come_lift_the_deadline(node, visitor):
    visitor.say('51-["a",{"_placeholder":true,"num":0}]', b"here")

    assert visitor.client.deadline is None
    visitor.session.tick(monotonic() + PATIENCE + 1)
    assert not visitor.session.is_over


# Events and acknowledgements


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


# The end of a namespace


def test_to_disconnect_ends_the_namespace_and_nothing_else(node, happened):
    visitor = Visitor(node).connect()
    visitor.ask("0/admin,")

    visitor.socket.disconnect()
    visitor.settle()

    assert visitor.told()[-1] == "1"
    assert happened == ["connected", "connected", "disconnected", "finished"]
    assert not visitor.session.is_over
    # What was on its way is no fault of the client.
    assert visitor.ask('2["on its way"]', '2/admin,5["message"]') == ["3/admin,5[null]"]


def test_a_client_that_left_everything_has_to_come_again_or_go(node, visitor):
    visitor.ask("1")

    assert visitor.client.deadline == pytest.approx(monotonic() + PATIENCE, abs=1)
    assert visitor.ask("0")[0].startswith('0{"sid"')
    assert visitor.client.deadline is None


def test_other_codes_let_the_client_come_back(visitor):
    visitor.socket.disconnect(1012, "restart")

    assert visitor.wire.close().code == 1012
    assert visitor.told()[-1] != "1"


def test_reading_goes_on_when_all_namespaces_have_caught_up(node, visitor):
    visitor.ask("0/admin,")
    one, two = (namespace.socket.inbox for namespace in visitor.client._namespaces.values())
    one.paused = two.paused = True
    visitor.wire.pause()

    one.paused = False
    visitor.session.resume()
    assert visitor.wire.paused
    two.paused = False
    visitor.session.resume()
    assert not visitor.wire.paused


# Coming back


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
    assert node.parking._parked == {}


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


def test_who_was_never_welcomed_has_nothing_to_come_back_to(node, happened):
    visitor = Visitor(node)
    connect(signals.socket_connected, lambda *_, **__: visitor.wire.abort("reset"))

    visitor.say("0")
    visitor.settle()

    assert happened == ["connected", "disconnected", "finished"]
    assert (node.parking._parked, node.parking._present) == ({}, {})


@pytest.mark.parametrize(
    "auth",
    [
        {"pid": "wrong", "offset": "{offset}"},
        {"pid": "{pid}", "offset": "nonsense"},
        {"pid": "{pid}", "offset": "epoch:1"},
        {"pid": "{pid}", "offset": 5},
        {"pid": ["{pid}"], "offset": "{offset}"},
        {"pid": "{pid}"},
    ],
    ids=str,
)
def test_with_anything_else_a_client_is_somebody_new(node, visitor, auth):
    known = {"{pid}": visitor.answer["pid"], "{offset}": visitor.offset}
    visitor.wire.abort("reset")

    again = Visitor(node).connect(**{key: known.get(str(value), value) for key, value in auth.items()})

    assert again.answer["pid"] != visitor.answer["pid"]
    assert again.answer["sid"] != visitor.answer["sid"]
    assert again.socket.recovered is False


def test_a_visit_belongs_to_its_namespace_and_its_visitor(node):
    visitor = Visitor(node, owner="cookie").connect()
    pid, offset, id = visitor.answer["pid"], visitor.offset, visitor.answer["sid"]

    stranger = Visitor(node, owner="other").connect(pid=pid, offset=offset)
    assert stranger.answer["sid"] != id
    assert visitor.wire.is_open

    elsewhere = Visitor(node, owner="cookie").connect("/admin,", pid=pid, offset=offset)
    assert elsewhere.answer["sid"] != id


def test_a_log_that_was_cut_while_receivers_were_asked_is_told_by_another_secret(visitor):
    with running_node(history_size=2) as node:
        first = Visitor(node).connect()
        first.socket.subscribe("room")
        first.wire.abort("reset")
        connect(
            signals.socket_connected,
            lambda *_, **__: [api.publish("room", number, event="news") for number in range(5)],
        )

        again = first.come_back()

        assert again.answer["pid"] != first.answer["pid"]
        assert again.socket.channels == ("room",)
        again.wire.abort("reset")
        again.settle()


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
    session = Session(node, "")
    session.begin(Client(node, session, RequestFactory().get("/socket.io/")))
    session.poll()
    session.post(f'40{{"pid":"{visitor.answer["pid"]}","offset":"{offset}"}}'.encode())
    assert node.pool.wait_until_idle(10)

    heard = []
    while len(heard) < 20:
        bodies = session.poll().split("\x1e")
        heard += [json.loads(one[2:])[1] for one in bodies if one.startswith('42["news"')]

    assert [one.rstrip("x") for one in heard] == [str(number) for number in range(20)]
    assert not session.is_over


def test_older_messages_of_a_channel_leave_a_client_with_its_newest_offset(node, visitor):
    start = str(node.broker.top)
    api.publish("room", 1, event="news")
    api.broadcast_emit("news", 2)
    newest = str(node.broker.top)

    visitor.ask(f'21["subscribe","room","{start}"]')

    assert visitor.events() == [["news", 2], ["news", 1]]
    assert visitor.offset == newest


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

    assert (node.parking._present, node.parking._parked) == ({}, {})


def test_each_thing_that_is_owed_has_a_time_of_its_own(node, visitor, monkeypatch):
    later = monotonic() + 1000
    monkeypatch.setattr("realtime_wall.transports.socketio.monotonic", lambda: later)

    visitor.say('51-["a",{"_placeholder":true,"num":0}]')
    assert visitor.client.deadline == later + PATIENCE

    visitor.say(b"here")
    later += 1000
    visitor.ask("1")
    assert visitor.client.deadline == later + PATIENCE


def test_a_client_whose_receivers_are_behind_is_not_read_from_when_it_comes_back(visitor):
    visitor.socket.inbox.paused = True
    pid, offset = visitor.answer["pid"], visitor.offset
    visitor.wire.abort("reset")
    again = Visitor(visitor.node)
    pauses = []
    again.wire.pause = lambda: pauses.append(1)

    again.connect(pid=pid, offset=offset)

    assert pauses == [1]


def test_what_connect_receivers_send_is_no_part_of_the_welcome(node, monkeypatch):
    monkeypatch.setattr("realtime_wall.transports.namespace.BREATH", 0.3)
    connect(signals.socket_connected, lambda sender, **_: sender.emit("hello"))
    visitor = Visitor(node)

    visitor.say("0")
    wait_for(visitor.told, "the welcome")

    assert len(visitor.told()) == 1
    visitor.settle()
    assert visitor.events() == [["hello"]]


def test_a_message_that_is_being_delivered_has_not_been_told_to_all(node):
    seen = []

    class Witness:
        def deliver(self, encoded):
            seen.append(node.told().offset)
            return SENT

        def is_known_as(self, session_id):
            return False

    node.subscribe(Witness(), "room", None)

    position = api.publish("room", 1)

    wait_for(lambda: seen, "its delivery")
    assert seen == [position.offset - 1]
    wait_for(lambda: node.told() == position, "its end")


def test_who_may_not_stay_on_a_channel_is_told_by_an_event(visitor):
    visitor.socket.subscribe("room")

    visitor.socket.expel("room")
    api.publish("room", "unheard")
    api.broadcast_emit("news", "heard")

    assert visitor.events()[-2:] == [["unsubscribed", {"channel": "room"}], ["news", "heard"]]


# Bytes for everybody


def test_a_broadcast_brings_bytes_behind_their_event(visitor):
    api.broadcast_emit("file", {"of": b"one"}, b"two")

    event, *attachments = visitor.told()[-3:]
    assert event.startswith('52-["file",{"of":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1},')
    assert attachments == [b"one", b"two"]


def test_a_polling_client_has_them_in_base64(node):
    session = Session(node, "")
    client = Client(node, session, RequestFactory().get("/socket.io/"))
    session.begin(client)
    session.poll()
    session.post(b"40")
    assert node.pool.wait_until_idle(10)
    session.poll()

    api.broadcast_emit("file", b"one")

    event, attachment = session.poll().split("\x1e")
    assert event.startswith('451-["file",{"_placeholder":true,"num":0},')
    assert attachment == "bb25l"


def test_bytes_that_were_missed_are_told_as_bytes(visitor):
    visitor.wire.abort("reset")
    api.publish("news", 0)
    node = visitor.node
    node.perform(Publish(channel=EVERYONE, data_json='"b25l"', event="file", binary=BINARY_ONE))

    again = visitor.come_back()

    assert again.told()[-1] == b"one"


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
    assert len(writes) == 1


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
