import logging

import pytest
from gevent.event import Event

from realtime_wall.wire import timer_wheel
from realtime_wall.wire.timer_wheel import TimerWheel

START = 1000.5


class Bell:
    """Something with deadlines that notes when it rang, and when it wants to ring again."""

    def __init__(self, *delays):
        self.due = 0
        self.delays = list(delays)
        self.rang = []

    def tick(self, now):
        self.rang.append(now)
        return self.delays.pop(0) if self.delays else None


class BrokenBell(Bell):
    def tick(self, now):
        super().tick(now)
        raise LookupError("of ours")


@pytest.fixture
def clock(monkeypatch):
    """The time as the clockwork sees it."""

    class Clock:
        now = START

        def turn(self, now):
            self.now = now
            work.turn(now)

    clock = Clock()
    monkeypatch.setattr(timer_wheel, "monotonic", lambda: clock.now)
    work = clock.work = TimerWheel()
    return clock


def test_a_bell_rings_when_it_is_due(clock):
    bell = Bell()
    clock.work.schedule(bell, 3)

    clock.turn(START + 2.9)
    assert bell.rang == []

    clock.turn(START + 3.1)
    assert bell.rang == [START + 3.1]


@pytest.mark.parametrize("delay", [0, 0.01, 0.1, 0.44, 0.5, 0.6, 1, 1.57, 7.3])
def test_no_bell_rings_early_or_more_than_a_tenth_late(clock, delay):
    bell = Bell()
    clock.work.schedule(bell, delay)

    for hundredth in range(1200):
        clock.turn(START + hundredth / 100)

    (rang,) = bell.rang
    assert START + delay - 0.001 <= rang <= START + delay + 0.11


def test_it_rings_once(clock):
    bell = Bell()
    clock.work.schedule(bell, 1)

    for second in range(10):
        clock.turn(START + second)

    assert len(bell.rang) == 1


def test_a_bell_says_when_to_ring_again(clock):
    bell = Bell(2, 3)
    clock.work.schedule(bell, 1)

    for second in range(1, 20):
        clock.turn(START + second)

    assert len(bell.rang) == 3
    first, second, third = bell.rang
    assert (second - first, third - second) == (2, 3)


def test_a_new_appointment_replaces_the_earlier_one(clock):
    sooner, later = Bell(), Bell()
    clock.work.schedule(sooner, 8)
    clock.work.schedule(sooner, 2)
    clock.work.schedule(later, 2)
    clock.work.schedule(later, 8)

    for second in range(1, 20):
        clock.turn(START + second)

    assert [len(sooner.rang), len(later.rang)] == [1, 1]
    assert sooner.rang[0] < START + 3
    assert later.rang[0] > START + 7


def test_a_bell_that_is_no_longer_wanted_stays_silent(clock):
    bell = Bell()
    clock.work.schedule(bell, 1)
    bell.due = 0

    clock.turn(START + 5)

    assert bell.rang == []


def test_turns_that_were_missed_are_made_up_for(clock):
    bells = [Bell() for _ in range(5)]
    for delay, bell in enumerate(bells):
        clock.work.schedule(bell, delay)

    clock.turn(START + 60)

    assert [bell.rang for bell in bells] == [[START + 60]] * 5


def test_an_appointment_in_the_past_is_kept_at_the_next_turn(clock):
    bell = Bell()
    clock.turn(START + 10)
    clock.now = START
    clock.work.schedule(bell, 0)

    clock.turn(START + 12)

    assert bell.rang == [START + 12]


def test_one_that_fails_is_logged_and_the_others_ring(clock, caplog):
    broken, bell = BrokenBell(5), Bell()
    clock.work.schedule(broken, 1)
    clock.work.schedule(bell, 1)

    with caplog.at_level(logging.ERROR):
        clock.turn(START + 3)

    assert bell.rang == [START + 3]
    assert "LookupError: of ours" in caplog.text


def test_what_is_done_is_forgotten(clock):
    for delay in range(50):
        clock.work.schedule(Bell(), delay)

    clock.turn(START + 60)

    assert not clock.work._buckets


def test_it_turns_by_itself_until_it_is_stopped():
    class Rung(Bell):
        def tick(self, now):
            rung.set()

    rung = Event()
    work = TimerWheel()
    work.start()
    work.schedule(Rung(), 0)
    assert rung.wait(5)

    work.stop()
    work.stop()
    rung.clear()
    work.schedule(Rung(), 0)
    assert not rung.wait(1.2)
