import pytest

from realtime_wall import signals
from realtime_wall.events import (
    Event,
    EventError,
    on_connect,
    on_disconnect,
    on_error,
    on_event,
    on_finish,
    on_message,
    on_subscribe,
    on_unsubscribe,
)
from tests.fakes import no_receivers


class FakeSocket:
    """What a handler is given, and a signal's sender."""

    def __init__(self, *channels):
        self.channels = channels
        self.context = {"events": 0}
        self.request = object()


@pytest.fixture(autouse=True)
def own_receivers():
    with no_receivers():
        yield


def tell(signal, socket, **arguments):
    return [
        receiver(socket, request=socket.request, **arguments) for receiver in signal.receivers_for(socket)
    ]


# What handlers are given


@pytest.mark.parametrize(
    ("decorator", "signal", "arguments"),
    [
        (on_connect, signals.socket_connected, {}),
        (on_disconnect, signals.socket_disconnected, {}),
        (on_finish, signals.socket_finished, {}),
        (on_message, signals.socket_client_message, {"message": "hello"}),
        (on_event, signals.socket_client_event, {"event": Event("add", [1])}),
        (on_subscribe, signals.socket_subscribed, {"channel": "python"}),
        (on_unsubscribe, signals.socket_unsubscribed, {"channel": "python"}),
        (on_error, signals.socket_error, {"exception": ValueError()}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_handler_is_given_request_socket_context_and_what_it_is_about(decorator, signal, arguments):
    socket, given = FakeSocket(), []

    @decorator
    def handler(*args):
        given.append(args)
        return "answer"

    assert tell(signal, socket, **arguments) == ["answer"]
    assert given == [(socket.request, socket, socket.context, *arguments.values())]


def test_a_decorator_hands_the_function_back_unchanged():
    def handler(request, socket, context):
        raise AssertionError("nobody connected")

    assert on_connect(handler) is handler
    assert on_disconnect(channel="a")(handler) is handler


def test_a_handler_that_nobody_else_keeps_stays_connected():
    def connect_one():
        @on_connect
        def handler(request, socket, context):
            return "still here"

    connect_one()

    assert tell(signals.socket_connected, FakeSocket()) == ["still here"]


def test_a_receiver_has_the_name_of_its_handler_for_the_log():
    @on_connect
    def greet(request, socket, context): ...

    (receiver,) = signals.socket_connected.receivers_for(None)

    assert signals.name_of(receiver).endswith(
        "test_events.test_a_receiver_has_the_name_of_its_handler_for_the_log.<locals>.greet"
    )


def test_an_event_handler_with_a_name_hears_that_event_only():
    @on_event(name="add")
    def add(request, socket, context, event):
        return sum(event.data)

    event = Event("add", [[1, 2]])
    assert tell(signals.socket_client_event_by_type["add"], FakeSocket(), event=event) == [3]
    assert tell(signals.socket_client_event_by_type["subtract"], FakeSocket(), event=event) == []
    assert tell(signals.socket_client_event, FakeSocket(), event=event) == []


# Channels


def test_a_handler_without_a_channel_always_runs():
    @on_message
    def handler(request, socket, context, message):
        return message

    assert tell(signals.socket_client_message, FakeSocket(), message="hi") == ["hi"]
    assert tell(signals.socket_client_message, FakeSocket("python"), message="hi") == ["hi"]


@pytest.mark.parametrize(
    ("decorator", "signal", "arguments"),
    [
        (on_disconnect, signals.socket_disconnected, {}),
        (on_finish, signals.socket_finished, {}),
        (on_message, signals.socket_client_message, {"message": "hello"}),
        (on_event, signals.socket_client_event, {"event": Event("add", [1])}),
        (on_error, signals.socket_error, {"exception": ValueError()}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_handler_with_a_channel_runs_for_sockets_on_a_matching_one(decorator, signal, arguments):
    @decorator(channel="^room-[0-9]+$")
    def handler(*_):
        return "ran"

    assert tell(signal, FakeSocket("python", "room-12"), **arguments) == ["ran"]
    assert tell(signal, FakeSocket("python", "room-x"), **arguments) == [None]
    assert tell(signal, FakeSocket(), **arguments) == [None]


def test_a_named_event_handler_takes_a_channel_too():
    @on_event(name="add", channel="room-")
    def handler(*_):
        return "ran"

    signal = signals.socket_client_event_by_type["add"]
    assert tell(signal, FakeSocket("room-1"), event=Event("add", [])) == ["ran"]
    assert tell(signal, FakeSocket("lobby"), event=Event("add", [])) == [None]


@pytest.mark.parametrize(
    ("decorator", "signal"),
    [(on_subscribe, signals.socket_subscribed), (on_unsubscribe, signals.socket_unsubscribed)],
    ids=["subscribe", "unsubscribe"],
)
def test_subscribing_is_about_the_channel_in_question_not_about_the_others(decorator, signal):
    @decorator(channel="room-")
    def handler(request, socket, context, channel):
        return channel

    assert tell(signal, FakeSocket("lobby"), channel="room-1") == ["room-1"]
    assert tell(signal, FakeSocket("room-1"), channel="lobby") == [None]


def test_a_channel_is_matched_from_its_beginning():
    @on_message(channel="room")
    def handler(*_):
        return "ran"

    assert tell(signals.socket_client_message, FakeSocket("classroom"), message="") == [None]


# Mistakes


def test_connecting_takes_no_channel():
    def handler(request, socket, context): ...

    with pytest.raises(EventError, match="on_connect takes no channel"):
        on_connect(handler, channel="room")
    with pytest.raises(EventError, match="on_connect takes no channel"):
        on_connect(channel="room")(handler)

    assert not signals.socket_connected.receivers


def test_an_option_without_its_name_is_a_clear_error():
    with pytest.raises(EventError, match="'add' is no function; .* name='add'"):
        on_event("add")


# Event


def test_the_data_of_an_event_is_its_argument_or_all_of_them_or_nothing():
    assert Event("add", [[1, 2]]).data == [1, 2]
    assert Event("add", [0]).data == 0
    assert Event("add", [1, 2]).data == [1, 2]
    assert Event("add", []).data is None
    assert Event("add", [1, 2]).args == [1, 2]
    assert Event("add", [1]).name == "add"


def test_an_event_is_acknowledged_once():
    answers = []
    event = Event("add", [], answers.append)

    event.ack(1, "two")
    event.ack(3)

    assert answers == [(1, "two")]


def test_an_event_that_wants_no_answer_gets_none():
    event = Event("add", [])

    event.ack("unasked")

    assert not event.acknowledged


def test_the_flags_of_an_event_are_attributes_and_calls():
    silent, event = Event("add", []), Event("add", [], lambda args: None)

    assert not silent.acknowledgeable
    assert silent.acknowledgeable() is False
    assert event.acknowledgeable
    assert event.acknowledgeable() is True
    assert not event.acknowledged
    assert event.acknowledged() is False

    event.ack()

    assert event.acknowledged
    assert event.acknowledged() is True
    assert (repr(event.acknowledged), repr(silent.acknowledged)) == ("True", "False")


def test_an_event_does_not_show_its_data_in_a_log():
    assert repr(Event("login", ["secret"])) == "<Event 'login'>"
