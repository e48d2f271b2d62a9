import json

import pytest
from redis.exceptions import BusyLoadingError, OutOfMemoryError, ReadOnlyError, ResponseError, TryAgainError

from realtime_wall.brokers.commands import Delete, Publish, Retract
from realtime_wall.brokers.entry import Deleted, Proposal, proposal
from realtime_wall.brokers.redis import scripts as scripts
from realtime_wall.brokers.redis.bus_codec import (
    BusCodec,
    MalformedEntry,
    epoch_argument,
    will_pass,
)
from realtime_wall.brokers.redis.signature import DELETION, PUBLISHED, RETRACTION
from realtime_wall.channels.position import Position
from realtime_wall.channels.rules import Rule, Rules

CODEC = BusCodec("site", Rules({"few": {"HISTORY_SIZE": 3}}, Rule(history_bytes=500)), 70, 900)


def order(what, **more):
    return CODEC.script_call(proposal(what, "address1"), **more)


def test_all_keys_have_the_prefix_as_their_hash_tag():
    assert (CODEC.key, CODEC.bus, CODEC.inbox("address1")) == (
        "{site}:meta",
        "{site}:bus",
        "{site}:inbox:address1",
    )


def test_a_rule_is_said_with_each_message():
    one, other = (order(Publish(channel=channel, data_json="1")).arguments for channel in ("few", "many"))

    assert one[0] == other[0] == 900
    assert one[1] == "3 500 1800.0 70"
    assert other[1] == "1000 500 1800.0 70"


def test_a_key_is_remembered_for_as_long_as_it_may_come_again():
    what = Publish(channel="a", data_json="1")
    own = Publish(channel="a", data_json="1", idempotency_key="k")

    seconds = [int(one.arguments[3].split()[0]) for one in (order(what), order(own), order(what, long=True))]

    assert seconds == [60, 600, 600]


def test_who_asks_is_another_each_time():
    said = proposal(Publish(channel="a", data_json="1"), "address1")

    assert CODEC.script_call(said).arguments[3] != CODEC.script_call(said).arguments[3]
    assert CODEC.script_call(said).arguments[2] == said.key


def test_an_epoch_is_never_offered_twice():
    position = Position("old", 5)

    assert epoch_argument(position).startswith("old 5 ")
    assert len({epoch_argument(position) for _ in range(100)}) == 100


def test_an_event_id_comes_first_where_scripts_look_for_it():
    text = order(Publish(channel="a", data_json='"i":"x"', event_id='q"')).arguments[6]

    assert text.startswith('"i":"q\\"","c":"a"')


def test_each_kind_of_command_has_its_script():
    assert order(Publish(channel="a", data_json="1")).script is scripts.PUBLISH
    assert order(Retract(channel="a", message_ref="x")).script is scripts.RETRACT
    assert order(Delete(channel="a")).script is scripts.DELETE


HEAD = '{"ep":"e1","o":7,"n":2,"t":1.5,"s":9,'
BODY = '"c":"a","d":"1","k":"key","from":"address1","count":1'
GONE = '"gone":"a","notice":"Bye","k":"key","from":"address1"'


def entry_text(body, kind=PUBLISHED, head=HEAD, end="}"):
    return (head + CODEC.signatures.closed(kind, body) + end).encode()


def test_an_entry_is_read_with_its_epoch():
    epoch, entry = CODEC.entry_of(entry_text(BODY))

    assert epoch == "e1"
    assert entry.item.position == Position("e1", 7)
    assert (entry.item.number, entry.item.time, entry.item.data_json) == (2, 1.5, "1")
    assert (entry.key, entry.origin, entry.counted) == ("key", "address1", True)


def test_the_beginning_of_an_epoch_is_no_entry():
    assert CODEC.entry_of(b'{"ep":"e1","o":7,"begins":1}') == ("e1", None)


def test_the_end_of_a_channel_is_an_entry():
    _, entry = CODEC.entry_of(entry_text(GONE, DELETION, '{"ep":"e1","o":7,'))

    assert entry.item == Deleted("a", "Bye", Position("e1", 7))


def test_what_is_taken_back_is_an_entry_whose_data_is_of_redis():
    body = '"c":"a","e":"retracted","k":"key","from":"address1"'
    text = entry_text(body, RETRACTION, HEAD + '"r":3,', r""","d":"{\"id\": 1}"}""")

    _, entry = CODEC.entry_of(text)

    assert (entry.item.event, entry.item.retracts, entry.item.data_json) == ("retracted", 3, '{"id": 1}')


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff",
        b"[]",
        b"7",
        b'"ep"',
        b'{"o":1}',
        b'{"ep":"e1"}',
        b'{"ep":1,"begins":1}',
        b'{"ep":"e1","o":7,"begins":1} ',
        entry_text('"c":"a","k":"key","from":"a"'),
        entry_text('"c":["a"],"d":"1","k":"key","from":"a"'),
        entry_text('"c":"a","d":{},"k":"key","from":"a"'),
        entry_text('"c":"a","d":"1","k":5,"from":"a"'),
        entry_text(BODY, head=HEAD.replace("7", '"7"')),
        entry_text(BODY, head=HEAD.replace("7", "9" * 30)),
        b"[" * 100_000,
    ],
)
def test_everything_else_is_malformed(text):
    with pytest.raises(MalformedEntry):
        CODEC.entry_of(text)


@pytest.mark.parametrize(
    ("refusal", "soon", "some_day"),
    [
        (BusyLoadingError("Redis is loading the dataset in memory"), True, True),
        (TryAgainError("Multiple keys request during rehashing"), True, True),
        (ResponseError("BUSY Redis is busy running a script"), True, True),
        (OutOfMemoryError("command not allowed when used memory > 'maxmemory'"), False, True),
        (ResponseError("Error running script: -OOM command not allowed"), False, True),
        (ReadOnlyError("You can't write against a read only replica."), False, True),
        (ResponseError("MISCONF Redis is configured to save RDB snapshots"), False, True),
        (ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value"), False, False),
    ],
)
def test_a_refusal_says_whether_it_makes_sense_to_try_again(refusal, soon, some_day):
    assert will_pass(refusal, is_patient=False) is soon
    assert will_pass(refusal, is_patient=True) is some_day


def test_a_proposal_of_others_keeps_its_origin_and_its_key():
    text = CODEC.script_call(Proposal(Publish(channel="a", data_json="1"), "key", "another_")).arguments[6]

    said = json.loads("{" + text)
    assert (said["k"], said["from"]) == ("key", "another_")
    assert "count" not in said and "tp" not in said
