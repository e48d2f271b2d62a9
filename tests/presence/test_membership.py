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
from tests.people import Server, running, told
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
        assert told(bob) == ["ada", "bob"]

        first.go(one)
        assert told(first.come("eve")) == ["ada", "bob", "eve"]
        second.go(other)

        events = [("joined", "ada"), ("joined", "bob"), ("joined", "eve"), ("left", "ada")]
        for server in (first, second):
            wait_for(lambda server=server: server.events == events, "the events")
            assert server.people() == ["bob", "eve"]


def test_a_server_that_comes_later_knows_who_is_here(cluster):
    with cluster(2) as (first, second):
        told(first.come("ada")), told(second.come("bob", "room 2"))
        with cluster(1) as (third,):
            assert (third.people(), third.people("room 2")) == (["ada"], ["bob"])
            assert told(third.come("ada")) == ["ada"]
            assert told(third.come("eve")) == ["ada", "eve"]
        wait_for(lambda: second.people() == ["ada"])
        wait_for(lambda: second.events[-1] == ("left", "eve"))
        assert second.events.count(("left", "eve")) == 1


def test_with_a_server_its_people_leave_once(cluster):
    with cluster(3) as (first, second, third):
        told(third.come("ada")), told(first.come("eve")), told(third.come("eve"))
        third.leave()

        for server in (first, second):
            wait_for(lambda server=server: server.people() == ["eve"])
            wait_for(lambda server=server: server.events[-1] == ("left", "ada"))
        told(second.come("bob"))
        wait_for(
            lambda: (
                second.events == [("joined", "ada"), ("joined", "eve"), ("left", "ada"), ("joined", "bob")]
            )
        )


def test_when_the_hub_ends_its_people_leave_and_the_others_stay(local):
    with running(local, 3) as (hub, second, third):
        told(hub.come("ada")), told(second.come("bob")), told(third.come("eve"))
        hub.leave()

        for server in (second, third):
            wait_for(lambda server=server: sorted(server.people()) == ["bob", "eve"])
            wait_for(lambda server=server: ("left", "ada") in server.events)
        told(third.come("sam"))
        wait_for(lambda: third.events[-1] == ("joined", "sam"))
        assert third.events.count(("left", "ada")) == 1
        assert {name for event, name in third.events if event == "left"} == {"ada"}
        assert [name for event, name in third.events if event == "joined"] == ["ada", "bob", "eve", "sam"]


def test_what_the_teller_has_not_told_the_next_one_tells(local):
    def cannot(*_):
        raise PublishFailed("not now")

    with running(local, 3) as (first, second, third):
        told(third.come("ada"))
        wait_for(lambda: second.events == [("joined", "ada")])
        leader = next(one for one in (first, second, third) if one.presence._call.is_leader)
        assert leader is first
        first.presence._tell = cannot
        told(third.come("bob")), told(second.come("eve"))
        assert third.people() == ["ada", "bob", "eve"]
        assert second.events == [("joined", "ada")]
        first.leave()

        events = [("joined", name) for name in ("ada", "bob", "eve")]
        wait_for(lambda: second.events == third.events == events, "the events")


def test_what_was_told_and_not_confirmed_is_not_told_twice(local):
    with running(local, 2) as (first, second):
        really, said = first.presence._tell, []

        def lose_the_answer(*event):
            really(*event)
            said.append(event)
            if len(said) < 3:
                raise PublishFailed("the answer was lost")

        first.presence._tell = lose_the_answer
        first.presence.published = lambda entry: None  # nor has its entry come in yet
        told(second.come("ada")), told(second.come("bob"))

        wait_for(lambda: second.events[-1:] == [("joined", "bob")])
        assert second.events == [("joined", "ada"), ("joined", "bob")]
        assert len(said) > 2


def test_a_server_that_is_said_to_be_dead_and_is_not_says_so(local):
    with running(local, 2) as (first, second):
        told(second.come("ada"))
        first.presence._call.say(dead(second.address))

        wait_for(lambda: first.events == [("joined", "ada"), ("left", "ada"), ("joined", "ada")])
        assert first.people() == second.people() == ["ada"]
        assert told(second.come("bob")) == ["ada", "bob"]


def test_a_server_that_began_with_a_roll_of_its_own_is_put_right(local):
    with running(local, 2) as (first, second):
        told(first.come("ada"))
        lost = second.presence._call
        lost.begin_again()
        lost.roster = type(lost.roster)()
        lost._hello = None
        lost.roster.start(second.address)
        lost._is_ready_now()
        lost.say(START)

        wait_for(lambda: second.people() == ["ada"], "what the other one knows")
        assert told(second.come("bob")) == ["ada", "bob"]
        wait_for(lambda: first.events == [("joined", "ada"), ("joined", "bob")])


def test_what_could_not_be_said_is_said_later(local):
    with running(local, 2) as (first, second):
        told(second.come("ada"))
        really, failures = second.presence._call.say, []

        def fail_twice(said):
            if len(failures) < 2:
                failures.append(said)
                raise PublishFailed("not now")
            really(said)

        second.presence._call.say = fail_twice
        bob = second.come("bob")

        wait_for(lambda: first.people() == ["ada", "bob"])
        second.go(bob)
        wait_for(lambda: first.events[-1] == ("left", "bob"))


def test_many_who_come_at_once_are_said_together(local):
    with running(local, 2) as (first, second):
        told(first.come("ada"))
        says = []
        really = second.presence._call.say
        second.presence._call.say = lambda said: (says.append(said), really(said))
        clients = [second.come(f"p{number}") for number in range(150)]
        told(clients[-1])

        wait_for(lambda: len(first.broker.newest("room", 999)) == 151)
        assert len(says) == 1


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

        # Each server says its own in order: what it has said last comes after all that was said before.
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
            told(client)
        for server in servers:
            wait_for(lambda s=server: sorted(s.people()) == ["p0", "p1", "p2", "p3"])
        wait_for(lambda: sorted(servers[0].events) == [("joined", f"p{n}") for n in range(4)])
    finally:
        for server in reversed(servers):
            server.leave()
