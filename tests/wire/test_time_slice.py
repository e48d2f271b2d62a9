import gevent
import pytest

from realtime_wall.wire.time_slice import SharedTimeSlice, TimeSlice


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


def test_a_shared_slice_is_one_for_all_until_the_event_loop_has_had_its_turn(turns):
    time_slice = SharedTimeSlice(-1.0)
    assert [time_slice.is_over() for _ in range(3)] == [False, True, True]
    assert not turns

    time_slice.yield_if_over()
    assert turns
    assert time_slice.is_over()


def test_a_shared_slice_that_is_not_over_is_no_reason_to_wait(turns):
    time_slice = SharedTimeSlice(3600.0)
    for _ in range(3):
        time_slice.yield_if_over()

    assert not turns


def test_who_comes_when_a_shared_slice_is_over_is_woken_once_and_in_order():
    woken = []
    time_slice = SharedTimeSlice(-1.0)

    def work(number):
        time_slice.yield_if_over()
        woken.append((number, gevent.get_hub().loop.iteration))

    time_slice.is_over()
    gevent.joinall([gevent.spawn(work, number) for number in range(5)], raise_error=True)

    assert [number for number, _ in woken] == [0, 1, 2, 3, 4]
    assert len({iteration for _, iteration in woken}) == 5


def test_who_is_woken_by_somebody_else_leaves_the_line():
    time_slice = SharedTimeSlice(-1.0)
    time_slice.is_over()
    gone = gevent.spawn(time_slice.yield_if_over)
    stays = gevent.spawn(time_slice.yield_if_over)
    gevent.idle()
    gone.kill()

    stays.join(5)
    assert stays.successful()
    assert not time_slice._line
