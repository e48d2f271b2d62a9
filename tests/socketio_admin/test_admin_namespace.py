"""What the admin page is told of the site, and what it may do to it."""

import bcrypt
import pytest
from django.apps import apps
from django.test import override_settings

import realtime_wall.socketio_admin
from realtime_wall.events import on_event
from realtime_wall.socketio_admin import admin_login, admin_namespace
from realtime_wall.socketio_admin.apps import SocketIOAdminConfig
from realtime_wall.testing import ConnectRefused, Realtime
from tests.fakes import no_receivers

HASHED = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
AUTH = {"username": "admin", "password": "secret"}
SETTINGS = {
    "NAMESPACES": ["/", "/admin"],
    "EVENT_MIDDLEWARE": ["realtime_wall.socketio_admin.admin_namespace.report_events"],
}
ADMIN = {"USERNAME": "admin", "PASSWORD": HASHED, "ALL_EVENTS": True}


@pytest.fixture
def options():
    return ADMIN


@pytest.fixture
def realtime(options, monkeypatch):
    monkeypatch.setattr(admin_namespace, "EVERY", 0.05)
    settings = {**SETTINGS, "SOCKETIO_ADMIN": options}
    with override_settings(REALTIME_WALL=settings), no_receivers(), Realtime() as realtime:
        SocketIOAdminConfig("realtime_wall.socketio_admin", realtime_wall.socketio_admin).connect_receivers()
        admin_namespace.start(None)
        yield realtime
        admin_namespace.stop(None)


@pytest.fixture
def page(realtime):
    return look(realtime)


def look(realtime):
    page = realtime.connect("socketio", namespace="/admin", auth=AUTH)
    until(page, "server_stats")  # the servers know that somebody looks
    return page


def until(page, name):
    return page.receive(event=name).data


def named(page, name):
    return [one for one in page.unread if one.event == name]


def test_it_is_not_there_where_nobody_has_installed_it():
    assert not apps.is_installed("realtime_wall.socketio_admin")


def test_who_may_not_look_is_told_nothing(realtime, monkeypatch):
    monkeypatch.setattr(admin_login, "authenticate", lambda request, **_: None)
    for auth in ({}, AUTH | {"password": "wrong"}, {"sessionId": "made up"}):
        with pytest.raises(ConnectRefused, match="invalid credentials"):
            realtime.connect("socketio", namespace="/admin", auth=auth)


def test_it_begins_with_what_it_may_do_and_who_is_there(realtime):
    client = realtime.connect("socketio_polling", channels=["room"])
    page = realtime.connect("socketio", namespace="/admin", auth=AUTH)

    token = until(page, "session")
    features = until(page, "config")["supportedFeatures"]
    sockets = {one["id"]: one for one in until(page, "all_sockets")}
    stats = until(page, "server_stats")

    assert {"EMIT", "MDISCONNECT", "AGGREGATED_EVENTS", "ALL_EVENTS"} <= set(features)
    found = sockets[client.session_id]
    assert (found["nsp"], found["transport"], found["rooms"]) == ("/", "polling", [client.session_id, "room"])
    assert {"address", "headers", "query", "issued"} <= found["handshake"].keys()
    assert (stats["clientsCount"], stats["pollingClientsCount"]) == (2, 1)
    assert stats["namespaces"] == [{"name": "/", "socketsCount": 1}, {"name": "/admin", "socketsCount": 1}]
    assert realtime.connect("socketio", namespace="/admin", auth={"sessionId": token})


def test_it_is_told_what_happens(realtime, page):
    on_event(name="say")(lambda request, socket, context, event: "heard")
    client = realtime.connect("socketio", channels=["room"])
    client.emit("say", 1, b"x")
    client.emit("say", 1)
    client.close()

    connected, joined = until(page, "socket_connected")[0], until(page, "room_joined")
    events = [until(page, "event_received")[:3] for _ in range(2)]
    gone = until(page, "socket_disconnected")
    assert (connected["id"], connected["nsp"]) == (client.session_id, "/")
    assert joined[:3] == ["/", "room", client.session_id]
    assert events == [
        ["/", client.session_id, ["say", "(with bytes)"]],
        ["/", client.session_id, ["say", 1]],
    ]
    assert gone[:2] == ["/", client.session_id]


def test_its_commands_reach_a_namespace_a_channel_or_a_socket(realtime, page):
    one, two = (realtime.connect("socketio", channels=[name]) for name in ("left", "right"))

    page.emit("emit", "/", None, "news", 1, 2)
    page.emit("emit", "/", "left", "news", 3)
    page.emit("emit", "/", two.session_id, "news", 4, 5)
    assert [one.receive().data for _ in range(2)] == [[1, 2], 3]
    assert [two.receive().data for _ in range(2)] == [[1, 2], [4, 5]]

    page.emit("join", "/", "new", "left")
    page.emit("leave", "/", "right", two.session_id)
    page.emit("join", "/", "all")
    realtime.settle()
    assert set(one.socket.channels) == {"left", "new", "all"}
    assert set(two.socket.channels) == {"all"}
    page.emit("_disconnect", "/", False, one.session_id)
    page.emit("_disconnect", "/", True, "all")
    realtime.settle()
    assert {client.session_id for client in (one, two)}.isdisjoint(live_ids())


def live_ids():
    from realtime_wall import connected_sockets

    return {socket.id for socket in connected_sockets}


@pytest.mark.parametrize(
    "args",
    [
        *(
            [],
            ["/"],
            [1, 2, 3],
            ["/", "", ""],
            ["/nope", None, "x"],
            ["/", "no such", "x"],
            ["/", None, "connect"],
        ),
        ["/", {"a": 1}, "x"],
    ],
)
def test_commands_that_make_no_sense_hurt_nobody(realtime, page, args):
    client = realtime.connect("socketio")
    for name in ("emit", "join", "leave", "_disconnect"):
        if (name, args) not in [("_disconnect", ["/"]), ("_disconnect", ["/", "", ""])]:
            page.emit(name, *args)
    realtime.settle()

    assert client.session_id in live_ids()
    assert page.session_id in live_ids()


@pytest.mark.parametrize("options", [ADMIN | {"READONLY": True, "ALL_EVENTS": False}])
def test_who_may_only_look_does_nothing_and_figures_are_all_there_is(realtime, options):
    client = realtime.connect("socketio", channels=["room"])
    page = look(realtime)
    page.emit("_disconnect", "/", True)
    other = realtime.connect("socketio")
    until(page, "server_stats")
    realtime.settle()

    assert {client.session_id, other.session_id} <= live_ids()
    assert until(page, "config") == {"supportedFeatures": ["AGGREGATED_EVENTS"]}
    assert not named(page, "all_sockets") + named(page, "socket_connected")


def test_where_nobody_looks_nothing_goes_between_the_servers(realtime, monkeypatch):
    sent = []
    monkeypatch.setattr(admin_namespace._here._topic, "send", lambda name, data: sent.append(name))

    realtime.connect("socketio", channels=["room"]).close()

    assert sent == []
