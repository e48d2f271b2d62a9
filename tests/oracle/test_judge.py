"""The judge accepts what a correct server does, and finds each bug that is planted in it."""

import os

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.oracle import judge as kinds
from tests.oracle.histories import World, stories
from tests.oracle.journal import TAKEN, UNKNOWN, Attempt, Gap, Place, Resumed, Run
from tests.oracle.judge import judge

examples = settings(
    max_examples=1000 if os.environ.get("REALTIME_WALL_PROVE") else 40,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)


def verdicts(world):
    return judge(world.attempts, world.journals)


@examples
@given(stories)
def test_what_a_correct_server_does_is_accepted(story):
    judgement = verdicts(World().live(story))

    assert judgement.verdicts == []


@examples
@given(stories)
def test_a_gap_that_is_announced_is_no_loss_but_is_counted(story):
    judgement = verdicts(World().live([*story, ("publish", "a"), ("restart",), ("publish", "a")]))

    assert judgement.verdicts == []
    assert judgement.gaps["plain"] >= 7  # as many as its clients have channels


def test_what_a_client_hears_again_because_its_cursor_was_older_is_counted():
    world = World().live([("publish", "a"), ("publish", "a"), ("cut", 1), ("resume", 1, 2)])

    judgement = verdicts(world)

    assert judgement.verdicts == []
    assert judgement.duplicates == {"plain": 2}


# Planting: each function changes a history in place and returns the kinds of which one has to be found.


def run_at(journal, index):
    event = journal.events[index]
    return event if isinstance(event, Run) else None


def channel_of(world, run):
    return next(one.channel for one in world.attempts if one.number == run.numbers[0])


def heard(world, pick, wanted=lambda journal, index: True):
    """One delivery, drawn from all: the journal, its index, and the run."""
    found = [
        (journal, index)
        for journal in world.journals
        for index, event in enumerate(journal.events)
        if isinstance(event, Run) and wanted(journal, index)
    ]
    assume(found)
    journal, index = pick(st.sampled_from(found))
    return journal, index, journal.events[index]


def next_of(world, journal, index):
    """The next thing that is said to a client about the channel of what it hears there."""
    channel = channel_of(world, journal.events[index])
    for event in journal.events[index + 1 :]:
        if isinstance(event, Run) and channel_of(world, event) == channel:
            return event
        if isinstance(event, Gap) and event.channel in (None, channel):
            return event
    return None


def is_told_no_gap_next(world):
    return lambda journal, index: not isinstance(next_of(world, journal, index), Gap)


def has_not_heard_it_before(journal, index):
    return journal.events[index] not in journal.events[:index] + journal.events[index + 1 :]


def drop_one(world, pick):
    def wanted(journal, index):
        return is_told_no_gap_next(world)(journal, index) and has_not_heard_it_before(journal, index)

    journal, index, _ = heard(world, pick, wanted)
    del journal.events[index]
    return {kinds.LOST}


def swap_two(world, pick):
    def wanted(journal, index):
        first, second = journal.events[index], journal.events[index + 1 : index + 2]
        return (
            bool(second)
            and isinstance(second[0], Run)
            and (journal.one_cursor or channel_of(world, first) == channel_of(world, second[0]))
            and has_not_heard_it_before(journal, index)
            and has_not_heard_it_before(journal, index + 1)
        )

    journal, index, run = heard(world, pick, wanted)
    journal.events[index : index + 2] = [journal.events[index + 1], run]
    return {kinds.OUT_OF_ORDER}


def tell_one_twice(world, pick):
    journal, index, run = heard(world, pick)
    later = index
    while later + 1 < len(journal.events) and run_at(journal, later + 1):
        later += 1
    journal.events.insert(pick(st.integers(index, later)) + 1, run)
    return {kinds.TWICE, kinds.BEFORE_CURSOR}


def number_again_after_a_restart(world, pick):
    """The epoch stays the same, the positions begin again."""
    world.live([("publish", "a"), ("restart",), ("publish", "a"), ("cut", 0), ("publish", "a")])

    def renamed(event):
        if isinstance(event, Run):
            return event._replace(epoch="E1")
        if hasattr(event, "place"):
            return event._replace(place=event.place and event.place._replace(epoch="E1"))
        return event

    world.attempts[:] = map(renamed, world.attempts)
    for journal in world.journals:
        journal.events[:] = map(renamed, journal.events)
    return {kinds.ONE_PLACE}


def keep_quiet_about_a_gap(world, pick):
    world.live([("publish", "a"), ("restart",), ("publish", "a")])
    journal = pick(st.sampled_from(world.journals))
    journal.events[:] = [event for event in journal.events if not isinstance(event, Gap)]
    return {kinds.NEW_EPOCH, kinds.LOST}


def keep_quiet_about_a_part_that_was_forgotten(world, pick):
    said = [("publish", channel) for channel in "abcabcabc"]
    world.live([("cut", 0), ("cut", 1), *said, *said, ("forget",), ("resume", 0, 0), ("resume", 1, 0)])
    journal = world.journals[pick(st.integers(0, 1))]
    journal.events[:] = [event for event in journal.events if not isinstance(event, Gap)]
    return {kinds.LOST, kinds.NEW_EPOCH}


def tell_a_gap_too_late(world, pick):
    world.live([("publish", "a"), ("restart",), ("publish", "a"), ("publish", "a")])
    journal = pick(st.sampled_from([one for one in world.journals if "a" in one.channels]))
    late = [one for one in journal.events if isinstance(one, Gap)][-1:]
    journal.events[:] = [*(one for one in journal.events if one not in late), *late]
    return {kinds.NEW_EPOCH, kinds.LOST}


def acknowledge_without_keeping(world, pick):
    world.number += 1
    world.offset += 1
    channel = pick(st.sampled_from("abc"))
    world._try(channel, TAKEN, world.top)
    world.do_publish(channel)
    return {kinds.LOST}


def replay_from_too_early(world, pick):
    """A client that comes back hears what it had heard, and what it did not ask for."""
    world.live([("publish", "a"), ("publish", "a"), ("cut", 0), ("cut", 1), ("publish", "a")])
    journal = world.journals[pick(st.integers(0, 1))]
    back = max(index for index, one in enumerate(journal.events) if isinstance(one, Resumed))
    cursor = journal.events[back].place
    early = [one for one in journal.events[:back] if isinstance(one, Run) and one.epoch == cursor.epoch]
    journal.events.insert(back + 1, pick(st.sampled_from(early)))
    return {kinds.BEFORE_CURSOR}


def replay_from_too_late(world, pick):
    world.live([("publish", "a"), ("cut", 0), ("cut", 1), ("publish", "a"), ("publish", "a")])
    journal = world.journals[pick(st.integers(0, 1))]
    back = max(index for index, one in enumerate(journal.events) if isinstance(one, Resumed))
    assert run_at(journal, back + 1)
    del journal.events[back + 1]
    return {kinds.LOST}


def promise_one_position_twice(world, pick):
    taken = [index for index, one in enumerate(world.attempts) if one.place]
    first, second = pick(st.sampled_from(taken)), pick(st.sampled_from(taken))
    assume(world.attempts[first].number != world.attempts[second].number)
    world.attempts[first] = world.attempts[first]._replace(place=world.attempts[second].place)
    return {kinds.ONE_PLACE}


def give_one_message_two_positions(world, pick):
    """Said again with its key, it is put into the log again."""
    channel = pick(st.sampled_from("abc"))
    world.number += 1
    world._put(channel, world.number)
    world._try(channel, UNKNOWN, None, "key")
    world._try(channel, TAKEN, world._put(channel, world.number), "key")
    return {kinds.TWO_PLACES}


def tell_of_another_channel(world, pick):
    journal = world.journals[pick(st.integers(0, 5))]  # the others are on all channels
    foreign = next(one for one in "abc" if one not in journal.channels)
    world.do_publish(foreign)
    journal.events.append(Run(world.top.epoch, [world.top.offset], [world.number]))
    return {kinds.ANOTHER_CHANNEL}


def lose_the_last(world, pick):
    journal = pick(st.sampled_from(world.journals))
    last = max(index for index, one in enumerate(journal.events) if isinstance(one, Run))
    del journal.events[last]
    return {kinds.LOST}


def say_nothing_to_one(world, pick):
    journal = pick(st.sampled_from(world.journals))
    begun = pick(st.booleans())
    journal.events[:] = journal.events[: 1 + len(journal.channels)] if begun else []
    return {kinds.LOST}


def invent_one(world, pick):
    journal = pick(st.sampled_from(world.journals))
    journal.events.append(Run(world.top.epoch, [world.top.offset + 1], [10**9]))
    return {kinds.INVENTED}


def deliver_what_was_refused(world, pick):
    channel = pick(st.sampled_from("abc"))
    world.do_refused(channel)
    world._put(channel, world.number)
    return {kinds.REFUSED_YET_HEARD}


def tell_only_some_of_what_nobody_confirmed(world, pick):
    world.do_unanswered("a", True)
    some = pick(st.lists(st.sampled_from([0, 1, 2, 3, 6, 7]), min_size=1, max_size=5, unique=True))
    for number in some:
        del world.journals[number].events[-1]
    return {kinds.LOST}


def put_a_later_one_before(world, pick):
    """What was begun after another was promised its place gets an earlier one."""
    for channel in pick(st.sampled_from(["aa", "ab", "ca"])):
        world.do_publish(channel)
    first, second = world.attempts[-2:]
    world.attempts[-2:] = [
        first._replace(began=second.began, ended=second.ended),
        second._replace(began=first.began, ended=first.ended),
    ]
    return {kinds.OUT_OF_ORDER}


PLANTED = [
    drop_one,
    swap_two,
    tell_one_twice,
    number_again_after_a_restart,
    keep_quiet_about_a_gap,
    keep_quiet_about_a_part_that_was_forgotten,
    tell_a_gap_too_late,
    acknowledge_without_keeping,
    replay_from_too_early,
    replay_from_too_late,
    promise_one_position_twice,
    give_one_message_two_positions,
    tell_of_another_channel,
    lose_the_last,
    say_nothing_to_one,
    invent_one,
    deliver_what_was_refused,
    tell_only_some_of_what_nobody_confirmed,
    put_a_later_one_before,
]


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
@examples
@given(stories, st.data())
def test_a_planted_bug_is_found(plant, story, data):
    world = World().live(story)

    wanted = plant(world, data.draw)

    assert verdicts(world).kinds & wanted


def test_a_verdict_says_who_missed_what_and_how_it_was_noticed():
    world = World().live([("publish", "a"), ("publish", "a"), ("publish", "a")])
    journal = world.journals[1]
    del journal.events[next(index for index in range(9) if run_at(journal, index)) + 1]

    (verdict,) = verdicts(world).verdicts

    assert verdict.sentence == (
        "lost in silence: client-1, on channel 'a', has not heard message 2 (E1:2; taken at 1.500 s);"
        " it heard 1, then 3, and no gap covers it"
    )


def test_what_was_tried_again_in_a_new_epoch_may_be_there_twice():
    attempts = [
        Attempt(1, "a", 0, 1, UNKNOWN, key="k"),
        Attempt(1, "a", 1, 2, TAKEN, Place("E2", 1), key="k"),
        Attempt(2, "a", 3, 4, TAKEN, Place("E2", 2)),
    ]
    world = World()
    journal = world.journals[0]
    journal.events = [Run("E1", [1], [1]), Gap("a", Place("E2", 0)), Run("E2", [1, 2], [1, 2])]

    assert judge(attempts, [journal]).verdicts == []
