import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.channels.log import Log
from realtime_wall.channels.position import Position
from realtime_wall.channels.retraction import find
from realtime_wall.channels.rules import Rule, Rules
from tests.channels.appending import append


def new_log(**limits):
    return Log("epoch", Rules({}, Rule(**limits)).of, history_channels=100)


def publish(log, data, event_id=None, retraction=None):
    event = None if retraction is None else "retracted"
    retracts = None if retraction is None else retraction.offset
    return append(
        log, "room", data, event=event, event_id=event_id, retracts=retracts, now=0.0, time=0.0
    ).position


def take_out(log, channel, which, now):
    retraction = find(log, channel, which, now)
    if retraction is not None:
        log.retract(channel, retraction.offset, now)
    return retraction


def told(retraction):
    return retraction.offset, json.loads(retraction.data_json)


def test_a_message_is_named_by_its_position():
    log = new_log()
    first, second = publish(log, "1"), publish(log, "2", "two")

    retraction = take_out(log, "room", str(second), 0.0)

    assert told(retraction) == (2, {"id": 2, "position": str(second), "event_id": "two"})
    assert [one.position for one in log.newest("room", 9, 0.0)] == [first]


def test_a_message_is_named_by_its_event_id_even_one_that_looks_like_a_position():
    log = new_log()
    odd = f"{log.top.epoch}:2"
    first = publish(log, "1", odd)
    publish(log, "2")

    assert told(take_out(log, "room", odd, 0.0)) == (1, {"id": 1, "position": str(first), "event_id": odd})


def test_what_is_not_kept_any_more_is_told_as_far_as_it_is_known():
    log = new_log(history_size=1)
    gone = publish(log, "1", "one")
    publish(log, "2")

    assert told(take_out(log, "room", str(gone), 0.0)) == (
        1,
        {"id": None, "position": str(gone), "event_id": None},
    )
    assert told(take_out(log, "room", "one", 0.0)) == (0, {"id": None, "position": None, "event_id": "one"})
    earlier = "another-epoch:7"
    assert told(take_out(log, "room", earlier, 0.0)) == (
        0,
        {"id": None, "position": earlier, "event_id": None},
    )


@pytest.mark.parametrize("offset", [0, 2, 999])
def test_a_position_that_no_message_has_had_is_no_message(offset):
    log = new_log()
    publish(log, "1")

    assert take_out(log, "room", str(Position(log.top.epoch, offset)), 0.0) is None


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6), st.data())
def test_whoever_stopped_where_ends_with_the_same_messages(retracted, data):
    log = new_log()
    positions = [publish(log, str(number)) for number in range(6)]
    stopped = data.draw(st.integers(0, 6))
    seen = {position.offset for position in positions[:stopped]}
    since = positions[stopped - 1] if stopped else Position(log.top.epoch, 0)

    for number in retracted:
        publish(log, "null", retraction=take_out(log, "room", str(positions[number]), 0.0))
    for message in log.since("room", since, 0.0):
        if message.retracts is None:
            seen.add(message.position.offset)
        else:
            assert message.retracts in {position.offset for position in positions[:stopped]}
            seen.discard(message.retracts)

    assert seen == {number + 1 for number in range(6)} - {number + 1 for number in retracted}
