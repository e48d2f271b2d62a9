import json

import pytest

from realtime_wall import api
from realtime_wall.management import playback
from realtime_wall.management.playback import LONGEST_GAP, BadRecording


def line(second, data, channel="tweets", event=None):
    time = f"2026-11-25T18:00:{second:06.3f}+00:00"
    return json.dumps({"channel": channel, "data": data, "event": event, "time": time, "id": 1})


class Player:
    """Plays with a clock of its own, and remembers what was published when."""

    def __init__(self, monkeypatch):
        self.time = 100.0
        self.published = []
        monkeypatch.setattr(api, "publish", self.publish)

    def publish(self, channel, data, event=None):
        self.published.append((round(self.time - 100.0, 6), channel, data, event))

    def wait(self, seconds):
        self.time += seconds

    def play(self, lines, speed=1.0, channel=None):
        return playback.play(lines, speed, channel, now=lambda: self.time, wait=self.wait)


@pytest.fixture
def player(monkeypatch):
    return Player(monkeypatch)


def test_messages_come_at_the_pace_of_the_recording_with_their_events(player):
    assert player.play([line(1, "a"), line(1.5, {"b": 1}, "news", "said"), line(4, "c")]) == 3

    assert player.published == [
        (0.0, "tweets", "a", None),
        (0.5, "news", {"b": 1}, "said"),
        (3.0, "tweets", "c", None),
    ]


def test_it_plays_faster_and_on_one_channel(player):
    player.play([line(0, "a"), line(20, "b", "news")], speed=10, channel="rehearsal")

    assert player.published == [(0.0, "rehearsal", "a", None), (2.0, "rehearsal", "b", None)]


def test_publishing_that_takes_time_puts_nothing_off(player, monkeypatch):
    def slowly(channel, data, event=None):
        player.publish(channel, data, event)
        player.time += 0.7

    monkeypatch.setattr(api, "publish", slowly)
    player.play([line(0, "a"), line(1, "b"), line(1.1, "c"), line(5, "d")])

    assert [at for at, *_ in player.published] == [0.0, 1.0, 1.7, 5.0]


def test_a_night_is_not_waited_for_and_a_clock_that_was_set_back_stops_nothing(player):
    morning = line(0, "b").replace("25T18", "26T08")
    player.play([line(0, "a"), morning, line(0, "c")])

    assert [at for at, *_ in player.published] == [0.0, LONGEST_GAP, LONGEST_GAP]


def test_what_was_missed_and_what_was_taken_back_is_left_out(player):
    lines = ["\n", json.dumps({"missed": 3}), line(0, {"position": "e:1"}, event="retracted"), line(0, "a")]

    assert player.play(lines) == 1


@pytest.mark.parametrize(
    "bad", ["{", "[]", "7", "{}", line(0, "a").replace("2026", "MMXX"), line(0, "a").replace("data", "date")]
)
def test_a_line_of_something_else_is_named(player, bad):
    with pytest.raises(BadRecording, match="line 2 is not of a recording"):
        player.play([line(0, "a"), bad])


def test_what_cannot_be_published_is_named():
    with pytest.raises(BadRecording, match="line 1 cannot be published"):
        playback.play([line(0, "a", channel="a/b")], 1.0)  # a name is looked at before a server is
