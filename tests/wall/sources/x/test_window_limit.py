from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.wall.sources.x.window_limit import WindowLimit


def test_some_may_be_close_together_then_they_are_spread():
    limit, now, gaps = WindowLimit(most=12, burst=4, window=80.0), 5.0, []
    for _ in range(8):
        gaps.append(limit.allowed_in(now))
        now += gaps[-1]
        limit.count(now)

    assert gaps == [0, 0, 0, 0, 10, 10, 10, 10]
    assert limit.allowed_in(now + 1000) == 0


@given(st.data(), st.integers(2, 12))
def test_no_window_ever_sees_more(data, most):
    burst = data.draw(st.integers(1, most - 1))
    limit, now, made = WindowLimit(most, burst, window=60.0), 0.0, []
    for pause in data.draw(st.lists(st.floats(0, 30), min_size=most + 1, max_size=60)):
        now += max(pause, limit.allowed_in(now))
        limit.count(now)
        made.append(now)

    for index, later in enumerate(made[most:]):
        assert later - made[index] >= 60.0 - 1e-6
