import json

import gevent
import pytest

from realtime_wall import api, signals
from realtime_wall.channels.names import EVERYONE
from realtime_wall.channels.position import Position
from realtime_wall.sockets.registry import connected_sockets
from realtime_wall.transports.websocket.plain_opening import open_websocket
from tests.fakes import RecordingWire, a_request, text
from tests.live import wait_for
from tests.transports.websocket.client import Visitor, connect

# The beginning


def test_a_client_is_welcomed_with_its_id_the_cursor_and_the_ping_interval(node, visitor):
    (welcome,) = visitor.wire.texts()

    assert welcome["message"].pop("ticket")
    assert [welcome] == [
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

    answer = visitor.wire.texts()[-1]
    assert (answer["type"], answer["id"]) == ("ack", 5)
    assert answer["message"].count(".") == 5  # a ticket
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
    assert node.subscriptions.snapshot(EVERYONE) == before
    visitor.ask("still here")
    assert told == [("client_message", "still here")]


# What the server sends


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
