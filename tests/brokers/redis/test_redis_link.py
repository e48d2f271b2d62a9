"""Which servers does a server know of, with Redis between them?"""

import pytest

from realtime_wall.brokers.redis import redis_link
from tests.brokers.links import cluster_through
from tests.live import wait_for
from tests.redis_server import RedisServer

pytestmark = pytest.mark.redis


@pytest.fixture
def cluster(monkeypatch):
    """Of servers whose hearts do not beat of themselves."""
    monkeypatch.setattr(redis_link, "HEARTBEAT", 3600.0)
    monkeypatch.setattr(redis_link, "LEASE", 7200)
    with RedisServer() as server:
        made = cluster_through(server)
        yield made
        made.end()


def test_one_that_joins_is_known_to_the_others_before_their_next_heartbeats(cluster):
    (first, member), (second, _) = cluster.server(), cluster.server()
    both = tuple(sorted([first.address, second.address]))

    wait_for(lambda: first.servers() == both, "the second server")
    first._beat()
    assert first.servers() == both
    assert member.envelopes == []


def test_a_heartbeat_that_was_on_its_way_does_not_forget_who_has_just_come(cluster):
    link, member = cluster.server()
    link._beat()
    link._receive({"joined": "AAAAAAAA"})
    link._learn([link.address.encode()])  # it was said before the other one came

    assert "AAAAAAAA" in link.servers()
    link._beat()
    assert link.servers() == (link.address,)
    assert member.gone_servers == ["AAAAAAAA"]
