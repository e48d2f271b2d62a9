"""Who comes in at a listening socket, and who is still answered when it closes."""

import socket
from itertools import pairwise

import gevent
import pytest
from gevent.event import Event

from realtime_wall.config import Config
from realtime_wall.server.http.http_server import HTTPServer
from realtime_wall.server.http.ticket_return import Returning
from realtime_wall.wire.connection import Wire
from realtime_wall.wire.turns import Turns
from tests.live import Conversation, wait_for
from tests.server.heads import get
from tests.server.http.conftest import hello
from tests.server.http.test_hand_over import SOUND


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


def ask(port, *headers):
    with Conversation(socket.create_connection(("127.0.0.1", port), 5)) as conversation:
        conversation.send(get(*headers))
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


def test_requests_that_come_together_have_a_turn_of_the_loop_each(serve, monkeypatch):
    monkeypatch.setattr(Wire, "turns", Turns(-1.0))
    turns = []

    def note(environ, start_response):
        turns.append(gevent.get_hub().loop.iteration)
        return hello(environ, start_response)

    server = serve(note)
    with Conversation(socket.create_connection(("127.0.0.1", server.socket.getsockname()[1]), 5)) as client:
        client.send(get() * 9 + get(b"Connection: close"))
        client.rest()

    assert len(turns) == 10
    assert len(set(turns)) == 10
    # The head has a turn of its own, and the application another.
    assert [later - earlier >= 2 for earlier, later in pairwise(turns)] == [True] * 9


def test_who_comes_in_waits_for_his_turn_as_those_do_who_are_inside(opened, monkeypatch):
    listener, _ = opened
    monkeypatch.setattr(Wire, "turns", Turns(-1.0))
    order = []

    def come_in(connection, address):
        order.append("new")
        connection.close()

    monkeypatch.setattr(listener, "do_handle", come_in)
    Wire.turns.stand_in_line("before", lambda: order.append("before"))
    Wire.turns.stand_in_line("also", lambda: order.append("also"))

    with socket.create_connection(listener.socket.getsockname(), 5):
        wait_for(lambda: len(order) == 3)

    assert order == ["before", "also", "new"]


def test_who_stopped_accepting_meanwhile_accepts_nobody(opened, monkeypatch, capsys):
    listener, _ = opened
    monkeypatch.setattr(Wire, "turns", Turns(-1.0))
    Wire.turns.is_now()
    listener._do_read()
    assert Wire.turns.is_in_line(listener)
    listener.stop_listening(Event())

    wait_for(lambda: not Wire.turns.is_in_line(listener))
    assert capsys.readouterr().err == ""  # where the event loop shows what has failed


@pytest.mark.threat("S61")
def test_a_connection_that_asks_nothing_has_no_handler(serve, monkeypatch):
    server, begun = serve(), []
    monkeypatch.setattr(server, "handler_class", lambda *args: begun.append(args))
    with socket.create_connection(("127.0.0.1", server.socket.getsockname()[1]), 5) as client:
        wait_for(lambda: server.http_connections == 1)
        client.sendall(get()[:-2])
        wait_for(lambda: not server.pending.silent())
        assert begun == []


class Returns:
    """Finds whatever it is to find."""

    def __init__(self, found):
        self.found = found
        self.seen = []

    def find(self, handshake):
        self.seen.append(handshake.request_line)
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


def open_and_say_so(wire, arrived):
    class Owner:
        def received(self, data):
            wire.write(data)

        def lost(self, reason):
            """It is closed."""

    wire.write(wire.head + b"opened")
    wire.start(Owner())


def test_who_returns_by_a_ticket_has_no_handler(serve, monkeypatch):
    server, begun = serve(), []
    monkeypatch.setattr(server, "handler_class", lambda *args: begun.append(args))
    server.returns = Returns(Returning("GET / HTTP/1.1", "192.0.2.1", b"head ", open_and_say_so))
    before = server.room
    with socket.create_connection(("127.0.0.1", server.socket.getsockname()[1]), 5) as client:
        client.sendall(get(*SOUND))
        assert client.recv(100) == b"head opened"
        client.sendall(b"more")
        assert client.recv(100) == b"more"

        assert server.returns.seen == ["GET /hello/ HTTP/1.1"] and begun == []
        assert (server.http_connections, server.room) == (0, before - 1)
        assert server.visitors.at("192.0.2.1").connections == 1
    wait_for(lambda: server.visitors.at("192.0.2.1").connections == 0)


def test_whose_ticket_cannot_be_looked_at_is_asked_everything(serve):
    server = serve()
    server.returns = Returns(RuntimeError("a mistake of ours"))

    assert ask(server.socket.getsockname()[1], *SOUND).body == b"hello"
    assert server.returns.seen


# Who comes too often


def come(server, address):
    """What a client from an address is answered at once, if anything."""
    client, accepted = socket.socketpair()
    server.do_handle(accepted, (address, 4711))
    with client:
        client.settimeout(0)
        try:
            return client.recv(1000)
        except BlockingIOError:
            return None


@pytest.mark.threat("S61")
def test_one_address_that_comes_too_often_is_answered_429_and_others_come_in(serve):
    server = serve(address_accept_rate=0.1)

    assert [come(server, "1.2.3.4") for _ in range(2)] == [None, None]
    answer = come(server, "1.2.3.4")
    assert answer.startswith(b"HTTP/1.1 429")
    assert b"\r\nRetry-After: " in answer
    assert come(server, "1.2.3.5") is None
    assert server.visitors.refused == 1


def test_networks_of_ipv6_count_as_one_and_proxies_of_ours_as_nobody(serve):
    server = serve(address_accept_rate=0.1, trusted_proxies=["10.0.0.0/8"])

    assert [come(server, f"2001:db8::{number}") is None for number in range(3)] == [True, True, False]
    assert [come(server, "10.1.2.3") for _ in range(3)] == [None] * 3


def test_a_proxy_that_nobody_has_named_counts_as_nobody_once_it_shows(serve):
    server = serve(address_accept_rate=0.1, trusted_proxies=[])
    client, accepted = socket.socketpair()
    server.do_handle(accepted, ("10.1.2.3", 4711))
    with Conversation(client) as conversation:
        conversation.send(get(b"X-Forwarded-For: 1.2.3.4", b"Connection: close"))
        assert conversation.reply().status == 200

    assert [come(server, "10.1.2.3") for _ in range(5)] == [None] * 5


@pytest.mark.threat("S61")
def test_an_address_has_so_many_connections_at_once(serve):
    server = serve(address_connections=2)
    held = [socket.socketpair() for _ in range(2)]
    for _, accepted in held:
        server.do_handle(accepted, ("1.2.3.4", 1))
    assert come(server, "1.2.3.4").startswith(b"HTTP/1.1 429")

    for client, _ in held:
        client.close()
    wait_for(lambda: server.visitors.at("1.2.3.4").connections == 0)
    assert come(server, "1.2.3.4") is None


@pytest.mark.threat("S61", "S65")
def test_a_storm_of_clients_waits_in_the_kernel_and_is_served_later(serve):
    server = serve(accept_rate=50.0)
    port = server.socket.getsockname()[1]
    clients = [socket.create_connection(("127.0.0.1", port), 5) for _ in range(20)]

    wait_for(lambda: server._watcher is None)
    assert server.http_connections < 20
    wait_for(lambda: server.http_connections == 20)
    for client in clients:
        client.close()
