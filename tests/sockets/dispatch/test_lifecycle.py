import json
import logging

import gevent
import pytest
from django.test import override_settings
from gevent.event import Event as Gate

from realtime_wall import signals
from realtime_wall.errors import Refuse
from realtime_wall.sockets.dispatch import lifecycle, message_log
from realtime_wall.sockets.registry import connected_sockets
from tests.fakes import RecordingTransport, no_receivers, running_node
from tests.live import wait_for


class Visitor(RecordingTransport):
    """A client that arrives, says something and goes, and what the signals told of it."""

    def __init__(self, node):
        super().__init__(node)
        connected_sockets.remove(self.socket)
        self.told = []
        for name in (
            *("socket_connected", "socket_disconnected", "socket_finished"),
            *("socket_client_message", "socket_client_event", "socket_error"),
        ):
            getattr(signals, name).connect(self._hear(name), weak=False)

    def _hear(self, name):
        def hear(sender, request, **arguments):
            assert sender is self.socket
            assert request is self.socket.request
            self.told.append((name.removeprefix("socket_"), *arguments.values()))

        return hear

    def settle(self):
        assert self.node.pool.wait_until_idle(10)


@pytest.fixture(autouse=True)
def own_receivers():
    with no_receivers():
        yield


@pytest.fixture
def visitor():
    with running_node() as node:
        yield Visitor(node)


def connect(signal, function):
    signal.connect(function, weak=False)


def answer(value):
    return lambda *_, **__: value


def fail(*_, **__):
    raise ValueError("broken")


# A visit


def test_a_visit_is_told_from_its_beginning_to_its_end_in_order(visitor):
    lifecycle.begin(visitor.session)
    lifecycle.message(visitor.session, "hello")
    lifecycle.end(visitor.session)
    visitor.settle()

    assert visitor.told == [("connected",), ("client_message", "hello"), ("disconnected",), ("finished",)]


def test_a_socket_is_among_the_connected_ones_from_beginning_to_end(visitor):
    seen = []
    for signal in (signals.socket_connected, signals.socket_disconnected):
        connect(signal, lambda sender, **_: seen.append(sender in connected_sockets))

    lifecycle.begin(visitor.session)
    visitor.settle()
    lifecycle.end(visitor.session)
    visitor.settle()

    assert seen == [True, False]


def test_the_connect_receivers_are_done_before_the_first_message(visitor):
    gate = Gate()
    connect(signals.socket_connected, lambda *_, **__: gate.wait(10) and visitor.told.append("greeted"))
    lifecycle.begin(visitor.session)
    lifecycle.message(visitor.session, "hello")
    gevent.sleep(0)
    gate.set()
    visitor.settle()

    assert visitor.told == [("connected",), "greeted", ("client_message", "hello")]


def test_what_a_client_said_before_it_went_is_still_heard(visitor):
    gate = Gate()
    connect(signals.socket_connected, lambda *_, **__: gate.wait(10))
    lifecycle.begin(visitor.session)
    lifecycle.message(visitor.session, "last words")
    lifecycle.end(visitor.session)
    assert visitor.session.is_disconnected
    gate.set()
    visitor.settle()

    assert ("client_message", "last words") in visitor.told


def test_a_disconnect_receiver_that_raises_does_not_keep_the_visit_from_finishing(visitor):
    connect(signals.socket_disconnected, fail)
    lifecycle.begin(visitor.session)
    lifecycle.end(visitor.session)
    visitor.settle()

    assert [what for what, *_ in visitor.told] == ["connected", "disconnected", "error", "finished"]


def test_an_end_that_nobody_listens_to_wakes_no_greenlet():
    with running_node() as node:
        transport = RecordingTransport(node)

        lifecycle.end(transport.session)

        assert transport.session.inbox.jobs is None


def test_a_receiver_that_is_connected_by_one_that_waited_hears_of_the_end():
    told = []
    with running_node() as node:
        transport = RecordingTransport(node)

        def connects_another(socket, request):
            connect(signals.socket_finished, lambda *_, **__: told.append("finished"))

        connect(signals.socket_connected, connects_another)

        lifecycle.begin(transport.session)
        lifecycle.end(transport.session)
        assert node.pool.wait_until_idle(10)

    assert told == ["finished"]


# Refusing


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (None, "refused"),
        ("the room is full", "the room is full"),
        ({"why": "full"}, '{"why":"full"}'),
        (0, "0"),
        ("é" * 61, "é" * 61),
        ("é" * 62, "refused"),  # 124 bytes do not fit a close frame, and half a reason is none
        (1j, "refused"),
        ("\ud800", "refused"),
    ],
    ids=ascii,
)
def test_a_refused_client_is_told_why_and_to_stay_away(visitor, data, reason, caplog):
    def refuse(*_, **__):
        raise Refuse(data)

    connect(signals.socket_connected, refuse)
    lifecycle.begin(visitor.session)
    visitor.settle()

    assert visitor.closed == (3500, reason)
    is_broken = data in ("\ud800", 1j)
    assert [record.getMessage() for record in caplog.records] == (
        ["the data of a Refuse cannot be sent"] if is_broken else []
    )


def test_what_a_refused_client_already_sent_is_heard_by_nobody(visitor):
    def refuse(*_, **__):
        raise Refuse

    connect(signals.socket_connected, refuse)
    connect(signals.socket_client_event_by_type["add"], lambda *_, **__: visitor.told.append("add"))
    lifecycle.begin(visitor.session)
    lifecycle.message(visitor.session, "let me in")
    lifecycle.event(visitor.session, "add", [1], 7)
    lifecycle.end(visitor.session)
    visitor.settle()

    assert visitor.told == [("connected",), ("disconnected",), ("finished",)]
    assert visitor.acks == []


def test_a_connect_receiver_that_fails_is_no_refusal(visitor):
    connect(signals.socket_connected, fail)
    lifecycle.begin(visitor.session)
    lifecycle.message(visitor.session, "hello")
    visitor.settle()

    assert visitor.closed is None
    assert ("client_message", "hello") in visitor.told


# Events and their answers


def test_an_event_goes_to_the_receivers_of_all_and_then_to_those_of_its_name(visitor):
    heard = []
    connect(signals.socket_client_event_by_type["add"], lambda *_, event, **__: heard.append(("add", event)))
    connect(signals.socket_client_event_by_type["other"], lambda *_, event, **__: heard.append("other"))
    connect(signals.socket_client_event, lambda *_, event, **__: heard.append(("all", event)))

    lifecycle.event(visitor.session, "add", [1, 2], None)
    visitor.settle()

    (first, event), (second, same) = heard
    assert (first, second) == ("all", "add")
    assert event is same
    assert (event.name, event.args, bool(event.acknowledgeable)) == ("add", [1, 2], False)


@pytest.mark.parametrize(
    ("line_format", "lines"), [(None, []), ("%(TYPE)s %(MESSAGE)s", ["message 'hello'", "add [1]"])]
)
def test_what_a_client_says_is_logged_if_the_project_has_a_format(visitor, caplog, line_format, lines):
    with override_settings(REALTIME_WALL={"MESSAGE_LOG_FORMAT": line_format}), caplog.at_level(logging.INFO):
        lifecycle.message(visitor.session, "hello")
        lifecycle.event(visitor.session, "add", [1], None)

    assert [one.getMessage() for one in caplog.records if one.name == message_log.log.name] == lines


def test_a_clients_event_names_make_no_signals(visitor):
    for number in range(100):
        lifecycle.event(visitor.session, f"invented {number}", [], None)
    visitor.settle()

    assert not signals.socket_client_event_by_type


@pytest.mark.parametrize("value", [0, "", False, [], {"sum": 3}], ids=repr)
def test_what_a_receiver_returns_acknowledges(visitor, value):
    connect(signals.socket_client_event_by_type["add"], answer(value))

    lifecycle.event(visitor.session, "add", [1], 7)
    visitor.settle()

    assert json.dumps(visitor.acks) == json.dumps([(7, value)])


def test_the_first_value_that_is_not_none_acknowledges(visitor):
    connect(signals.socket_client_event, answer(None))
    for value in (None, 0, "late"):
        connect(signals.socket_client_event_by_type["add"], answer(value))

    lifecycle.event(visitor.session, "add", [], 7)
    visitor.settle()

    assert visitor.acks == [(7, 0)]


def test_a_receiver_of_all_events_answers_before_those_of_the_name(visitor):
    connect(signals.socket_client_event_by_type["add"], answer("by name"))
    connect(signals.socket_client_event, answer("of all"))

    lifecycle.event(visitor.session, "add", [], 7)
    visitor.settle()

    assert visitor.acks == [(7, "of all")]


def test_an_explicit_answer_wins_over_what_is_returned(visitor):
    def receiver(*_, event, **__):
        event.ack("explicit", 2)
        return "returned"

    connect(signals.socket_client_event, answer("another"))
    connect(signals.socket_client_event_by_type["add"], receiver)

    lifecycle.event(visitor.session, "add", [], 7)
    visitor.settle()

    assert visitor.acks == [(7, ["explicit", 2])]


def test_an_event_that_nobody_answers_is_acknowledged_with_nothing(visitor):
    lifecycle.event(visitor.session, "unheard", [], 7)
    visitor.settle()

    assert visitor.acks == [(7, None)]


def test_an_event_that_wants_no_answer_gets_none(visitor):
    connect(signals.socket_client_event_by_type["add"], answer("unasked"))

    lifecycle.event(visitor.session, "add", [], None)
    visitor.settle()

    assert visitor.acks == []


@pytest.mark.threat("S46")
@pytest.mark.parametrize(
    "signal",
    [lambda: signals.socket_client_event, lambda: signals.socket_client_event_by_type["add"]],
    ids=["all", "by name"],
)
def test_an_event_whose_receiver_failed_is_acknowledged_as_failed(visitor, signal):
    connect(signal(), fail)

    lifecycle.event(visitor.session, "add", [], 7)
    visitor.settle()

    assert visitor.acks == [(7, {"error": "failed"})]
    (exception,) = [rest[0] for what, *rest in visitor.told if what == "error"]
    assert str(exception) == "broken"


def test_a_receiver_that_failed_does_not_spoil_the_answer_of_another(visitor):
    connect(signals.socket_client_event_by_type["add"], fail)
    connect(signals.socket_client_event_by_type["add"], answer(3))

    lifecycle.event(visitor.session, "add", [], 7)
    visitor.settle()

    assert visitor.acks == [(7, 3)]


def test_a_refusal_of_an_event_is_a_failure_like_any_other(visitor):
    def refuse(*_, **__):
        raise Refuse("not here")

    connect(signals.socket_client_event_by_type["add"], refuse)

    lifecycle.event(visitor.session, "add", [], 7)
    visitor.settle()

    assert visitor.acks == [(7, {"error": "failed"})]
    assert visitor.closed is None


@pytest.mark.parametrize("explicitly", [True, False])
def test_an_answer_that_cannot_be_sent_is_logged_and_told_as_a_failure(visitor, explicitly, caplog):
    def receiver(*_, event, **__):
        return event.ack(float("nan")) if explicitly else object()

    connect(signals.socket_client_event_by_type["add"], receiver)

    lifecycle.event(visitor.session, "add", [], 7)
    visitor.settle()

    assert visitor.acks == [(7, {"error": "failed"})]
    assert "the answer to an event of socket" in caplog.text


def test_an_event_may_be_answered_later_by_somebody_else(visitor):
    events = []

    def receiver(*_, event, **__):
        events.append(event)
        gevent.spawn(event.ack, "at once")
        gevent.sleep(0)

    connect(signals.socket_client_event_by_type["add"], receiver)

    lifecycle.event(visitor.session, "add", [], 7)
    visitor.settle()
    wait_for(lambda: visitor.acks)
    events[0].ack("too late")

    assert visitor.acks == [(7, "at once")]
