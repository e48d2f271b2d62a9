import json

from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.presence.table import JOINED, LEFT, PresenceChange, Table

ADA, BOB = {"id": "1", "name": "ada"}, {"id": "2", "name": "bob"}


def test_a_person_on_two_servers_is_there_once():
    table = Table()

    assert table.join("one", "news", ADA) == [PresenceChange(JOINED, "news", ADA)]
    assert table.join("two", "news", ADA) == []
    assert table.people("news") == [ADA]
    assert table.leave("one", "news", "1") == []
    assert table.leave("two", "news", "1") == [PresenceChange(LEFT, "news", ADA)]
    assert table.people("news") == []


def test_people_are_listed_in_the_order_in_which_they_joined():
    table = Table()
    for person in (BOB, ADA, BOB):
        table.join("one", "news", person)

    assert table.people("news") == [BOB, ADA]
    assert table.people("sport") == []


def test_what_is_shown_of_a_person_is_what_was_announced_first():
    table = Table()
    table.join("one", "news", ADA)
    table.join("two", "news", {"id": "1", "name": "somebody else"})

    assert table.people("news") == [ADA]


def test_with_a_server_those_leave_who_were_there_by_it_alone():
    table = Table()
    for server, person in (("one", ADA), ("one", BOB), ("two", ADA)):
        table.join(server, "news", person)

    assert table.remove_server("one") == [PresenceChange(LEFT, "news", BOB)]
    assert table.remove_server("one") == []
    assert table.servers() == {"two"}


SERVERS, CHANNELS, PEOPLE = ("one", "two", "three"), ("a", "b"), ("1", "2", "3")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("join", "join", "leave", "server gone")),
        st.sampled_from(SERVERS),
        st.sampled_from(CHANNELS),
        st.sampled_from(PEOPLE),
    ),
    max_size=60,
)


@given(STEPS)
def test_whatever_happens_the_table_is_what_the_servers_have_announced(steps):
    table, announced, changes = Table(), set(), []
    for step, server, channel, person in steps:
        if step == "join":
            changes += table.join(server, channel, {"id": person})
            announced.add((server, channel, person))
        elif step == "leave":
            changes += table.leave(server, channel, person)
            announced.discard((server, channel, person))
        else:
            changes += table.remove_server(server)
            announced = {one for one in announced if one[0] != server}

        for where in CHANNELS:
            assert {one["id"] for one in table.people(where)} == {p for _, c, p in announced if c == where}
        for one in SERVERS:
            assert set(table.of(one)) == {(c, p) for s, c, p in announced if s == one}
        assert table.servers() == {s for s, _, _ in announced}
        restored = Table.from_snapshot(table.snapshot())
        assert [restored.people(one) for one in CHANNELS] == [table.people(one) for one in CHANNELS]
        assert {one: set(restored.of(one)) for one in SERVERS} == {one: set(table.of(one)) for one in SERVERS}

    for where in CHANNELS:
        for person in PEOPLE:
            events = [one.event for one in changes if (one.channel, one.person["id"]) == (where, person)]
            is_there = any((c, p) == (where, person) for _, c, p in announced)
            assert events == [JOINED, LEFT] * (len(events) // 2) + [JOINED] * is_there


def test_a_table_made_from_a_snapshot_lists_those_of_a_dead_server_in_the_same_order():
    table = Table()
    for channel, person in (("b", BOB), ("a", BOB), ("b", ADA), ("a", ADA)):
        table.join("one", channel, person)

    copy = Table.from_snapshot(json.loads(json.dumps(table.snapshot())))

    assert copy.remove_server("one") == table.remove_server("one")
