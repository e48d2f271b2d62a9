import asyncio
import sys
import weakref

import gevent
import greenlet
import pytest
from gevent.event import Event

from realtime_wall.server import asyncio_per_greenlet


@pytest.fixture(autouse=True)
def installed():
    asyncio_per_greenlet.install()
    yield
    asyncio_per_greenlet.uninstall()
    assert greenlet.gettrace() is None


def running_loop():
    return asyncio._get_running_loop()


class Waiting:
    """A loop in a greenlet of its own, which waits until it is told to end."""

    def __init__(self, wait=None):
        self.began, self.may_end, self.loops = Event(), asyncio.Event(), []
        self._wait = wait or self.may_end.wait
        self.greenlet = gevent.spawn(asyncio.run, self._run())
        assert self.began.wait(10)

    async def _run(self):
        self.loops.append(asyncio.get_running_loop())
        self.began.set()
        while not self.may_end.is_set():
            await asyncio.sleep(0.001)
        self.loops.append(asyncio.get_running_loop())
        return "done"

    def end(self):
        self.may_end.set()
        return self.greenlet.get(timeout=10)


def test_nobody_else_sees_a_loop_that_runs():
    waiting = Waiting()

    assert running_loop() is None
    gevent.sleep(0.01)
    assert running_loop() is None
    assert waiting.end() == "done"
    assert len(waiting.loops) == 2 and len(set(waiting.loops)) == 1


def test_many_run_at_once_each_in_its_own():
    many = [Waiting() for _ in range(6)]

    assert [one.end() for one in many] == ["done"] * 6
    assert len({one.loops[0] for one in many}) == 6


def test_a_loop_that_waits_does_not_stop_the_others():
    sleeps = [gevent.spawn(asyncio.run, asyncio.sleep(10)) for _ in range(2)]
    gevent.sleep(0.01)

    assert asyncio.run(asyncio.sleep(0, "quick")) == "quick"
    gevent.killall(sleeps)


def test_it_traces_no_switch_while_no_loop_runs():
    assert greenlet.gettrace() is None
    one, other = Waiting(), Waiting()
    assert greenlet.gettrace() is not None
    one.end()
    assert greenlet.gettrace() is not None
    other.end()
    assert greenlet.gettrace() is None


def test_a_loop_that_is_killed_is_no_longer_counted():
    waiting = Waiting()

    waiting.greenlet.kill()

    assert greenlet.gettrace() is None
    assert running_loop() is None


def test_a_task_that_waits_in_gevents_way_leaves_its_loop_behind():
    """In the middle of a step of a task: what a plain blocking call in an async view does."""
    entered, go_on = Event(), Event()

    async def blocking():
        entered.set()
        go_on.wait()
        return asyncio.current_task() is task, asyncio.get_running_loop()

    async def main():
        nonlocal task
        task = asyncio.ensure_future(blocking())
        return await task, asyncio.get_running_loop()

    task = None
    waits = gevent.spawn(asyncio.run, main())
    entered.wait(10)
    assert running_loop() is None
    assert asyncio.run(asyncio.sleep(0, "other")) == "other"
    go_on.set()

    (is_current, inside), outside = waits.get(timeout=10)
    assert is_current
    assert inside is outside


def test_asynchronous_generators_are_known_to_their_own_loop():
    async def generate():
        yield 1

    def hooks_of_a_loop():
        async def main():
            return sys.get_asyncgen_hooks().firstiter.__self__ is asyncio.get_running_loop()

        return asyncio.run(main())

    first, second = Waiting(), Waiting()
    assert sys.get_asyncgen_hooks() == (None, None)
    assert hooks_of_a_loop()
    first.end()
    assert sys.get_asyncgen_hooks() == (None, None)
    second.end()
    assert sys.get_asyncgen_hooks() == (None, None)


def test_a_loop_goes_with_its_greenlet():
    known = []

    async def leave():
        known.append(weakref.ref(asyncio.get_running_loop()))
        main.switch()

    main = greenlet.getcurrent()
    left = greenlet.greenlet(lambda: asyncio.run(leave()))
    left.switch()
    assert running_loop() is None
    assert greenlet.gettrace() is not None

    left.throw()

    assert greenlet.gettrace() is None
    assert known[0]() is None or known[0]().is_closed()


# Who else traces


def test_a_trace_that_is_there_already_goes_on():
    seen = []
    greenlet.settrace(lambda event, args: seen.append(event))
    try:
        asyncio.run(asyncio.sleep(0.001))
        during = len(seen)
        gevent.sleep(0)
        assert during
        assert len(seen) > during
    finally:
        greenlet.settrace(None)


def test_one_that_comes_later_and_calls_the_one_before_it_hurts_nothing():
    waiting = Waiting()
    before = greenlet.gettrace()
    greenlet.settrace(lambda event, args: before(event, args))
    try:
        assert waiting.end() == "done"
        again = Waiting()
        assert running_loop() is None
        assert again.end() == "done"
    finally:
        greenlet.settrace(before)
        asyncio.run(asyncio.sleep(0))


def test_loops_of_other_threads_are_none_of_ours():
    pool = gevent.get_hub().threadpool

    assert pool.spawn(asyncio.run, asyncio.sleep(0, "elsewhere")).get(timeout=10) == "elsewhere"
    assert greenlet.gettrace() is None
