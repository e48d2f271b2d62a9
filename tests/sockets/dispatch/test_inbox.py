from contextvars import ContextVar

import gevent
import pytest
from gevent.event import Event

from realtime_wall.sockets.dispatch import inbox as inbox_module
from realtime_wall.sockets.dispatch.inbox import Inbox, Pool
from realtime_wall.wire.connection import Wire
from realtime_wall.wire.turns import Turns
from tests.live import wait_for


class FakeSource:
    def __init__(self):
        self.told = []

    def pause(self):
        self.told.append("pause")

    def resume(self):
        self.told.append("resume")


class Desk:
    """A pool with inboxes, and jobs that wait until they are let go."""

    def __init__(self, size=100, inbox_size=64):
        self.pool = Pool(size, inbox_size)
        self.ran = []
        self.running = 0
        self.most = 0

    def inbox(self):
        source = FakeSource()
        return Inbox(self.pool, source), source

    def note(self, what):
        return lambda: self.ran.append(what)

    def waiting(self, what, event):
        def job():
            self.running += 1
            self.most = max(self.most, self.running)
            event.wait(10)
            self.running -= 1
            self.ran.append(what)

        return job

    def finish(self):
        assert self.pool.wait_until_idle(10)


def test_jobs_of_one_socket_run_one_after_the_other_in_order():
    desk, go = Desk(), Event()
    inbox, _ = desk.inbox()
    for number in range(5):
        inbox.put(desk.waiting(number, go))
    wait_for(lambda: desk.running)
    gevent.spawn_later(0, go.set)

    desk.finish()

    assert desk.ran == [0, 1, 2, 3, 4]
    assert desk.most == 1


def test_jobs_of_different_sockets_run_side_by_side_up_to_the_size_of_the_pool():
    desk, go = Desk(size=3), Event()
    for number in range(7):
        desk.inbox()[0].put(desk.waiting(number, go))
    wait_for(lambda: desk.running == 3)
    assert desk.pool.busy == 3

    go.set()
    desk.finish()

    assert desk.most == 3
    assert sorted(desk.ran) == list(range(7))
    assert desk.pool.busy == 0


def test_a_socket_that_waits_holds_up_no_other():
    desk, go = Desk(), Event()
    desk.inbox()[0].put(desk.waiting("slow", go))
    desk.inbox()[0].put(desk.note("quick"))

    wait_for(lambda: desk.ran == ["quick"])

    go.set()
    desk.finish()


def test_a_socket_with_much_to_do_leaves_its_slot_to_others_in_between():
    desk = Desk(size=1)
    busy, other = desk.inbox()[0], desk.inbox()[0]
    for number in range(3):
        busy.put(desk.note(number))
    other.put(desk.note("other"))

    desk.finish()

    assert desk.ran == [0, "other", 1, 2]


@pytest.mark.parametrize("sockets", [1, 10])
def test_jobs_that_never_wait_give_the_event_loop_its_turns(sockets, monkeypatch):
    desk = Desk()
    monkeypatch.setattr(Wire, "turns", Turns(-1.0))
    inboxes = [desk.inbox()[0] for _ in range(sockets)]
    for number in range(100):
        inboxes[number % sockets].put(desk.note(number))

    gevent.sleep(0)
    gevent.sleep(0)

    assert len(desk.ran) <= 3  # one for each turn of the loop, however many greenlets there are
    desk.finish()
    assert desk.ran == list(range(100))


def test_a_full_inbox_stops_its_source_and_half_a_full_one_starts_it_again():
    desk = Desk(inbox_size=4)
    inbox, source = desk.inbox()
    steps = [Event() for _ in range(6)]
    for number in range(4):
        inbox.put(desk.waiting(number, steps[number]))
    assert (source.told, inbox.paused) == (["pause"], True)
    inbox.put(desk.waiting(4, steps[4]))  # was read already when the source was told
    assert source.told == ["pause"]

    for number in range(2):
        steps[number].set()
        wait_for(lambda number=number: len(desk.ran) == number + 1)
    assert (source.told, inbox.paused) == (["pause"], True)
    steps[2].set()
    wait_for(lambda: source.told == ["pause", "resume"])
    assert not inbox.paused

    for step in steps:
        step.set()
    desk.finish()
    assert desk.ran == [0, 1, 2, 3, 4]


def test_an_inbox_can_fill_up_again():
    desk = Desk(inbox_size=2)
    inbox, source = desk.inbox()
    for _ in range(2):
        for number in range(3):
            inbox.put(desk.note(number))
        desk.finish()

    assert source.told == ["pause", "resume", "pause", "resume"]


@pytest.mark.parametrize("failure", [ValueError, SystemExit, gevent.GreenletExit, gevent.Timeout])
def test_a_job_that_raises_ends_neither_its_socket_nor_the_pool(failure, caplog):
    def fail():
        raise failure

    desk = Desk(size=1)
    inbox, other = desk.inbox()[0], desk.inbox()[0]
    inbox.put(fail)
    inbox.put(desk.note("after"))
    other.put(desk.note("other"))

    desk.finish()

    assert sorted(desk.ran) == ["after", "other"]
    assert "a socket's job failed" in caplog.text


def test_the_database_is_given_back_after_each_job(monkeypatch):
    desk = Desk()
    monkeypatch.setattr(inbox_module, "release_database", desk.note("released"))
    inbox, _ = desk.inbox()
    inbox.put(desk.note("one"))
    inbox.put(desk.note("two"))

    desk.finish()

    assert desk.ran == ["one", "released", "two", "released"]


def test_a_database_that_cannot_be_closed_stops_nobody(monkeypatch, caplog):
    def fail():
        raise OSError("the database is gone")

    monkeypatch.setattr(inbox_module, "release_database", fail)
    desk = Desk()
    inbox, _ = desk.inbox()
    inbox.put(desk.note("one"))
    inbox.put(desk.note("two"))

    desk.finish()

    assert desk.ran == ["one", "two"]
    assert "the database is gone" in caplog.text


def test_an_idle_inbox_keeps_nothing():
    desk = Desk()
    inbox, _ = desk.inbox()
    inbox.put(desk.note("one"))
    desk.finish()

    assert inbox.jobs is None


# A greenlet that is lent to the pool


def test_who_lends_itself_runs_what_got_ready_meanwhile():
    desk, here = Desk(), gevent.getcurrent()
    inbox, _ = desk.inbox()
    with desk.pool.lend():
        inbox.put(lambda: desk.ran.append(gevent.getcurrent() is here))
        assert desk.ran == []

    assert desk.ran == [True]
    assert desk.pool.busy == 0


def test_after_a_loan_the_pool_has_its_own_greenlets_again():
    desk, here = Desk(), gevent.getcurrent()
    inbox, _ = desk.inbox()
    with desk.pool.lend():
        pass
    inbox.put(lambda: desk.ran.append(gevent.getcurrent() is here))
    desk.finish()

    assert desk.ran == [False]


def test_a_loan_makes_the_pool_no_bigger():
    desk, go = Desk(size=1), Event()
    desk.inbox()[0].put(desk.waiting("first", go))
    wait_for(lambda: desk.running)

    with desk.pool.lend():
        desk.inbox()[0].put(desk.note("second"))
    assert desk.ran == []

    go.set()
    desk.finish()
    assert desk.ran == ["first", "second"]


def test_what_gets_ready_while_the_last_place_is_lent_is_run_afterwards():
    desk = Desk(size=1)
    other, _ = desk.inbox()
    with desk.pool.lend():
        desk.inbox()[0].put(lambda: other.put(desk.note("later")))
    assert desk.ran == []

    wait_for(lambda: desk.ran == ["later"])


def test_waiting_for_a_pool_ends_in_time():
    desk, go = Desk(), Event()
    desk.inbox()[0].put(desk.waiting("slow", go))

    assert not desk.pool.wait_until_idle(0.01)

    go.set()
    assert desk.pool.wait_until_idle(10)


# The greenlets


def here(desk):
    return lambda: desk.ran.append(gevent.getcurrent())


def run(desk, job):
    desk.inbox()[0].put(job)
    desk.finish()


def test_a_greenlet_is_used_again_by_another_socket():
    desk = Desk()
    for _ in range(3):
        run(desk, here(desk))

    assert len(set(desk.ran)) == 1
    assert desk.pool.busy == 0


def test_jobs_that_get_ready_together_share_a_greenlet():
    desk, ran_in = Desk(), []
    for _ in range(5):
        desk.inbox()[0].put(lambda: ran_in.append(gevent.getcurrent()))
    assert desk.pool.busy == 1

    desk.finish()

    assert len(ran_in) == 5
    assert len(set(ran_in)) == 1


def test_one_whose_job_has_waited_is_not():
    desk = Desk()

    def wait():
        desk.ran.append(gevent.getcurrent())
        gevent.sleep(0.001)

    run(desk, wait)
    run(desk, here(desk))

    assert len(set(desk.ran)) == 2


def test_only_a_few_rest(monkeypatch):
    monkeypatch.setattr(inbox_module, "RESTING", 1)
    desk = Desk()
    for number in range(5):
        desk.inbox()[0].put(desk.note(number))
    desk.finish()

    assert len(desk.pool._resting) == 1


@pytest.mark.parametrize("chosen", [False, True])
def test_a_stray_exception_in_one_that_rests_loses_no_job(chosen, caplog):
    desk = Desk()
    run(desk, here(desk))
    (resting,) = desk.ran

    gevent.kill(resting, ValueError("left behind"))
    if not chosen:
        wait_for(lambda: resting.dead, "its end")
    desk.inbox()[0].put(here(desk))
    desk.finish()

    assert len(desk.ran) == 2
    assert desk.pool.busy == 0
    run(desk, here(desk))
    assert len(desk.ran) == 3


def test_what_a_job_activates_is_nobody_elses():
    language = ContextVar("language", default="en")
    desk = Desk()

    run(desk, lambda: language.set("de"))
    run(desk, lambda: desk.ran.append(language.get()))

    assert desk.ran == ["en"]


def test_a_pool_that_is_closed_lets_them_go():
    desk = Desk()
    run(desk, here(desk))
    (resting,) = desk.ran

    desk.pool.close()

    wait_for(lambda: resting.dead, "its end")
    assert desk.pool.busy == 0
