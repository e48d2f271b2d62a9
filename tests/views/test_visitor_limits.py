import pytest
from django.test import RequestFactory

from realtime_wall.auth import visitor_address
from realtime_wall.server.http.hand_over import META_KEY, STREAM_KEY, HandOver, Stream
from realtime_wall.views.channels import subscribe
from realtime_wall.views.socketio_session import socketio
from realtime_wall.views.websocket import websocket
from tests.fakes import running_node


@pytest.fixture
def full_node():
    """A node where one address has as many connections as it may."""
    with running_node(address_connections=1) as node:
        node.visitors.at("1.2.3.4").connections = 1
        yield node


def request(path, **offers):
    made = RequestFactory().get(path)
    made.META.update({visitor_address.META_KEY: "1.2.3.4", META_KEY: None, **offers})
    return made


@pytest.mark.threat("S61", "S65")
@pytest.mark.parametrize(
    ("view", "path", "arguments", "offers"),
    [
        (websocket, "/ws/", (), {META_KEY: HandOver([])}),
        (socketio, "/socket.io/?EIO=4&transport=websocket", (), {META_KEY: HandOver([])}),
        (socketio, "/socket.io/?EIO=4&transport=polling", (), {}),
        (subscribe.websocket, "/events/ws/a", ("a",), {META_KEY: HandOver([])}),
        (subscribe.stream, "/events/sub/a", ("a",), {STREAM_KEY: Stream("HTTP/1.1")}),
        (subscribe.long_poll, "/events/lp/a", ("a",), {STREAM_KEY: Stream("HTTP/1.1")}),
    ],
    ids=["plain", "socketio", "polling", "channel", "stream", "long poll"],
)
def test_who_has_too_many_is_told_when_to_come_back(full_node, view, path, arguments, offers):
    response = view(request(path, **offers), *arguments)

    assert (response.status_code, response["Retry-After"]) == (429, "5")
    assert full_node.visitors.refused == 1


def test_an_event_source_is_told_in_the_only_way_that_lets_it_come_back(full_node):
    response = subscribe.events(request("/events/ev/a", **{STREAM_KEY: Stream("HTTP/1.1")}), "a")

    assert (response.status_code, response.content) == (200, b"retry: 5000\n\n")
