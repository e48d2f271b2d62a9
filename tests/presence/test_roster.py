"""The rolls of all servers, entered in one order, are one and the same; those of newcomers, too."""

import json

from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.presence.roster import HELLO, Roll, changes, dead
from realtime_wall.presence.table import JOINED, LEFT

ADA = {"id": "1"}


def events_of(roll):
    return [(one.event, one.channel, one.person["id"]) for one in roll.untold.values()]


def test_an_event_is_kept_until_it_was_told():
    roll = Roll()
    roll.start("one")
    roll.entered("one", "one:1", changes([("news", ADA)], []))
    roll.entered("one", "one:2", changes([], [("news", "1")]))

    assert events_of(roll) == [(JOINED, "news", "1"), (LEFT, "news", "1")]
    for key in list(roll.untold):
        roll.told(key)
        roll.told(key)
    assert events_of(roll) == []


def test_events_of_one_entry_have_keys_of_their_own():
    roll = Roll()
    roll.entered("one", "one:1", changes([("a", ADA), ("b", ADA)], []))

    assert len(roll.untold) == 2


def test_who_has_been_there_longest_tells():
    roll = Roll()
    roll.start("zed")
    roll.entered("abe", "abe:1", HELLO)
    roll.entered("bob", "bob:1", HELLO)

    assert roll.teller(()) == "zed"
    assert roll.teller({"zed"}) == "abe"
    roll.entered("bob", "bob:2", dead("zed"))
    assert roll.teller(()) == "abe"
    roll.entered("abe", "abe:2", HELLO)  # it has lost its roll
    assert roll.teller(()) == "bob"


class Server:
    def __init__(self, name, roll):
        self.name, self.roll = name, roll
        self.said = set()


@given(st.data())
def test_whatever_happens_all_rolls_are_alike_and_every_flip_is_told_once(data):
    first = Server("s0", Roll())
    first.roll.start("s0")
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
                teller = next(s for s in servers if s.name == s.roll.teller(()))
                image = json.loads(json.dumps(teller.roll.image()))
                servers.append(Server(name, Roll.restored(image)))
            case "die" if len(servers) > 1:
                servers.remove(one)
                enter(servers, servers[0].name, f"{servers[0].name}:{number}", dead(one.name))
            case "tell":
                teller = next(s for s in servers if s.name == s.roll.teller(()))
                for key, flip in list(teller.roll.untold.items())[: data.draw(st.integers(1, 2))]:
                    told.append((key, flip))
                    for server in servers:
                        server.roll.told(key)

        there = set().union(*(server.said for server in servers))
        assert len({json.dumps(server.roll.image()) for server in servers}) == 1
        for channel in "ab":
            people = {person["id"] for person in servers[0].roll.table.people(channel)}
            assert people == {p for c, p in there if c == channel}

    every = [*told, *servers[0].roll.untold.items()]
    assert len({key for key, _ in every}) == len(every)
    for channel in "ab":
        for person in "123":
            events = [f.event for _, f in every if (f.channel, f.person["id"]) == (channel, person)]
            assert events == [JOINED, LEFT] * (len(events) // 2) + [JOINED] * ((channel, person) in there)


def enter(servers, origin, key, said):
    text = json.dumps(said)
    for server in servers:
        server.roll.entered(origin, key, json.loads(text))
