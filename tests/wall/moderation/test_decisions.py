"""What moderators decide: once, with a trail, undone as a whole, and published until it is."""

from datetime import timedelta

import pytest
from django.utils import timezone

from realtime_wall import api
from realtime_wall.brokers.results import Receipt
from realtime_wall.errors import PublishFailed
from realtime_wall.wall.feed.store import DatabaseStore
from realtime_wall.wall.models import Ban, Decision, Mode, Tweet, Wall
from realtime_wall.wall.moderation import open_pages
from realtime_wall.wall.moderation.decisions import Choice, ban, decide, dump, lift, undo
from realtime_wall.wall.moderation.open_pages import publish_decisions, publish_late
from realtime_wall.wall.post import Author
from tests.wall.fakes import post


@pytest.fixture
def wall(database):
    wall = Wall.called()
    DatabaseStore("main").add([post(1), post(2, username="ben"), post(3)])
    return wall


@pytest.fixture
def log(publisher, monkeypatch):
    """Messages of the visitors' channel, and what was taken out of it."""
    monkeypatch.setattr(api, "publish", publisher)
    monkeypatch.setattr(api, "retract", lambda *which: publisher.retract(*which) or Receipt(sockets=4))
    return publisher


def choose(*numbers, seen="shown"):
    return [Choice(f"list:{number}", seen) for number in numbers]


def states():
    return dict(Tweet.objects.values_list("post_id", "state"))


def test_a_decision_is_written_with_who_what_and_why(wall):
    act = decide(wall, "hide", choose(1), "ada", "off topic")

    decision = Decision.objects.get()
    assert (decision.by, decision.was, decision.became, decision.reason) == (
        "ada",
        "shown",
        "hidden",
        "off topic",
    )
    assert (decision.act, decision.key) == (act.id, "list:1")
    assert states() == {"1": "hidden", "2": "shown", "3": "shown"}


def test_of_two_who_decide_the_first_wins_and_the_other_is_told(wall):
    decide(wall, "hide", choose(1, 2), "ada")
    late = decide(wall, "hide", choose(2, 3), "ben")

    assert [decision.key for decision in late.decided] == ["list:3"]
    assert [str(tweet) for tweet in late.late] == ["list:2"]
    assert Decision.objects.filter(key="list:2").get().by == "ada"


def test_an_act_is_undone_as_a_whole_but_for_what_was_decided_since(wall):
    act = decide(wall, "hide", choose(1, 2, 3), "ada")
    decide(wall, "approve", choose(2, seen="hidden"), "ben")
    decide(wall, "hide", choose(2), "ben")
    Tweet.objects.filter(post_id="3").update(state="taken_back")

    undone = undo(wall, act.id, "ada")

    assert states() == {"1": "shown", "2": "shown", "3": "taken_back"}
    assert [str(tweet) for tweet in undone.late] == ["list:3"]


def test_whoever_is_hidden_is_hidden_where_others_passed_it_on(wall):
    DatabaseStore("main").add([post(4, original_id="1", retweeter=Author(username="ben")), post(5)])

    act = decide(wall, "hide", choose(1), "ada")

    assert states()["4"] == "hidden" and states()["5"] == "shown"
    undo(wall, act.id, "ada")
    assert states()["4"] == "shown"


def test_a_ban_hides_what_he_posted_and_what_he_passed_on_on_every_wall(wall):
    upstairs = Wall.called("upstairs")
    DatabaseStore("upstairs").add([post(7), post(8, username="x", retweeter=Author(username="MaraQuill"))])
    DatabaseStore("upstairs").add([post(9, username="ben")])
    new = Ban(source="list", username="maraquill", by="ada")

    ban([wall, upstairs], new)

    assert {key for key, state in states().items() if state == "hidden"} == {"1", "3", "7", "8"}
    lift([wall, upstairs], new, "ada")
    assert set(states().values()) == {"shown"} and not Ban.objects.exists()


def test_the_line_is_dumped_and_what_waits_for_a_decision_is_not(wall):
    Wall.objects.update(mode=Mode.DELAYED)
    DatabaseStore("main").add([post(4), post(5)])
    Tweet.objects.filter(post_id="5").update(show_at=None)

    act = dump(wall, "ada")

    assert (states()["4"], states()["5"]) == ("hidden", "waiting")
    undo(wall, act.id, "ada")
    assert states()["4"] == "waiting"


def test_what_is_hidden_leaves_the_log_and_the_pages_and_comes_back_under_another_id(wall, log):
    act = decide(wall, "hide", choose(1), "ada")
    assert publish_decisions(wall, act.decided) == 4
    assert log.retracted == [("tweets", "1")]
    assert log.published[0][:3] == ("tweets", {"id": "1", "source": "list"}, "tweet_removed")

    log.published.clear()
    publish_decisions(wall, undo(wall, act.id, "ada").decided)
    channel, shown, event, event_id = log.published[0]
    assert (channel, shown["id"], event, event_id) == ("tweets", "1", "tweet", "1~2")

    publish_decisions(wall, decide(wall, "hide", choose(1), "ada").decided)
    assert log.retracted[1:] == [("tweets", "1"), ("tweets", "1~2")]


def test_visitors_hear_nothing_of_a_post_that_was_waiting_when_it_was_hidden(wall, log):
    Tweet.objects.filter(post_id="1").update(state="waiting", publications=0)
    publish_decisions(wall, decide(wall, "hide", choose(1, seen="waiting"), "ada").decided)

    assert [channel for channel, *_ in log.published] == ["wall-desk.main"]
    assert log.retracted == []


def test_a_decision_that_could_not_be_published_is_published_later(wall, log, monkeypatch):
    def fail(*_, **__):
        raise PublishFailed("Redis is away")

    act = decide(wall, "hide", choose(1, 2), "ada")
    with monkeypatch.context() as away:
        away.setattr(api, "retract", fail)
        assert publish_decisions(wall, act.decided) == 0
    publish_late()
    assert log.published == []  # its own server may be about to do it

    Decision.objects.update(at=timezone.now() - timedelta(seconds=10))
    publish_late()
    publish_late()

    removed = [data["id"] for channel, data, _, _ in log.published if channel == "tweets"]
    assert removed == ["1", "2"]


def test_a_decision_does_not_overtake_posts_that_wait_to_be_published(wall, log, monkeypatch):
    act = decide(wall, "hide", choose(1), "ada")
    with monkeypatch.context() as outage:
        outage.setattr(open_pages, "is_behind", lambda: True)
        publish_decisions(wall, act.decided)
        assert log.published == []

    Decision.objects.update(at=timezone.now() - timedelta(seconds=10))
    publish_late()
    assert [data["id"] for channel, data, _, _ in log.published if channel == "tweets"] == ["1"]
