from realtime_wall.channels.log import Log
from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import NOTHING, Since, missed
from realtime_wall.channels.rules import Rule


class History:
    """A broker with a log of two channels, one message a second from 1001 on."""

    began = 1000.7

    def __init__(self, size=100):
        self.log = Log("e", lambda channel: Rule(history_size=size), history_channels=10)
        for second, channel in enumerate("abab", start=1):
            data, name = f'"{channel}{second}"', f"n{second}"
            self.log.append(channel, data, event_id=name, now=0.0, time=1000.0 + second)

    @property
    def top(self):
        return self.log.top

    def __getattr__(self, name):
        return lambda *args: getattr(self.log, name)(*args, 0)


def told(since, backtrack=0, channel="a", history=None):
    found = missed(history or History(), channel, since, backtrack)
    return [one.data_json.strip('"') for one in found.messages], found.is_complete


def test_who_is_new_is_told_nothing_or_the_last_messages():
    assert told(NOTHING) == ([], True)
    assert told(NOTHING, backtrack=1) == (["a3"], True)
    assert told(NOTHING, backtrack=9) == (["a1", "a3"], True)


def test_a_cursor_is_exact_and_wins_over_looking_back():
    assert told(Since(position=Position("e", 1)), backtrack=9) == (["a3"], True)
    assert told(Since(position=Position("e", 2))) == (["a3"], True)
    assert told(Since(position=Position("e", 4))) == ([], True)


def test_looking_back_wins_over_what_is_less_exact():
    assert told(Since(event_id="n3", time=1003), backtrack=2) == (["a1", "a3"], True)


def test_an_event_id_is_followed_by_what_came_after_it():
    assert told(Since(event_id="n1")) == (["a3"], True)
    assert told(Since(event_id="unknown")) == ([], False)


def test_a_second_with_a_tag_is_as_exact_as_a_cursor_also_on_other_channels():
    assert told(Since(time=1001, tag=1)) == (["a3"], True)
    assert told(Since(time=1002, tag=2)) == (["a3"], True)
    assert told(Since(time=1003, tag=3)) == ([], True)


def test_a_second_alone_is_told_whole():
    assert told(Since(time=1003)) == (["a3"], True)
    assert told(Since(time=1004)) == ([], True)
    assert told(Since(time=0)) == (["a1", "a3"], True)


def test_a_tag_from_before_this_log_is_a_gap_and_what_there_is_is_told():
    assert told(Since(time=999, tag=3)) == (["a1", "a3"], False)


def test_what_is_no_longer_kept_is_a_gap():
    history = History(size=1)

    assert told(Since(position=Position("e", 0)), history=history) == ([], False)
    assert told(Since(position=Position("other", 1))) == ([], False)
    assert told(Since(time=1000, tag=0), history=history) == ([], False)
