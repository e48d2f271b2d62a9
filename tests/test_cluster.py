"""The cluster's API as a server sees it that is alone; several of them are in tests/integration."""

import os
import socket as sockets
import time

import pytest
from django.test import override_settings

from realtime_wall import cluster, publish
from realtime_wall.auth import django_sessions
from realtime_wall.auth.django_sessions import DjangoSession
from realtime_wall.errors import InvalidChannel, InvalidMessage, NoServer, NoSocket
from realtime_wall.sockets.recovery.detached_sessions import DetachedSession
from realtime_wall.sockets.recovery.subscribe_acks import SubscribeAcks
from realtime_wall.sockets.recovery.welcome import Welcome
from tests.fakes import RecordingTransport, no_receivers, running_node


class RequestSession:
    accessed = True

    def __init__(self, key):
        self.session_key = key


@pytest.fixture
def node(monkeypatch):
    known = {"ada": DjangoSession("1", None), "bob": DjangoSession("2", None)}
    monkeypatch.setattr(
        django_sessions, "sessions_of", lambda keys: {key: known[key] for key in keys if key in known}
    )
    with no_receivers(), running_node() as node:
        yield node


def connect(node, key=None, *channels):
    client = RecordingTransport(node)
    if key is not None:
        client.socket.request.session = RequestSession(key)
    for channel in channels:
        client.socket.subscribe(channel)
    return client


def test_the_servers(node):
    connect(node)
    (server,) = cluster.servers()

    assert (server.address, server.pid, server.hostname) == (node.address, os.getpid(), sockets.gethostname())
    assert (server.sockets, server.listeners) == (1, 0)


def test_the_sockets_are_told_with_whose_they_are_and_where(node):
    ada, guest = connect(node, "ada", "news", "sport"), connect(node, "forged")
    ada.socket.request.META.update(REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="203.0.113.7")  # nginx

    found = {one.session_id: one for one in cluster.sockets()}

    assert found.keys() == {ada.socket.id, guest.socket.id}
    one = found[ada.socket.id]
    assert (one.user_id, one.channels, one.namespace) == ("1", ("news", "sport"), "/")
    assert (one.server, one.address) == (node.address, "203.0.113.7")
    assert time.time() - 60 < one.since <= time.time()
    assert found[guest.socket.id].user_id is None
    assert [one.session_id for one in cluster.sockets("news")] == [ada.socket.id]


def test_many_sockets_are_told_in_portions_and_each_once(node, monkeypatch):
    monkeypatch.setattr("realtime_wall.node.introspection.listings.PORTION", 3)
    monkeypatch.setattr("realtime_wall.brokers.router.PORTION", 3)
    clients = [connect(node) for _ in range(9)]

    told = [one.session_id for one in cluster.sockets()]

    assert told == sorted(client.socket.id for client in clients)


def test_a_socket_is_closed(node):
    client, other = connect(node), connect(node)

    assert cluster.disconnect(client.socket.id, 3600, "enough").sockets == 1
    assert (client.closed, other.closed) == ((3600, "enough"), None)
    cluster.disconnect(other.socket.id)
    assert other.closed == (3503, "disconnected by the server")


@pytest.mark.parametrize("session_id", ["nobody", "aaaaaaaa.nobody"])
def test_a_socket_that_is_gone_is_an_error(node, session_id):
    with pytest.raises(NoSocket, match=f"session ID: {session_id}"):
        cluster.disconnect(session_id)
    with pytest.raises(NoSocket):
        cluster.disconnect(node.new_session_id())


def test_a_visit_that_was_cut_off_cannot_go_on_after_it_was_closed(node):
    client = connect(node)
    client.leave()
    session, top = client.session, node.broker.top
    detached = DetachedSession(
        node.detached_sessions, "secret", "me", session, (), Welcome(top), top, top, SubscribeAcks()
    )
    node.detached_sessions.detach(detached)

    assert cluster.disconnect(session.id).sockets == 1
    assert node.detached_sessions.take("secret", "me") is None


def test_sockets_are_put_on_a_channel_and_taken_off_it(node):
    ada, also_ada, bob = connect(node, "ada"), connect(node, "ada"), connect(node, "bob")

    def on(channel):
        assert node.pool.wait_until_idle(10)
        return [client for client in (ada, also_ada, bob) if channel in client.socket.channels]

    assert cluster.subscribe("a", user=1).sockets == 2
    assert on("a") == [ada, also_ada]
    assert cluster.subscribe("b", session_id=bob.socket.id).sockets == 1
    assert cluster.subscribe("b", on="a").sockets == 2
    assert on("b") == [ada, also_ada, bob]
    assert cluster.unsubscribe("a", on="b").sockets == 3
    assert on("a") == []
    assert cluster.unsubscribe("b", session_id=ada.socket.id).sockets == 1
    assert on("b") == [also_ada, bob]


def test_who_is_moved_is_said_in_one_way_and_there(node, caplog):
    client = connect(node)
    for given in ({}, {"user": 1, "on": "a"}, {"session_id": "x", "user": 1, "on": "a"}):
        with pytest.raises(ValueError, match="say whom"):
            cluster.subscribe("news", **given)
    for given in ({"session_id": "nobody"}, {"user": 99}, {"on": "empty"}):
        with pytest.raises(NoSocket, match="no such sockets"):
            cluster.unsubscribe("news", **given)
    node.channels_per_connection = 0
    cluster.subscribe("news", session_id=client.socket.id)
    assert node.pool.wait_until_idle(10)
    assert "was not put on channel 'news'" in caplog.text


def test_a_users_sockets_are_closed(node):
    ada, also_ada, bob = connect(node, "ada"), connect(node, "ada"), connect(node, "bob")

    class User:
        pk = 1

    assert cluster.disconnect_user(User()).sockets == 2
    assert ada.closed == also_ada.closed == (3503, "disconnected by the server")
    assert bob.closed is None
    assert cluster.disconnect_user(2, 4000, "bye").sockets == 1
    assert bob.closed == (4000, "bye")


@pytest.mark.parametrize(
    ("code", "reason"), [(1005, ""), (1006, ""), (999, ""), (5000, ""), (3503, "é" * 62)]
)
def test_what_no_close_frame_can_say_is_refused(node, code, reason):
    client = connect(node, "ada")
    with pytest.raises(ValueError, match="close"):
        cluster.disconnect(client.socket.id, code, reason)
    with pytest.raises(ValueError, match="close"):
        cluster.disconnect_user(1, code, reason)
    assert client.closed is None


def test_presence_needs_the_name_of_a_channel(node):
    assert cluster.presence("news") == []
    for name in ("*", "*.presence", "a/b"):
        with pytest.raises(InvalidChannel):
            cluster.presence(name)
        with pytest.raises(InvalidChannel):
            cluster.sockets(name)


def test_statistics(node):
    connect(node, None, "news")

    assert (cluster.statistics()["channels"], cluster.statistics()["sockets"]) == (1, 1)
    assert cluster.statistics("news")["subscribers"] == 1
    assert [one["channel"] for one in cluster.statistics("ALL")["infos"]] == ["news"]


def test_without_a_server_there_is_nobody_to_ask(tmp_path):
    asks = (cluster.servers, cluster.sockets, cluster.statistics, lambda: cluster.presence("a"))
    with override_settings(REALTIME_WALL={"RUNTIME_DIR": str(tmp_path)}):
        for ask in (*asks, lambda: cluster.disconnect_user(1)):
            with pytest.raises(NoServer):
                ask()


def test_who_watches_a_channel_sees_what_is_published_there_until_it_ends(node):
    seen = []
    stop = cluster.watch("tweets*", seen.append)
    publish("tweets", {"id": 1}, event="tweet", event_id="1")
    publish("other", 2)
    (one,) = seen
    assert (one.channel, one.data, one.event, one.event_id) == ("tweets", {"id": 1}, "tweet", "1")

    stop()
    publish("tweets", 3)
    assert len(seen) == 1


def test_a_lease_is_had_by_one_at_a_time(tmp_path):
    tmp_path.chmod(0o700)
    with override_settings(REALTIME_WALL={"RUNTIME_DIR": str(tmp_path)}):
        first, second = cluster.lease("feeder"), cluster.lease("feeder")

    assert first.take()
    assert not second.take()
    first.release()
    assert second.take()
    second.release()


def test_sockets_are_listed_a_page_at_a_time(node):
    clients = sorted((connect(node, "ada", "news") for _ in range(5)), key=lambda client: client.socket.id)
    ids = [client.socket.id for client in clients]
    clients[2].is_behind = True

    first = cluster.socket_page(limit=2)
    second = cluster.socket_page(after=first[-1].session_id, limit=2)

    assert [one.session_id for one in (*first, *second)] == ids[:4]
    assert [one.is_behind for one in second] == [True, False]
    assert {one.address for one in first} == {"127.0.0.1"}


def test_sockets_are_listed_of_a_channel_or_of_a_user(node):
    ada, bob = connect(node, "ada", "news"), connect(node, "bob")

    assert [one.session_id for one in cluster.socket_page(channel="news")] == [ada.socket.id]
    assert [one.session_id for one in cluster.socket_page(user=2)] == [bob.socket.id]
    with pytest.raises(ValueError, match="from 1 to"):
        cluster.socket_page(limit=0)


def test_channels_are_listed_a_page_at_a_time(node):
    connect(node, None, "b1", "b2", "a")
    publish("b3", 1)

    pages = cluster.channel_page(limit=1, prefix="b"), cluster.channel_page(after="b1", prefix="b")

    assert [[one["channel"] for one in page] for page in pages] == [["b1"], ["b2", "b3"]]
    assert [one["subscribers"] for one in pages[1]] == [1, 0]


def test_the_last_messages_of_a_channel(node):
    for number in range(3):
        publish("news", number)

    assert [one["data"] for one in cluster.history("news", 2)] == [1, 2]


def test_the_figures_of_the_servers(node):
    (figures,) = cluster.metrics()

    assert (figures["server"], figures["values"]["sockets"]) == (node.address, 0)


def test_an_event_is_sent_to_one_socket_wherever_it_is(node):
    one, other = RecordingTransport(node), RecordingTransport(node)

    assert cluster.emit(one.socket.id, "news", 1, {"a": 2}).sockets == 1
    cluster.emit(one.socket.id, "nothing")
    with pytest.raises(NoSocket):
        cluster.emit("gone", "news")
    with pytest.raises(InvalidMessage):
        cluster.emit(one.socket.id, "connect")

    assert [(name, data) for name, data, _ in one.sent] == [("news", [1, {"a": 2}]), ("nothing", None)]
    assert other.sent == []


def test_a_server_says_how_its_sockets_are_connected(node):
    for namespace, kind in (("/", "websocket"), ("/", "polling"), ("/admin", "websocket")):
        client = RecordingTransport(node)
        client.kind, client.session.namespace = kind, namespace

    (server,) = cluster.servers()
    assert (server.namespaces, server.polling) == ({"/": 2, "/admin": 1}, 1)
    assert sorted(one.transport for one in cluster.sockets()) == ["polling", "websocket", "websocket"]
