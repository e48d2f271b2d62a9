import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.channels.log import Log
from realtime_wall.channels.message import Message
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import NOTHING, CatchUp, Gap, Since, catch_up, merge
from realtime_wall.channels.rules import Rule
from realtime_wall.errors import HistoryLost
from tests.channels.appending import append


class History:
    """A broker with a log of two channels, one message a second from 1001 on."""

    log_began = 1000.7

    def __init__(self, size=100, channels="abab"):
        self.log = Log("e", lambda channel: Rule(history_size=size), history_channels=10)
        for second, channel in enumerate(channels, start=1):
            data, name = f'"{channel}{second}"', f"n{second}"
            append(self.log, channel, data, event_id=name, now=0.0, time=1000.0 + second)

    @property
    def top(self):
        return self.log.top

    def __getattr__(self, name):
        return lambda *args: getattr(self.log, name)(*args, 0)


def offset_of(position):
    return None if position is None else position.offset


def told(since, backtrack=0, channels="a", history=None):
    """Messages as they were published, gaps as (channels, up to where, where the reader stands before)."""
    found = catch_up(history or History(), dict.fromkeys(channels, backtrack), since)
    return [
        ("".join(one.channels), one.position.offset, offset_of(one.before))
        if isinstance(one, Gap)
        else one.data_json.strip('"')
        for one in found.items
    ]


def at(offset, epoch="e"):
    return Since(position=Position(epoch, offset))


def test_who_is_new_is_told_nothing_or_the_last_messages():
    assert told(NOTHING) == []
    assert told(NOTHING, backtrack=1) == ["a3"]
    assert told(NOTHING, backtrack=9) == ["a1", "a3"]


def test_a_cursor_is_exact_and_wins_over_looking_back():
    assert told(at(1), backtrack=9) == ["a3"]
    assert told(at(2)) == ["a3"]
    assert told(at(4)) == []


def test_looking_back_wins_over_what_is_less_exact():
    assert told(Since(event_id="n3", time=1003), backtrack=2) == ["a1", "a3"]


def test_an_event_id_is_followed_by_what_came_after_it_also_on_other_channels():
    assert told(Since(event_id="n1")) == ["a3"]
    assert told(Since(event_id="n2"), channels="ab") == ["a3", "b4"]
    assert told(Since(event_id="unknown"), channels="ab") == [("ab", 4, None)]


def test_a_second_with_a_tag_is_as_exact_as_a_cursor_also_on_other_channels():
    assert told(Since(time=1001, tag=1)) == ["a3"]
    assert told(Since(time=1002, tag=2)) == ["a3"]
    assert told(Since(time=1003, tag=3)) == []


def test_a_second_alone_is_told_whole():
    assert told(Since(time=1003)) == ["a3"]
    assert told(Since(time=1004)) == []
    assert told(Since(time=0)) == ["a1", "a3"]


def test_a_tag_from_before_this_log_is_a_gap_and_what_there_is_is_told():
    assert told(Since(time=999, tag=3)) == [("a", 0, None), "a1", "a3"]
    assert told(Since(time=999, tag=3), history=History(size=1)) == [("a", 1, None), "a3"]


def test_what_is_no_longer_kept_is_a_gap_and_what_is_left_is_told():
    history = History(size=1)

    assert told(at(0), history=history) == [("a", 1, 0), "a3"]
    assert told(Since(time=1000, tag=0), history=history) == [("a", 1, None), "a3"]
    assert told(at(1), history=history) == ["a3"]


def test_a_cursor_of_another_log_is_a_gap_and_nothing_that_may_have_been_heard_is_told():
    position = Position("other", 1)

    assert [
        (one.channels, one.position, one.before)
        for one in catch_up(History(), {"a": 0, "b": 0}, Since(position=position)).items
    ] == [(["a", "b"], Position("e", 4), position)]
    assert told(at(5)) == [("a", 4, 5)]


def test_gaps_stand_among_the_messages_where_something_was_lost():
    history = History(size=1, channels="cabab")

    assert told(at(0), channels="abc", history=history) == ["c1", ("a", 2, 1), ("b", 3, 2), "a4", "b5"]


def test_gaps_up_to_the_same_position_are_one():
    history = History(size=1, channels="xabcdefghijk")  # of more than ten: two are forgotten

    assert told(at(0), channels="ykz", history=history) == [("k", 1, 0), ("yz", 2, 1), "k12"]


def test_where_a_reader_stands_before_it_is_told_anything():
    def place(since, channels="ab", size=100):
        return offset_of(catch_up(History(size), dict.fromkeys(channels, 0), since).cursor)

    assert place(NOTHING) == 4
    assert place(at(2)) == 2
    assert place(at(2), channels="b") == 3
    assert place(at(0), channels="a", size=1) == 1  # behind the gap


def test_gaps_that_nothing_follows_are_one_up_to_the_end():
    history = History(size=0, channels="abc")

    assert told(at(0), channels="ab", history=history) == [("ab", 3, 0)]


def test_what_is_not_for_the_reader_is_left_out_and_moves_its_cursor():
    found = catch_up(History(), {"a": 0}, at(0), lambda message: False)

    assert found == CatchUp([], Position("e", 4))


def test_channels_that_were_caught_up_apart_are_merged_in_the_order_of_the_log():
    history = History(size=1, channels="abab")

    items = merge([catch_up(history, {"b": 0}, at(0)), catch_up(history, {"a": 0}, at(1))])

    assert [(type(one), one.position.offset) for one in items] == [(Gap, 2), (Message, 3), (Message, 4)]


@given(
    published=st.lists(st.sampled_from("abc"), max_size=30),
    size=st.integers(0, 5),
    since=st.integers(0, 30),
    channels=st.sets(st.sampled_from("abc"), min_size=1),
)
def test_every_message_is_in_it_or_behind_a_gap_that_says_so(published, size, since, channels):
    history = History(size, published)
    since = min(since, len(published))

    items = catch_up(history, dict.fromkeys(sorted(channels), 0), at(since)).items

    sent = [one.position.offset for one in items if isinstance(one, Message)]
    lost_until = {
        channel: max(
            (one.position.offset for one in items if isinstance(one, Gap) and channel in one.channels),
            default=0,
        )
        for channel in channels
    }
    places = [(one.position.offset, isinstance(one, Message)) for one in items]
    assert places == sorted(places) and len(set(sent)) == len(sent)
    missed = [
        (offset, channel)
        for offset, channel in enumerate(published, start=1)
        if channel in channels and offset > since
    ]
    assert sent == [offset for offset, channel in missed if offset > lost_until[channel]]
    for channel, until in lost_until.items():  # no gap without a loss, save of channels that were forgotten
        assert not until or not size or any(name == channel and offset <= until for offset, name in missed)


@given(
    published=st.lists(st.sampled_from("abc"), max_size=30), size=st.integers(0, 5), since=st.integers(0, 30)
)
def test_the_log_says_that_something_is_lost_when_it_is_a_gap(published, size, since):
    history, position = History(size, published), Position("e", since)

    found = catch_up(history, {"a": 0}, Since(position=position))

    if found.has_gap:
        with pytest.raises(HistoryLost):
            history.since("a", position)
    else:
        assert found.items == history.since("a", position)
