"""Order and exactness, whoever comes, goes, falls behind and dies, at whatever moment."""

import errno
import itertools
from weakref import WeakValueDictionary

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position
from realtime_wall.node.fan_out.fast_lane import DELIVERIES_PER_LOOK, FEWEST
from realtime_wall.node.fan_out.subscriber import Encoded
from realtime_wall.node.fan_out.subscriptions import Subscriptions
from realtime_wall.wire.connection import DROPPED, QUEUED, SENT
from realtime_wall.wire.send_ring import BATCH, LARGEST
from tests.fakes import FakeLanes


def codec(messages):
    return b"".join(b"%d," % message.position.offset for message in messages)


class FakeRing:
    """What ``SendRing`` does, with the kernels of these wires."""

    wires = WeakValueDictionary()

    def __init__(self):
        self.calls = []

    def send(self, data, descriptors, first, end):
        self.calls.append(end - first)
        assert 0 < end - first <= BATCH
        results = [(place, self.send_to(descriptors[place], data)) for place in range(first, end)]
        return [(place, sent) for place, sent in results if sent != len(data)]

    def send_to(self, descriptor, data):
        if descriptor < 0:
            return -errno.EBADF
        wire = self.wires[descriptor]
        assert wire.lanes, "whoever is in no lane any more has a number that may be another's"
        assert not wire.outbox, "something waits, and would come later"
        try:
            return wire._kernel(data)
        except OSError as problem:
            return -(problem.errno or errno.EPIPE)


class FakeWire(FakeLanes):
    """A wire whose kernel takes so much of each write, and that knows how it was written to."""

    numbers = itertools.count()

    def __init__(self):
        super().__init__()
        self.descriptor = next(self.numbers)
        FakeRing.wires[self.descriptor] = self
        self.sent = b""
        self.outbox = b""
        self.room = None  # how many bytes the kernel takes yet; None for any number
        self.is_open = True
        self.hiccups = 0  # how often it takes nothing, whatever room there is

    def _kernel(self, data):
        if not self.is_open:
            raise BrokenPipeError
        if self.room == 0 or self.hiccups:
            self.hiccups -= bool(self.hiccups)
            raise BlockingIOError
        taken = len(data) if self.room is None else min(self.room, len(data))
        self.sent += data[:taken]
        if self.room is not None:
            self.room -= taken
        return taken

    @property
    def send(self):
        return self._kernel if self.is_open and not self.outbox else None

    def write(self, data):
        if not self.is_open:
            return DROPPED
        if self.outbox:
            self.outbox += data
            return QUEUED
        try:
            taken = self._kernel(data)
        except BlockingIOError:
            taken = 0
        return SENT if taken == len(data) else self.sent_partly(data, taken)

    def sent_partly(self, data, taken):
        self.leave_lanes()
        self.outbox += data[taken:]
        return QUEUED

    def drain(self):
        self.sent, self.outbox, self.room = self.sent + self.outbox, b"", None

    def die(self):
        self.is_open = False
        self.leave_lanes()


class Client:
    session = object()
    is_behind = False

    def __init__(self, codec=codec):
        self.codec = codec
        self.wire = FakeWire()
        self.asked = 0
        self.cursor = 0

    def deliver(self, encoded):
        self.asked += 1
        self.cursor = encoded.messages[-1].position.offset
        return self.wire.write(encoded[self.codec])

    def is_ready(self, position):
        return self.cursor == position.offset

    def was_sent(self, position):
        self.cursor = max(self.cursor, position.offset)

    @property
    def stands_at(self):
        """As a subscriber that keeps a cursor finds it."""
        positions = [lane.position_of(self).offset for lane, member in self.wire.lanes]
        return max([self.cursor, *positions])

    @property
    def heard(self):
        """All that it was sent, or is going to be once it reads."""
        return [int(part) for part in (self.wire.sent + self.wire.outbox).split(b",")[:-1]]


class Room:
    """One channel and what is on its way, without a fan-out: a turn may be taken at every look."""

    def __init__(self, turn=lambda: None, ring=None):
        self.subscriptions = Subscriptions()
        self.ring = ring
        self.turn = turn
        self.offset = 0
        self.queue = []

    def join(self, *clients):
        for client in clients:
            self.subscriptions.add("room", client)

    def leave(self, client):
        self.subscriptions.remove("room", client)

    def queue_message(self):
        self.offset += 1
        audience = self.subscriptions.audience("room")
        message = Message("room", "1", Position("e", self.offset), self.offset, 0.0)
        if audience is not None:
            self.queue.append((message, audience, audience.queued()))
        return self.offset

    def deliver(self):
        """The oldest message that is on its way."""
        message, audience, places = self.queue.pop(0)
        encoded, counts = Encoded([message]), []
        for lane, end in places:
            counts.append(
                lane.deliver(encoded, end, lambda one: one.deliver(encoded), self.turn, ring=self.ring)
            )
        audience.delivered()
        return [sum(column) for column in zip(*counts, strict=True)]

    def publish(self):
        self.queue_message()
        while len(self.queue) > 1:
            self.deliver()
        return self.deliver() if self.queue else None


def a_room(count, **options):
    room, clients = Room(**options), [Client() for _ in range(count)]
    room.join(*clients)
    return room, clients


# In the lane


def test_who_is_ready_is_asked_for_the_first_message_only():
    room, clients = a_room(3)

    counts = [room.publish() for _ in range(5)]

    assert counts == [[0, 0, 3]] * 5
    assert [client.asked for client in clients] == [1, 1, 1]
    assert [client.heard for client in clients] == [[1, 2, 3, 4, 5]] * 3


def test_where_a_client_stands_follows_from_its_place():
    seen = []
    room, clients = a_room(
        2 * DELIVERIES_PER_LOOK, turn=lambda: seen.append((first.stands_at, last.stands_at))
    )
    first, last = clients[0], clients[-1]
    room.publish()
    seen.clear()

    room.publish()

    assert seen == [(2, 1), (2, 2)]
    assert first.cursor == 1  # nothing was written down
    first.wire.leave_lanes()
    assert first.cursor == 2


def test_whose_kernel_takes_a_part_gets_the_rest_first_and_is_asked_until_it_has_read_it():
    room, (slow, other) = a_room(2)
    room.publish()
    slow.wire.room = 1

    assert room.publish() == [0, 1, 1]
    assert room.publish() == [0, 1, 1]
    slow.wire.drain()
    counts = [room.publish(), room.publish()]

    assert slow.heard == other.heard == [1, 2, 3, 4, 5]
    assert counts == [[0, 0, 2]] * 2
    assert slow.asked == 3  # for the first, and for the two before it was back in the lane


def test_whose_kernel_takes_nothing_is_asked_and_nobody_else():
    room, (slow, other) = a_room(2)
    room.publish()
    slow.wire.room = 0

    assert room.publish() == [0, 1, 1]

    assert (slow.asked, other.asked) == (2, 1)
    assert slow.heard == other.heard == [1, 2]


def test_whose_kernel_takes_nothing_for_a_moment_is_in_the_lane_once():
    room, (slow, other) = a_room(2)
    room.publish()
    slow.wire.hiccups = 1

    assert [room.publish(), room.publish()] == [[0, 0, 2]] * 2

    assert len(slow.wire.lanes) == 1
    assert slow.heard == other.heard == [1, 2, 3]


def test_a_broken_connection_is_its_own_affair():
    room, (dead, other) = a_room(2)
    room.publish()
    dead.wire.is_open = False  # and nobody has noticed

    assert room.publish() == [1, 0, 1]

    assert other.heard == [1, 2]


def test_nobody_is_sent_the_bytes_of_another_kind():
    def other_codec(messages):
        return b"other"

    room, one, other = Room(), Client(), Client(other_codec)
    room.join(one, other)

    for _ in range(3):
        room.publish()

    assert one.wire.sent == b"1,2,3,"
    assert other.wire.sent == b"other" * 3


def test_whose_kind_changes_is_asked_until_it_can_be_moved_to_the_others_lane():
    def deflated(messages):
        return codec(messages).replace(b",", b";")

    room, (upgraded, other) = a_room(2)
    room.publish()
    upgraded.wire.leave_lanes()
    upgraded.codec = deflated

    for _ in range(3):
        room.publish()

    assert other.heard == [1, 2, 3, 4]
    assert upgraded.wire.sent == b"1,2;3;4;"
    assert upgraded.asked == 3  # the first, the one that showed it, and the first in the other lane


# Many with one call


@pytest.mark.parametrize(
    ("count", "calls"),
    [(FEWEST - 1, []), (FEWEST, [FEWEST]), (BATCH, [BATCH]), (2 * BATCH + 3, [BATCH, BATCH, 3])],
)
def test_a_batch_takes_one_call_but_few_clients_are_sent_to_one_by_one(count, calls):
    ring = FakeRing()
    room, clients = a_room(count, ring=ring)
    room.publish()
    ring.calls.clear()

    assert room.publish() == [0, 0, count]

    assert ring.calls == calls
    assert all(client.heard == [1, 2] and client.asked == 1 for client in clients)


def test_what_is_too_large_for_the_ring_is_sent_to_one_by_one():
    def large(messages):
        return codec(messages) + b"x" * LARGEST

    ring = FakeRing()
    room, clients = Room(ring=ring), [Client(large) for _ in range(BATCH)]
    room.join(*clients)

    room.publish(), room.publish()

    assert ring.calls == []
    assert {client.wire.sent for client in clients} == {b"1," + b"x" * LARGEST + b"2," + b"x" * LARGEST}


def test_in_a_batch_everybody_is_told_apart():
    room, clients = a_room(BATCH, ring=FakeRing())
    room.publish()
    slow, full, dead, gone, held, *others = clients
    slow.wire.room, full.wire.room = 1, 0
    dead.wire.is_open = False  # and nobody has noticed
    room.queue_message()
    room.leave(gone)
    held.wire.leave_lanes()

    assert room.deliver() == [1, 2, BATCH - 4]  # who is gone is not counted

    assert [one.heard for one in (slow, full, gone, held)] == [[1, 2], [1, 2], [1], [1, 2]]
    assert [one.asked for one in (slow, full, dead, held)] == [1, 2, 2, 2]
    assert all(client.heard == [1, 2] and client.asked == 1 for client in others)


def test_who_took_a_part_keeps_the_rest_before_anybody_else_is_looked_after():
    room, clients = a_room(BATCH, ring=FakeRing())
    room.publish()
    first, slow = clients[0], clients[-1]
    first.wire.hiccups, slow.wire.room = 1, 1
    waiting = []
    first.deliver = lambda encoded: waiting.append(slow.wire.outbox) or Client.deliver(first, encoded)

    room.publish()

    assert waiting == [b","]
    assert first.heard == slow.heard == [1, 2]


def test_where_those_stand_who_are_looked_after_one_by_one():
    room, clients = a_room(BATCH, ring=FakeRing())
    room.publish()
    first, later, served = clients[0], clients[1], clients[2]
    first.wire.hiccups = later.wire.hiccups = 1
    seen = []

    def deliver(encoded):
        seen.extend([later.stands_at, served.stands_at])
        return Client.deliver(first, encoded)

    first.deliver = deliver
    room.publish()

    assert seen == [1, 2]
    assert later.heard == [1, 2]


# Coming and going


def test_who_comes_hears_what_follows():
    room, (early,) = a_room(1)
    late = Client()
    room.queue_message()
    room.join(late)
    room.queue_message()
    room.deliver()
    room.deliver()

    assert (early.heard, late.heard) == ([1, 2], [2])


def test_nobody_takes_a_place_while_a_message_is_on_its_way():
    room, (first, second, third) = a_room(3)
    room.publish()
    late = Client()
    room.queue_message()

    room.leave(first)
    room.join(late)
    room.deliver()

    assert [one.heard for one in (first, second, third, late)] == [[1], [1, 2], [1, 2], []]


def test_places_that_were_left_are_taken_by_the_last_and_everybody_goes_on_hearing():
    room, clients = a_room(10)
    room.publish()
    for number in (0, 9, 3, 8):
        room.leave(clients[number])
    audience = room.subscriptions.audience("room")
    (lane,) = audience._lanes.values()

    room.publish()

    assert lane.end == len(lane) == 6
    heard = [client.heard for client in clients]
    assert heard == [[1] if number in (0, 9, 3, 8) else [1, 2] for number in range(10)]
    assert all(client.asked == 1 for client in clients)  # nobody had to be asked again


def test_who_left_is_in_no_lane_any_more():
    room, clients = a_room(3)
    room.publish()

    room.leave(clients[0])

    assert clients[0].wire.lanes == []
    assert clients[0].cursor == 1


# Anything at any moment

steps = st.sampled_from(
    ["queue", "deliver", "deliver", "join", "leave", "part", "nothing", "drain", "die", "hold"]
)
actions = st.lists(st.tuples(steps, st.integers(0, 200)), max_size=60)


class Model:
    """Who is to have heard what: told by what was asked for, not by the lanes."""

    def __init__(self, turns, ring):
        self.turns = iter(turns)
        self.room, self.clients = a_room(DELIVERIES_PER_LOOK * 2 + 3, turn=self.take_turn, ring=ring)
        self.here = dict.fromkeys(self.clients)
        self.expected = {client: [] for client in self.clients}
        self.audiences = {}  # of what is on its way: who is still to hear it
        self.perhaps = set()  # who left in the middle of a delivery, and may have had it before
        self.delivering = None

    def take_turn(self):
        step = next(self.turns, None)
        if step is not None:
            self.take(*step)

    def take(self, step, number):
        client = self.clients[number % len(self.clients)]
        if step == "queue":
            offset = self.room.queue_message()
            self.audiences[offset] = set(self.here)
        elif step == "deliver" and self.room.queue and self.delivering is None:
            self.deliver()
        elif step == "join" and client.wire.is_open and client not in self.here:
            self.here[client] = None
            self.room.join(client)
        elif step in ("leave", "die") and client in self.here:
            self.stop_hearing(client)
            if step == "die":
                client.wire.die()
            self.room.leave(client)
        elif step == "part":
            client.wire.room = number % 4 if client.wire.room is None else client.wire.room
        elif step == "nothing":
            client.wire.room = 0
        elif step == "drain":
            client.wire.drain()
        elif step == "hold":  # something of its own is written
            client.wire.leave_lanes()

    def stop_hearing(self, client):
        del self.here[client]
        for offset, audience in self.audiences.items():
            if client in audience and offset == self.delivering:
                self.perhaps.add((client, offset))
            audience.discard(client)

    def deliver(self):
        offset = self.delivering = self.room.queue[0][0].position.offset
        self.room.deliver()
        self.delivering = None
        for client in self.audiences.pop(offset):
            self.expected[client].append(offset)

    def finish(self):
        self.turns = iter(())
        while self.room.queue:
            self.deliver()


@pytest.mark.parametrize("ring", [None, FakeRing()])
@settings(deadline=None)
@given(before=actions, turns=actions)
def test_everybody_hears_in_order_and_once_whatever_happens_meanwhile(ring, before, turns):
    model = Model([], ring)
    for step in before:
        model.take(*step)
    model.turns = iter(turns)
    for step in turns:
        model.take(*step)
    model.finish()
    model.room.queue_message()
    model.audiences[model.room.offset] = set(model.here)
    model.finish()

    for client in model.clients:
        heard, expected = client.heard, model.expected[client]
        surely = [offset for offset in heard if (client, offset) not in model.perhaps]
        if client.wire.is_open:
            assert surely == expected
        else:  # some of it was lost with its connection
            assert surely == expected[: len(surely)]
        if client in model.here:
            assert client.stands_at == heard[-1] == model.room.offset
