"""The rosters of all servers, changed in one order, are one and the same; those of newcomers, too."""

import json

from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.presence.roster import JOIN, Roster, dead, delta
from realtime_wall.presence.table import JOINED, LEFT, PEOPLE, PresenceChange

ADA = {"id": "1"}


def events_of(roster):
    return [(one.event, one.channel, one.person["id"]) for one in roster.pending.values()]


def test_an_event_is_kept_until_it_was_published():
    roster = Roster()
    roster.start("one")
    roster.apply("one", "one:1", delta([("news", ADA)], []))
    roster.apply("one", "one:2", delta([], [("news", "1")]))

    assert events_of(roster) == [(JOINED, "news", "1"), (LEFT, "news", "1")]
    for key in list(roster.pending):
        roster.published("news", key)
        roster.published("news", key)
    assert events_of(roster) == []


def test_events_of_one_entry_have_keys_of_their_own():
    roster = Roster()
    roster.apply("one", "one:1", delta([("a", ADA), ("b", ADA)], []))

    assert len(roster.pending) == 2


def test_who_has_been_in_it_longest_is_the_leader():
    roster = Roster()
    roster.start("zed")
    roster.apply("abe", "abe:1", JOIN)
    roster.apply("bob", "bob:1", JOIN)

    assert roster.leader(()) == "zed"
    assert roster.leader({"zed"}) == "abe"
    roster.apply("bob", "bob:2", dead("zed"))
    assert roster.leader(()) == "abe"
    roster.apply("abe", "abe:2", JOIN)  # it has lost its roster
    assert roster.leader(()) == "bob"


def test_of_a_crowd_the_number_is_due_until_it_was_published(monkeypatch):
    monkeypatch.setattr("realtime_wall.presence.roster.LISTED", 3)
    monkeypatch.setattr("realtime_wall.presence.roster.FEW", 1)
    roster = Roster()
    for number in range(5):
        roster.apply("one", f"one:{number}", delta([("news", {"id": str(number)})], []))
    assert events_of(roster) == [(JOINED, "news", str(number)) for number in range(3)]
    assert roster.crowds == {"news": "one:4/0"}

    roster.published("news", "one:3/0")  # there is more by now
    assert roster.crowds == {"news": "one:4/0"}
    roster.published("news", "one:4/0")
    assert Roster.from_snapshot(roster.snapshot()).crowds == roster.crowds == {"news": ""}

    roster.pending.clear()
    for number in range(4):
        roster.apply("one", f"one:{5 + number}", delta([], [("news", str(number))]))
    assert not roster.crowds
    assert list(roster.pending.values()) == [PresenceChange(PEOPLE, "news", None)]


class Server:
    def __init__(self, name, roster):
        self.name, self.roster = name, roster
        self.announced = set()


@given(st.data())
def test_whatever_happens_all_rosters_are_alike_and_every_change_is_published_once(data):
    first = Server("s0", Roster())
    first.roster.start("s0")
    servers, published, there = [first], [], set()
    for number in range(data.draw(st.integers(0, 40))):
        one = data.draw(st.sampled_from(servers))
        match data.draw(st.sampled_from(("change", "change", "change", "join", "die", "publish"))):
            case "change":
                key = data.draw(st.tuples(st.sampled_from("ab"), st.sampled_from("123")))
                is_joining = key not in one.announced
                (one.announced.add if is_joining else one.announced.discard)(key)
                announcement = delta([(key[0], {"id": key[1]})], []) if is_joining else delta([], [key])
                enter(servers, one.name, f"{one.name}:{number}", announcement)
            case "join" if len(servers) < 4:
                name = f"n{number}"
                enter(servers, name, f"{name}:join", JOIN)
                leader = next(s for s in servers if s.name == s.roster.leader(()))
                snapshot = json.loads(json.dumps(leader.roster.snapshot()))
                servers.append(Server(name, Roster.from_snapshot(snapshot)))
            case "die" if len(servers) > 1:
                servers.remove(one)
                enter(servers, servers[0].name, f"{servers[0].name}:{number}", dead(one.name))
            case "publish":
                leader = next(s for s in servers if s.name == s.roster.leader(()))
                for key, change in list(leader.roster.pending.items())[: data.draw(st.integers(1, 2))]:
                    published.append((key, change))
                    for server in servers:
                        server.roster.published(change.channel, key)

        there = set().union(*(server.announced for server in servers))
        assert len({json.dumps(server.roster.snapshot()) for server in servers}) == 1
        for channel in "ab":
            people = {person["id"] for person in servers[0].roster.table.people(channel)}
            assert people == {p for c, p in there if c == channel}

    every = [*published, *servers[0].roster.pending.items()]
    assert len({key for key, _ in every}) == len(every)
    for channel in "ab":
        for person in "123":
            events = [f.event for _, f in every if (f.channel, f.person["id"]) == (channel, person)]
            assert events == [JOINED, LEFT] * (len(events) // 2) + [JOINED] * ((channel, person) in there)


def enter(servers, origin, key, announcement):
    text = json.dumps(announcement)
    for server in servers:
        server.roster.apply(origin, key, json.loads(text))
