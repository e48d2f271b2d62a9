"""Who comes in at a listening socket, and who is still answered when it closes."""

import socket

import pytest
from gevent.event import Event

from realtime_wall.config import Config
from realtime_wall.server.http.http_server import HTTPServer
from tests.live import Conversation
from tests.server.heads import get


def hello(environ, start_response):
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]


@pytest.fixture
def opened():
    """A listener, and another worker's socket."""
    mine, others = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
    listener = HTTPServer(mine, hello, Config(), is_one_of_several=True)
    listener.start()
    others.setblocking(False)
    with others:
        yield listener, others
        if not listener.closed:
            listener.stop_listening(Event())


def ask(port):
    with Conversation(socket.create_connection(("127.0.0.1", port), 5)) as conversation:
        conversation.send(get())
        return conversation.reply()


def is_accepted(other):
    """Whether somebody accepts who comes to a socket."""
    with socket.create_connection(other.getsockname()[:2], 5) as client:
        client.settimeout(0.2)
        client.sendall(get())
        try:
            return client.recv(1) == b"H"
        except TimeoutError:
            return False


def test_a_client_that_was_accepted_in_the_very_moment_of_the_stop_is_answered(opened):
    listener, _ = opened
    client, accepted = socket.socketpair()
    with Conversation(client) as conversation:
        listener.do_handle(accepted, "")
        conversation.send(get())
        listener.stop_listening(Event())  # the greenlet of the connection has not begun yet
        reply = conversation.reply()

    assert (reply.body, reply.headers["connection"]) == (b"hello", "close")


def test_another_worker_s_clients_are_accepted_until_told_otherwise(opened):
    listener, others = opened
    assert not is_accepted(others)

    listener.cover({others.fileno()})
    assert is_accepted(others)
    assert ask(others.getsockname()[1]).body == b"hello"

    listener.cover(set())
    assert not is_accepted(others)
    assert others.fileno() >= 0  # it is still open


def test_who_stops_accepts_for_nobody_else(opened):
    listener, others = opened
    listener.cover({others.fileno()})

    listener.stop_listening(Event())
    listener.cover({others.fileno()})

    assert not is_accepted(others)


def test_it_accepts_one_for_each_turn_of_the_loop_and_says_when_there_are_others(opened):
    listener, _ = opened

    assert listener.max_accept == 1
    assert listener.environ["wsgi.multiprocess"] is True
