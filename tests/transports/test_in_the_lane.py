"""Clients that are sent to without being asked hear the same, in the same order, as any others."""

import pytest

from realtime_wall import api
from realtime_wall.channels.names import EVERYONE
from realtime_wall.protocol.websocket.frame_writer import text_frame
from realtime_wall.sockets.client_session import session_of
from tests.fakes import no_receivers, running_node
from tests.transports.socketio.client import Visitor as SocketIOVisitor
from tests.transports.websocket.client import Visitor


@pytest.fixture(autouse=True)
def own_receivers():
    with no_receivers():
        yield


@pytest.fixture
def node():
    with running_node() as node:
        yield node


def in_the_lane(*visitors):
    """All that are delivered to once are in it, when they are several."""
    api.broadcast("first")
    assert all(visitor.wire.lanes for visitor in visitors)
    return visitors


def messages(visitor):
    return [one["message"] for one in visitor.wire.texts() if one["type"] == "message"]


def test_a_sender_is_left_out_of_its_broadcast_and_of_that_of_its_earlier_self(node):
    ada, bo = in_the_lane(*(Visitor(node).begin() for _ in range(2)))

    ada.socket.broadcast("of ada")
    returned = Visitor(node, was=ada.socket.id).begin()
    api.broadcast("for all")
    assert returned.wire.lanes
    ada.socket.broadcast("of ada again")
    api.broadcast("last")

    assert messages(ada) == ["first", "for all", "last"]
    assert messages(bo) == ["first", "of ada", "for all", "of ada again", "last"]
    assert messages(returned) == ["for all", "last"]


def test_what_is_held_to_leave_with_more_leaves_before_a_broadcast(node):
    ada, _ = in_the_lane(*(Visitor(node).begin() for _ in range(2)))

    session_of(ada.socket).transport._frames.write_soon(text_frame(b'{"type":"held","message":1}'))
    assert not ada.wire.lanes
    api.broadcast("published")

    assert [one["message"] for one in ada.wire.texts()[-2:]] == [1, "published"]


def test_nothing_follows_a_close_frame(node):
    ada, bo = in_the_lane(*(Visitor(node).begin() for _ in range(2)))

    ada.socket.disconnect()
    api.broadcast("too late")

    assert messages(ada) == ["first"]
    assert messages(bo) == ["first", "too late"]


def test_an_event_of_its_own_tells_a_socketio_client_where_it_stands(node):
    ada, _ = in_the_lane(*(SocketIOVisitor(node).connect() for _ in range(2)))
    position = api.broadcast("news").position

    ada.socket.emit("private")

    assert ada.offset == str(position)

    ada.wire.leave_lanes()
    ada.socket.emit("private")

    assert ada.offset == str(position)


def test_a_socketio_client_that_was_cut_off_resumes_behind_what_the_lane_gave_it(node):
    ada, bo = in_the_lane(*(SocketIOVisitor(node).connect() for _ in range(2)))
    for number in range(3):
        api.broadcast(number)
    ada.wire.abort("cut")
    api.broadcast("missed")

    again = ada.come_back()

    assert again.answer["sid"] == ada.answer["sid"]
    assert [event[1] for event in ada.events()] == ["first", 0, 1, 2]
    assert [event[1] for event in again.events()] == ["missed"]
    assert [event[1] for event in bo.events()] == ["first", 0, 1, 2, "missed"]


def test_who_leaves_the_channel_is_sent_no_more_of_it(node):
    ada, bo = (Visitor(node).begin() for _ in range(2))
    for visitor in (ada, bo):
        visitor.socket.subscribe("room")
    for number in range(2):
        api.broadcast_channel(number, "room")
    ada.socket.unsubscribe("room")
    api.broadcast_channel(2, "room")

    assert (messages(ada), messages(bo)) == ([0, 1], [0, 1, 2])
    assert node.subscriptions.count("room") == 1
    assert node.subscriptions.count(EVERYONE) == 2
