import gevent
import pytest
from gevent import monkey

from realtime_wall.node.threadpool import run_in_threadpool

native_lock = monkey.get_original("threading", "Lock")


def test_others_have_their_turn_while_it_waits():
    lock = native_lock()
    lock.acquire()

    def wait():
        with lock:
            return "done"

    waiting = gevent.spawn(run_in_threadpool, wait)
    gevent.sleep(0.01)
    lock.release()  # which nobody could, were the event loop held up

    assert waiting.get(timeout=10) == "done"


def test_what_it_raises_is_raised_and_gevent_prints_nothing(capsys):
    with pytest.raises(ZeroDivisionError):
        run_in_threadpool(lambda: 1 / 0)

    assert capsys.readouterr().err == ""
