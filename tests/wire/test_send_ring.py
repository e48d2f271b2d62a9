"""Many are sent the same bytes with one call, and each is told apart: by the kernel, and by a loop."""

import _socket
import contextlib
import errno
import os
import platform
import re
import sys
from array import array

import pytest

from realtime_wall.wire import send_ring
from realtime_wall.wire.send_ring import BATCH, LARGEST, SendRing


class Loop:
    """What a ring does, with a call for each; for where the kernel forbids rings, and to compare."""

    def send(self, data, descriptors, first, end):
        results = [(place, self._send_to(descriptors[place], data)) for place in range(first, end)]
        return [(place, sent) for place, sent in results if sent != len(data)]

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


def test_a_batch_is_sent_to_from_the_first_to_the_last_and_nobody_else(ring, clients):
    for message in (b"one,", b"another,", b"", b"x" * 1000, b"y" * 1000):
        assert ring.send(message, clients.descriptors, 3, BATCH + 2) == []

    heard = {clients.heard(number) for number in range(3, BATCH + 2)}
    assert heard == {b"one,another," + b"x" * 1000 + b"y" * 1000}
    for number in (0, 1, 2, BATCH + 2):
        with pytest.raises(BlockingIOError):
            clients.heard(number)


def test_each_that_did_not_take_it_is_told_apart_and_the_next_batch_goes_on(ring, clients):
    full, _ = clients.pairs[5]
    with pytest.raises(BlockingIOError):
        while True:
            full.send(b"x" * 4096, _socket.MSG_DONTWAIT)
    clients.pairs[6][1].close()  # and nobody has noticed
    clients.descriptors[7] = -1
    troubles = {5: -errno.EAGAIN, 6: -errno.EPIPE, 7: -errno.EBADF}
    sizes = [
        BATCH,
        40,
        5,
        1,
        *range(30, 45),
        BATCH,
    ]  # they come round several times, at any place in the ring
    for size in sizes:
        assert dict(ring.send(b"hello", clients.descriptors, 2, 2 + size)) == {
            place: trouble for place, trouble in troubles.items() if place < 2 + size
        }
    assert clients.heard(2) == b"hello" * len(sizes)
    assert clients.heard(2 + 39) == b"hello" * sum(size >= 40 for size in sizes)


def test_a_part_is_counted(ring, clients):
    ours, _ = clients.pairs[0]
    ours.setblocking(False)
    ours.setsockopt(_socket.SOL_SOCKET, _socket.SO_SNDBUF, 4096)

    ((place, left),) = ring.send(b"x" * LARGEST, array("i", [-1, -1, ours.fileno()]), 2, 3)

    assert place == 2
    assert 0 < left < LARGEST
    while left:
        left -= len(clients.heard(0))
    with pytest.raises(BlockingIOError):
        clients.heard(0)


def test_more_than_it_has_room_for_is_sent_to_nobody(clients):
    ring = a_ring()
    if ring is None:
        return
    with contextlib.closing(ring), pytest.raises(ValueError):
        ring.send(b"x" * (LARGEST + 1), clients.descriptors, 0, 1)
    with pytest.raises(BlockingIOError):
        clients.heard(0)


# Where there is none


def test_elsewhere_than_on_linux_there_is_none(monkeypatch):
    monkeypatch.setattr(send_ring.sys, "platform", "darwin")
    with pytest.raises(OSError, match="Linux"):
        SendRing()


def test_a_newer_kernel_that_does_not_forbid_it_has_one():
    release = tuple(map(int, re.findall(r"\d+", platform.release())[:2]))
    if sys.platform.startswith("linux") and release >= (6, 1):
        with contextlib.suppress(PermissionError):
            SendRing().close()


def test_where_it_is_forbidden_there_is_none_and_nothing_stays_open(monkeypatch):
    before = len(os.listdir("/proc/self/fd"))

    def forbidden(self, *arguments):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(SendRing, "_call", forbidden)
    with pytest.raises(PermissionError):
        SendRing()

    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("lost", ["what a full socket says", "that a part was taken"])
def test_where_the_kernel_does_not_say_who_took_less_there_is_none(monkeypatch, lost):
    ordinary = SendRing.send

    def send(self, data, descriptors, first, end):
        others = ordinary(self, data, descriptors, first, end)
        kept = {"what a full socket says": lambda sent: sent != -errno.EAGAIN}
        return [one for one in others if kept.get(lost, lambda sent: sent < 0)(one[1])]

    if a_ring() is None:
        return  # there is none anyway
    monkeypatch.setattr(SendRing, "send", send)

    with pytest.raises(OSError, match="as it should"):
        SendRing()


def test_who_was_not_sent_to_when_the_kernel_stops_is_named_and_the_ring_is_closed(monkeypatch, clients):
    ring = a_ring()
    if ring is None:
        return  # there is nothing that could stop
    assert ring.send(b"one,", clients.descriptors, 0, BATCH) == []
    ordinary = ring._call

    def half(number, fd, count, *others):
        if count == BATCH:
            return ordinary(number, fd, BATCH // 2, *others)
        raise OSError(errno.EBUSY, "busy")

    monkeypatch.setattr(ring, "_call", half)
    others = ring.send(b"two,", clients.descriptors, 0, BATCH)

    assert others == [(place, -errno.EBUSY) for place in range(BATCH // 2, BATCH)]
    assert ring.fileno() == -1
    assert clients.heard(0) == b"one,two,"
    assert clients.heard(BATCH - 1) == b"one,"
