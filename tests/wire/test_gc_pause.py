import gc

import gevent
import pytest
from gevent.event import Event

from realtime_wall.wire import gc_pause
from tests.live import wait_for


@pytest.fixture(autouse=True)
def back_at_work():
    wait_for(gc.isenabled, "the end of a rest that a test before has begun")
    yield
    wait_for(gc.isenabled, "the garbage collector")


def test_the_collector_rests_while_a_message_is_read_and_until_its_receivers_have_run(monkeypatch):
    monkeypatch.setattr(gc_pause, "REST", 0.001)
    with gc_pause.reading():
        gevent.sleep(0.01)
        assert not gc.isenabled()
    assert not gc.isenabled()

    wait_for(gc.isenabled, "the garbage collector")


def test_messages_are_read_one_after_the_other():
    steps, go = [], [Event(), Event()]

    def read(number):
        with gc_pause.reading():
            steps.append(f"{number} begins")
            go[number].wait()
            steps.append(f"{number} ends")

    reading = [gevent.spawn(read, number) for number in range(2)]
    go[1].set()
    gevent.sleep(0)
    assert steps == ["0 begins"]
    go[0].set()

    gevent.joinall(reading, 10, raise_error=True)
    assert steps == ["0 begins", "0 ends", "1 begins", "1 ends"]


def test_one_that_fails_holds_up_nobody():
    with pytest.raises(ValueError, match="no JSON"), gc_pause.reading():
        raise ValueError("no JSON")

    with gc_pause.reading():
        assert not gc.isenabled()


def test_a_stream_of_large_messages_cannot_put_it_off(monkeypatch):
    monkeypatch.setattr(gc_pause, "LONGEST", -1.0)
    worked = []
    with gc_pause.reading():
        gevent.get_hub().loop.run_callback(lambda: worked.append(gc.isenabled()))
    gc_pause._works.rawlink(lambda _: worked.append(gc.isenabled()))

    with gc_pause.reading():
        assert worked == [False, True]
        assert not gc.isenabled()


def test_somebody_who_turned_it_off_is_obeyed():
    gc.disable()
    try:
        with gc_pause.reading():
            pass
        assert gc_pause._timer is None
    finally:
        gc.enable()
