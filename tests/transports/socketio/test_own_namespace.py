"""A namespace has broadcasts and rooms of its own: nobody else hears them, live or when he comes back."""

import pytest
from django.test import override_settings

from realtime_wall import InvalidMessage, NoSocket, broadcast, broadcast_channel, broadcast_emit
from realtime_wall.brokers.commands import Publish
from realtime_wall.testing import Realtime
from realtime_wall.testing.client import ONE_WAY
from tests.fakes import no_receivers


@pytest.fixture
def realtime():
    settings = {"NAMESPACES": ["/", "/admin"]}
    with override_settings(REALTIME_WALL=settings), no_receivers(), Realtime() as realtime:
        yield realtime


def everybody(realtime, *channels):
    """One in each namespace, on each transport that has one."""
    inside = [
        realtime.connect(transport, namespace="/admin", channels=channels)
        for transport in ("socketio", "socketio_polling")
    ]
    outside = [
        realtime.connect(transport, channels=channels)
        for transport in ("websocket", "socketio", "socketio_polling")
    ]
    return inside, outside


def heard(clients):
    found = [[one.data for one in client.unread] for client in clients]
    for client in clients:
        client.unread.clear()
    return found


def test_a_broadcast_reaches_those_in_its_namespace(realtime):
    inside, outside = everybody(realtime)
    for _ in range(2):  # whoever keeps up is not asked again
        assert broadcast("for admins", namespace="/admin").sockets == 2
        assert broadcast_emit("said", 1, namespace="/").sockets == 3
        assert broadcast("for all").sockets == 5
        realtime.settle()

        assert heard(inside) == [["for admins", "for all"]] * 2
        assert heard(outside) == [[1, "for all"]] * 3


def test_a_room_is_a_room_of_its_namespace(realtime):
    inside, outside = everybody(realtime, "room")
    listeners = [realtime.connect(transport, channels=["room"]) for transport in ONE_WAY]
    assert broadcast_channel("inside", "room", namespace="/admin").sockets == 2
    assert broadcast_emit("said", "outside", channel="room", namespace="/", volatile=True)
    broadcast_channel("both", "room")
    realtime.settle()

    assert heard(inside) == [["inside", "both"]] * 2
    assert heard(outside) == [["outside", "both"]] * 3
    assert heard(listeners) == [["both"]] * len(listeners)


def test_who_comes_back_is_sent_those_of_its_own(realtime):
    inside, outside = everybody(realtime, "room")
    listeners = [realtime.connect(transport, channels=["room"]) for transport in ONE_WAY]
    clients = [*inside, *outside, *listeners]
    broadcast_channel("before", "room")
    realtime.settle()
    heard(clients)

    for client in clients:
        client.drop()
    for message, namespace in [("inside", "/admin"), ("outside", "/"), ("both", None)]:
        publish_though_nobody_is_there(realtime, message, namespace)
    for client in clients:
        client.reconnect()
    realtime.settle()

    assert heard(inside) == [["inside", "both"]] * 2
    assert heard(outside) == [["outside", "both"]] * 3
    assert heard(listeners) == [["both"]] * len(listeners)


def test_nobody_in_a_namespace_is_no_socket(realtime):
    outside = realtime.connect(channels=["room"])
    polls = realtime.connect("long_polling", channels=["room"])

    with pytest.raises(NoSocket, match="/admin"):
        broadcast("x", namespace="/admin")
    with pytest.raises(NoSocket, match="/admin.* room"):
        broadcast_channel("x", "room", namespace="/admin")
    with pytest.raises(NoSocket):
        broadcast_emit("said", channel="room", namespace="/admin", volatile=True)
    outside.close()
    with pytest.raises(NoSocket):  # it polls, in no namespace
        broadcast_channel("x", "room", namespace="/")
    polls.assert_nothing_sent()

    realtime.connect("socketio", namespace="/admin")
    assert broadcast("x", namespace="/admin").sockets == 1


def publish_though_nobody_is_there(realtime, message, namespace):
    exclude = None if namespace is None else f"*{namespace}"
    realtime.node.perform(Publish(channel="room", data_json=f'"{message}"', exclude=exclude))


@pytest.mark.parametrize("namespace", ["/nope", "admin", ""])
def test_a_namespace_that_is_none_is_refused(realtime, namespace):
    with pytest.raises(InvalidMessage, match="NAMESPACES"):
        broadcast("x", namespace=namespace)
