from dataclasses import replace
from time import thread_time

import gevent
import pytest
from gevent import get_hub
from gevent.event import Event

from realtime_wall.brokers.waiting import check_may_wait
from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position
from realtime_wall.node.fan_out import fan_out as fan_out_module
from realtime_wall.node.fan_out.fan_out import BACKLOG, BATCH, FanOut
from realtime_wall.node.fan_out.subscriptions import Subscriptions
from realtime_wall.wire.connection import DROPPED, QUEUED, SENT
from tests.live import wait_for


class FakeCodec:
    """Writes messages as their offsets, and counts how often it was asked."""

    def __init__(self):
        self.calls = []

    def __call__(self, messages):
        self.calls.append([message.position.offset for message in messages])
        return b"".join(b"%d " % message.position.offset for message in messages)


class FakeSubscriber:
    """One that is never ready: it is asked for each delivery."""

    session = object()
    is_behind = False
    wire = None

    def __init__(self, codec, session_id="", result=SENT):
        self.codec = codec
        self.session_id = session_id
        self.result = result
        self.writes = []

    def deliver(self, encoded):
        self.writes.append(encoded[self.codec])
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    def is_known_as(self, session_id):
        return session_id == self.session_id

    def is_ready(self, position):
        return True  # but it has no wire

    @property
    def bytes(self):
        return b"".join(self.writes)


class SlowSubscriber(FakeSubscriber):
    """One that costs much more than a write does."""

    def deliver(self, encoded):
        until = thread_time() + 0.0002
        while thread_time() < until:
            pass
        return super().deliver(encoded)


@pytest.fixture
def fan_out():
    one = FanOut()
    one.start()
    yield one
    one.stop()


def message(offset, data_json="1", exclude=None):
    return Message("room", data_json, Position("epoch", offset), offset, 0.0, exclude=exclude)


def audience_of(*members, subscriptions=None):
    subscriptions = subscriptions or Subscriptions()
    for member in members:
        subscriptions.add("room", member)
    return subscriptions.audience("room")


def finish(*deliveries):
    for delivery in deliveries:
        assert delivery.done.wait(20)


# Encoding


def test_a_message_is_encoded_once_for_each_kind_of_client(fan_out):
    plain, other = FakeCodec(), FakeCodec()
    audience = tuple(FakeSubscriber(codec) for codec in (plain, other) for _ in range(100))

    finish(fan_out.push(message(1), audience_of(*audience)))

    assert plain.calls == other.calls == [[1]]
    assert all(subscriber.writes == [b"1 "] for subscriber in audience)
    # One object for all, not a copy for each.
    assert len({id(subscriber.writes[0]) for subscriber in audience if subscriber.codec is plain}) == 1


def test_a_kind_of_client_that_is_not_there_costs_nothing(fan_out):
    codec = FakeCodec()

    finish(fan_out.push(message(1), audience_of(FakeSubscriber(FakeCodec()))))

    assert codec.calls == []


# Order and joining


def test_messages_of_a_burst_leave_in_one_write(fan_out):
    codec = FakeCodec()
    members = (FakeSubscriber(codec), FakeSubscriber(codec))
    audience = audience_of(*members)

    finish(*[fan_out.push(message(offset), audience) for offset in range(1, 51)])

    assert codec.calls == [list(range(1, 51))]
    assert [len(member.writes) for member in members] == [1, 1]


def test_a_write_is_joined_up_to_a_size_only(fan_out):
    codec = FakeCodec()
    audience = audience_of(FakeSubscriber(codec))
    big = message(1, "x" * BATCH)

    finish(*[fan_out.push(one, audience) for one in (big, message(2), message(3), big, message(5))])

    assert codec.calls == [[1], [2, 3], [1], [5]]


def test_an_audience_that_changed_is_not_mixed_up_with_the_one_before(fan_out):
    codec = FakeCodec()
    first, second = FakeSubscriber(codec), FakeSubscriber(codec)
    subscriptions = Subscriptions()
    audience = audience_of(first, subscriptions=subscriptions)

    deliveries = [fan_out.push(message(1), audience)]
    subscriptions.add("room", second)
    deliveries.append(fan_out.push(message(2), audience))
    finish(*deliveries)
    subscriptions.remove("room", first)
    finish(fan_out.push(message(3), subscriptions.audience("room")))

    assert (first.bytes, second.bytes) == (b"1 2 ", b"2 3 ")


@pytest.fixture
def no_slice(monkeypatch):
    """Yield as often as can be; to be asked for before ``fan_out``."""
    monkeypatch.setattr(fan_out_module, "SLICE", 0)


def test_a_large_audience_leaves_the_event_loop_its_turns(no_slice, fan_out):
    codec = FakeCodec()
    audience = tuple(FakeSubscriber(codec) for _ in range(1000))
    delivery = fan_out.push(message(1), audience_of(*audience))
    gevent.sleep(0)
    gevent.sleep(0)

    assert sum(bool(subscriber.bytes) for subscriber in audience) < 1000
    finish(delivery)
    assert all(subscriber.bytes == b"1 " for subscriber in audience)


def test_everybody_hears_everything_in_one_order(no_slice, fan_out):
    codec = FakeCodec()
    members = tuple(FakeSubscriber(codec) for _ in range(100))
    audience = audience_of(*members)
    offsets = iter(range(1, 401))
    deliveries = []

    def publisher():
        for _ in range(50):
            deliveries.append(fan_out.push(message(next(offsets)), audience))
            gevent.sleep(0)

    gevent.joinall([gevent.spawn(publisher) for _ in range(8)], raise_error=True)
    finish(*deliveries)

    expected = b"".join(b"%d " % offset for offset in range(1, 401))
    assert all(member.bytes == expected for member in members)


# Who is left out


def test_the_client_that_a_message_leaves_out_does_not_hear_it(fan_out):
    codec = FakeCodec()
    sender, other = FakeSubscriber(codec, "sender"), FakeSubscriber(codec, "other")

    audience = audience_of(sender, other)

    left_out = fan_out.push(message(1, exclude="sender"), audience)
    for_all = fan_out.push(message(2), audience)
    finish(left_out, for_all)

    assert (sender.bytes, other.bytes) == (b"2 ", b"1 2 ")
    assert left_out.counts == [0, 0, 1]


def test_who_left_hears_nothing_that_is_still_on_its_way_also_when_it_comes_back(fan_out):
    codec, subscriptions = FakeCodec(), Subscriptions()
    left, returned, other = (FakeSubscriber(codec) for _ in range(3))
    audience = audience_of(left, returned, other, subscriptions=subscriptions)

    deliveries = [fan_out.push(message(1), audience)]
    subscriptions.remove("room", left)
    subscriptions.remove("room", returned)
    subscriptions.add("room", returned)
    deliveries.append(fan_out.push(message(2), audience))
    finish(*deliveries)

    assert (left.bytes, returned.bytes, other.bytes) == (b"", b"2 ", b"1 2 ")


def test_who_leaves_in_the_middle_of_a_delivery_hears_no_more_of_it(fan_out):
    subscriptions = Subscriptions()

    class Meddler(FakeSubscriber):
        def deliver(self, encoded):
            subscriptions.remove("room", last)
            return super().deliver(encoded)

    codec = FakeCodec()
    last = FakeSubscriber(codec)
    members = (Meddler(codec), *(FakeSubscriber(codec) for _ in range(198)), last)

    delivery = fan_out.push(message(1), audience_of(*members, subscriptions=subscriptions))
    finish(delivery)

    assert last.writes == []
    assert delivery.counts == [0, 0, 199]


# What became of it


def test_a_delivery_says_whom_it_reached(fan_out):
    codec = FakeCodec()
    results = [SENT] * 3 + [QUEUED] * 2 + [DROPPED]
    audience = audience_of(*(FakeSubscriber(codec, result=result) for result in results))

    one, other = fan_out.push(message(1), audience), fan_out.push(message(2), audience)
    finish(one, other)

    assert one.counts == other.counts == [1, 2, 3]


def test_a_subscriber_that_fails_takes_nothing_from_its_neighbours(fan_out, caplog):
    codec = FakeCodec()
    broken = FakeSubscriber(codec, result=ValueError("broken"))
    before, after = FakeSubscriber(codec), FakeSubscriber(codec)

    delivery = fan_out.push(message(1), audience_of(before, broken, after))
    finish(delivery)

    assert before.bytes == after.bytes == b"1 "
    assert delivery.counts == [1, 0, 2]
    assert "could not be delivered to one subscriber" in caplog.text


def test_a_message_that_cannot_be_handled_at_all_does_not_end_the_fan_out(fan_out, caplog):
    subscriber = FakeSubscriber(FakeCodec())

    poisoned = fan_out.push(message(1), audience_of(subscriber))
    poisoned.places = None
    finish(poisoned)
    finish(fan_out.push(message(2), audience_of(subscriber)))

    assert poisoned.counts == [0, 0, 0]
    assert subscriber.bytes == b"2 "
    assert "a message could not be delivered" in caplog.text


def test_a_message_that_one_kind_of_client_cannot_have_reaches_the_others(fan_out, caplog):
    def broken(messages):
        raise ValueError("no such thing here")

    one, other = FakeSubscriber(broken), FakeSubscriber(FakeCodec())
    delivery = fan_out.push(message(1), audience_of(one, other))
    finish(delivery)

    assert (one.bytes, other.bytes, delivery.counts) == (b"", b"1 ", [1, 0, 1])
    assert "could not be delivered to one kind of client" in caplog.text


# Turns


def test_the_event_loop_keeps_turning_while_a_large_audience_is_served(fan_out):
    codec = FakeCodec()
    audience = audience_of(*(SlowSubscriber(codec) for _ in range(5000)))
    turns = []
    timer = get_hub().loop.timer(0.001, 0.001)
    timer.start(lambda: turns.append(thread_time()))
    try:
        delivery = fan_out.push(message(1), audience)
        finish(delivery)
    finally:
        timer.stop()
        timer.close()

    # A second of work in slices of a few milliseconds, counted as work: a busy machine stretches time.
    assert delivery.counts == [0, 0, 5000]
    assert len(turns) > 50
    longest = max(later - earlier for earlier, later in zip(turns, turns[1:], strict=False))
    assert longest < 0.2


def test_who_publishes_without_pause_waits_for_the_deliveries(fan_out):
    subscriber = FakeSubscriber(FakeCodec())
    audience, most = audience_of(subscriber, FakeSubscriber(subscriber.codec)), 0
    for offset in range(1, 5 * BACKLOG):
        fan_out.wait_for_room()
        delivery = fan_out.push(message(offset), audience)
        most = max(most, len(fan_out._queue))
    finish(delivery)

    assert most == BACKLOG
    assert subscriber.bytes.endswith(b" %d " % (5 * BACKLOG - 1))


def test_there_is_room_again_once_everything_was_delivered(fan_out):
    audience, waited = audience_of(FakeSubscriber(FakeCodec())), Event()
    for offset in range(1, BACKLOG + 1):
        fan_out.push(message(offset), audience)

    def publisher():
        fan_out.wait_for_room()
        waited.set()

    gevent.spawn(publisher)
    wait_for(waited.is_set)


def test_a_stopped_fan_out_delivers_nothing_more():
    fan_out, subscriber = FanOut(), FakeSubscriber(FakeCodec())
    fan_out.start()
    fan_out.stop()
    fan_out.push(message(1), audience_of(subscriber))
    gevent.sleep(0.01)

    assert subscriber.writes == []


def test_a_volatile_message_leaves_alone_and_only_to_those_who_keep_up(fan_out):
    codec = FakeCodec()
    keeps_up, behind, one_way = (FakeSubscriber(codec) for _ in range(3))
    behind.is_behind = one_way.is_behind = True
    audience = audience_of(keeps_up, behind, one_way)

    deliveries = [fan_out.push(message(1), audience)]
    deliveries.append(fan_out.push(replace(message(1), is_volatile=True), audience))
    deliveries.append(fan_out.push(message(2), audience))
    finish(*deliveries)

    assert keeps_up.bytes == b"1 1 2 "
    assert behind.bytes == one_way.bytes == b"1 2 "
    assert deliveries[1].counts == [2, 0, 1]


def test_who_is_delivered_to_is_told_at_once_that_it_must_not_wait_for_other_servers(fan_out, caplog):
    """What they have entered waits for the deliveries."""

    class Waiting(FakeSubscriber):
        def deliver(self, encoded):
            check_may_wait()
            return super().deliver(encoded)

    waiting, neighbour = Waiting(FakeCodec()), FakeSubscriber(FakeCodec())
    delivery = fan_out.push(message(1), audience_of(waiting, neighbour))
    finish(delivery)

    assert "MustNotWait" in caplog.text
    assert neighbour.bytes == b"1 "
