import logging

import pytest

from realtime_wall.wall.sources.hourly_cap import HOUR, CappedSource
from tests.wall.fakes import FakeClock, post

BEGAN = 1_800_000_000.0 // HOUR * HOUR


class Endless:
    """Gives a post each minute until it is stopped."""

    made = []  # for each, whether it was to go on where the posts end

    def __init__(self, clock, go_on):
        self.made.append(go_on)
        self._clock = clock
        self._stopped = False

    def run(self, emit):
        while not self._stopped:
            emit(post(int(self._clock.now())))
            self._clock.time += 60

    def stop(self):
        self._stopped = True


@pytest.fixture
def clock():
    return FakeClock(BEGAN)


def run(clock, cap, hours, **options):
    """How many posts came in each hour."""
    came = []

    def emit(item):
        came.append(int(item.id) - int(BEGAN))
        if clock.now() >= BEGAN + hours * HOUR - 60:
            source.stop()

    source = CappedSource("x", lambda go_on: Endless(clock, go_on), cap, clock, **options)
    rest = clock.wait

    def wait(event, seconds):
        if clock.now() + seconds >= BEGAN + hours * HOUR:
            source.stop()
        return rest(event, seconds)

    clock.wait = wait
    source.run(emit)
    return [sum(second // HOUR == hour for second in came) for hour in range(hours)]


def test_so_many_posts_in_an_hour_and_no_more(clock):
    assert run(clock, 10, 3) == [10, 10, 10]


def test_below_the_cap_nothing_is_held_back(clock):
    assert run(clock, 1000, 3) == [60, 60, 60]
    assert clock.waits == []


def test_what_was_given_before_a_restart_counts(clock):
    assert run(clock, 10, 2, given=8) == [2, 10]


def test_while_it_rests_the_source_is_ended_not_only_unread(clock, caplog):
    caplog.set_level(logging.WARNING)
    Endless.made.clear()
    run(clock, 10, 3)

    assert Endless.made == [True, False, False], "what was posted meanwhile would be paid for, too"
    assert caplog.text.count("has given its 10 posts of this hour") == 3


def test_a_source_that_has_ended_is_not_begun_again(clock):
    class Short:
        def run(self, emit):
            emit(post(1))

    came = []
    CappedSource("x", lambda go_on: Short(), 10, clock).run(came.append)

    assert len(came) == 1


def test_it_may_be_stopped_before_it_runs(clock):
    source = CappedSource("x", lambda go_on: Endless(clock, go_on), 5, clock)
    source.stop()
    source.run(lambda item: pytest.fail("a post came"))
