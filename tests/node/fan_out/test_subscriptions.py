import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.node.fan_out.subscriber import ListensOnly
from realtime_wall.node.fan_out.subscriptions import Subscriptions


class Somebody(ListensOnly):
    codec = None

    def __init__(self, codec=None):
        self.codec = codec


@pytest.fixture
def subscriptions():
    return Subscriptions()


def test_a_channel_nobody_is_on_is_empty(subscriptions):
    assert subscriptions.snapshot("a") == ()
    assert subscriptions.count("a") == 0
    assert list(subscriptions.channels()) == []


def test_a_snapshot_is_not_changed_by_who_comes_and_goes(subscriptions):
    ada, bo = Somebody(), Somebody()
    subscriptions.add("a", ada)
    one = subscriptions.snapshot("a")
    subscriptions.add("a", bo)
    two = subscriptions.snapshot("a")
    subscriptions.remove("a", ada)

    assert (one, two, subscriptions.snapshot("a")) == ((ada,), (ada, bo), (bo,))
    assert subscriptions.count("a") == 1


def test_a_channel_is_kept_as_small_as_it_can_be(subscriptions):
    """Most have one subscriber, and there may be a hundred thousand."""
    ada, bo = Somebody(), Somebody()
    for member in (ada, bo):
        subscriptions.add("a", member)
    subscriptions.remove("a", ada)
    assert subscriptions._channels == {"a": bo}

    audience = subscriptions.audience("a")
    audience.queued()
    assert subscriptions._channels == {"a": audience}
    audience.delivered()

    assert subscriptions._channels == {"a": bo}


@pytest.mark.threat("S41")
def test_a_channel_is_forgotten_with_its_last_subscriber(subscriptions):
    members = [Somebody() for _ in range(3)]
    for member in members:
        subscriptions.add("a", member)
    for member in reversed(members):
        assert list(subscriptions.channels()) == ["a"]
        subscriptions.remove("a", member)

    assert list(subscriptions.channels()) == []


changes = st.lists(
    st.tuples(st.sampled_from(["add", "remove"]), st.sampled_from(["a", "b"]), st.integers(0, 3)), max_size=40
)


@given(changes)
def test_they_are_what_a_dict_of_sets_would_be(changes):
    subscriptions, sets = Subscriptions(), {"a": set(), "b": set()}
    people = [Somebody(codec) for codec in (str, str, bytes, None)]
    for verb, channel, number in changes:
        who = people[number]
        there = who in sets[channel]
        (sets[channel].add if verb == "add" else sets[channel].discard)(who)

        changed = getattr(subscriptions, verb)(channel, who)

        assert changed == ((verb == "add") != there)
        assert set(subscriptions.snapshot(channel)) == sets[channel]
        assert subscriptions.count(channel) == len(subscriptions.snapshot(channel)) == len(sets[channel])
        assert set(subscriptions.channels()) == {name for name, there in sets.items() if there}


def test_a_channel_with_one_subscriber_costs_little():
    subscriptions, subscriber, names = Subscriptions(), Somebody(), [f"room {n}" for n in range(20_000)]
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
