import pytest

from realtime_wall.brokers.command import Publish
from realtime_wall.brokers.redis_link import RedisLink
from realtime_wall.config import Config
from tests.brokers.members import RecordingMember, say, some_rules
from tests.live import wait_for
from tests.redis_server import RedisServer


@pytest.fixture(scope="module")
def redis():
    with RedisServer() as server:
        yield server


def test_first(redis):
    rules = some_rules()
    links = [RedisLink(Config(broker=redis.url), rules) for _ in range(2)]
    members = [RecordingMember(rules) for _ in range(2)]
    for link, member in zip(links, members, strict=True):
        link.join(member)
    first = say(links[0], Publish(channel="news", data_json='"one"'))
    second = say(links[1], Publish(channel="news", data_json='"two"'))
    assert first.is_new and first.position.offset == 1
    assert second.position.offset == 2
    for m in members:
        m.has(2)
        assert m.texts == ['"one"', '"two"']
    wait_for(lambda: set(links[0].servers()) == {links[0].address, links[1].address})
    links[0].tell(links[1].address, {"hello": 1})
    wait_for(lambda: members[1].notes, "note")
    late, latem = RedisLink(Config(broker=redis.url), rules), RecordingMember(rules)
    late.join(latem)
    assert latem.state() == members[0].state()
    for link in (*links, late):
        link.leave()
