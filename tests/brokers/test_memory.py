import pytest

from realtime_wall.brokers.memory import MemoryBroker
from realtime_wall.channels.position import Position
from realtime_wall.channels.rules import Rule, Rules
from realtime_wall.errors import HistoryLost


def append(broker, data, channel="news"):
    return broker.append(channel, data, arity=1, event=None, event_id=None, exclude=None)


def test_what_was_appended_follows_an_earlier_position():
    broker = MemoryBroker(Rules({}), 10)
    begin = broker.top

    messages = [append(broker, "1"), append(broker, "2"), append(broker, "3", channel="sport")]

    assert broker.since("news", begin) == messages[:2]
    assert broker.since("news", messages[0].position) == messages[1:2]
    assert broker.top == messages[-1].position


def test_all_of_a_message_is_kept():
    broker = MemoryBroker(Rules({}), 10)
    begin = broker.top

    broker.append("news", "[1,2]", arity=2, event="tick", event_id="7", exclude="abc")

    (message,) = broker.since("news", begin)
    assert (message.event, message.event_id, message.exclude, message.arity) == ("tick", "7", "abc", 2)
    assert message.time > 1_600_000_000


def test_no_more_is_kept_than_was_configured():
    broker = MemoryBroker(Rules({}, Rule(history_size=2)), 10)
    begin = broker.top
    for number in range(4):
        append(broker, str(number))

    with pytest.raises(HistoryLost):
        broker.since("news", begin)


def test_positions_of_an_earlier_server_are_not_mistaken_for_ours():
    before, now = MemoryBroker(Rules({}), 10), MemoryBroker(Rules({}), 10)
    append(before, "1")
    append(now, "1")

    assert before.top.epoch != now.top.epoch
    with pytest.raises(HistoryLost):
        now.since("news", before.top)


def test_an_epoch_can_always_be_written_and_read():
    for _ in range(200):
        top = MemoryBroker(Rules({}), 10).top
        assert Position.parse(str(top)) == top
