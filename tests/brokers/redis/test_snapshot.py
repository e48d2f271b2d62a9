"""What is read of Redis while others go on is what there is at one moment."""

import json

import pytest

from realtime_wall.brokers.commands import Delete, Publish, Retract
from realtime_wall.brokers.redis import redis_url, scripts, snapshot
from realtime_wall.brokers.redis.bus_codec import BusCodec
from realtime_wall.brokers.redis.script_connection import ScriptConnection
from realtime_wall.brokers.redis.snapshot import EpochChanged, load
from realtime_wall.channels.position import Position
from tests.brokers.links import cluster_through
from tests.brokers.members import RecordingMember, say, some_rules
from tests.live import wait_for
from tests.redis_server import RedisServer

pytestmark = pytest.mark.redis


@pytest.fixture(scope="module")
def redis():
    with RedisServer("--appendfsync", "no") as server:
        yield server


class Interrupted(ScriptConnection):
    """Something is done by others each time that a script is about to be asked."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.meanwhile = {}
        self.asked = []

    def ask(self, script, *arguments):
        self.asked.append(script)
        for do in self.meanwhile.pop(script, []):
            do()
        return super().ask(script, *arguments)


class Loading:
    def __init__(self, redis, **rule):
        self.rules = some_rules(**rule)
        self.cluster = cluster_through(redis, rules=self.rules)
        self.link, self.early = self.cluster.server()
        prefix = self.cluster.kind.settings["broker_prefix"]
        self.codec = BusCodec(prefix, self.rules, 1000, 100_000)
        self.talk = Interrupted(redis_url.pool(redis.url, 5.0), self.codec.key)
        self.talk.connect()

    def publish(self, text, channel="news", **more):
        return lambda: say(self.link, Publish(channel=channel, data_json=json.dumps(text), **more))

    def do(self, what):
        return lambda: say(self.link, what)

    def load(self):
        loaded = load(self.talk, self.codec, self.rules, 1000, Position("", 0))
        member = RecordingMember(self.rules)
        member.begin(iter(loaded.image))
        return member

    def end(self):
        self.talk.close()
        self.cluster.end()


@pytest.fixture
def loading(redis):
    made = []

    def new(**rule):
        made.append(Loading(redis, **rule))
        return made[-1]

    yield new
    for one in made:
        one.end()


def is_the_same(loading, member, count):
    loading.early.has(count)
    assert member.state() == loading.early.state()


def test_a_channel_that_is_deleted_and_begins_anew_before_it_is_read_stays(loading):
    loading = loading()
    loading.publish("old")()
    loading.talk.meanwhile[scripts.CHANNELS] = [
        loading.do(Delete(channel="news")),
        loading.publish("new"),
    ]

    is_the_same(loading, loading.load(), 3)


def test_a_channel_that_is_deleted_after_it_was_read_goes(loading):
    loading = loading()
    loading.publish("old")()
    loading.publish("other", channel="other")()
    after = [loading.do(Delete(channel="news")), loading.publish("again"), loading.publish("and again")]
    loading.talk.meanwhile[scripts.IMAGE] = [
        lambda: loading.talk.meanwhile.update({scripts.LOOK: after, scripts.CHANNELS: []})
    ]

    is_the_same(loading, loading.load(), 5)


def test_what_is_taken_back_and_what_passes_meanwhile_is_applied_once(loading):
    loading = loading(history_size=3)
    for number in range(3):
        loading.publish(number, event_id=f"i{number}")()
    meanwhile = [
        loading.publish("passing", volatile=True),
        loading.do(Retract(channel="news", message_ref="i2")),
        loading.publish("next"),
    ]
    loading.talk.meanwhile[scripts.IMAGE] = meanwhile

    is_the_same(loading, loading.load(), 6)


def test_channels_are_read_in_portions(loading, monkeypatch):
    monkeypatch.setattr(snapshot, "PORTION_BYTES", 1500)
    monkeypatch.setattr(snapshot, "PORTION_CHANNELS", 7)
    monkeypatch.setattr(snapshot, "PORTION_ENTRIES", 3)
    loading = loading()
    for number in range(30):
        loading.publish("x" * 200, channel=f"c{number}")()
    loading.talk.meanwhile[scripts.IMAGE] = [
        loading.publish(number, channel=f"c{number % 3}") for number in range(10)
    ]

    member = loading.load()

    is_the_same(loading, member, 40)
    assert loading.talk.asked.count(scripts.CHANNELS) >= 5
    assert loading.talk.asked.count(scripts.IMAGE) >= 12


def test_a_message_larger_than_a_portion_is_read(loading, monkeypatch):
    monkeypatch.setattr(snapshot, "PORTION_BYTES", 100)
    loading = loading()
    loading.publish("x" * 10_000)()
    loading.publish("y" * 10_000, channel="other")()

    is_the_same(loading, loading.load(), 2)


def test_an_epoch_that_begins_meanwhile_is_noticed(redis, loading):
    loading = loading()
    loading.publish("old")()
    loading.talk.meanwhile[scripts.IMAGE] = [redis.client.flushall]

    with pytest.raises(EpochChanged, match="another epoch"):
        loading.load()


def test_a_bus_that_keeps_too_little_is_noticed(redis, loading):
    loading = loading()
    loading.publish("old")()
    loading.talk.meanwhile[scripts.IMAGE] = [
        loading.publish("one"),
        loading.publish("two"),
        lambda: redis.client.xtrim(loading.codec.bus, maxlen=1, approximate=False),
    ]

    with pytest.raises(EpochChanged, match="BROKER_BUS_SIZE"):
        loading.load()


def test_a_channel_that_became_too_old_begins_anew_though_many_others_did_too(loading):
    loading = loading(history_age=0.5)
    for number in range(30):
        loading.publish("old", channel=f"c{number}")()
    loading.early.has(30)
    wait_for(lambda: loading.early.replica.kept("c29") == 0, "its age")

    loading.publish("young", channel="c29")()

    member = loading.load()
    loading.early.has(31)
    assert [one.replica.published("c29") for one in (member, loading.early)] == [1, 1]
