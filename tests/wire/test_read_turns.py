import gevent
import pytest

from realtime_wall.wire.read_turns import ReadTurns
from realtime_wall.wire.time_slice import SharedTimeSlice
from tests.live import wait_for


@pytest.fixture
def turns():
    """Turns in whose slice of an iteration one reader has room."""
    turns = ReadTurns()
    turns._time_slice = SharedTimeSlice(-1.0)
    return turns


class Log:
    """Who was read from, and in which iterations."""

    def __init__(self):
        self.names = []
        self.iterations = set()

    def reader(self, name, then=lambda: None):
        class Reader:
            def read(_):  # noqa: N805
                self.names.append(name)
                self.iterations.add(gevent.get_hub().loop.iteration)
                then()

        return Reader()


def test_who_comes_when_the_slice_is_over_waits_for_the_next(turns):
    assert turns.is_now()
    assert not turns.is_now()


def test_who_stands_in_line_is_read_from_in_that_order_a_slice_for_each_iteration(turns):
    log = Log()
    for name in "abcd":
        turns.stand_in_line(log.reader(name))
    assert not turns.is_now()

    wait_for(lambda: len(log.names) == 4)
    assert log.names == list("abcd")
    assert len(log.iterations) == 4
    gevent.sleep(0.001)
    assert turns.is_now()


def test_who_comes_again_stands_behind_the_others(turns):
    log = Log()
    greedy = log.reader("greedy", lambda: log.names.count("greedy") < 3 and turns.stand_in_line(greedy))
    for one in (greedy, log.reader("modest"), log.reader("shy")):
        turns.stand_in_line(one)

    wait_for(lambda: len(log.names) == 5)
    assert log.names == ["greedy", "modest", "shy", "greedy", "greedy"]


def test_who_leaves_the_line_is_not_read_from(turns):
    log = Log()
    gone, stays = log.reader("gone"), log.reader("stays")
    turns.stand_in_line(gone)
    turns.stand_in_line(stays)
    assert turns.is_in_line(gone)
    turns.leave(gone)
    turns.leave(gone)

    wait_for(lambda: log.names)
    assert log.names == ["stays"]


def test_one_that_fails_holds_up_nobody(turns, capsys):
    log = Log()

    def fail():
        raise RuntimeError("on purpose")

    turns.stand_in_line(log.reader("fails", fail))
    turns.stand_in_line(log.reader("next"))

    wait_for(lambda: log.names == ["fails", "next"])
    assert "on purpose" in capsys.readouterr().err
