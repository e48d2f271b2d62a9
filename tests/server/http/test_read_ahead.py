import socket

from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.server.http import read_ahead


@given(st.binary(max_size=50), st.binary(max_size=50), st.integers(0, 60))
def test_what_was_read_comes_first_and_what_is_unused_stays(arrived, rest, used):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(rest)
        theirs.shutdown(socket.SHUT_WR)
        stream = read_ahead.reader(ours, arrived)

        begun = stream.read(min(used, len(arrived)))
        unused = read_ahead.unused(stream)

        assert arrived.startswith(begun + unused[: len(arrived) - len(begun)])
        assert begun + stream.read() == arrived + rest


def test_bytes_that_are_not_asked_for_are_found():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        stream = read_ahead.reader(ours, b"GET / HTTP/1.1\r\nmore")
        assert stream.readline() == b"GET / HTTP/1.1\r\n"

        assert read_ahead.unused(stream) == b"more"
