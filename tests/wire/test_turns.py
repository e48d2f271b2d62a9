from functools import partial

import gevent
import pytest
from gevent.event import Event

from realtime_wall.wire.turns import Turns
from tests.live import wait_for


@pytest.fixture
def turns():
    """Turns in whose slice of an iteration there is room for one."""
    return Turns(-1.0)


class Log:
    """Whose turn it was, and in which iterations."""

    def __init__(self):
        self.names = []
        self.iterations = set()

    def note(self, name):
        self.names.append(name)
        self.iterations.add(gevent.get_hub().loop.iteration)


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def stand_in_line(turns, log):
    def stand_in_line(name, then=lambda: None):
        turns.stand_in_line(name, lambda: (log.note(name), then()))

    return stand_in_line


@pytest.fixture
def waiting(turns, log):
    """Begin a greenlet that waits for its turn."""

    def wait(name):
        turns.wait()
        log.note(name)

    return lambda name: gevent.spawn(wait, name)


def test_who_comes_when_the_slice_is_over_waits_for_the_next(turns):
    assert turns.is_now()
    assert not turns.is_now()


def test_a_slice_that_is_not_over_is_no_reason_to_wait():
    turns, others = Turns(3600.0), []
    gevent.get_hub().loop.run_callback(others.append, 1)
    for _ in range(3):
        turns.wait()

    assert not others


def test_what_takes_long_is_begun_early_in_a_slice(monkeypatch, log):
    now = [0.0]
    monkeypatch.setattr("realtime_wall.wire.turns.monotonic", lambda: now[0])
    turns = Turns(0.001)
    assert turns.is_now(is_long=True)
    now[0] += 0.0002
    assert turns.is_now(is_long=True)
    now[0] += 0.0001
    assert not turns.is_now(is_long=True)
    assert turns.is_now()

    def wait(name, seconds, is_long):
        turns.wait(is_long)
        log.note(name)
        now[0] += seconds

    waiting = [
        ("long", 0.002, True),  # in the next slice, which is over then
        ("short", 0.0004, False),
        ("long", 0.0, True),  # of this slice too much is over
        ("short", 0.0, False),
    ]
    gevent.joinall([gevent.spawn(wait, *one) for one in waiting], 5, raise_error=True)
    assert log.names == ["long", "short", "long", "short"]
    assert len(log.iterations) == 3


def test_whom_a_timer_has_woken_goes_on_before_those_in_line(stand_in_line, log):
    woken = Event()

    def deliver():
        woken.wait()
        log.note("delivered")

    delivering = gevent.spawn(deliver)
    gevent.sleep(0)
    stand_in_line("before")
    stand_in_line("after")
    now, timer = gevent.get_hub().loop.iteration, gevent.get_hub().loop.timer(0.000_002)
    timer.start(woken.set)  # due after the line's own

    delivering.join(5)
    wait_for(lambda: len(log.names) == 3)
    timer.close()
    assert log.names == ["delivered", "before", "after"]
    assert min(log.iterations) == now + 1


def test_who_stands_in_line_goes_on_in_that_order_a_slice_for_each_iteration(turns, log, stand_in_line):
    for name in "abcd":
        stand_in_line(name)
    assert not turns.is_now()

    wait_for(lambda: len(log.names) == 4)
    assert log.names == list("abcd")
    assert len(log.iterations) == 4
    gevent.sleep(0.001)
    assert turns.is_now()


def test_who_waits_in_a_greenlet_is_woken_once_and_in_order(turns, log, waiting):
    turns.is_now()
    gevent.joinall([waiting(number) for number in range(5)], raise_error=True)

    assert log.names == [0, 1, 2, 3, 4]
    assert len(log.iterations) == 5


@pytest.mark.parametrize(("others_take", "in_an_iteration"), [(0.0, 2), (0.001, 3), (1.0, 5)])
def test_a_slice_is_longer_when_others_had_much_to_do_in_between(
    monkeypatch, log, others_take, in_an_iteration
):
    now, elsewhere = [0.0], [0.0]
    monkeypatch.setattr("realtime_wall.wire.turns.thread_time", lambda: now[0])
    monkeypatch.setattr("realtime_wall.wire.turns.monotonic", lambda: now[0] + elsewhere[0])

    def take(seconds):
        now[0] += seconds
        elsewhere[0] += 1.0  # other processes have the CPU, and count for nothing

    def go_on(name):
        log.note(name)
        now[0] += 0.0007

    turns, others = Turns(0.001), gevent.get_hub().loop.prepare()
    others.start(take, others_take)
    gevent.sleep(0.001)  # from here on, before each slice
    for name in range(3 * in_an_iteration):
        turns.stand_in_line(name, partial(go_on, name))
    wait_for(lambda: len(log.names) == 3 * in_an_iteration)
    others.stop()
    others.close()

    assert len(log.iterations) == 3


def test_greenlets_and_others_stand_in_one_line(turns, log, stand_in_line, waiting):
    turns.is_now()
    stand_in_line("first")
    second = waiting("second")
    gevent.sleep(0)
    stand_in_line("third")

    second.join(5)
    wait_for(lambda: len(log.names) == 3)
    assert log.names == ["first", "second", "third"]
    assert len(log.iterations) == 3


def test_who_comes_again_stands_behind_the_others(log, stand_in_line):
    def greedy():
        stand_in_line("greedy", lambda: log.names.count("greedy") < 3 and greedy())

    greedy()
    for name in ("modest", "shy"):
        stand_in_line(name)

    wait_for(lambda: len(log.names) == 5)
    assert log.names == ["greedy", "modest", "shy", "greedy", "greedy"]


def test_who_leaves_the_line_has_no_turn(turns, log, stand_in_line):
    stand_in_line("gone")
    stand_in_line("stays")
    assert turns.is_in_line("gone")
    turns.leave("gone")
    turns.leave("gone")

    wait_for(lambda: log.names)
    assert log.names == ["stays"]


def test_who_is_woken_by_somebody_else_leaves_the_line(turns, log, waiting, stand_in_line):
    stand_in_line("first")  # so that whoever comes now stands behind it, in whatever iteration that is
    gone, stays = waiting("gone"), waiting("stays")
    gevent.sleep(0)
    assert turns.is_in_line(gone)
    gone.kill()

    stays.join(5)
    assert not turns.is_in_line(gone)
    assert log.names == ["first", "stays"]


def test_one_that_fails_holds_up_nobody(log, stand_in_line, capsys):
    def fail():
        raise RuntimeError("on purpose")

    stand_in_line("fails", fail)
    stand_in_line("next")

    wait_for(lambda: log.names == ["fails", "next"])
    assert "on purpose" in capsys.readouterr().err
