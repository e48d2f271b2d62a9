"""Who is on a channel: several servers, joined as those of a machine are, and by Redis."""

import gevent
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime_wall.brokers.redis.redis_link import RedisLink
from realtime_wall.brokers.sequencer import new_epoch
from realtime_wall.config import Config
from realtime_wall.errors import PublishFailed
from realtime_wall.presence.roster import START, dead
from tests.live import wait_for
from tests.people import Server, people_sent_to, running
from tests.redis_server import RedisServer


@pytest.fixture(scope="module")
def redis():
    with RedisServer("--appendfsync", "no") as server:
        yield server


@pytest.fixture(params=["local", pytest.param("redis", marks=pytest.mark.redis)])
def cluster(request, tmp_path, monkeypatch):
    """Makes servers that are joined in one of the ways."""
    for name in ("tracker.LOOK_EVERY", "membership.AFTER", "membership.RETURN"):
        monkeypatch.setattr(f"realtime_wall.presence.{name}", 0.1)
    if request.param == "local":
        return lambda count: running(Config(runtime_dir=str(tmp_path)), count)
    monkeypatch.setattr("realtime_wall.brokers.redis.redis_link.HEARTBEAT", 0.05)
    url = request.getfixturevalue("redis").url
    config = Config(broker=url, broker_prefix=new_epoch())
    return lambda count: running(config, count, link=RedisLink)


@pytest.fixture
def local(tmp_path, monkeypatch):
    monkeypatch.setattr("realtime_wall.presence.membership.RETURN", 0.1)
    return Config(runtime_dir=str(tmp_path))


def test_a_person_on_two_servers_is_one_and_leaves_once(cluster):
    with cluster(2) as (first, second):
        one, other = first.come("ada"), second.come("ada")
        bob = second.come("bob")
        assert people_sent_to(bob) == ["ada", "bob"]

        first.go(one)
        assert people_sent_to(first.come("eve")) == ["ada", "bob", "eve"]
        second.go(other)

        events = [("joined", "ada"), ("joined", "bob"), ("joined", "eve"), ("left", "ada")]
        for server in (first, second):
            wait_for(lambda server=server: server.events == events, "the events")
            assert server.people() == ["bob", "eve"]


def test_a_server_that_comes_later_knows_who_is_here(cluster):
    with cluster(2) as (first, second):
        people_sent_to(first.come("ada")), people_sent_to(second.come("bob", "room 2"))
        with cluster(1) as (third,):
            assert (third.people(), third.people("room 2")) == (["ada"], ["bob"])
            assert people_sent_to(third.come("ada")) == ["ada"]
            assert people_sent_to(third.come("eve")) == ["ada", "eve"]
        wait_for(lambda: second.people() == ["ada"])
        wait_for(lambda: second.events[-1] == ("left", "eve"))
        assert second.events.count(("left", "eve")) == 1


def test_with_a_server_its_people_leave_once(cluster):
    with cluster(3) as (first, second, third):
        (
            people_sent_to(third.come("ada")),
            people_sent_to(first.come("eve")),
            people_sent_to(third.come("eve")),
        )
        third.leave()

        for server in (first, second):
            wait_for(lambda server=server: server.people() == ["eve"])
            wait_for(lambda server=server: server.events[-1] == ("left", "ada"))
        people_sent_to(second.come("bob"))
        wait_for(
            lambda: (
                second.events == [("joined", "ada"), ("joined", "eve"), ("left", "ada"), ("joined", "bob")]
            )
        )


def test_when_the_hub_ends_its_people_leave_and_the_others_stay(local):
    with running(local, 3) as (hub, second, third):
        people_sent_to(hub.come("ada")), people_sent_to(second.come("bob")), people_sent_to(third.come("eve"))
        hub.leave()

        for server in (second, third):
            wait_for(lambda server=server: sorted(server.people()) == ["bob", "eve"])
            wait_for(lambda server=server: ("left", "ada") in server.events)
        people_sent_to(third.come("sam"))
        wait_for(lambda: third.events[-1] == ("joined", "sam"))
        assert third.events.count(("left", "ada")) == 1
        assert {name for event, name in third.events if event == "left"} == {"ada"}
        assert [name for event, name in third.events if event == "joined"] == ["ada", "bob", "eve", "sam"]


def test_what_the_leader_has_not_published_the_next_one_does(local):
    def cannot(*_):
        raise PublishFailed("not now")

    with running(local, 3) as (first, second, third):
        people_sent_to(third.come("ada"))
        wait_for(lambda: second.events == [("joined", "ada")])
        leader = next(one for one in (first, second, third) if one.presence._membership.is_leader)
        assert leader is first
        first.presence._publish_event = cannot
        people_sent_to(third.come("bob")), people_sent_to(second.come("eve"))
        assert third.people() == ["ada", "bob", "eve"]
        assert second.events == [("joined", "ada")]
        first.leave()

        events = [("joined", name) for name in ("ada", "bob", "eve")]
        wait_for(lambda: second.events == third.events == events, "the events")


def test_what_was_published_and_not_confirmed_is_not_published_twice(local):
    with running(local, 2) as (first, second):
        really, published = first.presence._publish_event, []

        def lose_the_answer(*event):
            really(*event)
            published.append(event)
            if len(published) < 3:
                raise PublishFailed("the answer was lost")

        first.presence._publish_event = lose_the_answer
        first.presence.published = lambda entry: None  # nor has its entry come in yet
        people_sent_to(second.come("ada")), people_sent_to(second.come("bob"))

        wait_for(lambda: second.events[-1:] == [("joined", "bob")])
        assert second.events == [("joined", "ada"), ("joined", "bob")]
        assert len(published) > 2


def test_a_server_that_is_announced_dead_and_is_not_joins_again(local):
    with running(local, 2) as (first, second):
        people_sent_to(second.come("ada"))
        first.presence._membership.announce(dead(second.address))

        wait_for(lambda: first.events == [("joined", "ada"), ("left", "ada"), ("joined", "ada")])
        assert first.people() == second.people() == ["ada"]
        assert people_sent_to(second.come("bob")) == ["ada", "bob"]


def test_a_server_that_began_with_a_roster_of_its_own_is_put_right(local):
    with running(local, 2) as (first, second):
        people_sent_to(first.come("ada"))
        lost = second.presence._membership
        lost.rejoin()
        lost.roster = type(lost.roster)()
        lost._joining = None
        lost.roster.start(second.address)
        lost._is_ready_now()
        lost.announce(START)

        wait_for(lambda: second.people() == ["ada"], "what the other one knows")
        assert people_sent_to(second.come("bob")) == ["ada", "bob"]
        wait_for(lambda: first.events == [("joined", "ada"), ("joined", "bob")])


def test_what_could_not_be_announced_is_announced_later(local):
    with running(local, 2) as (first, second):
        people_sent_to(second.come("ada"))
        really, failures = second.presence._membership.announce, []

        def fail_twice(announcement):
            if len(failures) < 2:
                failures.append(announcement)
                raise PublishFailed("not now")
            really(announcement)

        second.presence._membership.announce = fail_twice
        bob = second.come("bob")

        wait_for(lambda: first.people() == ["ada", "bob"])
        second.go(bob)
        wait_for(lambda: first.events[-1] == ("left", "bob"))


def test_many_who_join_at_once_are_announced_together(local):
    with running(local, 2) as (first, second):
        people_sent_to(first.come("ada"))
        announced = []
        really = second.presence._membership.announce
        second.presence._membership.announce = lambda one: (announced.append(one), really(one))
        clients = [second.come(f"p{number}") for number in range(150)]
        people_sent_to(clients[-1])

        wait_for(lambda: len(first.broker.newest("room", 999)) == 151)
        assert len(announced) == 1


NAMES, ROOMS = ("ada", "bob", "eve"), ("room", "room 2")


@given(st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_all_agree_and_events_are_balanced(tmp_path_factory, data):
    config = Config(runtime_dir=str(tmp_path_factory.mktemp("hub")))
    with running(config, 3) as servers:
        here = {server: [] for server in servers}  # (name, room, client)
        first, *_ = servers
        for _ in range(data.draw(st.integers(1, 25))):
            server = data.draw(st.sampled_from(list(here)))
            what = data.draw(st.sampled_from(("come", "come", "come", "go", "go", "leave", "turn")))
            if what == "come":
                name, room = data.draw(st.sampled_from(NAMES)), data.draw(st.sampled_from(ROOMS))
                here[server].append((name, room, server.come(name, room)))
            elif what == "go" and here[server]:
                server.go(here[server].pop(data.draw(st.integers(0, len(here[server]) - 1)))[2])
            elif what == "leave" and server is not first and len(here) > 1:
                del here[server]
                server.leave()
            elif what == "turn":
                gevent.idle()

        # Each server announces its own in order: what it announced last comes after all before.
        last = {server: f"the last of {number}" for number, server in enumerate(here)}
        there = {(name, room) for sockets in here.values() for name, room, _ in sockets}
        for room in ROOMS:
            for server, name in last.items():
                server.come(name, room)
            names = sorted([*last.values(), *(name for name, where in there if where == room)])
            joined = {("joined", name) for name in last.values()}
            for server in here:
                wait_for(lambda s=server, r=room, j=joined: j <= {*s.events_of(r)})
                wait_for(lambda s=server, r=room: s.events_of(r) == first.events_of(r))
                wait_for(lambda s=server, r=room, n=names: sorted(s.people(r)) == n)
            for name in NAMES:
                wait_for(lambda n=name, r=room: is_balanced(first.events_of(r), n, (n, r) in there))


def is_balanced(events, name, is_there):
    """Whether a person has come and gone in turn, and is where it was last seen."""
    own = [event for event, one in events if one == name]
    return own == ["joined", "left"] * (len(own) // 2) + ["joined"] * is_there


def test_servers_that_begin_at_once_agree(local):
    servers = []
    gevent.joinall([gevent.spawn(lambda: servers.append(Server(local))) for _ in range(4)], raise_error=True)
    try:
        clients = [server.come(f"p{number}") for number, server in enumerate(servers)]
        for client in clients:
            people_sent_to(client)
        for server in servers:
            wait_for(lambda s=server: sorted(s.people()) == ["p0", "p1", "p2", "p3"])
        wait_for(lambda: sorted(servers[0].events) == [("joined", f"p{n}") for n in range(4)])
    finally:
        for server in reversed(servers):
            server.leave()
