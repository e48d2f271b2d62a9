"""Listening sockets that somebody else has opened: systemd, or the first process of the reloader."""

import os
import socket
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.server import systemd_socket
from realtime_wall.server.bind_address import BadAddress


@pytest.fixture
def third(monkeypatch):
    """Has the descriptor of a socket taken for the one that systemd passes."""

    def pass_socket(one):
        monkeypatch.setattr(systemd_socket, "FIRST_FD", one.detach())
        return activated()

    return pass_socket


def activated(count="1", pid=None):
    return {"LISTEN_PID": str(pid or os.getpid()), "LISTEN_FDS": count, "LISTEN_FDNAMES": "site", "HOME": "/"}


def test_without_a_word_there_is_none():
    assert systemd_socket.take({"HOME": "/"}) is None


def test_a_tcp_socket_is_taken_with_its_address(third):
    opened = socket.create_server(("127.0.0.1", 0))
    port = opened.getsockname()[1]

    listener, address = systemd_socket.take(third(opened))

    with listener:
        assert address.url == f"http://127.0.0.1:{port}/"
        assert not listener.get_inheritable()
        socket.create_connection(("127.0.0.1", port)).close()


def test_a_unix_socket_is_taken_with_its_path(third, tmp_path):
    opened = socket.socket(socket.AF_UNIX)
    opened.bind(str(tmp_path / "s"))
    opened.listen()

    listener, address = systemd_socket.take(third(opened))

    listener.close()
    assert address.url == f"unix:{tmp_path}/s"


def test_an_abstract_name_can_be_printed(third):
    opened = socket.socket(socket.AF_UNIX)
    opened.bind(f"\0realtime-wall-{os.getpid()}")
    opened.listen()

    listener, address = systemd_socket.take(third(opened))

    listener.close()
    assert address.url == f"unix:@realtime-wall-{os.getpid()}"


def test_it_is_taken_once_and_our_children_hear_nothing_of_it(third):
    environ = third(socket.create_server(("127.0.0.1", 0)))

    systemd_socket.take(environ)[0].close()

    assert environ == {"HOME": "/"}
    assert systemd_socket.take(environ) is None


def test_one_that_is_meant_for_another_process_is_left_alone():
    environ = activated(pid=os.getpid() + 1)

    assert systemd_socket.take(environ) is None
    assert environ == {"HOME": "/"}


@pytest.mark.parametrize("count", ["0", "", "x", "-1", "²"])
def test_a_count_that_is_none_is_none(count):
    assert systemd_socket.take(activated(count)) is None


def test_several_are_refused_in_a_sentence():
    with pytest.raises(BadAddress, match="2 sockets were passed and one is served"):
        systemd_socket.take(activated("2"))


@pytest.mark.parametrize(
    "kind", [(socket.AF_INET, socket.SOCK_STREAM), (socket.AF_INET, socket.SOCK_DGRAM)], ids=["idle", "udp"]
)
def test_a_socket_that_does_not_listen_is_refused(third, kind):
    environ = third(socket.socket(*kind))

    with pytest.raises(BadAddress, match="is not a listening stream socket"):
        systemd_socket.take(environ)

    os.close(systemd_socket.FIRST_FD)  # it was not ours to close


def test_a_descriptor_that_is_no_socket_is_refused(monkeypatch):
    monkeypatch.setattr(systemd_socket, "FIRST_FD", os.open(os.devnull, os.O_RDONLY))

    with pytest.raises(BadAddress, match="is no socket"):
        systemd_socket.take(activated())

    os.close(systemd_socket.FIRST_FD)


def test_a_child_is_told_where_it_is(third):
    environ = third(socket.create_server(("127.0.0.1", 0)))
    systemd_socket.pass_on(environ)
    code = "from realtime_wall.server import systemd_socket; print(systemd_socket.take()[1].url)"

    child = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environ},
        pass_fds=[systemd_socket.FIRST_FD],
        capture_output=True,
        text=True,
    )

    os.close(systemd_socket.FIRST_FD)
    assert child.stdout.startswith("http://127.0.0.1:"), child.stderr


@given(
    st.dictionaries(
        st.sampled_from(["LISTEN_PID", "LISTEN_FDS", systemd_socket.PASSED_ON]),
        st.text("0x-1 é٣", max_size=12),
    )
)
def test_whatever_the_environment_says_it_is_a_sentence_at_worst(environ):
    try:
        systemd_socket.take(environ)
    except BadAddress as problem:
        assert "\n" not in str(problem)
