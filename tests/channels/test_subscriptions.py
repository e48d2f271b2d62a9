import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.channels.subscriptions import Subscriptions


@pytest.fixture
def subscriptions():
    return Subscriptions()


def test_a_channel_nobody_is_on_is_empty(subscriptions):
    assert subscriptions.snapshot("a") == ()
    assert subscriptions.count("a") == 0
    assert list(subscriptions.channels()) == []


def test_subscribers_are_kept_in_the_order_in_which_they_came(subscriptions):
    for name in ("ada", "bo", "cy", "di"):
        subscriptions.add("a", name)
    subscriptions.remove("a", "bo")
    subscriptions.add("a", "bo")

    assert subscriptions.snapshot("a") == ("ada", "cy", "di", "bo")
    assert subscriptions.count("a") == 4


def test_the_same_snapshot_is_given_while_nothing_changes(subscriptions):
    for others in range(4):
        subscriptions.add("a", others)
        before = subscriptions.snapshot("a")

        subscriptions.add("b", others)
        subscriptions.add("a", others)
        subscriptions.remove("a", "a stranger")

        assert subscriptions.snapshot("a") is before


def test_a_snapshot_is_not_changed_by_who_comes_and_goes(subscriptions):
    subscriptions.add("a", 1)
    one = subscriptions.snapshot("a")
    subscriptions.add("a", 2)
    two = subscriptions.snapshot("a")
    subscriptions.remove("a", 1)

    assert (one, two, subscriptions.snapshot("a")) == ((1,), (1, 2), (2,))


@pytest.mark.threat("S41")
def test_a_channel_is_forgotten_with_its_last_subscriber(subscriptions):
    for name in (1, 2, 3):
        subscriptions.add("a", name)
    for name in (3, 1, 2):
        assert list(subscriptions.channels()) == ["a"]
        subscriptions.remove("a", name)

    assert list(subscriptions.channels()) == []


def test_a_subscriber_may_be_any_hashable_thing(subscriptions):
    subscriptions.add("a", (1, 2))
    subscriptions.add("a", frozenset())

    assert subscriptions.snapshot("a") == ((1, 2), frozenset())
    assert not subscriptions.remove("a", 1)


changes = st.lists(
    st.tuples(st.sampled_from(["add", "remove"]), st.sampled_from(["a", "b"]), st.integers(0, 3)), max_size=40
)


@given(changes)
def test_they_are_what_a_dict_of_lists_would_be(changes):
    subscriptions, lists = Subscriptions(), {"a": [], "b": []}
    for verb, channel, who in changes:
        before = subscriptions.snapshot(channel)
        there = who in lists[channel]
        if verb == "add" and not there:
            lists[channel].append(who)
        elif verb == "remove" and there:
            lists[channel].remove(who)

        changed = getattr(subscriptions, verb)(channel, who)

        assert changed == ((verb == "add") != there)
        assert (subscriptions.snapshot(channel) is before) == (not changed)
        assert subscriptions.snapshot(channel) == tuple(lists[channel])
        assert subscriptions.count(channel) == len(lists[channel])
        assert set(subscriptions.channels()) == {name for name, there in lists.items() if there}


def test_a_channel_with_one_subscriber_costs_little():
    subscriptions, subscriber, names = Subscriptions(), object(), [f"room {n}" for n in range(20_000)]
    tracemalloc.start()
    try:
        for name in names:
            subscriptions.add(name, subscriber)
            subscriptions.snapshot(name)
        held, _ = tracemalloc.get_traced_memory()
        for name in names:
            subscriptions.remove(name, subscriber)
    finally:
        tracemalloc.stop()

    assert held / len(names) < 250
    assert not list(subscriptions.channels())
