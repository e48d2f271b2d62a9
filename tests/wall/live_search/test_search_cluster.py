import json
from contextlib import ExitStack

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.brokers.command_json import from_json, to_json
from realtime_wall.brokers.commands import Publish
from realtime_wall.brokers.local.local_link import LocalLink
from realtime_wall.brokers.redis.redis_link import RedisLink
from realtime_wall.brokers.sequencer import new_epoch
from realtime_wall.channels.names import BETWEEN_SERVERS, check_channel
from realtime_wall.config import Config
from realtime_wall.control.unix_server import BusServer
from realtime_wall.errors import InvalidChannel, PublishFailed
from realtime_wall.node import node as nodes
from realtime_wall.node.fan_out.subscriber import ListensOnly
from realtime_wall.node.introspection import statistics
from realtime_wall.node.node import Node
from realtime_wall.wall.live_search import search_cluster as module
from realtime_wall.wall.live_search.search_cluster import SEND_EVERY, TOPIC, SearchCluster, united
from realtime_wall.wall.live_search.search_subscriptions import SearchSubscriptions
from realtime_wall.wall.live_search.term_matcher import fold
from realtime_wall.wall.live_search.x_rules_for_visitors import XRulesForVisitors
from realtime_wall.wall.options import Options
from tests.brokers.conftest import tmp_path  # noqa: F401  a short one
from tests.fakes import running_node
from tests.redis_server import RedisServer
from tests.wall.fakes import x_line
from tests.wall.live_search.test_search_subscriptions import FakeSocket
from tests.wall.posts import make_post
from tests.wall.sources.x.test_shared_stream import ShareHarness, rules_at, wait_for

BETWEEN = f"{BETWEEN_SERVERS}{TOPIC}"


class Server:
    """A node, and what the visitors whose sockets are on it search for."""

    def __init__(self, node, most=100):
        self.node = node
        self.searches = SearchSubscriptions()
        self.searches.start()
        self.cluster = SearchCluster(self.searches, most)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(nodes, "current", lambda: node)  # a process has one, and this has three
            self.cluster.start()

    def visitor(self, term):
        socket = FakeSocket()
        assert self.searches.subscribe(socket, term)["success"]
        return socket

    def stop(self):
        self.cluster.stop()
        self.searches.stop()


@pytest.fixture
def server():
    with running_node() as node:
        server = Server(node)
        wait_for(lambda: not server.cluster._has_to_join)
        yield server
        server.stop()


class BySockets:
    """Servers of one machine."""

    def __init__(self, request):
        path = request.getfixturevalue("tmp_path")
        path.chmod(0o700)
        self.config = Config(runtime_dir=str(path))

    def node(self):
        def open_bus(hub):
            bus = BusServer(lambda command: node.perform(command), self.config, hub=hub)
            bus.start()
            return bus.stop

        node = Node(self.config, lambda rules, address: LocalLink(self.config, rules, address, open_bus))
        return node


class ByRedis:
    def __init__(self, request):
        self.redis = request.getfixturevalue("redis")
        self.config = Config(broker=self.redis.url, broker_prefix=new_epoch())

    def node(self):
        return Node(self.config, lambda rules, address: RedisLink(self.config, rules, address))


@pytest.fixture(scope="module")
def redis():
    with RedisServer() as server:
        yield server


@pytest.fixture(params=[BySockets, pytest.param(ByRedis, marks=pytest.mark.redis)])
def three(request):
    """Three servers of one site."""
    way = request.param(request)
    with ExitStack() as stack:
        servers = []
        for _ in range(3):
            node = way.node()
            node.start()
            stack.callback(node.stop)
            servers.append(Server(node))
            stack.callback(servers[-1].stop)
        wait_for(lambda: all(len(one.node.broker.link.servers()) == 3 for one in servers))
        yield servers


@pytest.fixture
def world(clock):
    with ShareHarness(clock) as harness:
        yield harness


def words(world):
    """What X is asked for."""
    values = [value for tag, value in rules_at(world.x) if tag == "realtime_wall:.visitors"]
    return sorted(word.strip('"').casefold() for value in values for word in value.split(" OR "))


def brought(world, number, text):
    world.x.tell(x_line(number, text) | {"matching_rules": [{"tag": "realtime_wall:.visitors"}]})


def test_one_stream_has_the_words_of_all_servers_and_its_posts_come_to_all(three, world, clock):
    first, second, third = three
    visitors = XRulesForVisitors(world.stream, second.cluster, Options(visitors_on_x=10), clock)
    tides = first.visitor("#tides")
    visitors.start()
    wait_for(lambda: words(world) == ["#tides"])
    gulls = third.visitor("gulls")
    same, crabs = second.visitor("#TIDES"), second.visitor("crabs")
    wait_for(lambda: words(world) == ["#tides", "crabs", "gulls"])
    world.wait_until_heard()

    brought(world, 1, "gulls and crabs")
    wait_for(lambda: gulls.sent and crabs.sent)
    assert tides.sent == same.sent == []
    assert len(gulls.sent) == len(crabs.sent) == 1

    third.searches.unsubscribe(gulls)
    wait_for(lambda: words(world) == ["#tides", "crabs"])
    assert len(world.x.dials) == 1
    visitors.stop()


def test_a_server_that_ends_takes_its_words_with_it(three):
    first, second, third = three
    first.cluster.lead()
    first.visitor("tides"), second.visitor("gulls"), third.visitor("crabs")
    wait_for(lambda: sorted(first.cluster.terms) == ["crabs", "gulls", "tides"])
    told = []
    first.cluster.on_terms = lambda: told.append(first.cluster.terms)

    third.cluster.stop()
    third.node.broker.leave()
    wait_for(lambda: sorted(first.cluster.terms) == ["gulls", "tides"])
    assert told


def test_the_next_one_with_the_stream_is_told_what_all_listen_to(three):
    first, second, third = three
    first.visitor("tides"), third.visitor("crabs")
    first.cluster.lead()
    wait_for(lambda: len(first.cluster.terms) == 2)
    first.cluster.retire()
    second.cluster.lead()

    wait_for(lambda: sorted(second.cluster.terms) == ["crabs", "tides"])
    assert first.cluster.terms == []


def test_a_server_that_joins_between_two_questions_is_asked_at_once(three, monkeypatch):
    monkeypatch.setattr(module, "ASK_EVERY", 1000.0)
    first, second, third = three
    third.cluster.stop()
    first.cluster.lead()
    second.visitor("tides")
    wait_for(lambda: first.cluster.terms == ["tides"])

    later = Server(third.node)
    later.visitor("gulls")
    wait_for(lambda: sorted(first.cluster.terms) == ["gulls", "tides"])
    later.stop()


def said(server):
    """What is said between the servers from now on."""
    heard = []

    class Ear(ListensOnly):
        is_behind = False

        def deliver(self, encoded):
            heard.extend((one.event, json.loads(one.data_json)["data"]) for one in encoded.messages)
            return 0

    server.node.subscriptions.add(BETWEEN, Ear())
    return heard


def test_where_nobody_asks_nothing_is_said(server):
    heard = said(server)
    server.visitor("tides")
    gevent.sleep(SEND_EVERY * 2)
    assert heard == []

    server.cluster.lead()
    wait_for(lambda: ("terms", ["tides"]) in heard)


def test_many_who_come_at_once_are_said_at_once(server):
    server.cluster.lead()
    wait_for(lambda: server.cluster._asked_until)
    heard = said(server)
    for number in range(50):
        server.visitor(f"word{number}")
        gevent.sleep(0)
    wait_for(lambda: len(server.cluster.terms) == 50)

    assert len([event for event, _ in heard if event == "terms"]) <= 2


def test_no_more_is_said_than_can_be_of_use(server):
    server.cluster._most = 3
    server.cluster.lead()
    for number in range(9):
        server.visitor(f"word{number}")
    wait_for(lambda: server.cluster.terms)

    assert server.cluster.terms == ["word0", "word1", "word2"]


def test_what_cannot_be_said_is_said_again_and_its_failure_logged_once(server, monkeypatch, caplog):
    monkeypatch.setattr(module, "FIRST_RETRY", 0.01)
    server.cluster.lead()
    wait_for(lambda: server.cluster._asked_until)
    link, tried = server.node.broker.link, []
    sequence = link.sequence

    def fail(proposal):
        tried.append(proposal)
        raise PublishFailed("it is away")

    link.sequence = fail
    server.visitor("tides")
    wait_for(lambda: len(tried) > 3)
    link.sequence = sequence

    wait_for(lambda: server.cluster.terms == ["tides"])
    assert caplog.text.count("visitors of other servers cannot be reached: it is away") == 1


@pytest.mark.parametrize(
    "event, data",
    [
        ("terms", "tides"),
        ("terms", [5]),
        ("terms", ["x" * 101]),
        ("posts", 5),
        ("posts", ["no post"]),
        ("else", None),
    ],
)
def test_rubbish_between_the_servers_hurts_nobody(server, event, data):
    server.cluster.lead()
    visitor = server.visitor("tides")
    server.cluster._topic.send(event, data)
    server.cluster.offer(make_post(text="high tides"))

    wait_for(lambda: visitor.sent)
    wait_for(lambda: server.cluster.terms == ["tides"])


def test_no_client_can_name_the_channel_between_the_servers(server):
    command = to_json(Publish(channel=BETWEEN, data_json="1"))

    with pytest.raises(InvalidChannel):
        check_channel(BETWEEN)
    with pytest.raises(InvalidChannel):
        from_json(command)
    assert from_json(command, of_server=True).channel == BETWEEN


def test_the_channel_between_the_servers_is_in_no_statistics(server):
    assert server.node.subscriptions.count(BETWEEN) == 1
    assert statistics.summary(server.node)["channels"] == 0
    assert statistics.of_prefix(server.node, "")["infos"] == []


terms = st.lists(st.sampled_from(["a", "A", "b", "c", "d", "é", "e"]), max_size=6)


@given(st.lists(terms, max_size=4))
def test_no_servers_second_word_comes_before_any_servers_first(lists):
    place = {}
    for words in lists:
        for number, word in enumerate(words):
            place[fold(word)] = min(number, place.get(fold(word), number))

    found = [fold(word) for word in united(lists)]
    assert sorted(found) == sorted(place)
    assert [place[word] for word in found] == sorted(place.values())
