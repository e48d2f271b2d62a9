import logging
from time import sleep

import gevent
import pytest
from django.db.backends.signals import connection_created
from django.test import override_settings
from greenlet import GreenletExit

from realtime_wall import signals
from realtime_wall.errors import NoSocket, Refuse
from realtime_wall.sockets.dispatch import receivers
from tests.fakes import a_request, no_receivers


class FakeSocket:
    log_id = "abcdef"

    def __init__(self):
        self.request = a_request()


class Own(BaseException):
    """Something that is not even an Exception."""


FAILURES = [
    *(ValueError, TypeError, KeyError, IndexError, AttributeError, NameError, ZeroDivisionError, OSError),
    *(ConnectionResetError, BrokenPipeError, TimeoutError, FileNotFoundError, PermissionError, EOFError),
    *(ImportError, LookupError, AssertionError, NotImplementedError, StopIteration, StopAsyncIteration),
    *(RuntimeError, RecursionError, MemoryError, SystemError, UnicodeError, NoSocket, Refuse, Own),
    *(SystemExit, KeyboardInterrupt, GeneratorExit, GreenletExit, gevent.Timeout),
]


@pytest.fixture(autouse=True)
def own_receivers():
    with no_receivers():
        yield


@pytest.fixture
def socket():
    return FakeSocket()


def connect(signal, function):
    signal.connect(function, weak=False)


def raiser(exception):
    def fail(socket, **_):
        raise exception

    return fail


# What a receiver is given, and what it answers


def test_a_receiver_is_given_the_socket_its_request_and_what_it_is_about(socket):
    given = []
    connect(
        signals.socket_client_message,
        lambda sender, request, message: given.append((sender, request, message)),
    )

    receivers.run(signals.socket_client_message, socket, message="hello")

    assert given == [(socket, socket.request, "hello")]


def test_the_first_value_that_is_not_none_is_the_answer(socket):
    for value in (None, 0, "late", None):
        connect(signals.socket_client_event, lambda *_, value=value, **__: value)

    outcome = receivers.run(signals.socket_client_event, socket, event=None)

    assert outcome.answer == 0
    assert not outcome.failed


@pytest.mark.parametrize("value", [0, "", False, [], {}])
def test_a_falsy_value_is_an_answer(socket, value):
    connect(signals.socket_client_event, lambda *_, **__: value)
    connect(signals.socket_client_event, lambda *_, **__: "another")

    assert receivers.run(signals.socket_client_event, socket, event=None).answer == value


def test_without_receivers_there_is_no_answer(socket):
    assert receivers.run(signals.socket_client_event, socket, event=None).answer is None


# Faults


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.__name__)
def test_a_receiver_that_raises_hurts_no_other(socket, failure, caplog):
    exception, heard, told = failure(), [], []
    connect(signals.socket_client_message, lambda *_, **__: heard.append("before"))
    connect(signals.socket_client_message, raiser(exception))
    connect(signals.socket_client_message, lambda *_, **__: heard.append("after"))
    connect(signals.socket_error, lambda sender, request, exception: told.append(exception))

    outcome = receivers.run(signals.socket_client_message, socket, message="x")

    assert heard == ["before", "after"]
    assert told == [exception]
    assert outcome.failed
    assert outcome.refused is None
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info[1] is exception
    assert "test_receivers.raiser.<locals>.fail failed on socket_client_message" in record.getMessage()
    assert (record.receiver[-4:], record.signal) == ("fail", "socket_client_message")
    assert repr(socket) in record.getMessage()


def test_an_on_error_that_raises_does_not_hear_of_itself(socket, caplog):
    told = []

    def failing(sender, exception, **_):
        told.append(exception)
        raise RuntimeError("on_error itself")

    connect(signals.socket_error, failing)
    connect(signals.socket_error, lambda *_, **__: told.append("the other one"))
    first = ValueError("the first")
    connect(signals.socket_client_message, raiser(first))

    receivers.run(signals.socket_client_message, socket, message="x")

    assert told == [first, "the other one"]
    assert len(caplog.records) == 2


# Refusals


def test_a_refusal_ends_the_connect_receivers(socket):
    heard, refusal = [], Refuse("no")
    connect(signals.socket_connected, raiser(refusal))
    connect(signals.socket_connected, lambda *_, **__: heard.append("after"))
    connect(signals.socket_error, lambda *_, **__: heard.append("error"))

    outcome = receivers.run(signals.socket_connected, socket)

    assert outcome.refused is refusal
    assert not outcome.failed
    assert heard == []


def test_a_refusal_ends_the_subscribe_receivers(socket):
    refusal = Refuse("no")
    connect(signals.socket_subscribed, raiser(refusal))

    assert receivers.run(signals.socket_subscribed, socket, channel="a").refused is refusal


# Time


@override_settings(REALTIME_WALL={"SLOW_RECEIVER": 0.01})
def test_a_receiver_that_takes_long_is_named_in_the_log(socket, caplog):
    def dawdle(*_, **__):
        sleep(0.02)

    connect(signals.socket_client_message, dawdle)

    receivers.run(signals.socket_client_message, socket, message="x")

    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "dawdle took 0.0 s on socket_client_message" in record.getMessage()
    assert (record.receiver[-6:], record.signal) == ("dawdle", "socket_client_message")


@override_settings(REALTIME_WALL={"SLOW_RECEIVER": 0.01})
def test_a_slow_receiver_is_named_when_it_fails_too(socket, caplog):
    def dawdle(*_, **__):
        sleep(0.02)
        raise ValueError("and in vain")

    connect(signals.socket_client_message, dawdle)

    receivers.run(signals.socket_client_message, socket, message="x")

    assert "dawdle took" in caplog.text


def test_a_quick_receiver_is_not_mentioned(socket, caplog):
    connect(signals.socket_client_message, lambda *_, **__: None)

    receivers.run(signals.socket_client_message, socket, message="x")

    assert not caplog.records


# Databases


class FakeConnection:
    def __init__(self, *, is_open=True, in_atomic_block=False):
        self.connection = object() if is_open else None
        self.in_atomic_block = in_atomic_block
        self.closed = 0

    def close(self):
        self.closed += 1


class FakeConnections(list):
    """Those that this greenlet has used, as Django hands them out."""

    def all(self, initialized_only=False):
        assert initialized_only  # or each database of the settings would be set up for nothing
        return list(self)


def test_every_connection_that_was_opened_is_closed_unless_it_is_inside_atomic(monkeypatch):
    used, other = FakeConnection(), FakeConnection()
    unused, of_a_test = FakeConnection(is_open=False), FakeConnection(in_atomic_block=True)
    monkeypatch.setattr(receivers, "connections", FakeConnections([used, unused, of_a_test, other]))
    connection_created.send(FakeConnection)

    receivers.release_database()

    assert [one.closed for one in (used, unused, of_a_test, other)] == [1, 0, 0, 1]


def test_a_connection_inside_atomic_is_closed_once_it_is_outside(monkeypatch):
    busy = FakeConnection(in_atomic_block=True)
    monkeypatch.setattr(receivers, "connections", FakeConnections([busy]))
    connection_created.send(FakeConnection)
    receivers.release_database()
    busy.in_atomic_block = False

    receivers.release_database()

    assert busy.closed == 1


def test_a_greenlet_that_opened_nothing_asks_django_nothing(monkeypatch):
    monkeypatch.setattr(receivers, "connections", None)

    assert gevent.spawn(receivers.release_database).get() is None
