import gc

import pytest

from realtime_wall.wire import gc_pause
from tests.live import wait_for


@pytest.fixture(autouse=True)
def back_at_work():
    assert gc.isenabled()
    yield
    wait_for(gc.isenabled, "the garbage collector")


def test_the_collector_rests_and_goes_on():
    gc_pause.rest()
    rested = not gc.isenabled()

    wait_for(gc.isenabled, "the garbage collector")

    assert rested


def test_a_stream_of_large_messages_cannot_put_it_off():
    gc_pause.rest()
    first = gc_pause._timer

    gc_pause.rest()

    assert gc_pause._timer is first


def test_somebody_who_turned_it_off_is_obeyed():
    gc.disable()
    try:
        gc_pause.rest()
        assert gc_pause._timer is None
    finally:
        gc.enable()
