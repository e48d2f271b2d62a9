"""The rolls of all servers, entered in one order, are one and the same; those of newcomers, too."""

import json

from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.presence.roster import HELLO, Roster, changes, dead
from realtime_wall.presence.table import JOINED, LEFT

ADA = {"id": "1"}


def events_of(roster):
    return [(one.event, one.channel, one.person["id"]) for one in roster.untold.values()]


def test_an_event_is_kept_until_it_was_told():
    roster = Roster()
    roster.start("one")
    roster.entered("one", "one:1", changes([("news", ADA)], []))
    roster.entered("one", "one:2", changes([], [("news", "1")]))

    assert events_of(roster) == [(JOINED, "news", "1"), (LEFT, "news", "1")]
    for key in list(roster.untold):
        roster.told(key)
        roster.told(key)
    assert events_of(roster) == []


def test_events_of_one_entry_have_keys_of_their_own():
    roster = Roster()
    roster.entered("one", "one:1", changes([("a", ADA), ("b", ADA)], []))

    assert len(roster.untold) == 2


def test_who_has_been_there_longest_tells():
    roster = Roster()
    roster.start("zed")
    roster.entered("abe", "abe:1", HELLO)
    roster.entered("bob", "bob:1", HELLO)

    assert roster.leader(()) == "zed"
    assert roster.leader({"zed"}) == "abe"
    roster.entered("bob", "bob:2", dead("zed"))
    assert roster.leader(()) == "abe"
    roster.entered("abe", "abe:2", HELLO)  # it has lost its roll
    assert roster.leader(()) == "bob"


class Server:
    def __init__(self, name, roster):
        self.name, self.roster = name, roster
        self.said = set()


@given(st.data())
def test_whatever_happens_all_rolls_are_alike_and_every_flip_is_told_once(data):
    first = Server("s0", Roster())
    first.roster.start("s0")
    servers, told, there = [first], [], set()
    for number in range(data.draw(st.integers(0, 40))):
        one = data.draw(st.sampled_from(servers))
        match data.draw(st.sampled_from(("change", "change", "change", "hello", "die", "tell"))):
            case "change":
                key = data.draw(st.tuples(st.sampled_from("ab"), st.sampled_from("123")))
                is_here = key not in one.said
                (one.said.add if is_here else one.said.discard)(key)
                said = changes([(key[0], {"id": key[1]})], []) if is_here else changes([], [key])
                enter(servers, one.name, f"{one.name}:{number}", said)
            case "hello" if len(servers) < 4:
                name = f"n{number}"
                enter(servers, name, f"{name}:hello", HELLO)
                leader = next(s for s in servers if s.name == s.roster.leader(()))
                image = json.loads(json.dumps(leader.roster.image()))
                servers.append(Server(name, Roster.restored(image)))
            case "die" if len(servers) > 1:
                servers.remove(one)
                enter(servers, servers[0].name, f"{servers[0].name}:{number}", dead(one.name))
            case "tell":
                leader = next(s for s in servers if s.name == s.roster.leader(()))
                for key, change in list(leader.roster.untold.items())[: data.draw(st.integers(1, 2))]:
                    told.append((key, change))
                    for server in servers:
                        server.roster.told(key)

        there = set().union(*(server.said for server in servers))
        assert len({json.dumps(server.roster.image()) for server in servers}) == 1
        for channel in "ab":
            people = {person["id"] for person in servers[0].roster.table.people(channel)}
            assert people == {p for c, p in there if c == channel}

    every = [*told, *servers[0].roster.untold.items()]
    assert len({key for key, _ in every}) == len(every)
    for channel in "ab":
        for person in "123":
            events = [f.event for _, f in every if (f.channel, f.person["id"]) == (channel, person)]
            assert events == [JOINED, LEFT] * (len(events) // 2) + [JOINED] * ((channel, person) in there)


def enter(servers, origin, key, said):
    text = json.dumps(said)
    for server in servers:
        server.roster.entered(origin, key, json.loads(text))
