import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.transports.engineio.heartbeat import Beat, EngineHeartbeat

INTERVAL, TIMEOUT = 25.0, 20.0


@pytest.fixture
def heartbeat():
    return EngineHeartbeat(INTERVAL)


def test_it_waits_pings_once_and_gives_up(heartbeat):
    beats = [heartbeat.beat(now, TIMEOUT, False) for now in (24.9, 25.0, 25.1, 44.9, 45.0)]

    assert beats == [Beat.WAIT, Beat.PING, Beat.WAIT, Beat.WAIT, Beat.TIMED_OUT]


def test_a_pong_begins_it_anew(heartbeat):
    heartbeat.beat(25.0, TIMEOUT, False)
    heartbeat.ponged(INTERVAL)

    assert heartbeat.beat(49.9, TIMEOUT, False) is Beat.WAIT
    assert heartbeat.beat(50.0, TIMEOUT, False) is Beat.PING


@pytest.mark.threat("S10")
def test_a_pong_that_nobody_asked_for_changes_nothing(heartbeat):
    heartbeat.ponged(INTERVAL)

    assert heartbeat.beat(25.0, TIMEOUT, False) is Beat.PING


def test_a_client_that_is_not_read_from_has_its_time_afterwards(heartbeat):
    heartbeat.beat(25.0, TIMEOUT, False)

    assert heartbeat.beat(100.0, TIMEOUT, True) is Beat.WAIT
    assert heartbeat.beat(119.9, TIMEOUT, False) is Beat.WAIT
    assert heartbeat.beat(120.0, TIMEOUT, False) is Beat.TIMED_OUT


def test_it_is_missed_to_the_moment_even_if_nobody_looked(heartbeat):
    assert not heartbeat.is_missed(44.9, TIMEOUT)
    assert heartbeat.is_missed(45.0, TIMEOUT)


@given(st.lists(st.tuples(st.floats(0, 60), st.booleans(), st.booleans()), max_size=20))
def test_who_looks_when_it_says_misses_nothing(steps):
    heartbeat, now = EngineHeartbeat(INTERVAL), 0.0
    for passes, is_busy, pongs in steps:
        now += min(passes, heartbeat.seconds_left(now, TIMEOUT))
        beat = heartbeat.beat(now, TIMEOUT, is_busy)
        if beat is Beat.TIMED_OUT:
            assert heartbeat.is_missed(now, TIMEOUT)
            return
        assert heartbeat.seconds_left(now, TIMEOUT) > 0
        if pongs:
            heartbeat.ponged(INTERVAL)
