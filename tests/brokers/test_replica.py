from time import monotonic, time

import pytest

from realtime_wall.brokers.replica import Replica
from realtime_wall.channels.position import Position
from realtime_wall.channels.rules import Rule, Rules
from realtime_wall.errors import HistoryLost
from tests.channels import appending


def append(replica, data, channel="news", **more):
    return appending.append(replica.log, channel, data, now=monotonic(), time=time(), **more)


def test_what_was_appended_follows_an_earlier_position():
    replica = Replica(Rules({}), 10)
    begin = replica.top

    messages = [append(replica, "1"), append(replica, "2"), append(replica, "3", channel="sport")]

    assert replica.since("news", begin) == messages[:2]
    assert replica.since("news", messages[0].position) == messages[1:2]
    assert replica.top == messages[-1].position


def test_all_of_a_message_is_kept():
    replica = Replica(Rules({}), 10)
    begin = replica.top

    append(replica, "[1,2]", arity=2, event="tick", event_id="7", exclude="abc")

    (message,) = replica.since("news", begin)
    assert (message.event, message.event_id, message.exclude, message.arity) == ("tick", "7", "abc", 2)
    assert message.time > 1_600_000_000


def test_no_more_is_kept_than_was_configured():
    replica = Replica(Rules({}, Rule(history_size=2)), 10)
    begin = replica.top
    for number in range(4):
        append(replica, str(number))

    with pytest.raises(HistoryLost):
        replica.since("news", begin)


def test_positions_of_an_earlier_server_are_not_mistaken_for_ours():
    before, now = Replica(Rules({}), 10), Replica(Rules({}), 10)
    append(before, "1")
    append(now, "1")

    assert before.top.epoch != now.top.epoch
    with pytest.raises(HistoryLost):
        now.since("news", before.top)


def test_an_epoch_can_always_be_written_and_read():
    for _ in range(200):
        top = Replica(Rules({}), 10).top
        assert Position.parse(str(top)) == top
