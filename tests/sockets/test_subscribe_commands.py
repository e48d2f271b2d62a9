import time

import pytest

from realtime_wall import signals
from realtime_wall.auth.channel_token import channel_token
from realtime_wall.brokers.commands import Publish
from realtime_wall.sockets import subscribe_commands
from tests.fakes import RecordingTransport, no_receivers, running_node


@pytest.fixture(autouse=True)
def own_receivers():
    with no_receivers():
        yield


@pytest.fixture
def client():
    with running_node(channels_per_connection=2) as node:
        yield RecordingTransport(node)


def subscribe(client, channel, since=None):
    return subscribe_commands.subscribe(client.session, channel, since, 1)


def test_a_channel_is_joined_and_left(client):
    assert subscribe(client, "room") is None
    assert client.socket.channels == ("room",)

    assert subscribe_commands.unsubscribe(client.session, "room") is None
    assert client.socket.channels == ()


def test_it_is_joined_from_the_cursor_that_was_given(client):
    start = client.node.broker.top

    assert subscribe(client, "room", str(start)) is None
    ((channel, since, _),) = client.catch_ups
    assert (channel, since) == ("room", start)


@pytest.mark.parametrize(
    ("channel", "since", "code"),
    [
        ("a/b", None, "bad_channel"),
        ("*", None, "bad_channel"),
        ("", None, "bad_channel"),
        (None, None, "bad_channel"),
        (["room"], None, "bad_channel"),
        ("room", "nonsense", "bad_since"),
        ("room", 5, "bad_since"),
        ("room", ["e:1"], "bad_since"),
    ],
)
def test_what_is_no_channel_or_no_cursor_is_a_problem(client, channel, since, code):
    problem = subscribe(client, channel, since)

    assert (problem.code, bool(problem.message)) == (code, True)
    assert client.socket.channels == ()


@pytest.fixture
def ruled():
    channels = {
        "secret": {"READ": False},
        "asked": {"READ": "token"},
        "small": {"MAX_SUBSCRIBERS": 1},
        "known": {"EXISTING_ONLY": True},
    }
    with running_node(channels=channels) as node:
        yield RecordingTransport(node)


def test_what_the_rule_forbids_is_refused_unless_user_code_subscribes(ruled):
    assert subscribe(ruled, "secret").code == "refused"
    assert ruled.socket.subscribe("secret")
    assert ruled.session.may_still_read("secret")


def test_a_token_opens_what_asks_for_one(ruled):
    assert subscribe(ruled, "asked").code == "refused"
    assert subscribe_commands.subscribe(ruled.session, "asked", None, 1, channel_token("asked")) is None
    assert ruled.session.may_still_read("asked")


def test_a_client_that_asked_for_itself_stays_while_the_rule_lets_it(ruled, monkeypatch):
    assert (
        subscribe_commands.subscribe(ruled.session, "asked", None, 1, channel_token("asked", max_age=60))
        is None
    )
    now = time.time()
    monkeypatch.setattr("realtime_wall.auth.channel_token.time.time", lambda: now + 61)

    assert not ruled.session.may_still_read("asked")


def test_a_full_channel_takes_nobody_in(ruled):
    other = RecordingTransport(ruled.node)
    assert subscribe(other, "small") is None

    assert subscribe(ruled, "small").code == "full"
    subscribe_commands.unsubscribe(other.session, "small")
    assert subscribe(ruled, "small") is None


def test_a_channel_that_has_to_exist_is_joined_once_something_was_published(ruled):
    assert subscribe(ruled, "known").code == "no_channel"
    ruled.node.perform(Publish(channel="known", data_json="1"))
    assert subscribe(ruled, "known") is None


def test_a_channel_cannot_be_joined_twice(client):
    subscribe(client, "room")

    assert subscribe(client, "room").code == "already_subscribed"


def test_but_who_has_a_cursor_is_told_again_what_followed_it_and_nothing_twice(client):
    start = client.node.broker.top
    subscribe(client, "room")
    client.node.perform(Publish(channel="room", data_json="1", counted=False))  # on its way

    assert subscribe(client, "room", str(start)) is None
    client.node.perform(Publish(channel="room", data_json="2"))

    assert [message.data_json for message in client.heard] == ["1", "2"]
    assert client.socket.channels == ("room",)


def test_who_is_gone_is_not_told_again(client):
    subscribe(client, "room")
    client.node.unsubscribe(client, "room")
    client.session.is_disconnected = True

    subscribe(client, "room", str(client.node.broker.top))

    assert client.node.subscriptions.snapshot("room") == ()


def test_a_receiver_may_refuse(client):
    signals.socket_subscribed.connect(lambda *_, **__: False, weak=False)

    assert subscribe(client, "room").code == "refused"


def test_there_is_a_limit(client):
    assert [subscribe(client, name) for name in "ab"] == [None, None]

    assert subscribe(client, "c").code == "too_many_channels"


@pytest.mark.parametrize("channel", ["elsewhere", None, 5, ["room"], {}])
def test_only_what_was_joined_can_be_left(client, channel):
    subscribe(client, "room")

    assert subscribe_commands.unsubscribe(client.session, channel).code == "not_subscribed"
    assert client.socket.channels == ("room",)
