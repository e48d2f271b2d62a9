import gevent
import pytest

from realtime_wall.wall.live_search.x_rules_for_visitors import XRulesForVisitors
from realtime_wall.wall.options import Options
from tests.fakes import running_node
from tests.wall.fakes import DEADLINE, x_line
from tests.wall.live_search.test_search_cluster import Server
from tests.wall.live_search.test_search_subscriptions import FakeSocket
from tests.wall.sources.contract import Run
from tests.wall.sources.x.test_shared_stream import ShareHarness, rules_at, tagged, wait_for


@pytest.fixture
def world(clock):
    with ShareHarness(clock) as harness:
        yield harness


@pytest.fixture
def server():
    with running_node() as node:
        server = Server(node)
        yield server
        server.stop()


@pytest.fixture
def searches(server):
    return server.searches


@pytest.fixture
def start(world, server, clock):
    started = []

    def begin(**options):
        visitors = XRulesForVisitors(
            world.stream, server.cluster, Options(**{"visitors_on_x": 100, **options}), clock
        )
        visitors.start()
        started.append(visitors)
        gevent.sleep(0)
        return visitors

    yield begin
    for visitors in started:
        visitors.stop()


def listening_to(searches, term):
    socket = FakeSocket()
    assert searches.subscribe(socket, term)["success"]
    return socket


def visitors_rules(world):
    return sorted(value for tag, value in rules_at(world.x) if tag == "realtime_wall:.visitors")


def test_a_term_becomes_a_rule_and_goes_with_the_last_who_listens(world, searches, start):
    start()
    assert world.x.dials == []
    one, other = listening_to(searches, "#tides"), listening_to(searches, "#tides")
    wait_for(lambda: visitors_rules(world) == ["#tides"])
    third = listening_to(searches, "#gulls")
    wait_for(lambda: visitors_rules(world) == ["#tides OR #gulls"])

    searches.unsubscribe(one)
    searches.unsubscribe(third)
    wait_for(lambda: visitors_rules(world) == ["#tides"])
    assert len(world.x.dials) == 1

    searches.unsubscribe(other)
    wait_for(lambda: world.stream._source is None)


def test_what_the_rule_brings_goes_to_those_who_listen(world, searches, start):
    start(banned_users=("benokoro",))
    tides, gulls = listening_to(searches, "tides"), listening_to(searches, "gulls")
    world.wait_until_heard()
    banned = tagged(2, "realtime_wall:.visitors")
    banned["includes"]["users"][0]["username"] = "benokoro"
    banned["data"]["text"] = "tides"
    world.x.tell(banned)
    world.x.tell(x_line(1, "high tides") | {"matching_rules": [{"tag": "realtime_wall:.visitors"}]})

    wait_for(lambda: tides.sent)
    assert len(tides.sent) == 1 and "high tides" in tides.sent[0]
    assert gulls.sent == []


def test_only_so_many_terms_are_asked_of_x(world, searches, start):
    start(visitors_on_x=2)
    sockets = [listening_to(searches, f"#term{number}") for number in range(4)]
    wait_for(lambda: visitors_rules(world) == ["#term0 OR #term1"])

    searches.unsubscribe(sockets[0])
    wait_for(lambda: visitors_rules(world) == ["#term1 OR #term2"])


def test_the_cap_ends_it_for_the_hour(world, searches, start, clock):
    clock.wait = lambda event, seconds: event.wait(DEADLINE if seconds > 60 else 0)
    start(posts_per_hour=3)
    listening_to(searches, "tides")
    world.wait_until_heard()
    for number in range(1, 4):
        world.x.tell(tagged(number, "realtime_wall:.visitors"))

    wait_for(lambda: world.stream._source is None)


def test_a_thousand_visitors_with_a_hundred_terms_hold_one_connection(world, searches, start, clock):
    """And each is sent just what has the term."""
    words = [f"word{number:03}" for number in range(100)]
    wall = Run(world.source(), clock)
    start(visitors_on_x=100)
    visitors = [(word, listening_to(searches, word)) for word in words for _ in range(10)]
    wait_for(lambda: sum(rule.count("word") for rule in visitors_rules(world)) == 100)
    world.wait_until_heard()

    for number, word in enumerate(words):
        line = x_line(number + 1, f"{word} {words[-1 - number]}")
        world.x.tell(line | {"matching_rules": [{"tag": "realtime_wall:.visitors"}]})

    wait_for(lambda: sum(len(socket.sent) for _, socket in visitors) >= 2000)
    for word, socket in visitors:
        assert len(socket.sent) == 2 and all(word in sent for sent in socket.sent)
    assert len(world.x.dials) == 1
    assert wall.items == []
    wall.stop()
