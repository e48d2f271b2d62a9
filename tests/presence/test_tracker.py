"""Who is on a channel: one server, with everything that it has."""

import logging
from types import SimpleNamespace

import pytest

from realtime_wall.brokers.commands import Publish
from realtime_wall.errors import InvalidMessage
from tests.fakes import RecordingTransport, no_receivers, running_node
from tests.live import wait_for

ADA = SimpleNamespace(pk=7, is_authenticated=True, get_username=lambda: "ada")
BOB = SimpleNamespace(pk=8, is_authenticated=True, get_username=lambda: "bob")
ADA_SEEN, BOB_SEEN = {"id": "7", "name": "ada"}, {"id": "8", "name": "bob"}


def starting(**settings):
    rules = {"quiet*": {}, "*": {"PRESENCE": True}}
    return running_node(**{"channels": rules, "presence_grace": 0.0, **settings})


@pytest.fixture
def node():
    with no_receivers(), starting() as node:
        yield node


def come(node, user=None, channel="room", **options):
    client = RecordingTransport(node, **options)
    client.socket.request.user = user
    assert client.socket.subscribe(channel)
    return client


def events(client):
    return [(one.event, data) for one, data in zip(client.heard, client.data_heard, strict=True)]


def joined(person):
    return "joined", {"channel": "room", "person": person}


def left(person):
    return "left", {"channel": "room", "person": person}


def people_sent_to(client):
    wait_for(lambda: client.sent, "the event 'presence'")
    assert [name for name, _, _ in client.sent] == ["presence"]
    return client.sent[0][1]


def people(node, channel="room"):
    return node.presence.people(channel, 10)


def test_who_subscribes_is_sent_who_is_there_and_the_others_are_sent_him(node):
    ada = come(node, ADA)
    assert people_sent_to(ada) == {"channel": "room", "people": [ADA_SEEN], "count": 1}
    bob = come(node, BOB)

    assert people_sent_to(bob) == {"channel": "room", "people": [ADA_SEEN, BOB_SEEN], "count": 2}
    wait_for(lambda: events(ada) == [joined(ADA_SEEN), joined(BOB_SEEN)])
    assert people(node) == [ADA_SEEN, BOB_SEEN]


def test_the_people_are_sent_behind_the_subscription_s_answer(node):
    ada = RecordingTransport(node)
    ada.send_caught_up = lambda *_: ada.sent.append(("subscribed", None, None))
    ada.socket.subscribe("room")

    wait_for(lambda: len(ada.sent) == 2)
    assert [name for name, _, _ in ada.sent] == ["subscribed", "presence"]


def test_several_tabs_are_one_person(node):
    bob = come(node, BOB)
    tabs = [come(node, ADA) for _ in range(3)]
    assert people_sent_to(tabs[2])["people"] == [BOB_SEEN, ADA_SEEN]

    for tab in tabs[:2]:
        tab.leave()
    come(node, channel="another")
    assert people(node) == [BOB_SEEN, ADA_SEEN]
    tabs[2].socket.unsubscribe("room")

    wait_for(lambda: events(bob) == [joined(BOB_SEEN), joined(ADA_SEEN), left(ADA_SEEN)])
    assert people(node) == [BOB_SEEN]


def test_who_goes_to_another_page_has_not_left():
    with no_receivers(), starting(presence_grace=60.0) as node:
        first = come(node, ADA)
        people_sent_to(first)
        first.leave()
        second = come(node, ADA)
        people_sent_to(second)

        bob = come(node, BOB)
        people_sent_to(bob)
        wait_for(lambda: events(second) == [joined(BOB_SEEN)])


def test_who_does_not_come_back_in_time_has_left():
    with no_receivers(), starting(presence_grace=0.05) as node:
        bob, ada = come(node, BOB), come(node, ADA)
        people_sent_to(ada)
        ada.leave()

        wait_for(lambda: events(bob)[-1:] == [left(ADA_SEEN)])


def test_who_comes_and_goes_before_anybody_looks_was_never_there(node):
    bob = come(node, BOB)
    people_sent_to(bob)
    come(node, ADA).leave()
    assert not node.presence._changed
    people_sent_to(come(node, SimpleNamespace(**{**vars(BOB), "pk": 9})))

    wait_for(lambda: len(events(bob)) == 2)
    assert "7" not in str(events(bob))


def test_a_guest_is_the_same_in_all_tabs_and_its_id_gives_nothing_away(node):
    clients = []
    for key in ("a-secret-key", "a-secret-key", None, None):
        client = RecordingTransport(node)
        client.socket.request.session = SimpleNamespace(session_key=key)
        client.socket.subscribe("room")
        clients.append(client)
    people_sent_to(clients[-1])

    ids = [one["id"] for one in people(node)]
    assert len(ids) == len(set(ids)) == 3
    assert all(one.startswith("guest-") for one in ids)
    assert "secret" not in str(ids)
    assert not any(client.socket.id in str(ids) for client in clients)


def test_the_project_says_who_somebody_is_and_who_stays_unseen():
    def who(socket, channel):
        user = socket.user
        return None if user is BOB else {"id": f"{channel}:{user.pk}", "colour": "green"}

    with no_receivers(), starting(channels={"*": {"PRESENCE": who}}) as node:
        come(node, ADA)
        bob = come(node, BOB)

        assert people_sent_to(bob)["people"] == [{"id": "room:7", "colour": "green"}]
        bob.leave()
        people_sent_to(come(node, SimpleNamespace(pk=9)))
        assert [one["id"] for one in people(node)] == ["room:7", "room:9"]


@pytest.mark.parametrize(
    "person",
    ["ada", {}, {"id": 7}, {"id": ""}, {"id": "x" * 129}, {"id": "a\nb"}, {"id": "7", "x": "y" * 2048}]
    + [{"id": "7", "x": object()}, {"id": "7", "x": float("nan")}, {"id": "\ud800"}],
)
def test_who_cannot_be_shown_stays_unseen_and_the_log_says_why(caplog, person):
    with no_receivers(), starting(channels={"*": {"PRESENCE": lambda socket, channel: person}}) as node:
        with caplog.at_level(logging.ERROR):
            assert people_sent_to(come(node))["people"] == []
        (record,) = caplog.records
        assert "PRESENCE of channel 'room' failed" in record.message


def test_a_function_that_fails_harms_nobody_else(caplog):
    def who(socket, channel):
        return {"id": socket.user.get_username()}  # an anonymous one has none

    with no_receivers(), starting(channels={"*": {"PRESENCE": who}}) as node:
        come(node, None)
        assert people_sent_to(come(node, ADA))["people"] == [{"id": "ada"}]
    assert caplog.text.count("AttributeError") == 1


@pytest.mark.threat("S42")
def test_a_channel_without_presence_knows_nothing_of_it(node):
    client = come(node, ADA, "quiet")
    people_sent_to(come(node, ADA))

    assert client.sent == []
    assert people(node, "quiet") == []
    for event in ("presence", "joined", "left"):
        node.perform(Publish(channel="quiet", data_json="1", event=event))


@pytest.mark.threat("S42")
@pytest.mark.parametrize("event", ["presence", "joined", "left"])
def test_nobody_else_can_say_what_presence_says(node, event):
    with pytest.raises(InvalidMessage, match="is reserved on channels with PRESENCE"):
        node.perform(Publish(channel="room", data_json="{}", event=event))


@pytest.mark.threat("S42")
def test_a_site_without_presence_does_nothing_for_it():
    with running_node(channels={"news": {"HISTORY_SIZE": 5}}) as node:
        come(node, ADA, "news")

        assert not node.presence.is_on
        assert node.presence.people("news", 10) == []


def test_of_a_crowd_the_number_is_told_and_not_who_comes_and_goes(node, monkeypatch):
    monkeypatch.setattr("realtime_wall.presence.roster.LISTED", 4)
    monkeypatch.setattr("realtime_wall.presence.roster.FEW", 2)
    monkeypatch.setattr("realtime_wall.presence.tracker.COUNTED_EVERY", 0.0)
    clients = []
    for number in range(6):
        clients.append(come(node, SimpleNamespace(**{**vars(ADA), "pk": number})))
        people_sent_to(clients[-1])

    def told(count, *ids):
        wait_for(lambda: numbers() and numbers()[-1] == (count, [*ids]))

    def numbers():
        heard = [data for name, data in events(clients[0]) if name == "presence"]
        return [(data["count"], [one["id"] for one in data["people"]]) for data in heard]

    assert len(people(node)) == 6 and people_sent_to(clients[-1])["people"] == []
    told(6)
    assert [name for name, _ in events(clients[0])].count("joined") == 4
    for client in clients[3:]:
        client.leave()
    told(3)
    clients[2].leave()
    told(2, "0", "1")
    clients[1].leave()
    wait_for(lambda: events(clients[0])[-1] == left({"id": "1", "name": "ada"}))
    assert [name for name, _ in events(clients[0])].count("left") == 1


def test_a_crowd_is_told_its_number_now_and_then(node, monkeypatch):
    monkeypatch.setattr("realtime_wall.presence.roster.LISTED", 0)
    monkeypatch.setattr("realtime_wall.presence.roster.FEW", 0)
    monkeypatch.setattr("realtime_wall.presence.tracker.COUNTED_EVERY", 60.0)
    first = come(node, ADA)
    wait_for(lambda: len(events(first)) == 1)

    people_sent_to(come(node, BOB))
    assert len(events(first)) == 1
    assert node.presence._pause() > 50
    node.presence._counts_due = 0.0
    node.presence._work.set()
    wait_for(lambda: len(events(first)) == 2)
    assert events(first)[-1] == ("presence", {"channel": "room", "people": [], "count": 2})


def test_what_finding_a_person_took_from_the_database_is_given_back(node, monkeypatch):
    released = []
    monkeypatch.setattr(
        "realtime_wall.presence.tracker.release_database", lambda: released.append(len(people(node)))
    )
    come(node, ADA)

    wait_for(lambda: 1 in released)


def test_a_client_that_is_sent_again_what_it_missed_was_here_all_the_time(node):
    ada = come(node, ADA)
    people_sent_to(ada)
    ada.session.catch_up_again("room", node.broker.top, None)
    people_sent_to(come(node, BOB))

    assert [name for name, _, _ in ada.sent] == ["presence"]
    wait_for(lambda: len(events(ada)) >= 2)
    assert left(ADA_SEEN) not in events(ada)


def test_who_goes_while_it_is_found_out_who_it_is_has_gone():
    def who(socket, channel):
        found.append(socket.user)
        if socket.user is ADA:
            ada.socket.unsubscribe("room")
        return {"id": socket.user.get_username()}

    found = []
    with no_receivers(), starting(channels={"*": {"PRESENCE": who}}) as node:
        ada = come(node, ADA)
        wait_for(lambda: found)
        assert people_sent_to(come(node, BOB))["people"] == [{"id": "bob"}]
        assert people(node) == [{"id": "bob"}]
        assert ada.sent == []
