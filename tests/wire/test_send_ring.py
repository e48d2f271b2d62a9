"""Many are sent the same bytes with one call, and each is told apart: by the kernel, and by a loop."""

import _socket
import contextlib
import ctypes
import errno
import os
from array import array

import pytest

from realtime_wall.wire import send_ring
from realtime_wall.wire.send_ring import BATCH, SendRing


class Loop:
    """What a ring does, with a call for each; for where the kernel forbids rings, and to compare."""

    def send(self, data, descriptors, first):
        results = [self._send_to(one, data) for one in descriptors[first : first + BATCH]]
        return None if results == [len(data)] * BATCH else results

    def _send_to(self, descriptor, data):
        try:
            with contextlib.closing(_socket.socket(fileno=os.dup(descriptor))) as one:
                return one.send(data, _socket.MSG_DONTWAIT | _socket.MSG_NOSIGNAL)
        except OSError as problem:
            return -problem.errno

    def close(self):
        pass


def a_ring():
    try:
        return SendRing()
    except OSError:
        return None


@pytest.fixture(params=[Loop, a_ring])
def ring(request):
    made = request.param()
    yield made or Loop()
    if made is not None:
        made.close()


class Clients:
    def __init__(self, count):
        self.pairs = [_socket.socketpair() for _ in range(count)]
        self.descriptors = array("i", [ours.fileno() for ours, _ in self.pairs])

    def close(self, number):
        for one in self.pairs[number]:
            one.close()

    def heard(self, number):
        return self.pairs[number][1].recv(65536, _socket.MSG_DONTWAIT)


@pytest.fixture
def clients():
    made = Clients(BATCH + 3)
    yield made
    for number in range(BATCH + 3):
        made.close(number)


def test_a_batch_is_sent_to_from_the_first_on_and_nobody_else(ring, clients):
    for message in (b"one,", b"another,", b"", b"x" * 1000):
        assert ring.send(message, clients.descriptors, 3) is None

    assert {clients.heard(number) for number in range(3, BATCH + 3)} == {b"one,another," + b"x" * 1000}
    for number in range(3):
        with pytest.raises(BlockingIOError):
            clients.heard(number)


def test_each_that_did_not_take_it_is_told_apart_and_the_next_batch_goes_on(ring, clients):
    full, _ = clients.pairs[1]
    with pytest.raises(BlockingIOError):
        while True:
            full.send(b"x" * 4096, _socket.MSG_DONTWAIT)
    clients.pairs[2][1].close()  # and nobody has noticed
    clients.descriptors[3] = -1
    for _ in range(3):  # more than the ring of results holds at once
        results = ring.send(b"hello", clients.descriptors, 0)

        assert results[:5] == [5, -errno.EAGAIN, -errno.EPIPE, -errno.EBADF, 5]
        assert results[5:] == [5] * (BATCH - 5)
    assert clients.heard(0) == clients.heard(BATCH - 1) == b"hello" * 3


def test_a_part_is_counted(ring, clients):
    ours, _ = clients.pairs[0]
    ours.setblocking(False)
    size = 16 * 1024 * 1024

    results = ring.send(b"x" * size, array("i", [ours.fileno()] + [-1] * (BATCH - 1)), 0)

    assert 0 < results[0] < size
    left = results[0]
    while left:
        left -= len(clients.heard(0))
    with pytest.raises(BlockingIOError):
        clients.heard(0)


# Where there is none


def test_elsewhere_than_on_linux_there_is_none(monkeypatch):
    monkeypatch.setattr(send_ring.sys, "platform", "darwin")
    with pytest.raises(OSError, match="Linux"):
        SendRing()


def test_where_it_is_forbidden_there_is_none_and_nothing_stays_open(monkeypatch):
    before = len(os.listdir("/proc/self/fd"))

    def forbidden(self, *arguments):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(SendRing, "_call", forbidden)
    with pytest.raises(PermissionError):
        SendRing()

    assert len(os.listdir("/proc/self/fd")) == before


def test_who_was_not_sent_to_when_the_kernel_stops_is_named_and_the_ring_is_closed(monkeypatch, clients):
    ring = a_ring()
    if ring is None:
        return  # there is nothing that could stop
    assert ring.send(b"one,", clients.descriptors, 0) is None
    ordinary = ring._call

    def half(*arguments):
        if arguments[2].value == BATCH:
            return ordinary(*arguments[:2], ctypes.c_uint(BATCH // 2), ctypes.c_uint(0), *arguments[4:])
        raise OSError(errno.EBUSY, "busy")

    monkeypatch.setattr(ring, "_call", half)
    results = ring.send(b"two,", clients.descriptors, 0)

    assert results == [4] * (BATCH // 2) + [-errno.EBUSY] * (BATCH // 2)
    assert ring.fileno() == -1
    assert clients.heard(0) == b"one,two,"
    assert clients.heard(BATCH - 1) == b"one,"
