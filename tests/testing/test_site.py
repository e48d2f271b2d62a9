"""What a test of a site's can do with clients in its own process, on every transport."""

import gevent
import pytest
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.test import Client, override_settings

from realtime_wall import broadcast, broadcast_call, publish, signals
from realtime_wall.errors import Refuse
from realtime_wall.events import on_connect, on_event, on_finish, on_subscribe
from realtime_wall.testing import ConnectRefused, Realtime, RealtimeTestCase, Received
from realtime_wall.testing.client import ONE_WAY, TRANSPORTS, TWO_WAY, ErrorReply
from tests.fakes import no_receivers


@pytest.fixture
def realtime():
    with no_receivers(), Realtime() as realtime:
        yield realtime


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_client_hears_its_channels(realtime, transport):
    client = realtime.connect(transport, channels=["news", "sport"])

    publish("weather", 0)
    publish("news", {"a": 1}, event="told")
    publish("sport", [1, 2])

    told, message = client.receive("told"), client.receive()
    assert (told.data, message.event, message.data) == ({"a": 1}, "message", [1, 2])
    client.assert_nothing_sent()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_client_that_was_away_is_sent_what_it_missed(realtime, transport):
    client = realtime.connect(transport, channels=["news"])
    publish("news", 1)
    client.receive()

    client.drop()
    publish("news", 2)
    client.reconnect()
    publish("news", 3)

    assert [client.receive().data, client.receive().data] == [2, 3]
    client.assert_nothing_sent()


@pytest.mark.parametrize("transport", TWO_WAY)
def test_a_client_speaks_and_is_answered(realtime, transport):
    @on_event(name="add")
    def add(request, socket, context, event):
        return sum(event.args[0])

    client = realtime.connect(transport)

    assert client.call("add", [1, 2]) == 3
    client.assert_nothing_sent()


@pytest.mark.parametrize("transport", TWO_WAY)
def test_a_client_answers_the_server(realtime, transport):
    client = realtime.connect(transport)
    client.answer("name", lambda data: f"{data} Ada")

    found = broadcast_call("name", "Ms")

    assert found.answers == {client.session_id: "Ms Ada"}


@pytest.mark.parametrize("transport", TWO_WAY)
def test_what_goes_to_everyone_goes_to_it(realtime, transport):
    client = realtime.connect(transport)

    assert broadcast("hi").sockets == 1

    assert client.receive().data == "hi"
    realtime.assert_broadcast("message", "hi", channel=None)


@pytest.mark.parametrize("transport", TWO_WAY)
def test_a_client_that_is_refused_says_why(realtime, transport):
    @on_connect
    def arrived(request, socket, context):
        raise Refuse("members only")

    with pytest.raises(ConnectRefused, match="members only"):
        realtime.connect(transport)


@pytest.mark.parametrize("transport", TWO_WAY)
def test_a_channel_that_is_refused_says_why(realtime, transport):
    @on_subscribe(channel="secret")
    def asked(request, socket, context, channel):
        return False

    client = realtime.connect(transport)

    with pytest.raises(ErrorReply) as refused:
        client.subscribe("secret")
    assert refused.value.code == "refused"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_strange_origin_is_refused(realtime, transport):
    with pytest.raises(ConnectRefused) as refused:
        realtime.connect(transport, channels=["news"], headers={"Origin": "https://elsewhere.example"})

    assert refused.value.code == 403 or "403" in refused.value.reason


@pytest.mark.parametrize("transport", ONE_WAY)
def test_a_listener_needs_channels(realtime, transport):
    with pytest.raises(ValueError, match="listens to channels"):
        realtime.connect(transport)


def test_a_transport_that_is_misspelt(realtime):
    with pytest.raises(ValueError, match="there are websocket"):
        realtime.connect("websockets")


def test_a_client_has_the_cookies_of_djangos():
    client, session = Client(), SessionStore()
    session["name"] = "Ada"
    session.save()
    client.cookies["sessionid"] = session.session_key

    with no_receivers(), override_settings(SESSION_ENGINE=SessionStore.__module__), Realtime() as realtime:
        assert realtime.connect(client=client).socket.request.session["name"] == "Ada"


def test_what_was_not_sent_is_named(realtime):
    client = realtime.connect(channels=["news"])
    publish("news", 1)

    with pytest.raises(
        AssertionError, match="told was not sent: websocket client, connected, unread: .*data=1"
    ):
        client.receive("told", timeout=0.01)
    with pytest.raises(AssertionError, match="data=1"):
        client.assert_nothing_sent()
    with pytest.raises(AssertionError, match="data=1"):
        realtime.assert_nothing_broadcast()
    with pytest.raises(AssertionError, match="data=1"):
        realtime.assert_broadcast("told")
    assert realtime.assert_broadcast(channel="news") == Received("message", 1, "news", client.cursor)


def test_a_receiver_that_takes_its_time_is_waited_for(realtime):
    @on_event(name="slow")
    def slow(request, socket, context, event):
        gevent.sleep(0.05)
        publish("news", "done")

    client = realtime.connect(channels=["news"])
    client.emit("slow")

    with pytest.raises(AssertionError, match="done"):
        client.assert_nothing_sent()


def test_a_client_that_is_closed_knows_its_code(realtime):
    client = realtime.connect()

    client.socket.disconnect(code=3500, reason="enough")

    assert client.wait_closed() == (3500, "enough")
    with pytest.raises(AssertionError, match="closed"):
        client.receive()


def test_the_clock_ends_what_a_lost_client_has_left(realtime):
    finished = []
    on_finish(lambda request, socket, context: finished.append(socket.id))
    client = realtime.connect("socketio")

    client.drop()
    realtime.clock.advance(realtime.node.config.resume_timeout - 2)
    assert finished == []
    realtime.clock.advance(4)

    assert finished == [client.session_id]


def test_the_clock_forgets_old_messages(realtime):
    client = realtime.connect(channels=["news"])
    before = client.cursor
    publish("news", 1)

    realtime.clock.advance(realtime.node.config.history_age + 1)

    assert realtime.connect("eventsource", channels=["news"], since=before).receive().event == "gap"


def test_a_client_outlives_its_heartbeats(realtime):
    clients = [realtime.connect(transport, channels=["news"]) for transport in TRANSPORTS]

    realtime.clock.advance(5 * realtime.node.config.ping_interval)
    publish("news", 1)

    assert [client.receive().data for client in clients] == [1] * len(clients)


def test_each_test_has_a_site_of_its_own():
    with no_receivers():
        with Realtime() as first:
            first.connect("socketio").drop()
            first.connect("socketio_polling")
            publish("news", 1)
        with Realtime() as second:
            assert second.published == []
            assert len(second.node.detached_sessions.all()) == 0
            second.connect("eventsource", channels=["news"], since=None).assert_nothing_sent()


def test_receivers_hear_of_clients_that_a_test_leaves_behind():
    left = []
    with no_receivers():
        signals.socket_disconnected.connect(
            receiver := lambda sender, request: left.append(sender), weak=False
        )
        with Realtime() as realtime:
            socket = realtime.connect().socket
        assert left == [socket]
        signals.socket_disconnected.disconnect(receiver)


def test_a_test_case_of_djangos_has_it():
    class ATest(RealtimeTestCase):
        databases = set()

        def test_it(self):
            self.realtime.connect(channels=["news"])
            publish("news", 1)
            self.realtime.assert_broadcast(data=1)

    result = ATest("test_it").run()

    assert result is None or result.wasSuccessful()
