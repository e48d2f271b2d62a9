"""What somebody writes into Redis who does not know the SECRET_KEY is dropped, counted, and hurts nobody."""

import json
import re

import pytest
from django.test import override_settings

from realtime_wall.brokers.commands import Publish, Retract
from realtime_wall.brokers.redis.bus_codec import BusCodec, MalformedEntry
from realtime_wall.brokers.redis.signature import PUBLISHED, RETRACTION, Signatures, Unsigned
from tests.brokers.links import cluster_through
from tests.brokers.members import say, some_rules
from tests.live import wait_for
from tests.redis_server import RedisServer

HEAD = '{"ep":"e1","o":7,"n":2,"t":1.5,"s":9,'
BODY = '"c":"a","d":"1","k":"key","from":"address1"'
OURS = Signatures(["secret"])
CODEC = BusCodec("wall", some_rules(), 100, 100, OURS)


def entry(body=BODY, kind=PUBLISHED, signatures=OURS, head=HEAD, end="}"):
    return (head + signatures.closed(kind, body) + end).encode()


# Without Redis


def test_what_is_signed_is_read():
    assert OURS.read_entry(entry())["c"] == "a"
    assert OURS.read_envelope("address1", OURS.sealed("address1", '{"a":1}').encode()) == {"a": 1}


def test_what_was_signed_with_the_key_before_is_still_read():
    rotated = Signatures([b"new", "secret"])

    assert rotated.read_entry(entry())["d"] == "1"
    assert rotated.read_entry(entry(signatures=rotated))["d"] == "1"
    with pytest.raises(Unsigned):
        OURS.read_entry(entry(signatures=rotated))


@override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["secret"])
def test_the_site_signs_with_its_key_and_knows_those_before():
    assert Signatures.of_site().read_entry(entry())["c"] == "a"
    assert Signatures.of_site().sign("a", "b") == Signatures(["new"]).sign("a", "b")


@pytest.mark.threat("S58")
@pytest.mark.parametrize(
    "text",
    [
        (HEAD + BODY + "}").encode(),
        entry(signatures=Signatures(["another"])),
        entry().replace(b'"1"', b'"2"'),
        entry().replace(b'"c":"a"', b'"c":"b"'),
        entry()[:-1] + b',"c":"b"}',
        entry()[:-1] + b',"d":"2"}',
        entry(head=HEAD + '"r":1,'),
        entry(head=HEAD + '"r":1,', end=',"d":"2"}'),
        entry(kind=RETRACTION),
        entry(head='{"ep":"e1","o":7,'),
        entry(head=HEAD + '"c":"b",'),
        entry() + b" ",
        b'{"ep":"e1","o":7,"begins":1,' + entry()[len(HEAD) :],
    ],
)
def test_what_was_changed_or_signed_by_others_is_dropped(text):
    with pytest.raises(MalformedEntry):
        CODEC.entry_of(text)


@pytest.mark.threat("S58")
@pytest.mark.parametrize("text", [b'{"a":1}', b"", OURS.sealed("another_", '{"a":1}').encode()])
def test_an_envelope_that_was_not_sent_to_this_address_is_dropped(text):
    with pytest.raises(Unsigned):
        OURS.read_envelope("address1", text)


# With Redis


@pytest.fixture(scope="module")
def redis():
    with RedisServer() as server:
        yield server


@pytest.fixture
def two(redis):
    cluster = cluster_through(redis)
    (one, first), (other, second) = cluster.server(), cluster.server()
    yield one, other, first, second
    cluster.end()


def a_message(number):
    return Publish(channel="news", data_json=json.dumps(number), event_id=f"i{number}")


def bus_of(redis, link):
    return link._codec.bus


@pytest.mark.threat("S58")
@pytest.mark.redis
@pytest.mark.parametrize(
    "forged_id",
    ["*", "{offset}-{next}", "{later}-0"],
    ids=["by the clock", "the very next", "a little later"],
)
def test_a_forged_entry_is_counted_and_throws_nobody_out(redis, two, forged_id):
    one, other, first, second = two
    say(one, a_message(1))
    epoch = one.top().epoch
    bus = bus_of(redis, one)
    ((last, fields),) = redis.client.xrevrange(bus, count=1)
    offset, count = map(int, last.decode().split("-"))
    forged = fields[b"e"].replace(b'"d":"1"', b'"d":"666"')
    redis.client.xadd(
        bus, {"e": forged}, id=forged_id.format(offset=offset, next=count + 1, later=offset + 5)
    )

    for number in (2, 3):
        say(other, a_message(number))
    say(one, Publish(channel="news", data_json="4", volatile=True))

    wait_for(lambda: first.texts == second.texts == ["1", "2", "3", "4"], "the messages")
    assert (one.rejected, other.rejected) == (1, 1)
    assert (first.renewed, second.renewed) == (0, 0)
    assert one.top().epoch == epoch


@pytest.mark.redis
def test_an_entry_that_redis_counted_without_a_signature_throws_nobody_out(redis):
    """As whoever knows our scripts would write it, or a server with another SECRET_KEY."""
    cluster = cluster_through(redis)
    (one, first), (other, second), stranger = cluster.server(), cluster.server(), cluster.outsider()
    stranger._codec.signatures = Signatures(["another"])
    say(one, a_message(1))
    say(stranger, a_message(2))
    say(other, a_message(3))

    wait_for(lambda: first.texts == second.texts == ["1", "3"], "the messages")
    assert (one.rejected, other.rejected) == (1, 1)
    assert (first.renewed, second.renewed) == (0, 0)
    cluster.end()


@pytest.mark.redis
def test_who_comes_later_does_not_read_what_was_forged_in_the_history(redis):
    cluster = cluster_through(redis)
    one, _ = cluster.server()
    for number in (1, 2, 3):
        say(one, a_message(number))
    history = f"{one._codec.prefix}history:news"
    kept = redis.client.lindex(history, 1)
    redis.client.lset(history, 1, re.sub(rb'"d":"2"', b'"d":"666"', kept))

    _, late = cluster.server()

    assert [message.data_json for message in late.replica.newest("news", 9)] == ["1", "3"]
    cluster.end()


@pytest.mark.redis
def test_what_is_taken_back_is_taken_back_everywhere(two):
    one, other, first, second = two
    say(one, a_message(1))
    say(other, Retract(channel="news", message_ref="i1"))

    wait_for(lambda: len(first.entries) == len(second.entries) == 2, "both")
    assert [entry.item.event for entry in second.entries] == [None, "retracted"]
    assert json.loads(second.texts[1])["event_id"] == "i1"
