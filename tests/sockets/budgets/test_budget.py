import pytest

from realtime_wall.config import from_mapping
from realtime_wall.protocol.rate_limit import Rate
from realtime_wall.sockets.budgets.budget import (
    BYTES,
    EVENTS,
    FRAMES,
    SECONDS,
    SUBSCRIBES,
    Budget,
    batch_of,
    batches_of_events,
    event_named,
    event_rate_problem,
    rates_of,
)

LIMITS = {"FRAME_RATE": 10, "FRAME_BURST": 20, "EVENT_RATE": 5, "EVENT_RATES": {"typing": 1, "bad": "x"}}


def of(**settings):
    return rates_of(from_mapping(LIMITS | settings))


def burst(rate):
    return round(rate.tolerance / rate.price, 6)


def test_a_batch_is_a_small_part_of_what_may_come_at_once():
    assert batch_of(rates_of(from_mapping({}))) == 62  # of a thousand events
    assert batch_of(of()) == 16  # 20 frames: to settle more often would cost as much as they do
    assert batch_of(of(FRAME_BURST=10_000, EVENT_RATE=1e6, EVENT_RATES={})) == 64
    assert batch_of({}) == 64


def test_a_rare_event_is_counted_by_itself():
    rates = of(FRAME_BURST=10_000, EVENT_RATE=1e6, EVENT_RATES={"typing": 50, "report": 0.1, "bad": "x"})

    assert batch_of(rates) == 64
    assert batches_of_events(["typing", "report", "bad"], rates) == {
        "typing": (event_named("typing"), 31),
        "report": (event_named("report"), 16),
    }


def test_each_setting_is_a_rate_and_what_has_no_burst_has_ten_seconds_worth():
    rates = of()

    assert {FRAMES, BYTES, EVENTS, SUBSCRIBES, SECONDS, event_named("typing")} == set(rates)
    assert (1 / rates[FRAMES].price, burst(rates[FRAMES])) == (10, 20)
    assert (1 / rates[EVENTS].price, burst(rates[EVENTS])) == (5, 50)
    assert (1 / rates[event_named("typing")].price, burst(rates[event_named("typing")])) == (1, 10)


def test_several_connections_together_may_so_many_times_as_much():
    rates = rates_of(from_mapping(LIMITS), 3)

    assert (1 / rates[FRAMES].price, burst(rates[FRAMES])) == (pytest.approx(30), 60)


def test_no_rate_is_no_limit():
    assert FRAMES not in of(FRAME_RATE=0)


@pytest.mark.parametrize("bad", ["5", None, True, 0, -1, float("nan"), float("inf"), [1, 2]])
def test_a_rate_of_an_event_is_a_number_of_events(bad):
    assert event_rate_problem(bad) is not None
    assert event_rate_problem(0.5) is None


def test_all_that_is_spent_is_paid_by_its_own_bucket_and_the_longest_wait_counts():
    budget = Budget({"a": Rate(1, 10), "b": Rate(1, 20)})

    assert budget.take({"a": 10, "b": 20, "without a limit": 1000}, 100.0) == 0
    assert budget.take({"a": 1, "b": 3}, 100.0) == 3
    assert budget.debt(100.0) == 3
    assert (budget.debt(100.0, "a"), budget.debt(100.0, "never spent")) == (1, 0)
    assert [budget.owed(now) for now in (100.0, 102.0, 103.0)] == ["a", "b", None]


def test_a_budget_is_full_again_when_it_has_been_left_alone_for_long_enough():
    budget = Budget({"a": Rate(1, 10)})
    assert budget.is_full(0.0)
    budget.take({"a": 5}, 100.0)

    assert [budget.is_full(now) for now in (100.0, 104.0, 105.0)] == [False, False, True]


def test_what_is_overdrawn_for_too_long_is_named():
    budget = Budget({"a": Rate(1, 10), "b": Rate(1, 10)})
    budget.take({"a": 9, "b": 15}, 100.0)
    assert budget.exhausted(100.0, 30.0) is None

    budget.take({"b": 6}, 100.0)
    assert budget.exhausted(100.0, 30.0) == "b"
