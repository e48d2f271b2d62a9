"""How the clients of a stopping server are told to come back: a few at once, many in a spread."""

import math
import time

import pytest
from gevent.event import Event

from realtime_wall.server import drain


def tell(count, seconds=5.0, hurry=None, among=1):
    """The moments at which so many were told, from the beginning of it."""
    begun, moments = time.monotonic(), []
    disconnects = [lambda: moments.append(time.monotonic() - begun)] * count
    drain.stagger(disconnects, seconds, hurry or Event(), among)
    return moments


def test_a_few_are_told_at_once():
    assert tell(int(drain.RATE * drain.TICK))[-1] < drain.TICK


@pytest.mark.parametrize("count", [0, 1, 51, 1000])
def test_all_are_told(count):
    assert len(tell(count)) == count


@pytest.mark.parametrize("among", [1, 4])
def test_many_are_told_no_faster_than_another_server_takes_them_in(among):
    moments = tell(1500 // among, among=among)

    batch = math.ceil(drain.RATE / among * drain.TICK)
    for number, moment in enumerate(moments):
        # One batch is out before its time has passed.
        assert number < batch * ((moment + 0.005) / drain.TICK + 1)


def test_as_many_as_the_time_to_drain_has_room_for_are_told_within_it():
    moments = tell(3000, seconds=0.5)

    assert moments[-1] < 0.5
    assert moments[-1] > 0.2  # and not all at its beginning


def test_in_a_hurry_all_are_told_at_once():
    hurry = Event()
    hurry.set()

    assert tell(5000, hurry=hurry)[-1] < 0.5


def test_without_time_to_drain_all_are_told_at_once():
    assert tell(5000, seconds=0.0)[-1] < 0.5
