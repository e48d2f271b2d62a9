"""What is passed to a server, and whatever else arrives there."""

import array
import contextlib
import json
import os
import socket
import stat

import gevent
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime_wall.brokers.local import peer_credentials
from realtime_wall.config import Config
from realtime_wall.server.affinity import fd_passing
from realtime_wall.server.affinity.fd_passing import FdPassing
from realtime_wall.server.affinity.owner_routing import PassedConnection

ADDRESS = "bbbbbbbb"
PEER = ("192.0.2.1", 5555)
GET = PassedConnection(PEER, b"GET")


class Owner:
    """A server that is passed connections, and those."""

    def __init__(self, path):
        self.config = Config(runtime_dir=str(path))
        self.came = []
        self.fd_passing = FdPassing(self.config, ADDRESS)
        self.other = FdPassing(self.config, "aaaaaaaa")  # of another server, which passes on

    def take(self, connection, passed):
        self.came.append(passed)
        with connection:
            connection.sendall(b"taken")

    def pass_on(self, passed=GET):
        """What a client hears whose connection is passed on; None when it was not."""
        client, connection = socket.socketpair()
        with client, connection:
            if not self.other.carry(ADDRESS, connection, passed):
                return None
            connection.close()
            client.settimeout(10)
            return client.recv(100)

    def say(self, data, *fds):
        """Send something, perhaps with descriptors; wait until it is closed."""
        with socket.socket(socket.AF_UNIX) as visitor:
            visitor.settimeout(10)
            visitor.connect(os.fspath(self.fd_passing.path))
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
            if data:
                visitor.sendmsg([data], rights)
            visitor.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):
                assert visitor.recv(1) == b""


@pytest.fixture
def owner(tmp_path):
    owner = Owner(tmp_path)
    owner.fd_passing.start(owner.take)
    yield owner
    owner.fd_passing.stop()


@pytest.mark.parametrize("peer", [PEER, ("2001:db8::1", 5555, 0, 0), ""])
@pytest.mark.parametrize("arrived", [b"", b"GET / HTTP/1.1\r\n\r\n\xff\0", b"x" * 90_000], ids=len)
def test_a_connection_comes_with_all_that_is_known_of_it(owner, peer, arrived):
    passed = PassedConnection(peer, arrived)

    assert owner.pass_on(passed) == b"taken"
    assert owner.came == [passed]


def test_the_socket_is_for_this_user_only(owner):
    assert owner.fd_passing.path.name == f"{ADDRESS}.fds"
    assert stat.S_IMODE(os.stat(owner.fd_passing.path).st_mode) == 0o600


def test_who_has_stopped_is_passed_nothing(owner):
    owner.fd_passing.stop()

    assert not owner.fd_passing.path.exists()
    assert owner.pass_on() is None


def test_the_socket_of_a_dead_server_is_removed(owner):
    path = owner.fd_passing.path
    owner.fd_passing.stop()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(os.fspath(path))

    assert owner.pass_on() is None
    assert not path.exists()


@pytest.mark.threat("S59")
def test_another_user_is_not_let_in(owner, monkeypatch, caplog):
    ours = os.getuid()
    monkeypatch.setattr(fd_passing, "is_trusted", lambda connection: False)

    owner.say(b'{"peer": "", "size": 0}\n')

    assert "another Unix user connected to" in caplog.text
    assert owner.came == []
    monkeypatch.undo()
    assert os.getuid() == ours
    assert owner.pass_on() == b"taken"


def test_nor_given_anything(owner, monkeypatch, caplog):
    """The socket may be another user's: who may write into the directory can put one there."""
    real = fd_passing.is_trusted
    monkeypatch.setattr(fd_passing, "is_trusted", lambda connection: connection.getsockname() != "")

    assert owner.pass_on() is None

    assert "is another Unix user's" in caplog.text
    monkeypatch.setattr(fd_passing, "is_trusted", real)
    assert owner.came == []


@pytest.mark.parametrize(("uid", "trusted"), [(0, True), (1000, True), (1001, False)])
def test_who_is_trusted(monkeypatch, uid, trusted):
    class Connection:
        def getsockopt(self, level, option, size):
            assert (level, option) == (socket.SOL_SOCKET, socket.SO_PEERCRED)
            return peer_credentials.CREDENTIALS.pack(1, uid, 5)

    monkeypatch.setattr(os, "getuid", lambda: 1000)

    assert peer_credentials.is_trusted(Connection()) is trusted


def open_descriptors():
    """There may be fewer a moment later: what an earlier test has left is still being closed."""
    return len(os.listdir("/proc/self/fd"))


GOOD = b'{"peer": ["192.0.2.1", 5], "size": 3}\nGET'
JUNK = [
    b"\n",
    b"hello\n",
    b"\xff\xfe\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"null\n",
    b"[]\n",
    b"{}\n",
    b'{"peer": ["192.0.2.1", 5]}\n',
    b'{"size": 3}\nGET',
    b'{"peer": ["192.0.2.1", 5], "size": -1}\n',
    b'{"peer": ["192.0.2.1", 5], "size": "3"}\nGET',
    b'{"peer": ["192.0.2.1", 5], "size": NaN}\nGET',
    b'{"peer": ["192.0.2.1", 5], "size": 4}\nGET',
    b'{"peer": ["192.0.2.1", 5], "size": 2}\nGET',
    b'{"peer": ["192.0.2.1", 5], "size": 1000000000}\nGET',
    b'{"peer": [1, 5], "size": 3}\nGET',
    b'{"peer": ["192.0.2.1"], "size": 3}\nGET',
    b'{"peer": {"a": 1}, "size": 3}\nGET',
    b'{"peer": "elsewhere", "size": 3}\nGET',
    b"[" * 400 + b"\n",
    b" " * 600 + GOOD,
    b" " * 200_000,
]


@pytest.mark.parametrize("data", JUNK, ids=range(len(JUNK)))
@pytest.mark.parametrize("with_connection", [True, False], ids=["with", "without"])
def test_rubbish_is_counted_and_dropped_with_what_came_with_it(owner, data, with_connection):
    client, connection = socket.socketpair()
    with client:
        with connection:
            owner.say(data, *([connection.fileno()] if with_connection else []))
        client.settimeout(10)
        assert client.recv(1) == b""  # nobody has it any more

    assert (owner.fd_passing.rejected, owner.came) == (1, [])
    assert owner.pass_on() == b"taken"


def test_what_is_no_connection_is_not_taken(owner):
    before = open_descriptors()
    with open(os.devnull) as file, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        for fd in (file.fileno(), datagrams.fileno()):
            owner.say(GOOD, fd)
    owner.say(GOOD)

    assert (owner.fd_passing.rejected, owner.came) == (3, [])
    assert open_descriptors() <= before


def test_of_several_connections_at_once_all_but_the_first_are_closed(owner):
    pairs = [socket.socketpair() for _ in range(20)]
    before = open_descriptors()

    owner.say(GOOD, *(there.fileno() for _, there in pairs))

    assert owner.came == [PassedConnection((PEER[0], 5), b"GET")]
    assert open_descriptors() <= before
    for pair in pairs:
        for one in pair:
            one.close()


def test_somebody_who_only_looks_whether_it_is_there_is_nothing_to_speak_of(owner):
    owner.say(b"")

    assert owner.fd_passing.rejected == 0


def test_one_that_says_nothing_holds_nobody_up_and_is_shown_out(owner, monkeypatch):
    monkeypatch.setattr(fd_passing, "PATIENCE", 0.1)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.settimeout(10)
        silent.connect(os.fspath(owner.fd_passing.path))
        assert owner.pass_on() == b"taken"
        assert silent.recv(1) == b""

    assert owner.fd_passing.rejected == 1


def test_who_is_not_let_in_for_long_goes_another_way(owner):
    """A server whose event loop is blocked: its connections wait until there is no more room for them."""
    owner.fd_passing.stop()
    path = owner.fd_passing.path
    with socket.socket(socket.AF_UNIX) as blocked:
        blocked.bind(os.fspath(path))
        blocked.listen(0)
        waiting = socket.socket(socket.AF_UNIX)
        waiting.connect(os.fspath(path))
        with waiting:
            assert owner.pass_on() is None
            assert path.exists()


LINE = json.dumps({"peer": PEER, "size": 3}).encode() + b"\n"
PIECES = st.sampled_from(
    [b"{", b"}", b'"peer"', b'"size"', b":", b",", b"\n", b"[", b"1", b'""', LINE, b"GET"]
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200) | st.lists(PIECES, max_size=12).map(b"".join), fds=st.integers(0, 3))
def test_whatever_arrives_nothing_is_left_open_and_the_next_is_let_in(owner, data, fds):
    before = open_descriptors()
    client, connection = socket.socketpair()

    owner.say(data, *[connection.fileno()] * fds)

    client.close()
    connection.close()
    gevent.sleep(0)
    assert open_descriptors() <= before
    assert owner.pass_on() == b"taken"
