"""Redis is killed, hangs, comes back with less than it had, is full: nothing is lost in silence."""

import json
import os
import subprocess
import sys
from pathlib import Path
from time import monotonic

import gevent
import pytest
from gevent.event import Event
from gevent.server import StreamServer

from realtime_wall.brokers.commands import Publish, Retract
from realtime_wall.brokers.entry import proposal
from realtime_wall.brokers.redis.redis_link import RedisLink
from realtime_wall.config import Config
from realtime_wall.errors import BrokerUnreachable, PublishFailed
from tests.brokers.links import cluster_through
from tests.brokers.members import RecordingMember, say, some_rules
from tests.live import PATIENCE, wait_for
from tests.redis_server import RedisServer, free_port

PROVE = bool(os.environ.get("REALTIME_WALL_PROVE"))
ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.redis


@pytest.fixture
def redis():
    with RedisServer() as server:
        yield server


@pytest.fixture
def cluster(redis):
    made = cluster_through(redis)
    yield made
    made.end()


@pytest.fixture
def two(cluster):
    """Two servers: their links, and their members."""
    (one, first), (other, second) = cluster.server(), cluster.server()
    return one, other, first, second


def a_message(text, channel="news", **more):
    return Publish(channel=channel, data_json=json.dumps(text), **more)


class Publishers:
    """They publish until told to end, and note what they were promised."""

    def __init__(self, links, each_second=100):
        self.promised, self.raised, self.slowest = {}, 0, 0.0
        self._ending = Event()
        self._pause = len(links) / each_second
        self._all = [gevent.spawn(self._publish, number, link) for number, link in enumerate(links)]

    def _publish(self, publisher, link):
        number = 0
        while not self._ending.wait(self._pause):
            text, number = json.dumps(f"{publisher}.{number}"), number + 1
            began = monotonic()
            try:
                self.promised[text] = say(link, Publish(channel="news", data_json=text)).position
            except PublishFailed:
                self.raised += 1
            self.slowest = max(self.slowest, monotonic() - began)

    def until(self, count):
        """Until they have been promised so many more."""
        enough = len(self.promised) + count
        wait_for(lambda: len(self.promised) >= enough, f"{enough} promises")

    def end(self):
        self._ending.set()
        gevent.joinall(self._all, timeout=PATIENCE, raise_error=True)


def outage(seconds):
    gevent.sleep(seconds)


def everything_came(publishers, member):
    """Every promise was kept, once, in this order."""
    got = [(entry.item.data_json, entry.item.position) for entry in member.entries]
    wait_for(
        lambda: set(publishers.promised) <= {entry.item.data_json for entry in member.entries},
        "all that was promised",
    )
    got = [(entry.item.data_json, entry.item.position) for entry in member.entries]
    by_text = dict(got)
    assert len(by_text) == len(got), "something came twice"
    assert {text: by_text[text] for text in publishers.promised} == publishers.promised
    offsets = [position.offset for _, position in got]
    assert offsets == sorted(set(offsets))
    return got


@pytest.mark.parametrize("seconds", [1, 5, 30] if PROVE else [1, 3])
def test_what_was_promised_arrives_once_though_redis_is_killed(redis, two, seconds):
    one, other, first, second = two
    publishers = Publishers([one, other])
    publishers.until(50)

    redis.kill()
    outage(seconds)
    redis.start()
    publishers.until(100)
    publishers.end()

    assert everything_came(publishers, first) == everything_came(publishers, second)
    assert (first.renewed, second.renewed) == (0, 0)
    assert publishers.raised or seconds < 2
    assert publishers.slowest < 3


def the_same_new_epoch(two, epoch):
    *_, first, second = two
    for member in (first, second):
        wait_for(lambda member=member: member.renewed, "a new epoch")
        wait_for(lambda member=member: member.replica.top.epoch != epoch, "its beginning")
    wait_for(lambda: first.replica.top.epoch == second.replica.top.epoch, "one epoch")


def goes_on(two):
    """Both publish, and both get it all; the positions."""
    one, other, first, second = two
    places = []
    for number, link in enumerate((one, other, one)):
        places.append(say(link, a_message(f"again {number}")).position)
    for member in (first, second):
        wait_for(lambda member=member: member.replica.top == places[-1], "what follows")
        newest = [(one.data_json, one.position) for one in member.replica.newest("news", 3)]
        assert newest == [(f'"again {number}"', place) for number, place in enumerate(places)]
    return places


def some(two, count=5):
    one, _, first, second = two
    places = [say(one, a_message(number)).position for number in range(count)]
    first.has(count)
    second.has(count)
    return places


def test_a_redis_that_comes_back_empty_begins_a_new_epoch(redis, two):
    *_, last = some(two)

    redis.kill()
    redis.lose_everything()
    redis.start()

    the_same_new_epoch(two, last.epoch)
    places = goes_on(two)
    assert places[0].epoch != last.epoch
    assert places[0].offset > last.offset
    assert [m.data_json for m in two[2].replica.newest("news", 9)] == ['"again 0"', '"again 1"', '"again 2"']


def test_a_redis_that_comes_back_with_older_data_begins_a_new_epoch(redis, two):
    some(two, 3)
    redis.snapshot()
    places = some_more(two, 3)

    redis.kill()
    redis.lose_what_came_since()
    redis.start()

    the_same_new_epoch(two, places[-1].epoch)
    after = goes_on(two)
    assert after[0].offset > places[-1].offset
    kept = [m.data_json for m in two[2].replica.newest("news", 9)]
    assert kept == ["0", "1", "2", '"again 0"', '"again 1"', '"again 2"']


def some_more(two, count):
    one, _, first, second = two
    had = len(first.entries)
    places = [say(one, a_message(f"more {number}")).position for number in range(count)]
    first.has(had + count)
    second.has(had + count)
    return places


def test_older_data_is_noticed_though_somebody_goes_on_from_it(redis, cluster, two):
    some(two, 3)
    redis.snapshot()
    places = some_more(two, 3)

    redis.kill()
    redis.lose_what_came_since()
    redis.start()
    outsider = cluster.outsider()  # which knows nothing of before
    for number in range(4):
        say(outsider, a_message(f"between {number}"))

    the_same_new_epoch(two, places[-1].epoch)
    goes_on(two)
    kept = [m.data_json for m in two[3].replica.newest("news", 20)]
    assert kept[:7] == ["0", "1", "2", *(f'"between {number}"' for number in range(4))]


@pytest.mark.parametrize("what", ["flushall", "meta", "bus"])
def test_keys_that_somebody_deletes_cost_no_more_than_a_new_beginning(redis, two, what):
    *_, last = some(two)

    if what == "flushall":
        redis.client.flushall()
    else:
        (key,) = redis.client.keys(f"*:{what}")
        redis.client.delete(key)

    for member in two[2:]:
        wait_for(lambda member=member: member.renewed, "a new beginning")
    places = goes_on(two)
    assert places[0].offset > last.offset


def test_an_entry_of_another_epoch_is_never_entered(redis, two):
    one, other, first, second = two
    some(two)
    (bus,) = redis.client.keys("*:bus")
    ((last, fields),) = redis.client.xrevrange(bus, count=1)
    offset, count = map(int, last.split(b"-"))
    epoch = one.top().epoch
    heard = len(first.entries)

    for text in (fields[b"e"], b'{"ep":"%s","o":7,"begins":1}' % epoch.encode()):
        of_another = text.replace(epoch.encode(), b"another")
        count += 1
        redis.client.xadd(bus, {"e": of_another}, id=f"{offset + 1}-{count}")

    wait_for(lambda: one.rejected == other.rejected == 2, "what was counted")
    assert len(first.entries) == len(second.entries) == heard
    assert (first.renewed, second.renewed) == (0, 0)
    goes_on(two)


def test_notes_arrive_though_another_redis_numbers_them_anew(redis, two):
    one, other, first, _ = two
    some(two)
    (bus,) = redis.client.keys("*:bus")
    inbox = bus.decode().removesuffix("bus") + f"inbox:{one.address}"
    sealed = one._codec.signatures.sealed(one.address, '{"number": 1}')
    redis.client.xadd(inbox, {"n": sealed}, id="9999999999999-0")
    wait_for(lambda: first.envelopes == [{"number": 1}], "the first note")

    redis.client.flushall()
    wait_for(lambda: first.renewed, "a new beginning")
    other.send(one.address, {"number": 2})

    wait_for(lambda: first.envelopes == [{"number": 1}, {"number": 2}], "the second note")


def test_a_note_that_may_have_been_heard_is_not_said_again(redis, cluster):
    link, member = cluster.server()
    proxy = Proxy(redis.port)
    beyond = cluster_through(redis, broker_prefix=cluster.kind.settings["broker_prefix"])
    beyond.kind.settings["broker"] = f"redis://127.0.0.1:{proxy.port}/0"
    other, _ = beyond.server()

    proxy.swallow = lambda said: b"EVALSHA" in said and b"only once" in said
    other.send(link.address, {"text": "only once"})
    wait_for(lambda: proxy.swallowed, "the lost reply")
    other.send(link.address, {"text": "after"})
    wait_for(lambda: {"text": "after"} in member.envelopes, "what follows")

    assert member.envelopes == [{"text": "only once"}, {"text": "after"}]
    beyond.end()
    proxy.server.stop()


def test_a_redis_that_hangs_makes_publishing_raise_in_time_and_is_forgiven(redis, two):
    one, other, first, second = two
    some(two)

    redis.hang()
    try:
        began = monotonic()
        for _ in range(2):
            with pytest.raises(PublishFailed, match="did not confirm it in 2 s"):
                say(one, a_message("nobody listens"))
        took = monotonic() - began
    finally:
        redis.go_on()

    assert 3.5 < took < 5.5
    goes_on(two)
    assert (first.renewed, second.renewed) == (0, 0)


def test_a_server_that_is_too_slow_for_the_bus_begins_again_and_nobody_else_does(redis):
    cluster = cluster_through(redis, broker_bus_size=100)
    (one, first), (_, slow) = cluster.server(), cluster.server()
    slow.room.clear()

    for number in range(500):
        say(one, a_message(number))
    slow.room.set()
    first.has(500)

    wait_for(lambda: slow.renewed, "a new beginning")
    wait_for(lambda: slow.replica.top == first.replica.top, "the rest")
    assert slow.state() == first.state()
    assert first.renewed == 0
    assert len(slow.entries) < 500
    cluster.end()


def test_rubbish_is_counted_and_dropped(redis, two):
    one, other, first, second = two
    some(two)
    (bus,) = redis.client.keys("*:bus")
    inbox = bus.decode().removesuffix("bus") + f"inbox:{one.address}"

    for value in (b"\x80\x04K\x01.", b"[]", b'"text"', b'{"ep":"x","o":1}', b"[" * 100_000):
        redis.client.xadd(bus, {"e": value})
        redis.client.xadd(inbox, {"n": value})
    redis.client.xadd(bus, {"else": "1"})
    redis.client.xadd(inbox, {"else": "1"})
    other.send(one.address, {"still": "alive"})

    wait_for(lambda: {"still": "alive"} in first.envelopes, "the note")
    wait_for(lambda: one.rejected == 12, "what was counted")
    assert (first.renewed, second.renewed) == (0, 0)
    goes_on(two)


@pytest.mark.parametrize(
    ("spoil", "mend", "reason"),
    [
        (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0"), "OutOfMemory|OOM"),
        (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE"), "ReadOnly|READONLY"),
        (
            ("CONFIG", "SET", "min-replicas-to-write", "3"),
            ("CONFIG", "SET", "min-replicas-to-write", "0"),
            "NOREPLICAS",
        ),
    ],
)
def test_a_redis_that_refuses_makes_publishing_raise_at_once_and_keeps_nothing(
    redis, two, spoil, mend, reason
):
    one, other, first, second = two
    some(two)
    before = first.state()

    redis.client.execute_command(*spoil)
    try:
        began = monotonic()
        for what in (
            a_message("full"),
            a_message("passing", volatile=True),
            Retract(channel="news", message_ref="i"),
        ):
            with pytest.raises(PublishFailed, match=reason):
                say(one, what)
        assert monotonic() - began < 1
    finally:
        redis.client.execute_command(*mend)

    late_link = RedisLink(one._config, some_rules())
    late = RecordingMember(some_rules())
    late_link.join(late)
    assert late.state() == before == first.state()
    late_link.leave()
    goes_on(two)


def test_scripts_that_are_flushed_are_told_again(redis, two):
    some(two)

    redis.client.script_flush()

    goes_on(two)
    assert two[2].renewed == 0


class Proxy:
    """Between us and Redis: it can swallow what Redis answers, and end the connection instead."""

    def __init__(self, port, own_port=0):
        self.server = StreamServer(("127.0.0.1", own_port), self._serve)
        self.server.start()
        self.port = self.server.server_port
        self.swallow = None  # called with what was said; true when its answer is to be lost
        self.swallowed = 0
        self._to = port

    def _serve(self, connection, _):
        with gevent.socket.create_connection(("127.0.0.1", self._to)) as redis, connection:
            back = gevent.spawn(self._back, redis, connection)
            try:
                while said := connection.recv(65536):
                    if self.swallow and self.swallow(said):
                        self.swallow, self.swallowed = None, self.swallowed + 1
                        back.kill()
                        redis.sendall(said)
                        redis.recv(65536)
                        return
                    redis.sendall(said)
            except OSError:
                pass
            finally:
                back.kill()

    def _back(self, redis, connection):
        try:
            while said := redis.recv(65536):
                connection.sendall(said)
        except OSError:
            pass


@pytest.mark.threat("S60")
@pytest.mark.parametrize("is_outside", [False, True])
def test_a_reply_that_is_lost_is_no_write_that_is_lost_or_done_twice(redis, cluster, is_outside):
    _, member = cluster.server()
    proxy = Proxy(redis.port)
    beyond = cluster_through(redis, broker_prefix=cluster.kind.settings["broker_prefix"])
    beyond.kind.settings["broker"] = f"redis://127.0.0.1:{proxy.port}/0"
    link = beyond.outsider() if is_outside else beyond.server()[0]
    say(link, a_message("warm"))

    proxy.swallow = lambda said: b"EVALSHA" in said and b"said twice" in said
    sequenced = say(link, a_message("said twice"))
    say(link, a_message("after"))

    wait_for(lambda: len(member.texts) >= 3, "what follows")
    assert proxy.swallowed == 1
    assert sequenced.is_new
    assert member.texts == ['"warm"', '"said twice"', '"after"']
    assert member.entries[1].item.position == sequenced.position
    beyond.end()
    proxy.server.stop()


def test_who_publishes_notices_by_itself_that_redis_has_less_than_it_knows(redis, cluster):
    outsider = cluster.outsider()
    say(outsider, a_message("a"))
    redis.snapshot()
    last = [say(outsider, a_message(number)).position for number in range(5)][-1]

    redis.kill()
    redis.lose_what_came_since()
    redis.start()
    next_ = say(outsider, a_message("b")).position

    assert next_.epoch != last.epoch
    assert next_.offset == last.offset + 1


def test_who_comes_back_late_notices_that_others_went_on_from_older_data(redis, cluster):
    proxy = Proxy(redis.port)
    beyond = cluster_through(redis, broker_prefix=cluster.kind.settings["broker_prefix"])
    beyond.kind.settings["broker"] = f"redis://127.0.0.1:{proxy.port}/0"
    link, member = beyond.server()
    say(link, a_message("a"))
    redis.snapshot()
    last = say_until_it_works(link, a_message("lost")).position
    member.has(2)

    proxy.server.stop()
    redis.kill()
    redis.lose_what_came_since()
    redis.start()
    others = [say(cluster.outsider(), a_message(number)).position for number in range(3)]
    proxy = Proxy(redis.port, proxy.port)

    assert others[0] == last  # the same place again, which nobody else could know
    wait_for(lambda: member.renewed, "a new beginning")
    assert member.replica.top.epoch != last.epoch
    assert [one.data_json for one in member.replica.newest("news", 9)] == ['"a"', "0", "1", "2"]
    beyond.end()
    proxy.server.stop()


def test_what_is_spooled_goes_out_in_order_before_anything_newer(redis, two):
    one, _, first, _ = two
    redis.kill()
    for number in range(50):
        one.sequence_later(proposal(a_message(number), one.address))
    newer = gevent.spawn(say_until_it_works, one, a_message("newer"))

    redis.start()
    newer.get(timeout=PATIENCE)

    first.has(51)
    assert first.texts == [*map(str, range(50)), '"newer"']


def test_what_may_be_spooled_is_said_at_once_while_redis_is_well(redis, two):
    one, _, first, _ = two
    assert one.sequence_or_spool(proposal(a_message("well"), one.address)).position.offset == 1
    redis.kill()
    spooled = [one.sequence_or_spool(proposal(a_message(number), one.address)) for number in range(3)]
    redis.start()

    first.has(4)

    assert spooled == [None] * 3
    assert first.texts == ['"well"', "0", "1", "2"]


def say_until_it_works(link, what):
    while True:
        try:
            return say(link, what)
        except PublishFailed:
            pass


def test_what_is_spooled_waits_until_redis_takes_it(redis, two):
    one, _, first, _ = two
    redis.client.config_set("maxmemory", 1)
    for number in range(5):
        one.sequence_later(proposal(a_message(number), one.address))
    with pytest.raises(PublishFailed):
        say(one, a_message("newer"))
    redis.client.config_set("maxmemory", 0)

    first.has(5)

    assert first.texts[:5] == [*map(str, range(5))]


def test_a_full_spool_says_so_and_what_is_left_is_told_at_the_end(redis, two, caplog):
    one, *_ = two
    redis.kill()
    for number in range(10_000):
        one.sequence_later(proposal(a_message(number), one.address))

    with pytest.raises(PublishFailed, match="10,000 messages are spooled already"):
        one.sequence_later(proposal(a_message("too many"), one.address))
    one.leave()

    assert "10000 spooled messages were not published" in caplog.text


def test_an_outage_is_told_once(redis, two, caplog):
    one, other, *_ = two
    redis.kill()
    outage(1.5)
    with pytest.raises(PublishFailed):
        say(one, a_message("nobody"))
    redis.start()
    goes_on(two)

    lines = [record.getMessage() for record in caplog.records if record.name.endswith("redis.outage")]
    assert len([line for line in lines if "trying again" in line]) <= 4  # two links, two ways
    assert len(set(lines)) >= 2
    assert not any("password" in line for line in lines)


def test_a_server_cannot_begin_without_its_redis(monkeypatch):
    monkeypatch.setattr("realtime_wall.brokers.redis.redis_link.JOIN_TIMEOUT", 0.5)
    link = RedisLink(Config(broker=f"redis://ada:secret@127.0.0.1:{free_port()}/0"), some_rules())

    with pytest.raises(BrokerUnreachable, match="refused") as failed:
        link.join(RecordingMember(some_rules()))

    assert "secret" not in str(failed.value)


SERVER = """
from gevent import monkey; monkey.patch_all()
import sys
import gevent
from realtime_wall.brokers.redis.redis_link import RedisLink
from realtime_wall.config import Config
from tests.brokers.members import RecordingMember, some_rules

link = RedisLink(Config(broker=sys.argv[1], broker_prefix=sys.argv[2]), some_rules())
link.join(RecordingMember(some_rules()))
print(link.address, flush=True)
gevent.sleep(3600)
"""


def test_a_server_that_is_killed_is_given_up_within_seconds(redis, cluster):
    link, _ = cluster.server()
    prefix = cluster.kind.settings["broker_prefix"]
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, redis.url, prefix],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with process:
        try:
            address = process.stdout.readline().strip()
            wait_for(lambda: address in link.servers(), "the other server")
        finally:
            process.kill()

    began = monotonic()
    wait_for(lambda: link.servers() == (link.address,), "its end")
    assert monotonic() - began < 10
