import gc

import pytest

from realtime_wall.wire import collector
from tests.live import wait_for


@pytest.fixture(autouse=True)
def back_at_work():
    assert gc.isenabled()
    yield
    wait_for(gc.isenabled, "the garbage collector")


def test_the_collector_rests_and_goes_on():
    collector.rest()
    rested = not gc.isenabled()

    wait_for(gc.isenabled, "the garbage collector")

    assert rested


def test_a_stream_of_large_messages_cannot_put_it_off():
    collector.rest()
    first = collector._timer

    collector.rest()

    assert collector._timer is first


def test_somebody_who_turned_it_off_is_obeyed():
    gc.disable()
    try:
        collector.rest()
        assert collector._timer is None
    finally:
        gc.enable()
