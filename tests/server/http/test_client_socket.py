"""When a connection goes on whose client has sent something."""

import socket

import gevent
import pytest

from realtime_wall.server.http import client_socket
from realtime_wall.server.http.client_socket import FEW, ClientSocket, accept
from realtime_wall.wire.connection import Wire
from realtime_wall.wire.turns import Turns


@pytest.fixture
def one_turn_an_iteration(monkeypatch):
    monkeypatch.setattr(Wire, "turns", Turns(-1.0))


@pytest.fixture
def pairs():
    """A client, and the server's end of its connection."""
    made = [socket.socketpair() for _ in range(5)]
    pairs = [(client, ClientSocket(fileno=end.detach())) for client, end in made]
    yield pairs
    for pair in pairs:
        for end in pair:
            end.close()


@pytest.mark.parametrize("sent", [b"x", b""])
def test_of_many_whose_clients_send_or_hang_up_at_once_each_has_its_turn(pairs, sent, one_turn_an_iteration):
    heard, iterations = [], set()

    def hear(connection):
        heard.append(connection.recv(10))
        iterations.add(gevent.get_hub().loop.iteration)

    hearing = [gevent.spawn(hear, connection) for _, connection in pairs]
    gevent.sleep(0)  # each waits for its client
    for client, _ in pairs:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)

    gevent.joinall(hearing, 5, raise_error=True)
    assert heard == [sent] * 5
    assert len(iterations) == 5


def test_the_pieces_of_a_head_that_never_ends_are_gathered_for_longer_and_longer(pairs, monkeypatch):
    client, connection = pairs[0]
    pauses = []
    monkeypatch.setattr(client_socket, "sleep", lambda seconds: pauses.append(seconds))

    client.sendall(b"x")  # which stays there

    def read(pieces):
        for _ in range(pieces):
            connection._wait(connection._read_event)

    read(100)
    assert pauses == []
    with connection.reading_head():
        read(FEW)
        assert pauses == []
        read(100)
    assert pauses == [0.001, 0.002, 0.004, 0.008, 0.016, 0.032] + [0.064] * 94
    read(100)
    assert len(pauses) == 100


def test_a_time_limit_ends_a_wait_in_line_too(pairs, one_turn_an_iteration):
    client, connection = pairs[0]
    Wire.turns.is_now()
    Wire.turns.stand_in_line("before us", lambda: None)
    Wire.turns._timer.stop()  # and stays there

    with gevent.Timeout(0.05, False) as limit:
        client.sendall(b"x")
        connection._wait(connection._read_event)
        limit.close()
        raise AssertionError("it was not waited for")
    assert not Wire.turns.is_in_line(gevent.getcurrent())


def test_nobody_is_accepted_whom_somebody_else_was_faster_to_accept():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        assert accept(listener) is None
        with socket.create_connection(listener.getsockname()) as client:
            accepted, address = accept(listener)
            assert address == client.getsockname()
            accepted.close()
