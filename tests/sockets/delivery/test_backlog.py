from dataclasses import replace

import pytest

from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import Gap
from realtime_wall.channels.rules import Rules
from realtime_wall.sockets.delivery.backlog import PORTION, Backlog
from realtime_wall.wire.connection import DROPPED, QUEUED
from tests.fakes import RecordingWire

RULES = {
    "news": {"OVERFLOW": "drop_oldest"},
    "state": {"OVERFLOW": "resync"},
    "price": {"OVERFLOW": "latest", "KEY": "of"},
}
BIG = "x" * (PORTION // 2)  # two of these are more than a portion


class Reader:
    """A client that reads only when it is told to: each write fills its outbox."""

    def __init__(self, limit=1_000_000):
        self.wire = RecordingWire()
        self.writes = []
        self.channels = {"room", "lobby", *RULES}
        self.offset = 0
        self.backlog = self.make(self.write, limit)

    def make(self, write, limit):
        rules = Rules(RULES)
        return Backlog(self.wire, write, self.write_gap, self.channels.__contains__, rules, limit)

    def write_gap(self, gap):
        self.writes.append([f"{channel} up to {gap.position.offset}" for channel in gap.channels])

    def write(self, messages):
        self.writes.append([message.position.offset for message in messages])
        self.wire.outbox_size = 1

    def messages(self, count, channel="room", data=BIG):
        made = []
        for _ in range(count):
            self.offset += 1
            made.append(Message(channel, data, Position("epoch", self.offset), self.offset, 0.0))
        return made

    @property
    def heard(self):
        return [offset for write in self.writes for offset in write]

    def read_all(self):
        while self.wire.outbox_size:
            self.wire.drain()


@pytest.fixture
def reader():
    return Reader()


@pytest.mark.threat("S67")
def test_what_was_missed_leaves_in_portions_as_fast_as_it_is_read(reader):
    reader.backlog.resend("room", reader.messages(5))
    assert reader.writes == [[1, 2]]
    assert reader.backlog.is_waiting

    reader.wire.drain()
    assert reader.writes == [[1, 2], [3, 4]]

    reader.read_all()
    assert reader.writes == [[1, 2], [3, 4], [5]]
    assert not reader.backlog.is_waiting


def test_a_message_larger_than_a_portion_leaves_alone(reader):
    reader.backlog.resend("room", reader.messages(2, data=BIG * 3))

    assert reader.writes == [[1]]


def test_small_messages_share_a_portion(reader):
    reader.backlog.resend("room", reader.messages(20, data="1"))

    assert reader.writes == [list(range(1, 21))]


def test_a_client_that_keeps_up_is_sent_all_at_once(reader):
    reader.write = None
    writes = []
    reader.backlog = reader.make(writes.append, 1)

    reader.backlog.resend("room", reader.messages(5))

    assert [len(write) for write in writes] == [2, 2, 1]


def test_what_still_waits_to_leave_is_waited_for(reader):
    reader.wire.outbox_size = 1

    reader.backlog.resend("room", reader.messages(1))
    assert reader.writes == []

    reader.read_all()
    assert reader.writes == [[1]]


def test_what_is_published_meanwhile_comes_behind(reader):
    reader.backlog.resend("room", reader.messages(3))
    assert reader.backlog.add(reader.messages(2, data="live")) is QUEUED
    reader.backlog.resend("lobby", reader.messages(1, "lobby"))

    reader.read_all()

    assert reader.heard == [1, 2, 3, 6, 4, 5]
    assert not reader.backlog.is_waiting


@pytest.mark.threat("S67")
def test_who_falls_too_far_behind_what_is_published_is_cut_off():
    reader = Reader(limit=1000)
    reader.backlog.resend("room", reader.messages(10))  # far more than the limit, and fine

    one = reader.messages(1, data="x" * 300)
    assert reader.backlog.add(one) is QUEUED
    assert reader.wire.is_open
    assert reader.backlog.add(one) is DROPPED

    assert reader.wire.ended == "reads too slowly"


def test_what_was_read_no_longer_counts():
    reader = Reader(limit=5 * PORTION)
    reader.backlog.resend("room", reader.messages(6))

    for _ in range(20):
        assert reader.backlog.add(reader.messages(2)) is QUEUED
        reader.wire.drain()

    assert reader.backlog.is_waiting
    assert reader.heard == list(range(1, 43))


def test_a_channel_that_was_left_is_sent_no_more(reader):
    reader.backlog.resend("room", reader.messages(3))
    reader.backlog.add(reader.messages(1))
    reader.backlog.resend("lobby", reader.messages(1, "lobby"))
    reader.channels.remove("room")

    reader.read_all()

    assert reader.heard == [1, 2, 5]


def test_who_left_a_channel_and_came_back_hears_nothing_twice():
    reader = Reader(limit=100_000)
    missed = reader.messages(3)
    live = reader.messages(2, data="live")
    reader.backlog.resend("room", missed)
    reader.backlog.add(live)

    reader.backlog.resend("room", [missed[2], *live])
    reader.read_all()

    assert reader.heard == [1, 2, 3, 4, 5]


def test_what_waits_of_other_channels_stays_when_one_is_left_and_joined_again(reader):
    reader.backlog.resend("room", reader.messages(3))
    reader.backlog.resend("lobby", reader.messages(1, "lobby"))
    reader.backlog.add(reader.messages(1, "lobby", data="live"))

    reader.backlog.resend("room", [])
    reader.read_all()

    assert reader.heard == [1, 2, 4, 5]


def test_what_came_twice_does_not_count_twice():
    reader = Reader(limit=1000)
    reader.backlog.resend("room", reader.messages(3))
    for _ in range(5):
        assert reader.backlog.add(reader.messages(1, data="x" * 300)) is QUEUED
        reader.backlog.resend("room", reader.messages(1))

    assert reader.wire.is_open


def test_a_client_that_is_gone_is_sent_nothing_and_keeps_nothing(reader):
    reader.backlog.resend("room", reader.messages(3))
    reader.backlog.add(reader.messages(1))
    reader.wire.is_open = False
    reader.wire.drain()

    assert reader.writes == [[1, 2]]
    assert not reader.backlog.is_waiting


def test_gaps_are_written_at_their_place_among_what_was_missed(reader):
    first, last = reader.messages(2, data="1")
    lost = Gap(["room", "left"], Position("epoch", 1)), Gap(["left"], Position("epoch", 2))
    reader.backlog.send([first, *lost, last])
    reader.read_all()

    assert reader.writes == [[1], ["room up to 1"], [2]]


def test_a_gap_of_a_channel_that_is_joined_again_is_forgotten_and_that_of_another_is_not(reader):
    behind(reader).backlog.send([Gap(["room", "lobby"], Position("epoch", 1))])

    reader.backlog.resend("room", reader.messages(1, data="1"))
    reader.read_all()

    assert reader.writes == [["lobby up to 1"], [1]]


def behind(reader):
    """A client that has not read what it was sent last."""
    reader.wire.outbox_size = 1
    return reader


def test_of_a_channel_that_can_do_without_the_oldest_messages_are_left_out_and_a_gap_is_written():
    reader = behind(Reader(limit=1000))

    written = [reader.backlog.add(reader.messages(1, "news", "1" * 10)) for _ in range(5)]
    assert set(written) == {QUEUED}
    reader.read_all()

    gap, *rest = reader.heard
    assert rest == [4, 5]  # two have room
    assert gap == "news up to 3"


def test_what_a_channel_that_is_read_anew_has_waiting_is_left_out_altogether():
    reader = behind(Reader(limit=1000))
    for _ in range(4):
        assert reader.backlog.add(reader.messages(1, "state", "1")) == QUEUED
    assert reader.backlog.add(reader.messages(1, "state", "1")) == QUEUED
    reader.read_all()

    assert reader.heard == ["state up to 3", 4, 5]


def test_only_the_newest_about_each_thing_waits():
    reader = behind(Reader())
    for of, value in (("a", 1), ("b", 1), ("a", 2), ("a", 3)):
        reader.backlog.add(reader.messages(1, "price", f'{{"of":"{of}","is":{value}}}'))
    reader.read_all()

    assert reader.heard == ["price up to 1", 2, 4]


def test_a_channel_that_can_do_without_nothing_ends_the_client_though_others_can():
    reader = behind(Reader(limit=1000))
    reader.backlog.add(reader.messages(1, "news", "1"))

    assert [reader.backlog.add(reader.messages(1, "room", "1" * 300)) for _ in range(3)][-1] == DROPPED
    assert reader.wire.ended == "reads too slowly"


def test_what_is_taken_back_is_never_left_out():
    reader = behind(Reader(limit=1000))
    (message,) = reader.messages(1, "news", "1")
    taken_back = replace(message, retracts=7)
    reader.backlog.add([taken_back])
    for _ in range(5):
        reader.backlog.add(reader.messages(1, "news", "1"))
    reader.read_all()

    assert message.position.offset in reader.heard
