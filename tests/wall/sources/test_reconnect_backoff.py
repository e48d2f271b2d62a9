import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.wall.sources.reconnect_backoff import ReconnectBackoff


@pytest.fixture
def backoff():
    return ReconnectBackoff(jitter=lambda: 0.0)


def waits(act, count):
    """The waits of acts that are a day apart, so that the limit of dials plays no part."""
    return [act(now=86_400.0 * day) for day in range(count)]


def test_a_lost_connection_is_dialled_at_once_then_a_quarter_second_later_each_time(backoff):
    found = waits(backoff.lost, 70)

    assert found[:5] == [0, 0.25, 0.5, 0.75, 1.0]
    assert found[63:] == [15.75, 16, 16, 16, 16, 16, 16]


def test_an_http_error_doubles_up_to_320_seconds(backoff):
    assert waits(lambda now: backoff.refused(503, now), 9) == [5, 10, 20, 40, 80, 160, 320, 320, 320]


@pytest.mark.parametrize("status", [420, 429])
def test_too_many_requests_double_from_a_minute_to_a_quarter_of_an_hour(backoff, status):
    assert waits(lambda now: backoff.refused(status, now), 6) == [60, 120, 240, 480, 900, 900]


def test_the_end_of_the_rate_limit_is_waited_for(backoff):
    assert backoff.refused(429, now=0, reset_in=500) == 500
    assert backoff.refused(429, now=9e4, reset_in=5) == 120
    assert backoff.refused(429, now=9e5, reset_in=-100) == 240
    assert backoff.refused(429, now=9e6, reset_in=1e9) == 900


def test_another_kind_of_error_has_its_own_row(backoff):
    assert [backoff.refused(503, 0), backoff.refused(429, 0), backoff.lost(0), backoff.lost(0)] == [
        5,
        60,
        0,
        0.25,
    ]
    assert backoff.refused(500, 0) == 10


def test_a_useful_connection_takes_all_rows_back_to_their_beginning(backoff):
    for _ in range(3):
        backoff.lost(0), backoff.refused(503, 0), backoff.refused(429, 0)
    backoff.succeeded()

    assert [backoff.lost(0), backoff.refused(503, 0), backoff.refused(429, 0)] == [0, 5, 60]


def test_jitter_only_ever_adds(backoff):
    late = ReconnectBackoff(jitter=lambda: 1.0)

    assert late.refused(503, now=0) == pytest.approx(5.5)
    assert all(5 <= ReconnectBackoff().refused(503, now=0) <= 5.5 for _ in range(100))
    assert len({ReconnectBackoff().refused(503, now=0) for _ in range(100)}) > 50


def test_ten_dials_may_be_close_together_then_they_are_spread(backoff):
    now, gaps = 0.0, []
    for _ in range(14):
        backoff.dialled(now)
        backoff.succeeded()
        gaps.append(backoff.lost(now))
        now += gaps[-1]

    assert gaps[:9] == [0] * 9
    assert gaps[9:] == pytest.approx([22.5] * 5)


@given(
    st.lists(st.sampled_from(["lost", "useful", "503", "429"]), min_size=60, max_size=200), st.floats(0, 3)
)
def test_no_quarter_of_an_hour_ever_sees_a_51st_dial(endings, lasted):
    backoff, now, dials = ReconnectBackoff(), 0.0, []
    for ending in endings:
        backoff.dialled(now)
        dials.append(now)
        now += lasted
        if ending == "useful":
            backoff.succeeded()
        now += backoff.refused(int(ending), now) if ending.isdecimal() else backoff.lost(now)

    for index, dial in enumerate(dials[50:]):
        assert dial - dials[index] > 900
