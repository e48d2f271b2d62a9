"""A connection that goes to its owner by the link: two servers of one process share only that."""

import base64
import contextlib
import hashlib
import os
import socket
from dataclasses import replace

import gevent
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime_wall.server.affinity import tunnel
from realtime_wall.server.affinity.owner_routing import PassedConnection
from realtime_wall.server.affinity.tunnel import TunnelPiece, Tunnels
from tests.live import wait_for
from tests.neighbours import running_nodes

PEER = ("192.0.2.1", 5555)


class End:
    """A server's tunnels, and the connections that have come by them."""

    def __init__(self, node):
        self.node = node
        self.room = 10
        self.came = []
        self.clients = []
        self.tunnels = Tunnels(node)
        self.tunnels.start(self)

    def take(self, connection, passed):
        connection.settimeout(10)
        self.came.append((connection, passed))


class Client:
    """Somebody whose connection is passed on by a greenlet, as the handler does."""

    def __init__(self, ours, owner, arrived=b"GET"):
        self.connection, theirs = socket.socketpair()
        self.connection.settimeout(10)
        ours.clients.append(self.connection)
        self.carried = gevent.spawn(self._carry, ours, owner, theirs, arrived)

    def _carry(self, ours, owner, theirs, arrived):
        with theirs:
            return ours.tunnels.carry(owner.node.address, theirs, PassedConnection(PEER, arrived))

    def heard(self, size):
        data = b""
        while len(data) < size and (more := self.connection.recv(size - len(data))):
            data += more
        return data


@pytest.fixture
def pair():
    with running_nodes(2, outbox_timeout=5) as nodes:
        ends = [End(node) for node in nodes]
        yield ends
        for end in ends:
            end.tunnels.stop()
            for connection in (*end.clients, *(one for one, _ in end.came)):
                connection.close()
        wait_for(lambda: not any(end.tunnels.ends for end in ends), "the end of the tunnels")


@pytest.fixture
def dug(pair):
    """A client of the first whose connection is the second's: (client, owner's end of it)."""
    one, two = pair
    client = Client(one, two)
    wait_for(lambda: two.came, "the connection")
    return client, two.came[0][0]


def test_the_owner_has_the_connection_with_all_that_is_known_of_it(pair, dug):
    assert pair[1].came[0][1] == PassedConnection(PEER, b"GET", is_far=True)


def test_what_each_says_the_other_hears(dug):
    client, owner = dug
    for said, heard in ((client.connection, owner), (owner, client.connection)):
        said.sendall(b"one")
        assert heard.recv(100) == b"one"
    owner.sendall(b"two")
    assert client.connection.recv(100) == b"two"


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(1, 100_000), min_size=1, max_size=5))
def test_however_much_it_is_it_comes_in_order_both_ways_at_once(dug, sizes):
    client, owner = dug
    pieces = [os.urandom(size) for size in sizes]
    whole = b"".join(pieces)

    def say(connection):
        for piece in pieces:
            connection.sendall(piece)

    def hear(connection):
        data = b""
        while len(data) < len(whole):
            data += connection.recv(65536)
        return hashlib.sha256(data).digest()

    ends = (client.connection, owner)
    saying = [gevent.spawn(say, one) for one in ends]
    hearing = [gevent.spawn(hear, one) for one in ends]
    gevent.joinall([*saying, *hearing], timeout=20)

    assert [one.value for one in hearing] == [hashlib.sha256(whole).digest()] * 2


def test_neither_end_takes_more_than_the_other_is_given(dug):
    client, owner = dug
    client.connection.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.connection.sendall(b"x" * 10_000_000)  # the owner reads nothing
    assert owner.recv(1) == b"x"


@pytest.mark.parametrize("who", ["client", "owner"])
def test_when_one_hangs_up_so_does_the_other(pair, dug, who):
    client, owner = dug
    gone, stays = (client.connection, owner) if who == "client" else (owner, client.connection)
    gone.sendall(b"the last")
    gone.close()

    assert stays.recv(100) == b"the last"
    assert stays.recv(100) == b""
    stays.close()
    assert client.carried.get(timeout=10) is True
    wait_for(lambda: not any(end.tunnels.ends for end in pair), "the end")


def test_one_that_has_said_all_still_hears_the_other(dug):
    client, owner = dug
    client.connection.shutdown(socket.SHUT_WR)

    assert owner.recv(1) == b""
    owner.sendall(b"the answer")
    assert client.connection.recv(100) == b"the answer"
    owner.close()
    assert client.connection.recv(100) == b""


def test_a_reader_that_takes_nothing_for_too_long_is_cut_off(pair, dug):
    client, owner = dug
    for one in pair:
        for end in one.tunnels.ends.values():
            end._patience = 0.1

    with contextlib.suppress(OSError):
        owner.sendall(b"x" * 10_000_000)

    assert client.carried.get(timeout=10) is True


# Who cannot be reached


def test_a_server_that_is_not_there_is_not_asked(pair):
    one, two = pair
    two.node.stop()

    assert Client(one, two).carried.get(timeout=10) is False
    two.node.start()


def test_nor_is_one_believed_that_does_not_answer(pair, monkeypatch):
    monkeypatch.setattr(tunnel, "OPENING", 0.1)
    one, two = pair
    two.node.broker.link.deaf = True

    assert Client(one, two).carried.get(timeout=10) is False
    assert one.tunnels.ends == {}


def test_one_without_room_takes_nobody(pair):
    one, two = pair
    two.room = 0

    assert Client(one, two).carried.get(timeout=10) is False
    assert two.came == []


def test_one_that_has_no_descriptor_left_takes_nobody(pair, monkeypatch):
    def none_left():
        raise OSError(24, "Too many open files")

    one, two = pair
    client = Client(one, two)
    monkeypatch.setattr(gevent.socket, "socketpair", none_left)

    assert client.carried.get(timeout=10) is False
    assert two.tunnels.ends == {}


def test_when_the_owner_is_gone_the_client_is_hung_up_on(pair, dug, monkeypatch):
    client, owner = dug
    one, two = pair
    two.node.broker.link.deaf = True  # nothing is heard of it any more
    two.node.broker.leave()

    one.tunnels.tick(0.0)

    assert client.connection.recv(100) == b""
    assert client.carried.get(timeout=10) is True
    two.node.broker.join()


def test_when_the_server_of_the_client_is_gone_the_owner_is_hung_up_on(pair, dug):
    client, owner = dug
    one, two = pair
    real = two.node.servers
    two.node.servers = lambda: (two.node.address,)

    assert two.tunnels.tick(0.0) == tunnel.LOOK_EVERY

    assert owner.recv(100) == b""
    two.node.servers = real


def test_nobody_looks_when_there_are_no_tunnels(pair, dug):
    client, owner = dug
    client.connection.close()
    owner.close()
    wait_for(lambda: not any(end.tunnels.ends for end in pair), "the end")

    assert [end.tunnels.tick(0.0) for end in pair] == [None, None]


def test_a_server_that_stops_lets_its_clients_go(pair, dug):
    client, _ = dug
    one, two = pair

    one.tunnels.stop()

    assert client.connection.recv(100) == b""
    assert Client(two, one).carried.get(timeout=10) is False


# Whatever else arrives

OPEN = TunnelPiece(tunnel="x:1", sender="x", event="open", peer=["192.0.2.1", 5])


@pytest.mark.parametrize(
    "change",
    [
        {"peer": "elsewhere"},
        {"peer": [1, 2]},
        {"peer": None},
        {"data": "*"},
        {"data": 5},
        {"event": "data"},
        {"event": "end"},
        {"event": None},
    ],
    ids=repr,
)
def test_what_makes_no_sense_opens_nothing(pair, change):
    one, two = pair
    answers = one.node.ask_servers([two.node.address], replace(OPEN, **change), 5.0)

    assert not answers.get(two.node.address)
    assert (two.came, two.tunnels.ends) == ([], {})


def test_a_tunnel_is_opened_once(pair, dug):
    one, two = pair
    (name,) = two.tunnels.ends

    request = replace(OPEN, tunnel=name, sender=one.node.address)
    assert one.node.ask_servers([two.node.address], request, 5.0) == {two.node.address: False}
    assert len(two.came) == 1


def test_an_owner_that_answers_after_it_was_given_up_has_been_heard_all_the_same(pair, monkeypatch):
    """What it says has reached the client: another answer must not follow."""
    one, two = pair

    def late(request):
        data = base64.b64encode(b"HTTP").decode()
        one.node.handlers.perform(replace(request, event="data", data=data))
        gevent.sleep(0.2)
        return True

    monkeypatch.setattr(tunnel, "OPENING", 0.05)
    two.node.handlers.add(TunnelPiece, late)
    client = Client(one, two)

    assert client.heard(4) == b"HTTP"
    client.connection.close()
    assert client.carried.get(timeout=10) is True
