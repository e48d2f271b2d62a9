"""Who must not wait for other processes is told so at once, whatever way the servers are joined."""

import gevent
import pytest

from realtime_wall.brokers.commands import Count, Publish
from realtime_wall.brokers.rpc import Calls, Handlers
from realtime_wall.brokers.waiting import MustNotWait, check_may_wait, must_not_wait, no_waiting
from tests.brokers.links import Cluster, OneMachine, ThroughRedis
from tests.brokers.members import say, some_rules
from tests.live import wait_for
from tests.redis_server import RedisServer

MESSAGE = Publish(channel="news", data_json="1")


@pytest.fixture(scope="module")
def redis():
    with RedisServer() as server:
        yield server


@pytest.fixture(params=["one machine", pytest.param("redis", marks=pytest.mark.redis)])
def two(request, tmp_path):
    """Two servers, of which the first may be the hub."""
    is_redis = request.param == "redis"
    kind = ThroughRedis(request.getfixturevalue("redis")) if is_redis else OneMachine(tmp_path)
    cluster = Cluster(kind, some_rules())
    yield cluster.server(), cluster.server()
    cluster.end()


def call(link):
    others = [server for server in link.servers() if server != link.address]
    return Calls(link, Handlers()).call(others, Count(channel="news"), 5.0)


@pytest.mark.parametrize("server", [0, 1])
@pytest.mark.parametrize("wait", [lambda link: say(link, MESSAGE), call], ids=["sequence", "call"])
def test_whoever_waits_in_a_callback_of_the_link_is_told_so_at_once(two, server, wait):
    wait_for(lambda: all(len(link.servers()) == 2 for link, _ in two))
    link, member = two[server]
    found = []

    def entry(entry):
        try:
            wait(link)
        except MustNotWait as problem:
            found.append(problem)

    member.entry = entry
    say(two[0][0], Publish(channel="news", data_json='"first"'))

    wait_for(lambda: found, "the error")
    assert "a greenlet of its own" in str(found[0])


@pytest.mark.parametrize("server", [0, 1])
def test_nobody_waits_on_the_event_loop(two, server):
    link, _ = two[server]
    found = []

    def callback():
        try:
            say(link, MESSAGE)
        except MustNotWait as problem:
            found.append(problem)

    gevent.get_hub().loop.run_callback(callback)

    wait_for(lambda: found, "the error")


def test_everybody_else_may_wait():
    check_may_wait()
    with no_waiting(), pytest.raises(MustNotWait):
        check_may_wait()
    check_may_wait()


def test_who_must_not_wait_at_all_may_not_afterwards_either():
    def reader():
        must_not_wait()
        with no_waiting():
            pass
        check_may_wait()

    greenlet = gevent.spawn(reader)
    greenlet.link_exception(lambda _: None)
    greenlet.join(10)

    assert isinstance(greenlet.exception, MustNotWait)
