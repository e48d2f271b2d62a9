import gc
import json
from time import monotonic

import gevent
import pytest

from realtime_wall import api, signals
from realtime_wall.channels.names import EVERYONE
from realtime_wall.channels.position import Position
from realtime_wall.protocol.frames import Close
from realtime_wall.sockets.arguments import Arguments
from realtime_wall.sockets.delivery.backlog import PORTION
from realtime_wall.sockets.registry import connected_sockets
from realtime_wall.transports.websocket.plain_websocket import WebSocket, open_websocket
from realtime_wall.wire import gc_pause
from realtime_wall.wire.connection import DROPPED, QUEUED, SENT
from realtime_wall.wire.timer_wheel import PER_SECOND
from tests.fakes import RecordingWire, a_request, masked, no_receivers, running_node, text
from tests.live import wait_for

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Visitor:
    """A client without a network: what it says is given to the transport, what it is told is looked at."""

    def __init__(self, node, since=None, was=None):
        self.node = node
        self.wire = RecordingWire()
        self.transport = WebSocket(node, self.wire, a_request(), was)
        self.since = since

    def begin(self, arrived=b""):
        self.transport.begin(arrived, self.since)
        return self

    @property
    def socket(self):
        return self.transport.session.socket

    @property
    def frames(self):
        """What keeps the deadlines of the connection."""
        return self.wire.owner

    def say(self, *values):
        self.wire.owner.received(b"".join(map(text, values)))

    def settle(self):
        assert self.node.pool.wait_until_idle(10)

    def ask(self, *values):
        """What was answered to some commands."""
        before = len(self.wire.texts())
        self.say(*values)
        self.settle()
        return self.wire.texts()[before:]


@pytest.fixture(autouse=True)
def own_receivers():
    with no_receivers():
        yield


@pytest.fixture
def node():
    with running_node(ping_interval=25, ping_timeout=20, json_depth=4, channels_per_connection=2) as node:
        yield node


@pytest.fixture
def visitor(node):
    visitor = Visitor(node).begin()
    visitor.settle()
    return visitor


@pytest.fixture
def told():
    """What the signals told, in order."""
    told = []

    def hear(name):
        def receiver(sender, request, **arguments):
            told.append((name.removeprefix("socket_"), *arguments.values()))

        return receiver

    for name in ("socket_connected", "socket_client_message", "socket_disconnected", "socket_finished"):
        getattr(signals, name).connect(hear(name), weak=False)
    return told


def connect(signal, function):
    signal.connect(function, weak=False)


# The beginning


def test_a_client_is_welcomed_with_its_id_the_cursor_and_the_ping_interval(node, visitor):
    assert visitor.wire.texts() == [
        {
            "type": "welcome",
            "message": {"session": visitor.socket.id, "ping": 25.0},
            "cursor": str(node.broker.top),
        }
    ]


def test_what_came_with_the_handshake_is_heard_after_the_connect_receivers(node, told):
    Visitor(node).begin(text("early")).settle()

    assert told == [("connected",), ("client_message", "early")]


def test_a_client_hears_what_is_broadcast_and_an_event_by_its_name(node, visitor):
    first = api.broadcast({"n": 1})
    second = api.broadcast_emit("news", 1, 2)

    assert visitor.wire.texts()[1:] == [
        {"type": "message", "message": {"n": 1}, "cursor": first.position},
        {"type": "news", "message": [1, 2], "cursor": second.position},
    ]


def test_a_client_that_was_away_is_given_what_was_broadcast_meanwhile(node):
    start = node.broker.top
    other = Visitor(node).begin()
    positions = [api.broadcast(number).position for number in range(3)]

    came_back = Visitor(node, since=start).begin()

    welcome, *missed = came_back.wire.texts()
    # Until the first missed message the client stands where it was.
    assert welcome["cursor"] == str(start)
    assert missed == [
        {"type": "message", "message": number, "cursor": position}
        for number, position in enumerate(positions)
    ]
    assert other.wire.texts()[1:] == missed


def test_a_client_that_missed_nothing_stands_where_the_log_is(node):
    start = node.broker.top
    api.publish("room", "of no channel of its")

    welcome, *missed = Visitor(node, since=start).begin().wire.texts()

    assert (welcome["cursor"], missed) == (str(node.broker.top), [])


def test_a_client_that_cannot_be_told_what_it_missed_is_told_that(node):
    api.publish("room", 1)

    welcome, gap = Visitor(node, since=Position("earlier", 1)).begin().wire.texts()

    assert welcome["cursor"] == "earlier:1"  # where it stands until it has heard of the gap
    assert gap == {"type": "gap", "cursor": str(node.broker.top)}


def test_what_a_client_broadcast_itself_stays_left_out_when_it_comes_back(node, visitor):
    other = Visitor(node).begin()
    start = node.broker.top
    visitor.socket.broadcast("of the old connection")
    other.socket.broadcast("of another")
    other.socket.send_and_broadcast("for all")

    came_back = Visitor(node, since=start, was=visitor.socket.id).begin()

    assert [one["message"] for one in came_back.wire.texts()[1:]] == ["of another", "for all"]


def test_what_an_old_connection_still_broadcasts_does_not_reach_its_new_one(node, visitor):
    came_back = Visitor(node, was=visitor.socket.id).begin()
    visitor.socket.broadcast("of the old connection")
    Visitor(node).begin().socket.broadcast("of another")

    assert [one["message"] for one in came_back.wire.texts()[1:]] == ["of another"]


def test_a_client_that_is_gone_before_its_welcome_leaves_nothing_behind(node, told):
    visitor = Visitor(node)
    visitor.wire.breaks = True

    visitor.begin(text("and it said something"))
    visitor.settle()

    assert told == [("connected",), ("disconnected",), ("finished",)]
    assert visitor.socket not in connected_sockets
    assert node.subscriptions.snapshot(EVERYONE) == ()


def test_the_receivers_of_a_handshake_run_in_its_own_greenlet(node):
    greenlets = []
    connect(signals.socket_connected, lambda *_, **__: greenlets.append(gevent.getcurrent()))

    open_websocket(node, a_request(), None, None, RecordingWire(), b"")

    assert greenlets == [gevent.getcurrent()]


# What a client says


def test_text_and_messages_reach_the_message_receivers(visitor, told):
    visitor.ask("just text", {"type": "message", "message": [1]}, "[1, 2]", "{broken")

    assert told == [("client_message", message) for message in ("just text", [1], "[1, 2]", "{broken")]


def test_an_event_reaches_its_receivers_and_is_answered_by_its_id(visitor):
    connect(signals.socket_client_event_by_type["add"], lambda *_, event, **__: sum(event.data))

    answers = visitor.ask(
        {"type": "add", "message": [1, 2], "id": 7},
        {"type": "add", "message": [3], "id": "eight"},
        {"type": "add", "message": [4]},
    )

    assert answers == [
        {"type": "ack", "id": 7, "message": 3},
        {"type": "ack", "id": "eight", "message": 3},
    ]


def test_an_event_that_nothing_receives_is_an_error_and_no_success(visitor):
    (answer,) = visitor.ask({"type": "misspelt", "id": 7}, {"type": "misspelt"})

    assert (answer["type"], answer["code"], answer["id"]) == ("error", "no_receiver", 7)
    assert "misspelt" in answer["message"]


def test_an_event_has_its_message_as_its_only_argument_or_none(visitor):
    args = []
    connect(signals.socket_client_event, lambda *_, event, **__: args.append((event.name, event.args)))

    visitor.ask(
        {"type": "go"},
        {"type": "go", "message": None},
        {"type": "go", "message": [1, 2]},
        {"type": "go", "message": 0},
    )

    assert args == [("go", []), ("go", []), ("go", [[1, 2]]), ("go", [0])]


def test_a_heartbeat_is_answered_while_a_receiver_works(visitor):
    done = gevent.event.Event()
    connect(signals.socket_client_message, lambda sender, **_: done.wait(10))
    visitor.say("take your time", {"type": "heartbeat", "id": 5})

    assert visitor.wire.texts()[-1] == {"type": "ack", "id": 5, "message": None}
    done.set()
    visitor.settle()


def test_what_the_server_asked_is_answered_by_an_ack(visitor):
    answers = []
    visitor.socket.emit("ready?", callback=answers.append)
    question = visitor.wire.texts()[-1]

    visitor.ask({"type": "ack", "id": question["id"], "message": {"yes": 1}})

    assert (question["type"], answers) == ("ready?", [{"yes": 1}])


def test_a_receiver_may_wait_for_the_answer_of_the_client_that_it_serves(visitor):
    answers = []
    connect(
        signals.socket_client_message,
        lambda sender, **_: answers.append(sender.call("sure?", timeout=10)),
    )
    visitor.say("delete everything")
    question = wait_for(lambda: [one for one in visitor.wire.texts() if one["type"] == "sure?"])[0]

    visitor.ask({"type": "ack", "id": question["id"], "message": "no"})

    assert answers == ["no"]


@pytest.mark.parametrize(
    ("command", "code", "id"),
    [
        ('{"type": "a", "message": NaN, "id": 1}', "bad_json", None),
        ('{"type": "a", "message": [[[[[1]]]]], "id": 1}', "bad_json", None),
        ('{"type": "a", "message": "\\ud800"}', "bad_json", None),
        ({"type": "welcome", "id": 1}, "bad_type", 1),
        ({"id": 1}, "bad_type", 1),
        ({"type": "a", "id": [1]}, "bad_id", None),
        ({"type": "ack"}, "bad_id", None),
        ({"type": "subscribe", "id": 1}, "bad_channel", 1),
        ({"type": "subscribe", "channel": "*", "id": 1}, "bad_channel", 1),
        ({"type": "subscribe", "channel": "a/b", "id": "x"}, "bad_channel", "x"),
        ({"type": "subscribe", "channel": "a", "since": "nonsense", "id": 1}, "bad_since", 1),
        ({"type": "subscribe", "channel": "a", "since": 5, "id": 1}, "bad_since", 1),
        ({"type": "unsubscribe", "channel": "a", "id": 1}, "not_subscribed", 1),
        ({"type": "unsubscribe", "channel": "*", "id": 1}, "not_subscribed", 1),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_answered_by_an_error_and_the_connection_goes_on(
    node, visitor, told, command, code, id
):
    before = node.subscriptions.snapshot(EVERYONE)

    (error,) = visitor.ask(command)

    assert (error["type"], error["code"], error.get("id")) == ("error", code, id)
    assert error["message"]
    assert told == []
    assert node.subscriptions.snapshot(EVERYONE) is before
    visitor.ask("still here")
    assert told == [("client_message", "still here")]


# Channels


def test_subscribing_is_answered_with_the_cursor_and_the_channel_is_heard(node, visitor):
    before = str(api.publish("room", "before"))
    (subscribed,) = visitor.ask({"type": "subscribe", "channel": "room", "id": 1})
    receipt = api.broadcast_channel("after", "room")

    assert subscribed == {"type": "subscribed", "channel": "room", "cursor": before, "id": 1}
    assert visitor.wire.texts()[-1] == {
        "type": "message",
        "message": "after",
        "channel": "room",
        "cursor": receipt.position,
    }


def test_subscribing_with_a_cursor_brings_what_was_missed_in_one_write(node, visitor):
    start = str(node.broker.top)
    positions = [str(api.publish("room", number)) for number in range(2)]

    subscribed, *missed = visitor.ask({"type": "subscribe", "channel": "room", "since": start, "id": 1})

    assert subscribed == {
        "type": "subscribed",
        "channel": "room",
        "cursor": start,
        "id": 1,
        "recovered": True,
    }
    assert [(one["message"], one["channel"], one["cursor"]) for one in missed] == [
        (number, "room", position) for number, position in enumerate(positions)
    ]


def test_subscribing_with_the_newest_cursor_recovers_nothing_and_says_so(node, visitor):
    top = str(api.publish("room", 1))

    (subscribed,) = visitor.ask({"type": "subscribe", "channel": "room", "since": top, "id": 1})

    assert (subscribed["cursor"], subscribed["recovered"]) == (top, True)


def test_a_cursor_of_another_log_is_answered_by_a_gap_and_the_channel_is_heard(node, visitor):
    (gap,) = visitor.ask({"type": "subscribe", "channel": "room", "since": "earlier:7", "id": 1})
    api.broadcast_channel("after", "room")

    assert gap == {"type": "gap", "channel": "room", "cursor": f"{node.broker.top.epoch}:0", "id": 1}
    assert visitor.wire.texts()[-1]["message"] == "after"


def test_who_may_not_stay_is_told_and_the_channel_is_silent(node, visitor):
    visitor.ask({"type": "subscribe", "channel": "room"})

    visitor.transport.session.expel("room")
    api.publish("room", "unheard")
    api.broadcast("heard")

    *_, told, last = visitor.wire.texts()
    assert told == {"type": "unsubscribed", "channel": "room"}
    assert last["message"] == "heard"


def test_sessions_that_sockets_come_with_are_watched(node, monkeypatch):
    arrived = []
    monkeypatch.setattr(node.revocation.sessions, "arrived", arrived.append)

    visitor = Visitor(node).begin()

    assert arrived == [visitor.socket.request]


def test_unsubscribing_is_answered_and_the_channel_is_silent(node, visitor):
    visitor.ask({"type": "subscribe", "channel": "room"})

    answer = visitor.ask({"type": "unsubscribe", "channel": "room", "id": 2})
    api.publish("room", "unheard")
    api.broadcast("heard")

    assert answer == [{"type": "unsubscribed", "channel": "room", "id": 2}]
    assert visitor.wire.texts()[-1]["message"] == "heard"
    assert "unheard" not in str(visitor.wire.texts())


def test_subscribing_again_is_an_error_and_changes_nothing(node, visitor):
    visitor.ask({"type": "subscribe", "channel": "room"})

    (error,) = visitor.ask({"type": "subscribe", "channel": "room", "id": 2})
    api.broadcast_channel("once", "room")

    assert (error["code"], error["id"]) == ("already_subscribed", 2)
    assert [one.get("message") for one in visitor.wire.texts()].count("once") == 1


def test_a_refused_channel_is_an_error(node, visitor):
    connect(signals.socket_subscribed, lambda *_, **__: False)

    (error,) = visitor.ask({"type": "subscribe", "channel": "secret", "id": 2})

    assert (error["code"], error["id"]) == ("refused", 2)
    assert node.subscriptions.snapshot("secret") == ()


def test_there_is_a_limit_of_channels(visitor):
    answers = visitor.ask(*({"type": "subscribe", "channel": name, "id": name} for name in "abc"))

    assert [(one["type"], one.get("code")) for one in answers] == [
        ("subscribed", None),
        ("subscribed", None),
        ("error", "too_many_channels"),
    ]


def test_a_connection_that_is_lost_leaves_all_its_channels(node, visitor):
    visitor.ask({"type": "subscribe", "channel": "room"})

    visitor.wire.abort("reset")

    assert node.subscriptions.snapshot("room") == node.subscriptions.snapshot(EVERYONE) == ()


def test_a_subscription_that_still_waits_when_the_connection_is_lost_is_not_made(node, visitor):
    visitor.say({"type": "subscribe", "channel": "room"})
    visitor.wire.abort("reset")
    visitor.settle()

    assert node.subscriptions.snapshot("room") == ()


BIG = "x" * PORTION


def test_what_was_missed_follows_as_fast_as_it_is_read_and_live_messages_behind_it(node, visitor):
    start = str(node.broker.top)
    for number in range(3):
        api.publish("room", f"{number}{BIG}")
    visitor.wire.outbox_size = 1  # it does not read

    answers = visitor.ask({"type": "subscribe", "channel": "room", "since": start, "id": 1})
    receipt = api.broadcast_channel("live", "room")
    visitor.socket.send("by the way")

    assert [one["type"] for one in answers] == ["subscribed"]
    assert (receipt.sockets, receipt.queued) == (1, 1)
    assert visitor.wire.texts()[-1]["message"] == "by the way"

    visitor.wire.drain()
    api.broadcast_channel("on time", "room")
    assert [one["message"][:7] for one in visitor.wire.texts()[-5:]] == [
        *("0xxxxxx", "1xxxxxx", "2xxxxxx", "live", "on time")
    ]


def test_much_that_was_broadcast_is_told_in_portions_too(node, visitor):
    start = node.broker.top
    for number in range(3):
        api.broadcast(f"{number}{BIG}")
    came_back = Visitor(node, since=start)
    came_back.wire.outbox_size = 1

    came_back.begin()
    assert [one["type"] for one in came_back.wire.texts()] == ["welcome"]

    came_back.wire.drain()
    assert [one["message"][0] for one in came_back.wire.texts()[1:]] == ["0", "1", "2"]


def test_what_still_waits_of_a_channel_is_not_told_after_leaving_it_or_twice_after_a_gap(node, visitor):
    start = str(node.broker.top)
    for number in range(3):
        api.publish("room", f"{number}{BIG}")
    visitor.wire.outbox_size = 1
    visitor.ask({"type": "subscribe", "channel": "room", "since": start})
    visitor.ask({"type": "unsubscribe", "channel": "room"})

    visitor.ask({"type": "subscribe", "channel": "room", "since": "earlier:1"})
    visitor.wire.drain()
    assert visitor.wire.texts()[-1]["type"] == "gap"

    visitor.wire.outbox_size = 1
    visitor.ask({"type": "unsubscribe", "channel": "room"})
    visitor.ask({"type": "subscribe", "channel": "room", "since": start})
    visitor.ask({"type": "unsubscribe", "channel": "room"})
    visitor.wire.drain()
    assert visitor.wire.texts()[-1]["type"] == "unsubscribed"


# Frames that are no text


def test_a_ping_is_answered_and_of_several_in_one_read_the_last(visitor):
    visitor.wire.owner.received(masked(PING, b"one") + masked(PING, b"two"))
    visitor.wire.owner.received(masked(PING, b"three"))

    assert visitor.wire.frames()[1:] == [(PONG, b"two"), (PONG, b"three")]


def test_bytes_are_refused(visitor, told):
    visitor.wire.owner.received(masked(BINARY, b"bytes") + text("behind it"))
    visitor.settle()

    assert visitor.wire.close() == Close(1003, "this endpoint reads text")
    assert told == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x02hi", 1002),
        (masked(3), 1002),
        (masked(0, b"a"), 1002),
        (masked(TEXT, b"\xff"), 1007),
        (masked(CLOSE, b"\x03"), 1002),
        (masked(TEXT, b"x" * (1024 * 1024 + 1))[:14], 1009),
    ],
    ids=["unmasked", "reserved opcode", "continuation of nothing", "no UTF-8", "bad close", "too big"],
)
def test_who_breaks_the_protocol_is_told_how_and_is_heard_no_more(visitor, told, data, code, caplog):
    caplog.set_level("INFO")
    visitor.wire.owner.received(data)
    visitor.wire.owner.received(text("and on"))
    visitor.settle()

    assert visitor.wire.close().code == code
    assert visitor.wire.is_ended
    assert told == []
    (record,) = caplog.records
    assert visitor.transport.session.log_id in record.getMessage()
    assert str(code) in record.getMessage()


# The end


def test_a_client_that_says_goodbye_is_answered_and_gone(node, visitor, told):
    visitor.wire.owner.received(masked(CLOSE, b"\x0f\xa0bye"))
    visitor.settle()

    assert visitor.wire.close() == Close(4000, "")
    assert visitor.wire.ended == "closed by the client"
    assert told == [("disconnected",), ("finished",)]
    assert visitor.socket not in connected_sockets


def test_a_goodbye_without_a_code_is_answered_as_normal(visitor):
    visitor.wire.owner.received(masked(CLOSE))

    assert visitor.wire.close().code == 1000


def test_our_goodbye_waits_for_the_clients(visitor):
    visitor.socket.disconnect(4001, "enough")
    assert visitor.wire.is_open

    visitor.wire.owner.received(masked(CLOSE, b"\x0f\xa1"))

    assert [opcode for opcode, _ in visitor.wire.frames()] == [TEXT, CLOSE]
    assert visitor.wire.close() == Close(4001, "enough")
    assert not visitor.wire.is_open


def test_nothing_follows_our_goodbye(node, visitor, told):
    visitor.ask({"type": "subscribe", "channel": "room"})
    socket = visitor.socket
    socket.disconnect(4001, "enough")
    written = visitor.wire.written

    socket.disconnect(4002, "twice")
    socket.send("late")
    socket.emit("late")
    socket.ack(1)
    socket.subscribe("attic")
    visitor.wire.owner.received(masked(PING) + text({"type": "nonsense", "id": []}) + text("late"))
    receipts = [api.broadcast("late"), api.send(socket.id, "late"), api.broadcast_channel("late", "room")]
    visitor.settle()

    assert visitor.wire.written == written
    assert [(receipt.sockets, receipt.dropped) for receipt in receipts] == [(0, 1)] * 3
    assert ("client_message", "late") not in told


def test_a_code_that_cannot_be_sent_is_told_to_who_asked_and_changes_nothing(visitor):
    with pytest.raises(ValueError, match="999 is no code"):
        visitor.socket.disconnect(999, "")
    visitor.socket.send("still here")

    assert visitor.wire.texts()[-1]["message"] == "still here"


def test_a_paused_client_is_read_again_for_its_goodbye(visitor):
    visitor.transport.pause()
    assert visitor.wire.paused

    visitor.socket.disconnect()

    assert not visitor.wire.paused


def test_what_arrived_together_with_the_loss_is_not_heard_after_it(visitor, told):
    visitor.wire.breaks = True
    visitor.say({"type": "subscribe", "id": 1}, "too late")  # the error cannot be written
    visitor.settle()

    assert told == [("disconnected",), ("finished",)]


def test_being_cut_off_asks_nobody(visitor, told):
    visitor.transport.abort("enough")
    visitor.settle()

    assert (visitor.wire.ended, visitor.wire.close()) == ("enough", None)
    assert told == [("disconnected",), ("finished",)]


def test_sending_tells_what_became_of_it(visitor):
    assert visitor.transport.send_event(None, Arguments("1"), None) is SENT
    visitor.wire.outbox_size = 1
    assert visitor.transport.send_event(None, Arguments("1"), None) is QUEUED
    visitor.wire.abort("reset")
    assert visitor.transport.send_event(None, Arguments("1"), None) is DROPPED


# Deadlines


def test_a_silent_client_is_pinged_and_one_that_stays_silent_is_cut(visitor, told):
    start = monotonic()
    assert visitor.frames.tick(start + 10) == pytest.approx(15, abs=1)
    assert visitor.frames.tick(start + 26) == 20
    assert visitor.wire.frames()[1:] == [(PING, b"")]

    assert visitor.frames.tick(start + 46) is None
    visitor.settle()

    assert visitor.wire.ended == "did not answer a ping"
    assert told == [("disconnected",), ("finished",)]


@pytest.mark.parametrize("answer", [masked(PONG), text("hello")], ids=["pong", "anything"])
def test_a_client_that_answers_a_ping_stays(visitor, answer):
    visitor.transport._frames._heard -= 26  # as if so much time had passed
    assert visitor.frames.tick(monotonic()) == 20
    visitor.wire.owner.received(answer)

    assert visitor.frames.tick(monotonic()) == pytest.approx(25, abs=1)
    visitor.transport._frames._heard -= 26
    assert visitor.frames.tick(monotonic()) == 20

    assert visitor.wire.is_open
    assert [opcode for opcode, _ in visitor.wire.frames()].count(PING) == 2


def test_a_pong_counts_when_the_time_to_answer_is_longer_than_the_interval():
    with running_node(ping_interval=5, ping_timeout=20) as node:
        visitor = Visitor(node).begin()
        start = monotonic()
        assert visitor.frames.tick(start + 6) == 20
        visitor.wire.owner.received(masked(PONG))

        assert visitor.frames.tick(start + 26) == 20

        assert visitor.wire.is_open


def test_a_client_that_we_do_not_read_is_not_blamed_for_its_silence(visitor):
    start = monotonic()
    visitor.frames.tick(start + 26)
    visitor.transport.session.inbox.paused = True

    assert visitor.frames.tick(start + 100) == 1.0

    assert visitor.wire.is_open
    visitor.transport.session.inbox.paused = False
    assert visitor.frames.tick(start + 101) == 20


def test_a_client_whose_outbox_does_not_move_is_cut(visitor):
    start = monotonic()
    visitor.wire.outbox_size, visitor.wire.progress = 10, start
    visitor.frames.tick(start + 29)
    assert visitor.wire.is_open

    assert visitor.frames.tick(start + 31) is None

    assert visitor.wire.ended == "stopped reading"


def test_a_client_that_never_answers_our_goodbye_is_cut(visitor):
    visitor.socket.disconnect()
    # The closing has a deadline of its own, sooner than the ping's.
    assert visitor.frames.due / PER_SECOND <= monotonic() + visitor.node.config.close_timeout + 2

    assert visitor.frames.tick(monotonic()) is None

    assert visitor.wire.ended == "did not answer the close"


def test_a_client_is_looked_at_in_time_to_be_pinged(visitor):
    assert 0 < visitor.frames.due / PER_SECOND - monotonic() <= visitor.node.config.ping_interval + 2


def test_a_connection_that_is_gone_has_no_deadlines(visitor):
    visitor.wire.abort("reset")

    assert visitor.frames.due == 0
    assert visitor.frames.tick(monotonic()) is None


# Reading


def test_the_collector_rests_while_a_large_message_is_read(visitor):
    visitor.say("x" * (gc_pause.LARGE + 1))
    rested = not gc.isenabled()

    wait_for(gc.isenabled, "the garbage collector")

    assert rested


def test_an_ordinary_message_leaves_the_collector_alone(visitor):
    visitor.say("x" * gc_pause.LARGE)

    assert gc.isenabled()


def test_a_full_inbox_stops_the_reading_until_the_receivers_have_caught_up(node, visitor):
    gate = gevent.event.Event()
    connect(signals.socket_client_message, lambda *_, **__: gate.wait(10))
    visitor.say(*["more"] * (node.config.inbox_size + 2))
    assert visitor.wire.paused

    gate.set()
    visitor.settle()

    assert not visitor.wire.paused


def test_json_is_written_as_it_is(visitor):
    visitor.socket.emit("news", {"ü": "😀 </script>"})

    (_, payload) = visitor.wire.frames()[-1]
    assert json.loads(payload) == {"type": "news", "message": {"ü": "😀 </script>"}}
    assert "ü".encode() in payload


def test_bytes_are_told_in_base64(node, visitor):
    api.broadcast_emit("file", {"of": b"one"})
    visitor.socket.emit("file", b"two")

    assert [one["message"] for one in visitor.wire.texts()[-2:]] == [{"of": "b25l"}, "dHdv"]


def test_a_volatile_message_moves_no_cursor(node, visitor):
    api.broadcast_emit("moved", 1, volatile=True)

    assert visitor.wire.texts()[-1] == {"type": "moved", "message": 1}


def test_it_is_left_out_while_something_waits(node, visitor):
    visitor.wire.outbox_size = 1
    api.broadcast_emit("moved", 1, volatile=True)

    assert visitor.wire.texts()[-1]["type"] != "moved"


def test_an_answer_to_a_question_to_all_is_an_ack(node, visitor):
    asking = gevent.spawn(api.broadcast_call, "where", 1)
    wait_for(lambda: visitor.wire.texts()[-1]["type"] == "where", "the question")

    visitor.ask({"type": "ack", "id": visitor.wire.texts()[-1]["id"], "message": "here"})

    assert asking.get(timeout=10).answers == {visitor.socket.id: "here"}


# Many answers at once


def writes_of(visitor):
    """How many messages each write to the wire has."""
    writes, write = [], visitor.wire.write

    def counted(data):
        before = len(visitor.wire.frames())
        written = write(data)
        writes.append(len(visitor.wire.frames()) - before)
        return written

    visitor.wire.write = counted
    return writes


def burst(count):
    return b"".join(text({"type": "add", "message": [n], "id": n}) for n in range(count))


@pytest.fixture
def adds():
    def add(sender, event, **_):
        return sum(event.data)

    signals.socket_client_event_by_type["add"].connect(add)
    yield add


def test_the_answers_to_a_burst_leave_together_and_in_order(node, visitor, adds):
    writes = writes_of(visitor)

    visitor.wire.owner.received(burst(20))
    assert node.pool.wait_until_idle(10)

    assert visitor.wire.texts()[1:] == [{"type": "ack", "id": n, "message": n} for n in range(20)]
    assert len(writes) <= 3  # where the machine is busy, somebody else gets a turn in between


def test_the_answer_to_one_event_waits_for_nothing(node, visitor, adds):
    writes = writes_of(visitor)

    visitor.wire.owner.received(burst(1))
    assert node.pool.wait_until_idle(10)

    assert writes == [1]


def test_an_answer_does_not_wait_for_the_next_receiver(node, visitor, adds):
    hold = gevent.event.Event()
    signals.socket_client_event_by_type["wait"].connect(lambda *_, **__: hold.wait(10), weak=False)
    visitor.wire.owner.received(burst(3) + text({"type": "wait"}))

    wait_for(lambda: len(visitor.wire.texts()) == 4, "the answers")

    hold.set()


def test_what_is_sent_between_two_answers_stays_between_them(node, visitor):
    def tell(sender, event, **_):
        if event.data == 1:
            sender.emit("between")
        return event.data

    signals.socket_client_event_by_type["tell"].connect(tell, weak=False)
    visitor.wire.owner.received(b"".join(text({"type": "tell", "message": n, "id": n}) for n in range(3)))
    assert node.pool.wait_until_idle(10)

    assert [one.get("message") for one in visitor.wire.texts()[1:]] == [0, None, 1, 2]


def test_answers_leave_in_front_of_a_close(node, visitor, adds):
    def leave(sender, **_):
        sender.disconnect(3999, "enough")

    signals.socket_client_event_by_type["leave"].connect(leave)
    visitor.wire.owner.received(burst(2) + text({"type": "leave"}))
    assert node.pool.wait_until_idle(10)

    assert [opcode for opcode, _ in visitor.wire.frames()[1:]] == [1, 1, 8]
