from django.test import RequestFactory

from realtime_wall import api
from realtime_wall.brokers.commands import Publish
from realtime_wall.channels.names import EVERYONE
from realtime_wall.transports.engineio.session import EngineSession
from realtime_wall.transports.socketio.socketio_client import SocketIOClient
from tests.transports.socketio.client import BINARY_ONE


def test_a_broadcast_brings_bytes_behind_their_event(visitor):
    api.broadcast_emit("file", {"of": b"one"}, b"two")

    event, *attachments = visitor.told()[-3:]
    assert event.startswith('52-["file",{"of":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1},')
    assert attachments == [b"one", b"two"]


def test_a_polling_client_has_them_in_base64(node):
    session = EngineSession(node, "")
    client = SocketIOClient(node, session, RequestFactory().get("/socket.io/"))
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
