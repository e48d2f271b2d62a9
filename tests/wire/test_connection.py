import os
import socket
import struct

import gevent
import pytest
from gevent.event import Event
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_wall.wire.connection import DROPPED, QUEUED, READ_SIZE, SENT, Wire
from realtime_wall.wire.turns import Turns
from tests.live import wait_for

PATIENCE = 10
# More than the kernel takes for a peer that does not read, whatever it makes of SO_SNDBUF.
MUCH = b"x" * 1024 * 1024


class Ear:
    """An owner that remembers."""

    def __init__(self):
        self.data = b""
        self.lost_because = []
        self.something = Event()

    def received(self, data):
        self.data += data
        self.something.set()

    def lost(self, reason):
        self.lost_because.append(reason)
        self.something.set()

    def wait_for(self, condition):
        with gevent.Timeout(PATIENCE):
            while not condition(self):
                self.something.wait()
                self.something.clear()


class Pair:
    """A started wire and the client at its other end."""

    def __init__(self, kind=socket.AF_UNIX, outbox_limit=64 * 1024 * 1024, send_buffer=4096, start=True):
        ours, self.client = connected(kind)
        self.client.settimeout(PATIENCE)
        family, fd = ours.family, ours.detach()
        os.set_blocking(fd, True)  # whatever it was: a wire must never wait in a call
        self.wire = Wire(fd, family=family, outbox_limit=outbox_limit, send_buffer=send_buffer)
        self.ear = Ear()
        if start:
            self.wire.start(self.ear)

    def read(self, size):
        return b"".join(self.pieces(size))

    def pieces(self, size):
        while size > 0 and (piece := self.client.recv(min(size, 64 * 1024))):
            size -= len(piece)
            yield piece

    def reset(self):
        """What a client does that is switched off."""
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.client.close()


def connected(kind):
    if kind == socket.AF_UNIX:
        return socket.socketpair()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    return ours, client


@pytest.fixture
def pairs():
    made = []

    def make(*args, **kwargs):
        made.append(Pair(*args, **kwargs))
        return made[-1]

    yield make
    for one in made:
        one.wire.abort("the test is over")
        one.client.close()


# Writing


def test_a_small_write_leaves_at_once(pairs):
    pair = pairs()

    assert pair.wire.write(b"hello") is SENT

    assert pair.read(5) == b"hello"
    assert pair.wire.outbox_size == 0


def test_what_the_kernel_does_not_take_waits_and_then_leaves_in_order(pairs):
    pair = pairs()

    assert pair.wire.write(MUCH) is QUEUED
    assert pair.wire.write(b"behind") is QUEUED
    assert 0 < pair.wire.outbox_size <= len(MUCH) + 6

    assert pair.read(len(MUCH) + 6) == MUCH + b"behind"
    assert pair.wire.outbox_size == 0


def test_after_the_outbox_has_left_writes_are_sent_at_once_again(pairs):
    pair = pairs()
    pair.wire.write(MUCH)
    pair.read(len(MUCH))

    assert pair.wire.write(b"hello") is SENT
    assert pair.read(5) == b"hello"


def test_an_outbox_remembers_when_it_last_moved(pairs):
    pair = pairs()
    assert pair.wire.progress == 0
    pair.wire.write(MUCH)
    at_first = pair.wire.progress
    assert at_first > 0

    pair.read(len(MUCH))

    assert pair.wire.progress > at_first


def test_small_pieces_that_wait_leave_together(pairs):
    pair = pairs()
    pair.wire.write(MUCH)
    for piece in (b"ab", b"cd", b"ef", b"gh"):
        pair.wire.write(piece)
    pair.wire._take(1)  # the large one, alone

    assert pair.wire._take(6) == b"abcdef"
    assert pair.wire._take(6) == b"gh"


def test_one_may_be_told_once_when_the_outbox_has_left(pairs):
    pair = pairs()
    told = []
    pair.wire.write(MUCH)
    pair.wire.when_drained(lambda: told.append(pair.wire.outbox_size))

    assert told == []
    pair.read(len(MUCH))
    assert told == [0]

    pair.wire.write(MUCH)
    pair.read(len(MUCH))
    assert told == [0]


@settings(max_examples=40)
@given(
    chunks=st.lists(st.integers(1, 30_000), min_size=1, max_size=40),
    reads=st.lists(st.integers(1, 20_000), min_size=1, max_size=10),
    pauses=st.lists(st.booleans(), min_size=1, max_size=10),
)
def test_however_it_is_written_and_read_nothing_is_lost_or_moved(chunks, reads, pauses):
    pair = Pair()
    data = b"".join(struct.pack("!I", number) for number in range(sum(chunks) // 4 + 1))[: sum(chunks)]
    arrived = bytearray()

    def read_in_pieces():
        number = 0
        while len(arrived) < len(data):
            arrived.extend(pair.client.recv(reads[number % len(reads)]))
            if pauses[number % len(pauses)]:
                gevent.sleep(0)
            number += 1

    reader = gevent.spawn(read_in_pieces)
    start = 0
    for number, size in enumerate(chunks):
        assert pair.wire.write(data[start : start + size]) is not DROPPED
        start += size
        if pauses[number % len(pauses)]:
            gevent.sleep(0)
    reader.get(timeout=PATIENCE)
    pair.wire.abort("the test is over")
    pair.client.close()

    assert bytes(arrived) == data


def test_a_full_outbox_ends_the_client_once(pairs):
    pair = pairs(outbox_limit=10_000)

    assert pair.wire.write(MUCH) is DROPPED

    assert pair.ear.lost_because == ["reads too slowly"]
    assert not pair.wire.is_open
    assert pair.wire.outbox_size == 0
    assert pair.wire.write(b"more") is DROPPED
    assert pair.ear.lost_because == ["reads too slowly"]


def test_the_limit_counts_everything_that_waits(pairs):
    pair = pairs(outbox_limit=len(MUCH))
    assert pair.wire.write(MUCH) is QUEUED
    room = len(MUCH) - pair.wire.outbox_size

    assert pair.wire.write(b"x" * room) is QUEUED
    assert pair.wire.write(b"x") is DROPPED

    assert pair.ear.lost_because == ["reads too slowly"]


def test_writing_to_a_client_that_is_gone_loses_it_once(pairs):
    pair = pairs(start=False)
    pair.wire.owner = pair.ear
    pair.client.close()

    assert pair.wire.write(b"hello") is DROPPED

    assert pair.ear.lost_because == ["cannot be written to: Broken pipe"]


def test_a_client_that_goes_away_with_an_outbox_is_lost_once(pairs):
    pair = pairs(socket.AF_INET)
    pair.wire.write(MUCH * 8)
    pair.client.recv(10)

    pair.reset()
    pair.ear.wait_for(lambda ear: ear.lost_because)

    assert len(pair.ear.lost_because) == 1
    assert "Connection reset by peer" in pair.ear.lost_because[0]


def test_one_that_is_not_read_from_is_lost_by_writing(pairs):
    pair = pairs(socket.AF_INET)
    pair.wire.pause()
    pair.wire.write(MUCH * 8)

    pair.reset()
    pair.ear.wait_for(lambda ear: ear.lost_because)

    assert pair.ear.lost_because == ["cannot be written to: Connection reset by peer"]
    assert not pair.wire.is_open


def test_small_writes_are_not_held_back_for_company(pairs):
    pair = pairs(socket.AF_INET)

    found = pair.wire._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    assert found


def test_the_kernel_keeps_little_for_a_client_that_never_reads(pairs):
    pair = pairs(socket.AF_INET, send_buffer=16 * 1024)

    assert pair.wire._sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * 16 * 1024


# Reading


def test_what_arrives_is_given_to_the_owner(pairs):
    pair = pairs()

    pair.client.sendall(b"hello")
    pair.ear.wait_for(lambda ear: ear.data == b"hello")


def test_nothing_is_read_before_it_is_started(pairs):
    pair = pairs(start=False)
    pair.client.sendall(b"hello")
    gevent.sleep(0.05)
    assert pair.ear.data == b""

    pair.wire.start(pair.ear)
    pair.ear.wait_for(lambda ear: ear.data == b"hello")


def test_a_paused_wire_reads_nothing_until_it_is_resumed(pairs):
    pair, other = pairs(), pairs()
    pair.wire.pause()

    pair.client.sendall(b"hello")
    other.client.sendall(b"a turn of the event loop")
    other.ear.wait_for(lambda ear: ear.data)
    assert pair.ear.data == b""

    pair.wire.resume()
    pair.ear.wait_for(lambda ear: ear.data == b"hello")


def test_resuming_twice_changes_nothing(pairs):
    pair = pairs()
    pair.wire.resume()
    pair.wire.resume()

    pair.client.sendall(b"hello")
    pair.ear.wait_for(lambda ear: ear.data == b"hello")


@pytest.fixture
def one_read_an_iteration(monkeypatch):
    turns = Turns(-1.0)
    monkeypatch.setattr(Wire, "turns", turns)
    return turns


def test_of_many_that_can_be_read_from_each_has_its_turn(pairs, one_read_an_iteration):
    several = [pairs() for _ in range(5)]
    for one in several:
        one.client.sendall(b"x" * (READ_SIZE + 10))

    for one in several:
        one.ear.wait_for(lambda ear: len(ear.data) == READ_SIZE + 10)
    assert not any(one_read_an_iteration.is_in_line(one.wire) for one in several)


def test_in_line_a_wire_may_be_paused_resumed_and_aborted(pairs, one_read_an_iteration):
    paused, gone, resumed = pairs(), pairs(), pairs()
    for one in (paused, gone, resumed):
        one.client.sendall(b"x")
        one_read_an_iteration.stand_in_line(one.wire, one.wire._read_in_turn)
    paused.wire.pause()
    gone.wire.abort("the test wants it")
    resumed.wire.pause()
    resumed.wire.resume()
    resumed.wire.resume()

    resumed.ear.wait_for(lambda ear: ear.data)
    gevent.sleep(0.001)
    assert (paused.ear.data, gone.ear.data) == (b"", b"")
    paused.wire.resume()
    paused.ear.wait_for(lambda ear: ear.data)


def test_no_more_is_read_at_once_than_its_owner_wants(pairs):
    pair = pairs(start=False)
    pair.client.sendall(b"x" * (READ_SIZE + 10))
    pair.wire.read_size = 10
    pair.wire.start(pair.ear)

    pair.ear.wait_for(lambda ear: ear.data)
    assert pair.ear.data == b"x" * 10


def test_a_client_that_closes_is_lost_once(pairs):
    pair = pairs()

    pair.client.close()
    pair.ear.wait_for(lambda ear: ear.lost_because)

    assert pair.ear.lost_because == ["closed by the client"]
    assert not pair.wire.is_open


def test_a_client_that_resets_is_lost_once(pairs):
    pair = pairs(socket.AF_INET)

    pair.reset()
    pair.ear.wait_for(lambda ear: ear.lost_because)

    assert pair.ear.lost_because == ["cannot be read from: Connection reset by peer"]


def test_an_owner_that_fails_loses_its_client_only(pairs, caplog):
    class Clumsy(Ear):
        def received(self, data):
            raise LookupError("of ours")

    pair, other = pairs(start=False), pairs()
    pair.ear = Clumsy()
    pair.wire.start(pair.ear)

    pair.client.sendall(b"hello")
    pair.ear.wait_for(lambda ear: ear.lost_because)
    other.client.sendall(b"hello")
    other.ear.wait_for(lambda ear: ear.data == b"hello")

    assert pair.ear.lost_because == ["failed here"]
    assert "LookupError: of ours" in caplog.text


# Ending


def test_finishing_sends_what_waits_first(pairs):
    pair = pairs()
    pair.wire.write(MUCH)

    pair.wire.finish("done")

    assert pair.wire.is_open
    assert pair.ear.lost_because == []
    assert pair.wire.write(b"too late") is DROPPED
    assert pair.read(2 * len(MUCH)) == MUCH
    pair.ear.wait_for(lambda ear: ear.lost_because)
    assert pair.ear.lost_because == ["done"]


def test_finishing_with_nothing_to_send_closes_at_once(pairs):
    pair = pairs()

    pair.wire.finish("done")

    assert pair.ear.lost_because == ["done"]
    assert pair.client.recv(1) == b""


def test_the_first_reason_to_finish_is_told(pairs):
    pair = pairs()
    pair.wire.write(MUCH)

    pair.wire.finish("first")
    pair.wire.finish("second")
    pair.read(2 * len(MUCH))
    pair.ear.wait_for(lambda ear: ear.lost_because)

    assert pair.ear.lost_because == ["first"]


def test_the_client_may_see_the_end_while_its_last_words_are_still_read(pairs):
    pair = pairs()
    pair.wire.write(b"goodbye")

    pair.wire.end_writing()

    assert pair.read(100) == b"goodbye"
    pair.client.sendall(b"and you")
    pair.ear.wait_for(lambda ear: ear.data == b"and you")
    assert pair.wire.is_open


def test_the_end_is_not_shown_before_all_has_left(pairs):
    pair = pairs()
    pair.wire.write(MUCH)

    pair.wire.end_writing()

    assert pair.read(len(MUCH)) == MUCH


def test_showing_the_end_to_one_that_is_gone_does_no_harm(pairs):
    pair = pairs(socket.AF_INET)
    pair.reset()
    pair.wire.end_writing()
    pair.ear.wait_for(lambda ear: ear.lost_because)

    pair.wire.end_writing()

    assert len(pair.ear.lost_because) == 1


def test_aborting_drops_what_waits_and_tells_the_owner_once(pairs):
    pair = pairs()
    pair.wire.write(MUCH)

    pair.wire.abort("enough")
    pair.wire.abort("again")
    pair.wire.finish("again")
    pair.wire.pause()
    pair.wire.resume()

    assert pair.ear.lost_because == ["enough"]
    assert len(pair.read(2 * len(MUCH))) < len(MUCH)


def test_an_owner_may_write_and_abort_as_it_is_told_of_the_loss(pairs):
    class Stubborn(Ear):
        def lost(self, reason):
            super().lost(reason)
            assert pair.wire.write(b"but") is DROPPED
            pair.wire.abort("no")

    pair = pairs(start=False)
    pair.ear = Stubborn()
    pair.wire.start(pair.ear)

    pair.wire.abort("enough")

    assert pair.ear.lost_because == ["enough"]


def test_open_wires_are_counted(pairs):
    before = len(Wire.open_sockets)
    first, second = pairs(), pairs()
    assert len(Wire.open_sockets) == before + 2

    first.wire.abort("enough")
    first.wire.abort("enough")
    second.client.close()
    second.ear.wait_for(lambda ear: ear.lost_because)

    assert len(Wire.open_sockets) == before


# Lanes


class Asked:
    """A lane that notes who is to be asked again."""

    def __init__(self):
        self.members = []

    def ask_again(self, member):
        self.members.append(member)

    def position_of(self, member):
        return f"up to where {member} was sent everything"


def in_a_lane(wire):
    lane = Asked()
    wire.enter_lane(lane, "member")
    return lane


def test_a_wire_that_keeps_bytes_back_is_in_no_lane_and_offers_its_send_again_when_they_have_left(pairs):
    pair = pairs()
    lane = in_a_lane(pair.wire)
    assert pair.wire.send is not None

    assert pair.wire.write(MUCH) is QUEUED

    assert lane.members == ["member"]
    assert pair.wire.send is None
    assert pair.read(len(MUCH)) == MUCH
    wait_for(lambda: pair.wire.send is not None)


def test_a_part_that_was_sent_without_asking_is_followed_by_the_rest(pairs):
    pair = pairs()
    lane = in_a_lane(pair.wire)
    sent = pair.wire.send(MUCH)
    assert 0 < sent < len(MUCH)

    assert pair.wire.sent_partly(MUCH, sent) is QUEUED
    pair.wire.write(b"more")

    assert lane.members == ["member"]
    assert pair.read(len(MUCH) + 4) == MUCH + b"more"


def test_a_wire_that_is_gone_is_in_no_lane(pairs):
    pair = pairs()
    lane = in_a_lane(pair.wire)

    pair.wire.abort("over")

    assert lane.members == ["member"]
    assert pair.wire.send is None


def test_who_leaves_a_channel_leaves_its_lane_and_no_other(pairs):
    pair = pairs()
    one, other = in_a_lane(pair.wire), in_a_lane(pair.wire)
    assert len(pair.wire.sent_up_to("member")) == 2

    pair.wire.leave_lane(one, "member")

    assert (one.members, other.members) == (["member"], [])
    assert pair.wire.sent_up_to("member") == ["up to where member was sent everything"]
    assert pair.wire.sent_up_to("another") == []
