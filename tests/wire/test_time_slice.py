import gevent
import pytest

from realtime_wall.wire.time_slice import TimeSlice


@pytest.fixture
def turns():
    """One for each turn that others have had."""
    turns = []

    def work():
        while True:
            turns.append(1)
            gevent.sleep(0)

    greenlet = gevent.spawn(work)
    # A timer: whoever goes on where greenlets have their turns may have a second one before they have theirs.
    gevent.sleep(0.001)
    turns.clear()
    yield turns
    greenlet.kill()


def test_others_have_a_turn_when_the_time_is_up(turns):
    TimeSlice(3600.0).yield_if_due()
    assert not turns

    TimeSlice(-1.0).yield_if_due()
    assert turns


def test_who_has_just_had_the_event_loop_begins_anew(turns, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("realtime_wall.wire.time_slice.monotonic", lambda: now[0])
    time_slice = TimeSlice(5.0)
    now[0] = 6.0
    time_slice.restart()

    time_slice.yield_if_due()
    assert not turns

    now[0] = 12.0
    time_slice.yield_if_due()
    assert turns
