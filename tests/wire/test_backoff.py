from realtime_wall.wire.backoff import Backoff


def test_each_wait_is_twice_the_one_before_up_to_the_longest():
    backoff = Backoff(0.5, 3.0)

    assert [backoff.failed() for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert backoff.failures == 5


def test_after_a_success_it_begins_anew():
    backoff = Backoff(0.5, 3.0)
    backoff.failed(), backoff.failed()
    backoff.succeeded()

    assert backoff.failures == 0
    assert backoff.failed() == 0.5


def test_waits_may_grow_otherwise():
    backoff = Backoff(0.0, 16.0, grow=lambda wait: wait + 0.25)

    assert [backoff.failed() for _ in range(3)] == [0.0, 0.25, 0.5]


def test_jitter_spreads_the_waits_and_not_what_they_grow_to():
    backoff = Backoff(1.0, 4.0, jitter=(0.5, 1.0), draw=lambda low, high: low)

    assert [backoff.failed() for _ in range(4)] == [0.5, 1.0, 2.0, 2.0]
    assert len({Backoff(1.0, 4.0, jitter=(0.5, 1.0)).failed() for _ in range(100)}) > 50
