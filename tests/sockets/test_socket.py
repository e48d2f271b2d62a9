import gc
import json
import weakref

import gevent
import pytest
from django.contrib.auth.models import AnonymousUser

from realtime_wall.channels.names import EVERYONE
from realtime_wall.errors import InvalidChannel, InvalidMessage
from realtime_wall.sockets.client_session import session_of
from realtime_wall.sockets.dispatch import lifecycle
from realtime_wall.sockets.pending_acks import MAX_OPEN
from tests.fakes import RecordingTransport, no_receivers, running_node
from tests.live import wait_for


@pytest.fixture(autouse=True)
def own_receivers():
    with no_receivers():
        yield


@pytest.fixture
def node():
    with running_node(channels_per_connection=3) as node:
        yield node


@pytest.fixture
def client(node):
    return RecordingTransport(node)


@pytest.fixture
def socket(client):
    return client.socket


@pytest.fixture
def others(node):
    return [RecordingTransport(node) for _ in range(3)]


def connect(signal, function):
    signal.connect(function, weak=False)


# What user code finds on it


def test_a_socket_has_an_id_a_session_and_a_request(node):
    socket = RecordingTransport(node, "the-id").socket

    assert socket.id == socket.session.session_id == "the-id"
    assert socket.request.path == "/ws/"
    assert socket.channels == ()


def test_the_user_is_the_requests_and_nobody_without_authentication(socket):
    assert socket.user is None

    socket.request.user = AnonymousUser()

    assert socket.user is socket.request.user


def test_context_and_session_are_dicts_that_last(socket):
    socket.context["events"] = 1
    socket.session["room"] = "a"

    assert socket.context == {"events": 1}
    assert socket.session == {"room": "a"}


def test_a_socket_can_be_referred_to_weakly_and_is_not_kept(node):
    client = RecordingTransport(node)
    client.leave()
    reference = weakref.ref(client.socket)
    del client
    gc.collect()

    assert reference() is None


# To this client


def test_send_sends_text_and_turns_anything_else_into_it(client, socket):
    socket.send("hello")
    socket.send(12)

    assert client.sent == [(None, "hello", None), (None, "12", None)]


@pytest.mark.parametrize(("args", "data"), [((), None), ((0,), 0), (([1],), [1]), ((1, 2), [1, 2])])
def test_emit_sends_no_argument_as_null_one_as_itself_and_several_as_an_array(client, socket, args, data):
    socket.emit("news", *args)

    assert client.sent == [("news", data, None)]


@pytest.mark.parametrize("name", ["welcome", "disconnect", "", "with\nbreak", 3])
def test_an_event_that_clients_could_not_tell_from_ours_is_refused(client, socket, name):
    with pytest.raises(InvalidMessage):
        socket.emit(name, 1)
    with pytest.raises(InvalidMessage):
        socket.emit(name, 1, callback=print)
    with pytest.raises(InvalidMessage):
        socket.broadcast_emit(name, 1)

    assert client.sent == []


def test_what_cannot_be_sent_is_told_to_who_sends_it(client, socket):
    for verb in (
        *(socket.send, socket.broadcast_send),
        *(lambda text: socket.emit("news", text), lambda text: socket.ack(1, text)),
    ):
        with pytest.raises(InvalidMessage):
            verb("\ud800")

    assert client.sent == client.acks == []


def test_an_acknowledgement_carries_arguments_like_an_event(client, socket):
    socket.ack(7)
    socket.ack("eight", 0)
    socket.ack(9, 1, 2)

    assert client.acks == [(7, None), ("eight", 0), (9, [1, 2])]


def test_disconnect_says_to_come_back_unless_told_otherwise(client, socket):
    socket.disconnect()

    assert client.closed == (3503, "disconnected by the server")


def test_disconnect_takes_a_code_and_a_reason(client, socket):
    socket.disconnect(code=3500, reason="go away")

    assert client.closed == (3500, "go away")


# What the client answers


def test_a_callback_is_called_with_the_answer_once_and_in_turn(node, client, socket):
    answers = []
    socket.emit("first", callback=lambda *args: answers.append(("first", args)))
    socket.emit("second", callback=lambda *args: answers.append(("second", args)))
    (_, _, first), (_, _, second) = client.sent

    session_of(socket).acknowledged(second, [1, 2])
    assert answers == []  # user code runs behind what came before, not on the event loop
    session_of(socket).acknowledged(first, [0])
    session_of(socket).acknowledged(first, ["again"])
    assert node.pool.wait_until_idle(10)

    assert answers == [("second", (1, 2)), ("first", (0,))]


@pytest.mark.parametrize("reply_id", [0, 99, "1", None, 1.5])
def test_an_answer_that_nobody_waits_for_is_ignored(node, socket, reply_id):
    answers = []
    session_of(socket).acknowledged(reply_id, ["too early"])
    socket.emit("news", callback=answers.append)

    session_of(socket).acknowledged(reply_id, ["no"])

    assert node.pool.wait_until_idle(10)
    assert answers == []


def test_an_event_without_a_callback_asks_for_no_answer(client, socket):
    socket.emit("news")

    assert client.sent == [("news", None, None)]


def test_a_client_that_never_answers_is_not_waited_for_without_end(node, client, socket):
    answers = []
    for number in range(MAX_OPEN + 1):
        socket.emit("news", callback=lambda _, number=number: answers.append(number))
    first, second, *_ = (reply_id for _, _, reply_id in client.sent)

    session_of(socket).acknowledged(first, [None])
    session_of(socket).acknowledged(second, [None])

    assert node.pool.wait_until_idle(10)
    assert answers == [1]


@pytest.mark.parametrize(("args", "value"), [([3], 3), ([], ()), ([1, 2], (1, 2)), ([None], None)])
def test_call_waits_for_the_answer(client, socket, args, value):
    waiting = gevent.spawn(socket.call, "add", 1, 2, timeout=10)
    wait_for(lambda: client.sent)
    ((name, data, reply_id),) = client.sent

    session_of(socket).acknowledged(reply_id, args)

    assert (name, data) == ("add", [1, 2])
    assert waiting.get(timeout=10) == value


def test_call_does_not_wait_for_a_client_that_is_gone(client, socket):
    waiting = gevent.spawn(socket.call, "add", 1, timeout=60)
    wait_for(lambda: client.sent)

    lifecycle.end(session_of(socket))

    for asked in (waiting, gevent.spawn(socket.call, "add", 2, timeout=60)):
        with pytest.raises(TimeoutError, match="gone"):
            asked.get(timeout=10)
    assert len(client.sent) == 1


def test_call_works_inside_a_receiver_of_the_same_socket(node, client, socket):
    results = []
    session_of(socket).inbox.put(lambda: results.append(socket.call("ready?", timeout=10)))
    wait_for(lambda: client.sent)

    session_of(socket).acknowledged(client.sent[0][2], ["yes"])

    assert node.pool.wait_until_idle(10)
    assert results == ["yes"]


def test_call_gives_up_in_time(socket):
    with pytest.raises(TimeoutError, match=r"'add' was not acknowledged within 0\.01 s"):
        socket.call("add", timeout=0.01)


# To others


def heard(*clients):
    return [
        [(one.channel, one.event, json.loads(one.data_json)) for one in client.heard] for client in clients
    ]


def test_broadcast_reaches_everybody_but_its_sender(client, socket, others):
    receipt = socket.broadcast({"n": 1})

    assert heard(client, *others) == [[], *[[(EVERYONE, None, {"n": 1})]] * 3]
    assert (receipt.sockets, bool(receipt)) == (3, True)


def test_broadcast_send_sends_text(socket, others):
    socket.broadcast_send(12)

    assert heard(*others) == [[(EVERYONE, None, "12")]] * 3


def test_broadcast_emit_leaves_its_sender_out_unless_told_otherwise(client, socket, others):
    socket.broadcast_emit("news", 1, 2)
    socket.broadcast_emit("more", include_self=True)

    assert heard(*others) == [[(EVERYONE, "news", [1, 2]), (EVERYONE, "more", None)]] * 3
    assert heard(client) == [[(EVERYONE, "more", None)]]


def test_send_and_broadcast_reaches_its_sender_too(client, socket, others):
    receipt = socket.send_and_broadcast("hi")

    assert heard(client, *others) == [[(EVERYONE, None, "hi")]] * 4
    assert receipt.sockets == 4


def test_a_socket_that_is_alone_may_broadcast(socket):
    receipt = socket.broadcast("anybody?")

    assert (receipt.sockets, bool(receipt)) == (0, False)


def test_broadcast_channel_reaches_the_others_on_one_channel(client, socket, others):
    for one in (client, *others[:2]):
        one.socket.subscribe("room")
    others[2].socket.subscribe("lobby")

    assert socket.broadcast_channel("hi", "room").sockets == 2

    assert heard(client, *others) == [[], [("room", None, "hi")], [("room", None, "hi")], []]


def test_broadcast_channel_without_a_channel_means_all_of_the_sockets(client, socket, others):
    for channel in ("room", "lobby"):
        socket.subscribe(channel)
    others[0].socket.subscribe("room")
    others[1].socket.subscribe("lobby")
    others[2].socket.subscribe("attic")

    assert socket.broadcast_channel("hi").sockets == 2
    assert heard(client, *others) == [[], [("room", None, "hi")], [("lobby", None, "hi")], []]

    assert socket.send_and_broadcast_channel("all").sockets == 4
    assert heard(client) == [[("room", None, "all"), ("lobby", None, "all")]]


def test_send_and_broadcast_channel_takes_a_channel(client, socket, others):
    socket.subscribe("room")
    others[0].socket.subscribe("room")

    assert socket.send_and_broadcast_channel("hi", channel="room").sockets == 2
    assert heard(client) == [[("room", None, "hi")]]


@pytest.mark.parametrize("name", ["*", "a/b"])
def test_everyone_cannot_be_written_to_by_name(socket, others, name):
    with pytest.raises(InvalidChannel):
        socket.broadcast_channel("hi", name)
    with pytest.raises(InvalidChannel):
        socket.send_and_broadcast_channel("hi", name)

    assert heard(*others) == [[], [], []]
