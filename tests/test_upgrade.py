"""What users of django-realtime and django-socketio have written does what it did, imports aside."""

import pytest
from django.dispatch import receiver

from realtime_wall import NoSocket, broadcast, broadcast_channel, connected_sockets, send
from realtime_wall.errors import InvalidMessage
from realtime_wall.events import (
    EventError,
    on_connect,
    on_disconnect,
    on_error,
    on_finish,
    on_message,
    on_subscribe,
    on_unsubscribe,
)
from realtime_wall.signals import (
    socket_client_event,
    socket_client_event_by_type,
    socket_client_message,
    socket_connected,
    socket_disconnected,
)
from realtime_wall.sockets.dispatch import lifecycle
from realtime_wall.transports.socketio.namespace import Namespace
from realtime_wall.transports.socketio.packet_format import JSON
from tests.fakes import RecordingTransport, a_request, no_receivers, running_node


class Visitor(RecordingTransport):
    """A client, and what it does; each time its receivers have run when it goes on."""

    def arrives(self):
        lifecycle.begin(self.session)
        return self._settle()

    def says(self, *args):
        lifecycle.message(self.session, *args)
        return self._settle()

    def emits(self, name, *args, event_id=None):
        lifecycle.event(self.session, name, list(args), event_id)
        return self._settle()

    def goes(self):
        lifecycle.end(self.session)
        return self._settle()

    def _settle(self):
        assert self.node.pool.wait_until_idle(10)
        return self


@pytest.fixture(autouse=True)
def own_receivers():
    with no_receivers():
        yield


@pytest.fixture
def node():
    with running_node() as node:
        yield node


@pytest.fixture
def ada(node):
    return Visitor(node, "ada-session").arrives()


@pytest.fixture
def grace(node):
    return Visitor(node, "grace-session").arrives()


def events_heard(visitor):
    return [(message.event, data) for message, data in zip(visitor.heard, visitor.data_heard, strict=True)]


# django-realtime


def test_connected_sockets_lists_the_session_ids(ada, grace):
    listed = [f"- {socket.session.session_id}" for socket in connected_sockets]

    assert sorted(listed) == ["- ada-session", "- grace-session"]


def test_send_reaches_this_client_and_what_is_no_string_becomes_one(ada, grace):
    socket = ada.socket

    socket.send("Hallelujah!")
    socket.send(["a", 1])

    assert ada.sent == [(None, "Hallelujah!", None), (None, "['a', 1]", None)]
    assert grace.sent == grace.heard == []


def test_emit_reaches_this_client_with_its_arguments(ada, grace):
    ada.socket.emit("notice", 1, 2, "!!!")

    assert ada.sent == [("notice", [1, 2, "!!!"], None)]
    assert grace.sent == grace.heard == []


def test_broadcast_send_and_broadcast_emit_reach_all_the_others(ada, grace):
    ada.socket.broadcast_send("Hey! New user connected!")
    ada.socket.broadcast_emit("notice", "Server is shutting down", "kaboom")
    grace.socket.broadcast_emit("notice", 1, include_self=True)

    from_ada = [(None, "Hey! New user connected!"), ("notice", ["Server is shutting down", "kaboom"])]
    assert events_heard(grace) == [*from_ada, ("notice", 1)]
    assert events_heard(ada) == [("notice", 1)]


class Line:
    """A Socket.IO client's connection: the packets that were written to it."""

    owner = None
    format = JSON
    account = frames = None  # of one that polls, and whose events nobody counts

    def __init__(self):
        self.session, self.request, self.packets = self, a_request("/socket.io/"), []

    def send(self, text, soon=False):
        self.packets.append(text)


@pytest.fixture
def line_and_socket(node):
    line = Line()
    namespace = Namespace(node, line, "/", None)
    namespace.begin()
    assert node.pool.wait_until_idle(10)
    yield line, namespace.session.socket
    namespace.end(may_return=False)


def test_an_event_is_acknowledged_by_its_id_as_the_old_protocol_wrote_it(line_and_socket):
    line, socket = line_and_socket

    socket.ack("13+", "event", "was", "received", "blah", "blah")

    assert line.packets[-1] == '313["event","was","received","blah","blah"]'


@pytest.mark.parametrize("event_id", ["", "+", "13++", "-1", "data", "\u00b2", None])
def test_an_id_at_which_a_client_would_drop_the_connection_is_refused(line_and_socket, event_id):
    line, socket = line_and_socket
    before = list(line.packets)

    with pytest.raises(InvalidMessage, match="not the id of an event"):
        socket.ack(event_id, "received")

    assert line.packets == before


def test_the_four_receivers_of_the_readme_hear_a_visit(node):
    lines = []

    @receiver(socket_connected)
    def handle_connected(sender, request, **kwargs):
        lines.append(f"{sender.session.session_id} connected")

    @receiver(socket_disconnected)
    def handle_disconnected(sender, request, **kwargs):
        lines.append(f"{sender.session.session_id} disconnected")

    @receiver(socket_client_message)
    def handle_message(sender, request, message, **kwargs):
        lines.append(f"{sender.session.session_id} => message {message!r}")

    @receiver(socket_client_event, dispatch_uid="handle_event")
    def handle_event(sender, request, event, **kwargs):
        lines.append(f"{sender.session.session_id} => event {event.name!r} ({event.data!r})")
        if event.acknowledgeable:
            event.ack("I have received your message!")

    visitor = (
        Visitor(node, "ada").arrives().says("hello").emits("move", 1, 2, event_id=7).emits("stop").goes()
    )

    assert lines == [
        "ada connected",
        "ada => message 'hello'",
        "ada => event 'move' ([1, 2])",
        "ada => event 'stop' (None)",
        "ada disconnected",
    ]
    assert visitor.acks == [(7, "I have received your message!")]


@pytest.mark.parametrize(("event_id", "expected"), [(7, (True, False, True)), (None, (False, False, False))])
def test_acknowledgeable_and_acknowledged_are_asked_with_brackets_too(ada, event_id, expected):
    asked = []

    @receiver(socket_client_event)
    def handle_event(sender, request, event, **kwargs):
        asked.append((bool(event.acknowledgeable), event.acknowledgeable()))
        asked.append((bool(event.acknowledged), event.acknowledged()))
        event.ack()
        asked.append((bool(event.acknowledged), event.acknowledged()))

    ada.emits("move", event_id=event_id)

    assert asked == [(one, one) for one in expected]


def test_a_signal_of_one_event_name_answers_by_what_its_receiver_returns(ada):
    @receiver(socket_client_event_by_type["echo"])
    def handle_echo(sender, request, event, **kwargs):
        return event.args[0]

    ada.emits("echo", 0, event_id=1).emits("other", 5, event_id=2)

    assert ada.acks == [(1, 0), (2, "not received")]


# django-socketio


def test_a_message_handler_is_given_request_socket_context_and_message(ada):
    @on_message
    def my_message_handler(request, socket, context, message):
        assert request is socket.request
        context["messages"] = [*context.get("messages", ()), message]

    ada.says("text").says(["a", "list"]).says({"an": "object"})

    assert ada.socket.context == {"messages": ["text", ["a", "list"], {"an": "object"}]}


def test_handlers_are_bound_to_channels_by_a_pattern(ada, grace):
    heard = []

    @on_message(channel="dashboard")
    def my_dashboard_handler(request, socket, context, message):
        heard.append(("dashboard", message))

    @on_message(channel="^room-")
    def my_chat_handler(request, socket, context, message):
        heard.append(("chat", message))

    ada.socket.subscribe("dashboard")
    grace.socket.subscribe("room-42")
    ada.says("from ada")
    grace.says("from grace")

    assert heard == [("dashboard", "from ada"), ("chat", "from grace")]


def test_every_event_of_a_visit_is_told_in_its_order(node):
    told = []

    @on_connect
    def connected(request, socket, context):
        context["told"] = told
        context["told"].append("connect")

    @on_subscribe
    def subscribed(request, socket, context, channel):
        context["told"].append(f"subscribe {channel}")

    @on_unsubscribe
    def unsubscribed(request, socket, context, channel):
        context["told"].append(f"unsubscribe {channel}")

    @on_message
    def failing(request, socket, context, message):
        raise ValueError(message)

    @on_error
    def failed(request, socket, context, exception):
        context["told"].append(f"error {exception}")

    @on_disconnect
    def disconnected(request, socket, context):
        context["told"].append("disconnect")

    @on_finish
    def finished(request, socket, context):
        context["told"].append("finish")

    visitor = Visitor(node).arrives()
    assert visitor.socket.subscribe("my channel") is True
    assert visitor.socket.subscribe("my channel") is False
    assert visitor.socket.unsubscribe("my channel") is True
    assert visitor.socket.unsubscribe("my channel") is False
    visitor.says("broken").goes()

    visits = ["connect", "subscribe my channel", "unsubscribe my channel", "error broken"]
    assert told == [*visits, "disconnect", "finish"]


def test_on_connect_takes_no_channel():
    with pytest.raises(EventError, match="on_connect takes no channel"):

        @on_connect(channel="room")
        def connected(request, socket, context):
            raise AssertionError("it was connected")


@pytest.fixture
def three(node, ada, grace):
    """Ada and Grace are in the channel, Kurt is not."""
    kurt = Visitor(node, "kurt-session").arrives()
    for visitor in (ada, grace):
        visitor.socket.subscribe("my channel")
    return ada, grace, kurt


@pytest.mark.parametrize(
    ("method", "args", "who_hears"),
    [
        ("broadcast", ("my message",), "grace kurt"),
        ("broadcast_channel", ("my message",), "grace"),
        ("broadcast_channel", ("my message", "my channel"), "grace"),
        ("send_and_broadcast", ("my message",), "ada grace kurt"),
        ("send_and_broadcast_channel", ("my message",), "ada grace"),
        ("send_and_broadcast_channel", ("my message", "my channel"), "ada grace"),
    ],
)
def test_a_sockets_own_way_to_reach_others(three, method, args, who_hears):
    getattr(three[0].socket, method)(*args)

    heard = {name: visitor.data_heard for name, visitor in zip(["ada", "grace", "kurt"], three, strict=True)}
    assert heard == {name: ["my message"] if name in who_hears.split() else [] for name in heard}


def test_views_reach_everyone_a_channel_or_one_client(three):
    ada, grace, kurt = three

    broadcast("to all")
    broadcast_channel({"to": "the channel"}, "my channel")
    send(kurt.socket.session.session_id, ["to", "one"])

    assert ada.data_heard == grace.data_heard == ["to all", {"to": "the channel"}]
    assert kurt.data_heard == ["to all"]
    assert kurt.sent == [(None, ["to", "one"], None)]


def test_no_socket_says_that_nobody_is_there(node):
    with pytest.raises(NoSocket):
        broadcast("to nobody")
    Visitor(node).arrives()
    with pytest.raises(NoSocket):
        broadcast_channel("to nobody", "an empty channel")
    with pytest.raises(NoSocket):
        send("a session that is gone", "to nobody")
