import dataclasses
import tracemalloc

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant
from hypothesis.stateful import rule as step

from realtime_wall.channels.log import Log
from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position
from realtime_wall.channels.rules import Rule
from realtime_wall.errors import HistoryLost
from tests.channels.appending import append

EPOCH = "k1"
LIMITS = {"history_size": 1000, "history_bytes": 1_000_000, "history_age": 60.0, "history_channels": 100}


def new_log(**limits):
    kept = {**LIMITS, **limits}
    channels = kept.pop("history_channels")
    rule = Rule(**kept)
    return Log(EPOCH, lambda channel: rule, history_channels=channels)


def publish(log, *texts, channel="room", now=0.0):
    return [append(log, channel, f'"{text}"', now=now, time=1000.0 + now) for text in texts]


def texts(messages):
    return [message.data_json.strip('"') for message in messages]


def at(offset):
    return Position(EPOCH, offset)


def test_positions_rise_over_all_channels_and_numbers_within_one():
    log = new_log()
    assert log.top == at(0)

    one, two = publish(log, "one", "two")
    other = publish(log, "other", channel="elsewhere")[0]
    three = publish(log, "three")[0]

    assert [m.position for m in (one, two, other, three)] == [at(1), at(2), at(3), at(4)]
    assert [m.number for m in (one, two, other, three)] == [1, 2, 1, 3]
    assert log.top == at(4)


def test_a_message_has_all_that_was_said_about_it():
    log = new_log()

    message = append(log, "room", "[1]", event="say", event_id="i1", exclude="s1", now=5.0, time=1700.5)

    assert message == Message("room", "[1]", at(1), 1, 1700.5, "say", "i1", "s1")
    assert log.since("room", at(0), now=5.0) == [message]


def test_a_client_is_told_what_followed_its_position():
    log = new_log()
    one, two, three = publish(log, "one", "two", "three")

    assert log.since("room", at(0), now=0) == [one, two, three]
    assert log.since("room", one.position, now=0) == [two, three]
    assert log.since("room", three.position, now=0) == []


def test_messages_of_other_channels_are_no_gap():
    log = new_log(history_size=2)
    publish(log, "one")
    publish(log, *"abcdefgh", channel="elsewhere")
    publish(log, "two")

    assert texts(log.since("room", at(0), now=0)) == ["one", "two"]
    assert texts(log.since("room", at(5), now=0)) == ["two"]


def test_a_channel_never_published_to_is_complete_from_the_start():
    log = new_log(history_size=1)
    publish(log, "one", "two", "three")

    assert log.since("nowhere", at(0), now=0) == []


def test_part_of_the_answer_is_never_given():
    log = new_log(history_size=3)
    first, second, *_ = publish(log, "one", "two", "three", "four", "five")

    assert texts(log.since("room", second.position, now=0)) == ["three", "four", "five"]
    with pytest.raises(HistoryLost) as lost:
        log.since("room", first.position, now=0)
    assert (lost.value.channel, lost.value.position) == ("room", first.position)


@pytest.mark.parametrize("position", [Position("other", 1), at(4), at(10**17)])
def test_a_position_of_another_log_or_of_the_future_is_lost(position):
    log = new_log()
    publish(log, "one", "two", "three")

    for channel in ("room", "nowhere"):
        with pytest.raises(HistoryLost):
            log.since(channel, position, now=0)


def test_too_many_bytes_drop_the_oldest():
    size = publish(new_log(), "xxx")[0].size
    log = new_log(history_bytes=2 * size)
    first, second, _ = publish(log, "one", "two", "six")

    assert texts(log.since("room", first.position, now=0)) == ["two", "six"]
    with pytest.raises(HistoryLost):
        log.since("room", at(0), now=0)

    publish(log, "ten")
    assert texts(log.since("room", second.position, now=0)) == ["six", "ten"]


def test_a_message_too_large_to_keep_is_lost_not_skipped():
    log = new_log(history_bytes=1000)
    publish(log, "one")
    (large,) = publish(log, "x" * 2000)

    with pytest.raises(HistoryLost):
        log.since("room", at(1), now=0)
    assert log.since("room", large.position, now=0) == []
    assert publish(log, "three")[0].number == 3
    assert texts(log.since("room", large.position, now=0)) == ["three"]


def test_old_messages_are_lost_even_if_nothing_new_comes():
    log = new_log(history_age=60)
    (first,) = publish(log, "old", now=0)
    publish(log, "new", now=50)

    assert texts(log.since("room", at(0), now=60)) == ["old", "new"]
    assert texts(log.since("room", first.position, now=61)) == ["new"]
    with pytest.raises(HistoryLost):
        log.since("room", at(0), now=61)


def test_a_channel_emptied_by_age_still_knows_that_it_lost_something():
    log = new_log(history_age=60)
    (message,) = publish(log, "old", now=0)
    log.expire(61)

    assert log.since("room", message.position, now=61) == []
    for channel in ("room", "nowhere"):
        with pytest.raises(HistoryLost):
            log.since(channel, at(0), now=61)


def test_a_forgotten_channel_that_returns_is_complete_only_from_there():
    log = new_log(history_channels=1)
    (old,) = publish(log, "old")
    publish(log, "other", channel="elsewhere")
    publish(log, "new")

    assert texts(log.since("room", at(2), now=0)) == ["new"]
    assert texts(log.since("room", old.position, now=0)) == ["new"]
    with pytest.raises(HistoryLost):
        log.since("room", at(0), now=0)


def test_the_channel_longest_silent_is_forgotten_first():
    log = new_log(history_channels=2)
    publish(log, "one", channel="a")
    publish(log, "two", channel="b")
    publish(log, "three", channel="a")
    publish(log, "four", channel="c")

    assert texts(log.newest("a", 9, now=0)) == ["one", "three"]
    assert texts(log.newest("c", 9, now=0)) == ["four"]
    assert log.newest("b", 9, now=0) == []


def test_a_number_is_never_used_twice_in_a_channel():
    log = new_log(history_channels=1)
    publish(log, "one", "two", "three")
    publish(log, "other", channel="elsewhere")

    assert publish(log, "new")[0].number == 4


def test_a_log_that_keeps_nothing_says_so():
    for limit in ({"history_size": 0}, {"history_channels": 0}, {"history_bytes": 0}):
        log = new_log(**limit)
        (message,) = publish(log, "one")

        assert log.since("room", message.position, now=0) == []
        with pytest.raises(HistoryLost):
            log.since("room", at(0), now=0)


def test_the_newest_are_given_oldest_first():
    log = new_log(history_size=3)
    publish(log, "one", "two", "three", "four")

    assert texts(log.newest("room", 2, now=0)) == ["three", "four"]
    assert texts(log.newest("room", 9, now=0)) == ["two", "three", "four"]
    assert log.newest("room", 0, now=0) == []
    assert log.newest("nowhere", 2, now=0) == []


def test_the_newest_are_not_older_than_allowed():
    log = new_log(history_age=60)
    publish(log, "old", now=0)
    publish(log, "new", now=50)

    assert texts(log.newest("room", 9, now=61)) == ["new"]


@pytest.mark.threat("S41")
@pytest.mark.parametrize(
    "later",
    [
        lambda log: log.expire(100),
        lambda log: publish(log, "new", now=100),
        lambda log: log.since("nowhere", log.top, now=100),
        lambda log: log.newest("nowhere", 1, now=100),
    ],
    ids=["expire", "append", "since", "newest"],
)
def test_channels_whose_messages_are_all_too_old_cost_no_memory(later):
    log = new_log(history_channels=100_000, history_age=60)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(2000):
            publish(log, "x" * 100, channel=f"room {number}", now=number / 1000)
        full, _ = tracemalloc.get_traced_memory()
        later(log)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert full - before > 2000 * 500
    # The table of names alone does not shrink at once.
    assert after - before < 2000 * 150


def test_dropped_messages_are_freed_at_once():
    log = new_log(history_size=100)
    tracemalloc.start()
    try:
        publish(log, *["x" * 1000] * 100)
        hundred, _ = tracemalloc.get_traced_memory()
        publish(log, *["x" * 1000] * 70)
        still_hundred, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert still_hundred - hundred < 20_000


def retract(log, message, channel="room"):
    """As a node does it: the message leaves the log, and those who had it are told."""
    found = log.retract(channel, message.position.offset, now=0)
    append(log, channel, '"retracted"', retracts=message.position.offset, now=0.0, time=1000.0)
    return found


def test_a_message_that_is_taken_back_is_told_to_nobody_any_more():
    log = new_log()
    one, two, three = publish(log, "one", "two", "three")

    assert retract(log, two) is two
    assert texts(log.newest("room", 10, now=0)) == ["one", "three"]
    assert texts(log.since("room", at(0), now=0)) == ["one", "three"]


def test_that_it_was_taken_back_is_told_to_those_who_had_it_and_to_them_only():
    log = new_log()
    one, two, three = publish(log, "one", "two", "three")
    retract(log, two)

    assert texts(log.since("room", two.position, now=0)) == ["three", "retracted"]
    assert texts(log.since("room", three.position, now=0)) == ["retracted"]
    assert texts(log.since("room", one.position, now=0)) == ["three"]


def test_a_message_can_be_taken_back_by_its_event_id():
    log = new_log()
    append(log, "room", '"named"', event_id="n1", now=0.0, time=1000.0)

    named = log.find("room", None, "n1", now=0)
    assert named.data_json == '"named"'
    assert log.find("elsewhere", None, "n1", now=0) is None
    assert log.retract("room", named.position.offset, now=0) is named
    assert log.find("room", None, "n1", now=0) is None
    assert log.retract("room", named.position.offset, now=0) is None


def test_what_was_taken_back_leaves_its_room_to_others():
    log = new_log(history_size=2)
    one, two = publish(log, "one", "two")
    log.retract("room", one.position.offset, now=0)
    publish(log, "three")

    assert texts(log.since("room", at(0), now=0)) == ["two", "three"]


def test_an_event_id_has_a_position_and_a_second_has_what_came_since():
    log = new_log()
    for second, name in enumerate(("a", "b", "a", "c")):
        append(log, "room", f'"{second}"', event_id=name, now=0.0, time=1000.5 + second)

    assert log.position_of("room", "a", now=0) == at(1)
    assert log.position_of("room", "c", now=0) == at(4)
    assert log.position_of("room", "unknown", now=0) is None
    assert log.position_of("empty", "a", now=0) is None
    assert texts(log.since_time("room", 1002, now=0)) == ["2", "3"]
    assert log.since_time("empty", 0, now=0) == []


def test_who_missed_more_than_is_kept_can_have_what_is_left_and_know_what_is_lost():
    log = new_log(history_size=2)
    publish(log, "one", "two", "three")

    messages, lost_until = log.kept_since("room", 0, now=0)
    assert (texts(messages), lost_until) == (["two", "three"], 1)
    messages, lost_until = log.kept_since("room", 1, now=0)
    assert (texts(messages), lost_until) == (["two", "three"], None)
    assert log.kept_since("never heard of", 0, now=0) == ([], None)


def test_channels_have_limits_of_their_own():
    ages = {"brief": Rule(history_age=10.0), "long": Rule(history_age=100.0, history_size=1)}
    log = Log(EPOCH, ages.__getitem__, history_channels=10)
    for channel in ("long", "brief", "long"):
        publish(log, channel, channel=channel)

    assert [log.kept(channel, now=5) for channel in ("brief", "long")] == [1, 1]
    assert [log.kept(channel, now=50) for channel in ("brief", "long")] == [0, 1]
    assert list(log.channels()) == ["long"]
    with pytest.raises(HistoryLost):
        log.since("brief", at(1), now=50)


def test_of_channels_with_different_ages_the_longest_silent_is_forgotten_first():
    ages = {"a": Rule(history_age=10.0), "b": Rule(history_age=100.0), "c": Rule(history_age=10.0)}
    log = Log(EPOCH, ages.__getitem__, history_channels=2)
    for channel in ("b", "a", "c"):
        publish(log, channel, channel=channel)

    assert set(log.channels()) == {"a", "c"}


def test_what_a_channel_has_had_is_counted_beyond_what_is_kept():
    log = new_log(history_size=2)
    publish(log, "one", "two", "three")

    assert (log.published("room"), log.kept("room", now=0)) == (3, 2)
    assert (log.published("other"), log.kept("other", now=0)) == (0, 0)


@dataclasses.dataclass
class Published:
    message: Message
    now: float
    is_dropped: bool = False


class LogAgainstAModel(RuleBasedStateMachine):
    """The model keeps everything for ever, and marks what the limits drop."""

    channels = st.sampled_from(["a", "b", "c", "d"])

    @initialize(
        size=st.integers(0, 5),
        kilobytes=st.integers(0, 4),
        age=st.integers(0, 20),
        kept_channels=st.integers(0, 3),
    )
    def begin(self, size, kilobytes, age, kept_channels):
        self.limits = size, kilobytes * 1000, age, kept_channels
        self.log = new_log(
            history_size=size,
            history_bytes=kilobytes * 1000,
            history_age=age,
            history_channels=kept_channels,
        )
        self.now = 1000.0
        self.published = []
        # For a channel that is not kept, and for one that is kept anew: what the forgotten lost.
        self.lost_by_forgotten = 0
        self.begins_after = {}

    def kept(self, channel):
        return [p for p in self.published if p.message.channel == channel and not p.is_dropped]

    def drop(self):
        size, room, age, kept_channels = self.limits
        for published in self.published:
            if published.now < self.now - age:
                published.is_dropped = True
        for channel in self.begins_after:
            kept = self.kept(channel)
            while kept and (len(kept) > size or sum(p.message.size for p in kept) > room):
                kept.pop(0).is_dropped = True
        silent_for = {c: self.kept(c)[-1].message.position.offset for c in self.begins_after if self.kept(c)}
        for channel in sorted(silent_for, key=silent_for.get)[: max(0, len(silent_for) - kept_channels)]:
            for published in self.kept(channel):
                published.is_dropped = True
        for channel in list(self.begins_after):
            if not self.kept(channel):
                del self.begins_after[channel]
                last = max(p.message.position.offset for p in self.published if p.message.channel == channel)
                self.lost_by_forgotten = max(self.lost_by_forgotten, last)

    @step(channel=channels, size=st.sampled_from([1, 300, 900, 3000]))
    def publish(self, channel, size):
        self.drop()
        data_json = '"' + "x" * size + '"'
        message = append(self.log, channel, data_json, now=self.now, time=self.now)

        numbers = [p.message.number for p in self.published if p.message.channel == channel]
        assert message.position == at(len(self.published) + 1)
        assert message.number > max(numbers, default=0)
        self.begins_after.setdefault(channel, self.lost_by_forgotten)
        self.published.append(Published(message, self.now))
        self.drop()

    @step(seconds=st.sampled_from([0.5, 3, 10, 25]))
    def time_passes(self, seconds):
        self.now += seconds

    @step()
    def expire(self):
        self.log.expire(self.now)

    @step(channel=channels, back=st.integers(-1, 12))
    def since(self, channel, back):
        self.drop()
        offset = max(0, len(self.published) - back)
        mine = [p for p in self.published if p.message.channel == channel]
        missed = [p for p in mine if p.message.position.offset > offset]
        is_lost = (
            offset > len(self.published)
            or any(p.is_dropped for p in missed)
            or offset < self.begins_after.get(channel, self.lost_by_forgotten)
        )
        try:
            told = self.log.since(channel, at(offset), self.now)
        except HistoryLost:
            assert is_lost
        else:
            assert not is_lost
            assert told == [p.message for p in missed]

    @step(channel=channels, count=st.integers(0, 7))
    def newest(self, channel, count):
        self.drop()
        kept = [p.message for p in self.kept(channel)]

        assert self.log.newest(channel, count, self.now) == kept[max(0, len(kept) - count) :]

    @invariant()
    def top_is_the_last_position(self):
        assert self.log.top == at(len(self.published))


TestLogAgainstAModel = LogAgainstAModel.TestCase
TestLogAgainstAModel.settings = settings(max_examples=100, stateful_step_count=40)
