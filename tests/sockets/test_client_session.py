import pytest

from realtime_wall import signals
from realtime_wall.channels.names import EVERYONE
from realtime_wall.errors import InvalidChannel, Refuse, TooManyChannels
from realtime_wall.sockets.arguments import Arguments
from realtime_wall.sockets.client_session import session_of
from realtime_wall.wire.connection import DROPPED
from tests.fakes import RecordingTransport, no_receivers, running_node


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


@pytest.mark.threat("S45")
def test_a_log_is_told_too_little_to_impersonate_a_socket(node):
    socket = RecordingTransport(node, "0123456789").socket

    assert repr(socket) == "<Socket 012345>"
    assert session_of(socket).log_id == "012345"


# Channels


def test_a_socket_hears_a_channel_from_subscribing_to_unsubscribing(node, client, socket, others):
    others[0].socket.subscribe("room")
    others[0].socket.send_and_broadcast_channel("before", "room")

    assert socket.subscribe("room") is True
    assert socket.channels == ("room",)
    others[0].socket.send_and_broadcast_channel("during", "room")

    assert socket.unsubscribe("room") is True
    assert socket.channels == ()
    others[0].socket.send_and_broadcast_channel("after", "room")

    assert client.data_heard == ["during"]


def test_subscribing_twice_or_leaving_what_it_is_not_in_does_nothing(client, socket):
    told = []
    connect(signals.socket_subscribed, lambda *_, channel, **__: told.append(("in", channel)))
    connect(signals.socket_unsubscribed, lambda *_, channel, **__: told.append(("out", channel)))
    socket.subscribe("room")

    assert socket.subscribe("room") is False
    assert socket.unsubscribe("lobby") is False

    assert told == [("in", "room")]
    assert len(client.catch_ups) == 1
    assert socket.channels == ("room",)


@pytest.mark.threat("S40")
@pytest.mark.parametrize("name", ["*", "", "a/b", "a*b", "ALL", "new\nline", " padded", 7, None])
def test_everyone_and_other_names_that_are_none_cannot_be_subscribed_to(node, client, socket, name):
    before = node.subscriptions.snapshot(EVERYONE)

    with pytest.raises(InvalidChannel):
        socket.subscribe(name)

    assert socket.channels == ()
    assert node.subscriptions.snapshot(EVERYONE) == before
    assert client.catch_ups == []


@pytest.mark.threat("S41")
def test_a_connection_has_a_limited_number_of_channels(socket):
    for channel in "abc":
        socket.subscribe(channel)

    with pytest.raises(TooManyChannels, match="in 3 channels already") as refusal:
        socket.subscribe("d")
    assert refusal.value.limit == 3
    assert socket.channels == ("a", "b", "c")

    socket.unsubscribe("a")
    assert socket.subscribe("d") is True


def test_the_subscribe_receivers_see_the_channel_among_the_sockets(socket):
    seen = []
    connect(signals.socket_subscribed, lambda sender, **_: seen.append(sender.channels))
    connect(signals.socket_unsubscribed, lambda sender, **_: seen.append(sender.channels))

    socket.subscribe("room")
    socket.unsubscribe("room")

    assert seen == [("room",), ("room",)]


@pytest.mark.parametrize("refusal", [False, Refuse("no"), ValueError("broken")], ids=repr)
def test_a_subscribe_receiver_can_refuse_and_a_broken_one_lets_nobody_in(node, client, socket, refusal):
    def receiver(*_, **__):
        if isinstance(refusal, Exception):
            raise refusal
        return refusal

    connect(signals.socket_subscribed, lambda *_, **__: True)
    connect(signals.socket_subscribed, receiver)

    assert socket.subscribe("room") is False

    assert socket.channels == ()
    assert node.subscriptions.snapshot("room") == ()
    assert client.catch_ups == []


@pytest.mark.parametrize("value", [None, 0, "", True])
def test_only_false_refuses(socket, value):
    connect(signals.socket_subscribed, lambda *_, **__: value)

    assert socket.subscribe("room") is True


def test_a_receiver_may_leave_the_channel_that_is_being_joined(node, socket):
    connect(signals.socket_subscribed, lambda sender, channel, **_: sender.unsubscribe(channel) and None)

    assert socket.subscribe("room") is False
    assert node.subscriptions.snapshot("room") == ()


def test_a_client_that_went_while_it_was_asked_about_is_not_subscribed(node, socket):
    def receiver(sender, **_):
        session_of(sender).is_disconnected = True

    connect(signals.socket_subscribed, receiver)

    assert socket.subscribe("room") is False
    assert node.subscriptions.snapshot("room") == ()


@pytest.mark.parametrize("state", ["is_disconnected", "is_refused"])
def test_who_is_gone_or_was_refused_subscribes_to_nothing_more(node, socket, state):
    asked = []
    connect(signals.socket_subscribed, lambda *_, **__: asked.append(1))
    setattr(session_of(socket), state, True)

    assert socket.subscribe("room") is False

    assert asked == []
    assert node.subscriptions.snapshot("room") == ()


def test_sending_to_a_client_that_is_closing_says_so(client, socket):
    client.answer = DROPPED

    assert session_of(socket).send_event(None, Arguments('"x"')) is DROPPED


def test_who_continues_a_session_has_its_id_and_what_user_code_kept(node):
    earlier, client = RecordingTransport(node), RecordingTransport(node)
    earlier.socket.context["name"] = "ada"
    earlier.socket.session["room"] = "attic"
    earlier.session.requested = {"attic": "token"}
    earlier.leave()
    client.leave()  # it is known by another id now

    client.session.take_over(earlier.session)

    assert client.socket.id == earlier.socket.id
    assert (client.socket.context, client.socket.session) == ({"name": "ada"}, {"room": "attic"})
    assert client.session.requested == {"attic": "token"}
    assert (earlier.socket.recovered, client.socket.recovered) == (False, True)
    assert client.socket is not earlier.socket


def test_a_handle_leads_to_its_session(client):
    assert session_of(client.socket) is client.session
    assert client.session.socket is client.socket
