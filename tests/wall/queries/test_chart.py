from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.wall.queries.chart import HIGH, MOST_BARS, draw

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def at(*minutes):
    return {NOON + timedelta(minutes=minute): 1 for minute in minutes}


@given(
    st.dictionaries(st.integers(-6_000_000, 2_000_000), st.integers(1, 10**6), min_size=1, max_size=60),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"]),
)
def test_every_post_is_in_one_bar_and_every_bar_in_the_drawing(counts, zone):
    minutes = {NOON + timedelta(minutes=minute): number for minute, number in sorted(counts.items())}

    chart = draw(minutes, ZoneInfo(zone))

    assert sum(bar.count for bar in chart.bars) == sum(counts.values())
    assert 1 <= len(chart.bars) <= MOST_BARS
    assert chart.bars[0].count and chart.bars[-1].count
    assert [bar.is_peak for bar in chart.bars].count(True) == 1
    for bar in chart.bars:
        assert 0 <= bar.x <= bar.x + bar.width <= chart.wide
        assert 0 <= bar.y <= HIGH and abs(bar.y + bar.height - HIGH) < 0.01
    assert chart.peak.count == max(bar.count for bar in chart.bars) <= chart.top == 2 * chart.half


def test_an_hour_is_shown_by_the_minute_and_a_day_by_the_quarter():
    assert draw(at(0, 59), UTC).minutes == 1
    assert draw(at(0, 24 * 60 - 1), UTC).minutes == 30
    assert draw(at(0, 12 * 60), UTC).minutes == 10
    assert draw(at(0, 3 * 1440), UTC).minutes == 60


def test_bars_begin_on_the_readers_clock():
    chart = draw({NOON.replace(minute=7): 1, NOON + timedelta(days=2): 1}, ZoneInfo("Asia/Kathmandu"))

    assert chart.minutes == 60
    assert f"{chart.bars[0].begins:%H:%M}" == "17:00"


def test_a_silence_is_bars_of_nothing():
    assert [bar.count for bar in draw(at(0, 3), UTC).bars] == [1, 0, 0, 1]


def test_there_are_two_to_five_labels_the_first_and_last_at_the_edges():
    for last in (0, 1, 2, 5, 30, 95, 500, 5000):
        chart = draw(at(0, last), UTC)
        width = timedelta(minutes=chart.minutes)

        assert 2 <= len(chart.labels) <= 5
        assert chart.labels[0] == chart.bars[0].begins
        assert chart.labels[-1] == chart.bars[-1].begins + width


def test_of_no_posts_there_is_an_empty_drawing():
    assert draw({}, UTC).bars == ()
    assert draw({}, UTC).peak is None


def test_the_upper_edge_is_a_round_number_not_far_above_the_peak():
    tops = {count: draw({NOON: count}, UTC).top for count in (1, 3, 8, 9, 11, 41, 101, 900)}

    assert tops == {1: 2, 3: 4, 8: 8, 9: 10, 11: 12, 41: 50, 101: 120, 900: 1000}
