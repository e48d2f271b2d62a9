"""When a worker that died is started again."""

from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.server.workers.restart_backoff import CALM, FIRST, MOST, RestartBackoff

no_jitter = {"jitter": lambda low, high: 1.0}


def test_the_first_death_is_answered_at_once():
    assert RestartBackoff().died(served=0) == 0


def test_the_next_ones_are_waited_for_longer_and_longer():
    restarts = RestartBackoff(**no_jitter)

    assert [restarts.died(served=0) for _ in range(8)] == [0, 1, 2, 4, 8, 16, 30, 30]


def test_after_some_calm_a_death_is_the_first_one_again():
    restarts = RestartBackoff(**no_jitter)
    for _ in range(5):
        restarts.died(served=0)

    assert restarts.died(served=CALM) == 0
    assert restarts.died(served=CALM / 2) == 1


def test_workers_that_died_together_are_not_started_together():
    many = [RestartBackoff() for _ in range(20)]
    waits = [[one.died(0) for _ in range(3)][-1] for one in many]

    assert len(set(waits)) > 10


@given(st.lists(st.floats(0, 100), max_size=30))
def test_a_wait_is_none_or_within_its_bounds(lives):
    restarts = RestartBackoff()

    for served in lives:
        wait = restarts.died(served)
        assert wait == 0 or FIRST <= wait <= MOST
