"""What every way to join processes has to do, whatever it is made of."""

import json
import os
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import gevent
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_wall.brokers import entry as entries
from realtime_wall.brokers.commands import Delete, Publish, Retract
from realtime_wall.brokers.entry import Deleted, Sequenced, proposal
from realtime_wall.brokers.sequencer import Sequencer
from realtime_wall.channels.log import Log
from realtime_wall.channels.message import Binary
from realtime_wall.channels.position import Position
from realtime_wall.errors import HistoryLost
from tests.brokers.links import Cluster, OneMachine, OneProcess, ThroughRedis
from tests.brokers.members import say, some_rules
from tests.live import wait_for
from tests.redis_server import RedisServer

PROVE = bool(os.environ.get("REALTIME_WALL_PROVE"))
# How each is made, of what the fixtures give.
KINDS = {
    "one process": lambda directory, fixture: OneProcess(),
    "one machine": lambda directory, fixture: OneMachine(directory),
    "redis": lambda directory, fixture: ThroughRedis(fixture("redis")),
}
REDIS = pytest.param("redis", marks=pytest.mark.redis)
ALL_KINDS = ["one process", "one machine", REDIS]
# An outsider of one machine says it to a server, which says it as its own.
WITH_OUTSIDERS = ["one process", REDIS]


@pytest.fixture(scope="module")
def redis():
    with RedisServer("--appendfsync", "no") as server:
        yield server


@pytest.fixture(params=ALL_KINDS)
def new_cluster(request, tmp_path):
    """Makes clusters of this kind, with rules of their own."""
    made = []

    def new(history_channels=1000, **options):
        cluster = Cluster(
            KINDS[request.param](tmp_path, request.getfixturevalue), some_rules(**options), history_channels
        )
        made.append(cluster)
        return cluster

    yield new
    for cluster in made:
        cluster.end()


@pytest.fixture
def two(new_cluster):
    """Two servers: their links, and their members."""
    cluster = new_cluster()
    (one, first), (other, second) = cluster.server(), cluster.server()
    return one, other, first, second


def a_message(text, channel="news", **more):
    return Publish(channel=channel, data_json=json.dumps(text), **more)


def test_of_which_trace_something_is_comes_to_all_with_it_where_there_are_traces(two, monkeypatch):
    one, other, *members = two

    say(one, a_message("untraced"))
    monkeypatch.setattr(entries, "trace_parent", lambda: "00-1-2-01")
    say(other, a_message("traced"))
    say(one, Delete(channel="news"))

    for member in members:
        wait_for(lambda member=member: len(member.entries) == 3)
        assert [entry.trace for entry in member.entries] == [None, "00-1-2-01", "00-1-2-01"]


def test_what_any_server_publishes_comes_to_all_of_them_in_one_order(two):
    one, other, *members = two

    positions = [say(link, a_message(n)).position for n, link in enumerate([one, other, other, one])]

    offsets = [position.offset for position in positions]
    assert offsets == list(range(offsets[0], offsets[0] + 4))
    for member in members:
        member.has(4)
        assert member.texts == ["0", "1", "2", "3"]
        assert [entry.item.position for entry in member.entries] == positions
        assert [entry.item.number for entry in member.entries] == [1, 2, 3, 4]


def test_everything_that_was_said_about_a_message_arrives(two):
    one, _, _, member = two
    binary = Binary('{"_placeholder":true,"num":0}', (b"\x00\xff",))
    what = Publish(
        channel="Grüße & <b>",
        data_json='["Zoë","a\\"b\\\\c"]',
        event="said",
        event_id='7"\\/é',
        exclude="session",
        arity=2,
        binary=binary,
    )

    place = say(one, what, counted=True).position
    member.has(1)

    (entry,) = member.entries
    message = entry.item
    assert (entry.origin, entry.counted) == (one.address, True)
    assert (message.channel, message.data_json, message.position) == (what.channel, what.data_json, place)
    assert (message.event, message.event_id, message.exclude) == ("said", '7"\\/é', "session")
    assert (message.arity, message.binary, message.retracts) == (2, binary, None)


def test_a_message_with_the_key_of_an_earlier_one_on_its_channel_changes_nothing(two):
    one, other, member, _ = two

    first = say(one, a_message("a", idempotency_key="k 1"))
    again = say(other, a_message("b", idempotency_key="k 1"))
    elsewhere = say(other, a_message("c", channel="other", idempotency_key="k 1"))
    member.has(2)

    assert first.is_new
    assert again == Sequenced(first.position, is_new=False)
    assert elsewhere.is_new
    assert member.texts == ['"a"', '"c"']


def test_what_is_volatile_comes_in_order_and_is_not_kept(two):
    one, other, *members = two

    before = say(one, a_message("kept")).position
    passing = say(other, a_message("passing", volatile=True, event_id="i")).position
    after = say(one, a_message("kept too")).position

    assert passing == before
    assert after.offset == before.offset + 1
    for member in members:
        member.has(3)
        assert member.texts == ['"kept"', '"passing"', '"kept too"']
        message = member.entries[1].item
        assert (message.is_volatile, message.number, message.event_id) == (True, 0, None)
        assert [one.data_json for one in member.replica.newest("news", 9)] == ['"kept"', '"kept too"']


def test_a_message_is_taken_back_by_its_event_id(two):
    one, other, *members = two
    place = say(one, a_message("wrong", event_id="i/1")).position
    say(one, a_message("right", event_id="i/11"))

    taken = say(other, Retract(channel="news", message_ref="i/1"))

    for member in members:
        member.has(3)
        told = member.entries[2].item
        assert (told.event, told.retracts, told.position) == ("retracted", place.offset, taken.position)
        assert told.data_json == f'{{"id": 1, "position": "{place}", "event_id": "i/1"}}'
        assert [one.data_json for one in member.replica.newest("news", 9)] == ['"right"']


def test_a_message_is_taken_back_by_its_position(two):
    one, other, member, _ = two
    say(one, a_message("right"))
    place = say(one, a_message("wrong", event_id='Zoë "7"')).position

    say(other, Retract(channel="news", message_ref=str(place)))
    member.has(3)

    told = member.entries[2].item
    assert told.retracts == place.offset
    assert json.loads(told.data_json) == {"id": 2, "position": str(place), "event_id": 'Zoë "7"'}
    assert [one.data_json for one in member.replica.newest("news", 9)] == ['"right"']


def test_a_retraction_is_told_of_what_is_not_kept_any_more(new_cluster):
    link, member = new_cluster(history_size=1).server()
    place = say(link, a_message("old")).position
    say(link, a_message("new"))

    told = [
        say(link, Retract(channel="news", message_ref=which)).position
        for which in (str(place), "unknown", "another_:1")
    ]
    member.has(5)

    assert None not in told
    retractions = [entry.item for entry in member.entries[2:]]
    assert [one.retracts for one in retractions] == [place.offset, 0, 0]
    assert [json.loads(one.data_json) for one in retractions] == [
        {"id": None, "position": str(place), "event_id": None},
        {"id": None, "position": None, "event_id": "unknown"},
        {"id": None, "position": "another_:1", "event_id": None},
    ]


def test_what_was_never_published_cannot_be_taken_back(two):
    one, other, member, _ = two
    place = say(one, a_message("a")).position

    ahead = say(other, Retract(channel="news", message_ref=str(Position(place.epoch, place.offset + 1))))
    zero = say(other, Retract(channel="news", message_ref=str(Position(place.epoch, 0))))
    say(one, a_message("b"))
    member.has(2)

    assert ahead == zero == Sequenced(None)
    assert member.texts == ['"a"', '"b"']


def test_a_channel_that_is_deleted_is_gone_everywhere_and_uses_no_number_twice(two):
    one, other, *members = two
    say(one, a_message("a"))
    before = say(one, a_message("b")).position

    gone = say(other, Delete(channel="news", notice="Bye"))
    say(other, a_message("c"))

    assert gone.position == before
    for member in members:
        member.has(4)
        assert member.entries[2].item == Deleted("news", "Bye", before)
        assert [one.number for one in member.replica.newest("news", 9)] == [3]


def test_a_note_goes_to_its_address_and_notes_stay_in_order(two):
    one, other, first, second = two

    for number in range(20):
        one.send(other.address, {"number": number, "text": "Zoë"})
    other.send(one.address, {"number": "back"})
    one.send("nobody_x", {"number": "lost"})

    wait_for(lambda: len(second.envelopes) == 20 and first.envelopes, "the notes")
    assert [envelope["number"] for envelope in second.envelopes] == list(range(20))
    assert first.envelopes == [{"number": "back"}]


@pytest.mark.parametrize("new_cluster", WITH_OUTSIDERS, indirect=True)
def test_servers_know_each_other_until_they_leave(new_cluster):
    cluster = new_cluster()
    (one, first), (other, _) = cluster.server(), cluster.server()
    outsider = cluster.outsider()

    for link in (one, other, outsider):
        wait_for(lambda link=link: set(link.servers()) == {one.address, other.address}, "two servers")
    other.leave()

    for link in (one, outsider):
        wait_for(lambda link=link: link.servers() == (one.address,), "one server")
    wait_for(lambda: first.gone_servers == [other.address], "what was told of it")


@pytest.mark.parametrize("new_cluster", WITH_OUTSIDERS, indirect=True)
def test_the_top_is_the_position_of_the_last_entry(new_cluster):
    cluster = new_cluster()
    outsider = cluster.outsider()
    assert outsider.top() is None

    link, member = cluster.server()
    assert link.top() == member.replica.top == outsider.top()
    place = say(link, a_message("a")).position
    member.has(1)

    assert link.top() == place == outsider.top() == member.replica.top


@pytest.mark.parametrize("new_cluster", WITH_OUTSIDERS, indirect=True)
def test_who_is_no_server_publishes_too(new_cluster):
    cluster = new_cluster()
    _, member = cluster.server()
    outsider = cluster.outsider()

    place = say(outsider, a_message("from cron", event_id="i")).position
    say(outsider, Retract(channel="news", message_ref="i"))
    member.has(2)

    assert [entry.item.position for entry in member.entries][0] == place
    assert [entry.origin for entry in member.entries] == [outsider.address] * 2


def test_who_comes_late_knows_what_the_others_know(new_cluster):
    cluster = new_cluster(history_size=5, history_channels=4)
    link, early = cluster.server()
    count = 0
    for number in range(40):
        say(link, a_message(number, channel=f"c{number % 6}", event_id=f"i{number}"))
        count += 1
    for what in (Retract(channel="c3", message_ref="i39"), Delete(channel="c2")):
        say(link, what)
        count += 1
    early.has(count)

    _, late = cluster.server()

    assert late.state() == early.state()
    assert late.entries == []


def test_who_comes_late_is_not_told_that_what_became_too_old_has_never_been(new_cluster):
    cluster = new_cluster(history_age=0.3)
    link, early = cluster.server()
    before = link.top()
    say(link, a_message("old"))
    early.has(1)
    wait_for(lambda: early.replica.kept("news") == 0, "its age")

    _, late = cluster.server()
    say(link, a_message("young"))
    late.has(1)

    assert late.entries[0].item.number == 2
    with pytest.raises(HistoryLost):
        late.replica.since("news", before)


def test_who_comes_while_others_publish_misses_nothing(new_cluster):
    cluster = new_cluster(history_size=20)
    link, early = cluster.server()
    over = []

    def publish():
        number = 0
        while not over:
            say(link, a_message(number, channel=f"c{number % 7}"))
            if number % 50 == 0:
                say(link, Delete(channel="c1"))
            number += 1
            gevent.sleep(0)  # a link that has no need to wait lets nobody else run

    publisher = gevent.spawn(publish)
    early.has(200)
    late = []
    for _ in range(5):
        late.append(cluster.server()[1])
        early.has(len(early.entries) + 100)
    over.append(True)
    publisher.get(timeout=20)
    last = say(link, a_message("last")).position

    for member in (early, *late):
        wait_for(lambda member=member: member.replica.top == last, "the last message")
        assert member.state() == early.state()
    assert early.renewed == 0


def test_many_publishers_have_one_order_everywhere(new_cluster):
    each = 10_000 if PROVE else 300
    cluster = new_cluster()
    servers = [cluster.server(), cluster.server()]
    places = {}

    def publish(publisher):
        link = servers[publisher % 2][0]
        for number in range(each):
            text = f"{publisher}.{number}"
            places[json.dumps(text)] = say(link, a_message(text)).position

    gevent.joinall([gevent.spawn(publish, n) for n in range(8)], raise_error=True)

    for _, member in servers:
        wait_for(lambda member=member: len(member.entries) >= 8 * each, "all of it", patience=600)
        assert [entry.item.position.offset for entry in member.entries] == list(range(1, 8 * each + 1))
        assert {entry.item.data_json: entry.item.position for entry in member.entries} == places
    for publisher in range(8):
        own = [places[json.dumps(f"{publisher}.{number}")].offset for number in range(each)]
        assert own == sorted(own)


# What a log keeps, whoever keeps it

CHANNELS = st.sampled_from(["a", "b", "c", "d"])
PUBLISHED = st.builds(
    Publish,
    channel=CHANNELS,
    data_json=st.sampled_from(['"x"', '"' + "y" * 300 + '"', '"Zoë"', '"' + "z" * 900 + '"']),
    event_id=st.sampled_from([None, "i1", "i2", 'i"3']),
    volatile=st.sampled_from([False, False, False, True]),
    idempotency_key=st.sampled_from([None, None, None, "k1", "k2"]),
)
STEPS = st.lists(
    st.one_of(
        PUBLISHED,
        PUBLISHED,
        st.builds(
            Retract, channel=CHANNELS, message_ref=st.sampled_from(["i1", "i2", 'i"3', "1", "3", "6", "99"])
        ),
        st.builds(Delete, channel=CHANNELS),
    ),
    max_size=40,
)
LIMITS = st.fixed_dictionaries(
    {"history_size": st.integers(0, 5), "history_bytes": st.sampled_from([0, 700, 1500, 100_000])}
)


@pytest.mark.parametrize("kind", ALL_KINDS)
@settings(max_examples=400 if PROVE else 40)
@given(steps=STEPS, limits=LIMITS, channels=st.integers(1, 4), seed=st.randoms())
def test_two_servers_keep_what_one_log_would_keep(kind, request, steps, limits, channels, seed):
    rules = some_rules(**limits)
    with TemporaryDirectory(prefix="rw") as directory:
        cluster = Cluster(KINDS[kind](Path(directory), request.getfixturevalue), rules, channels)
        try:
            servers = [cluster.server(), cluster.server()]
            epoch = servers[0][0].top().epoch
            model = Sequencer(rules, channels, Log(epoch, rules.of, history_channels=channels))
            count = 0
            for step in steps:
                if isinstance(step, Retract) and step.message_ref.isdigit():
                    step = Retract(channel=step.channel, message_ref=f"{epoch}:{step.message_ref}")
                link = seed.choice(servers)[0]
                said = proposal(step, link.address)
                expected, entry = model.sequence(said)
                count += entry is not None
                assert link.sequence(said) == expected
            servers.append(cluster.server())
            for _, member in servers[:2]:
                member.has(count)
            for _, member in servers:
                assert without_times(member) == without_times(model.log)
        finally:
            cluster.end()


def without_times(one):
    log = getattr(one, "replica", one)
    log = getattr(log, "log", log)
    *kept, of_all = log.image(0.0)
    return replace(of_all, began=None), {
        channel.channel: (
            channel.lost,
            channel.last,
            channel.number,
            channel.published,
            [
                (
                    m.position,
                    m.number,
                    m.data_json if m.retracts is None else json.loads(m.data_json),
                    m.event_id,
                )
                for m in channel.messages
            ],
        )
        for channel in kept
    }
