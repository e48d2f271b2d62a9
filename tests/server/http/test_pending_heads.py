"""A connection of which no whole request head has come yet."""

import socket
from select import select
from time import monotonic

import gevent
import pytest

from realtime_wall.server.http import pending_heads
from realtime_wall.server.http.client_socket import FEW
from realtime_wall.server.http.pending_heads import MOST, PendingHeads, is_to_be_answered
from realtime_wall.wire.connection import Wire
from realtime_wall.wire.turns import Turns
from tests.live import wait_for

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Server:
    """Remembers whose head has come, and who has gone without."""

    def __init__(self, seconds=60.0):
        self.heads = PendingHeads(seconds, self.begin, self.close)
        self.begun, self.closed, self.iterations, self.clients = [], [], set(), []

    def connect(self, name="it"):
        client, accepted = socket.socketpair()
        self.clients.append(client)
        self.heads.add(accepted, name)
        return client

    def begin(self, connection, address, arrived, due):
        self.begun.append((address, arrived, due))
        self._end(connection)

    def close(self, connection, address):
        self.closed.append(address)
        self._end(connection)

    def _end(self, connection):
        connection.close()
        self.iterations.add(gevent.get_hub().loop.iteration)


@pytest.fixture
def serve():
    servers = []

    def serve(**options):
        servers.append(Server(**options))
        return servers[-1]

    yield serve
    for server in servers:
        for client in server.clients:
            client.close()
        wait_for(lambda one=server: not list(one.heads))


def test_a_head_is_answered_when_it_is_whole(serve):
    server = serve()
    client = server.connect("me")
    assert [head.address for head in server.heads.silent()] == ["me"]

    for piece in (HEAD[:5], HEAD[5:-1]):
        client.sendall(piece)
        wait_for(lambda piece=piece: [head.arrived.endswith(piece) for head in server.heads] == [True])
    assert server.heads.silent() == [] and server.begun == []
    client.sendall(HEAD[-1:] + b"and more")
    wait_for(lambda: server.begun)

    (address, arrived, due) = server.begun[0]
    assert (address, arrived) == ("me", HEAD + b"and more")
    assert due - 60.0 <= monotonic() < due
    assert list(server.heads) == []


@pytest.mark.parametrize("arrived", [HEAD, b"GET / HTTP/1.1\n\n", b"GET / HTTP/1.1\n\r\n", b"a" * (MOST + 1)])
def test_what_is_wrong_is_answered_as_soon_as_that_shows(arrived):
    assert is_to_be_answered(arrived)
    assert not is_to_be_answered(arrived[:-1])


def test_who_goes_without_a_head_needs_no_answer(serve):
    server = serve()
    server.connect("silent").close()
    began = server.connect("began")
    began.sendall(HEAD[:-1])
    began.close()

    wait_for(lambda: len(server.closed) == 2)
    assert server.begun == []


@pytest.mark.threat("S61")
@pytest.mark.parametrize("sent", [HEAD, b""])
def test_of_many_that_ask_or_hang_up_at_once_each_has_its_turn(serve, monkeypatch, sent):
    monkeypatch.setattr(Wire, "turns", Turns(-1.0))
    server = serve()
    for _ in range(5):
        server.connect()
    for client in server.clients:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)

    wait_for(lambda: len(server.begun) + len(server.closed) == 5)
    assert len(server.iterations) == 5


@pytest.mark.threat("S15")
def test_who_is_late_is_let_go_and_told_so_if_he_has_begun(serve):
    server = serve(seconds=0.2)
    server.connect("silent")
    server.connect("slow").sendall(b"GET")

    wait_for(lambda: server.begun and server.closed)
    assert server.closed == ["silent"]
    assert [(address, arrived, due < monotonic()) for address, arrived, due in server.begun] == [
        ("slow", b"GET", True)
    ]


def test_the_time_for_a_head_begins_with_its_first_bytes(serve):
    server = serve()
    client = server.connect("first")
    server.connect("second")
    (first, second) = server.heads
    first.since -= 50

    client.sendall(b"GET")
    wait_for(lambda: first.arrived)

    assert first.since >= second.since
    assert list(server.heads) == [second, first]  # as they will be late


def test_the_pieces_of_a_head_that_never_ends_are_gathered(serve, monkeypatch):
    pieces = []

    def pause_after(so_many):
        pieces.append(so_many)
        return 3600.0 if so_many > FEW else 0.0

    monkeypatch.setattr(pending_heads, "pause_after", pause_after)
    server = serve()
    client = server.connect()
    (head,) = server.heads
    for number in range(1, FEW + 2):
        client.sendall(b"a")
        wait_for(lambda number=number: pieces[-1:] == [number])
    client.sendall(HEAD)
    wait_for(lambda: select([head.connection], [], [], 0)[0])
    gevent.sleep(0)  # it has come, and is left there
    assert server.begun == []

    head._look_again()
    wait_for(lambda: server.begun)
    assert server.begun[0][1] == b"a" * (FEW + 1) + HEAD
