"""What becomes of a post that arrives, and who hears of it."""

from datetime import UTC, datetime, timedelta

import pytest

from realtime_wall.wall.feed.announce import announce
from realtime_wall.wall.feed.store import DatabaseStore
from realtime_wall.wall.models import Ban, Mode, Phrase, Tweet, Wall
from realtime_wall.wall.moderation import admission, folding
from realtime_wall.wall.moderation.author_quota import AuthorQuota
from realtime_wall.wall.moderation.folding import CopyMemory
from realtime_wall.wall.post import Author, Post, Removal
from tests.wall.fakes import post


@pytest.fixture
def add(database, publisher, monkeypatch):
    """Store posts as any source does; what visitors were sent then."""
    monkeypatch.setattr(admission, "_quotas", AuthorQuota())
    monkeypatch.setattr(admission, "_copies", CopyMemory())

    def add(*posts):
        publisher.published.clear()
        announce("main", DatabaseStore("main").add(posts), publisher)
        return [(event, data["id"]) for channel, data, event, _ in publisher.published if channel == "tweets"]

    return add


def wall(**fields):
    Wall.called()
    Wall.objects.update(**fields)


def states():
    rows = Tweet.objects.order_by("id").values_list("post_id", "state", "reason")
    return [(post_id, state, reason) for post_id, state, reason in rows]


def test_a_wall_shows_everything_at_once_unless_somebody_says_otherwise(add):
    assert add(post(1)) == [("tweet", "1")]
    assert states() == [("1", "shown", "")]


def test_what_waits_for_a_moderator_is_heard_on_the_moderators_channel_alone(add, publisher):
    wall(mode=Mode.APPROVED)

    assert add(post(1)) == []
    assert states() == [("1", "waiting", "")]
    (channel, item, event, _) = publisher.published[0]
    assert (channel, event, item["key"], item["state"]) == (
        "wall-desk.main",
        "desk_post",
        "list:1",
        "waiting",
    )


def test_the_delay_line_knows_when_a_post_is_due(add):
    wall(mode=Mode.DELAYED, delay=45)
    add(post(1))

    due = Tweet.objects.get().show_at - datetime.now(UTC)
    assert timedelta(seconds=40) < due <= timedelta(seconds=45)


def test_what_the_organisers_post_themselves_waits_for_nobody(add):
    wall(mode=Mode.APPROVED)
    Phrase.objects.create(text="lunch")

    assert add(post(1, "Lunch is served", source="post")) == [("tweet", "1")]


def test_an_edit_is_approved_by_nobody_yet(add):
    add(post(1))
    wall(mode=Mode.APPROVED)

    assert add(post(1, "something else", version=1)) == [("tweet_removed", "1")]
    assert states() == [("1", "waiting", "")]


def test_what_is_removed_leaves_the_log_under_each_of_its_event_ids(add, publisher):
    add(post(1))
    add(post(1, "edited", version=1))
    assert publisher.published[0][3] == "1~2"

    add(Removal(id="1", source="list"))

    assert publisher.retracted == [("tweets", "1"), ("tweets", "1~2")]
    assert states() == [("1", "taken_back", "")]


def test_a_waiting_post_that_its_author_takes_back_is_gone_from_the_desk(add, publisher):
    wall(mode=Mode.APPROVED)
    add(post(1, "a secret"))

    assert add(Removal(id="1", source="list")) == []
    assert [(item["state"], item["post"]["text"]) for _, item, _, _ in publisher.published] == [
        ("taken_back", "")
    ]


@pytest.mark.parametrize("text", ["You 1d10t!", "what an IDIOT", "i.d.i.o.t", "іdіоt"])
def test_banned_words_wait_with_the_reason_however_they_are_spelt(add, text):
    Phrase.objects.create(text="idiot")

    assert add(post(1, text), post(2, "fine")) == [("tweet", "2")]
    assert states()[0] == ("1", "waiting", "words:idiot")


def test_words_are_looked_for_in_whatever_a_card_shows(add):
    Phrase.objects.create(text="idiot")
    named = Post(
        id="1", source="list", text="fine", author=Author(name="Idiot"), created_at=post(1).created_at
    )

    assert add(named, post(2, "well", poll=("yes", "idiot"))) == []


def test_words_are_banned_on_their_own_wall_only_and_may_be_allowed_in_a_phrase(add):
    Phrase.objects.create(text="idiot", wall=Wall.called("upstairs"))
    Phrase.objects.create(text="ass")
    Phrase.objects.create(text="kick ass", is_allowed=True)

    assert len(add(post(1, "idiot"), post(2, "they kick ass"), post(3, "an ass"))) == 2


def test_who_is_banned_is_hidden_also_when_another_network_has_one_of_his_name(add):
    Ban.objects.create(source="list", username="MaraQuill")

    assert add(post(1), post(2, source="other")) == [("tweet", "2")]
    assert states()[0] == ("1", "hidden", "ban")


def test_a_ban_ends(add):
    Ban.objects.create(source="list", username="maraquill", until=datetime.now(UTC) - timedelta(seconds=1))

    assert add(post(1)) == [("tweet", "1")]


def test_a_retweet_does_not_show_what_is_hidden(add):
    Phrase.objects.create(text="idiot")
    add(post(1, "idiot"))
    Phrase.objects.all().delete()

    assert add(post(2, "idiot", original_id="1", retweeter=Author(username="ben"))) == []


def test_an_author_has_his_quota_and_others_theirs(add):
    wall(quota=2)
    flood = [post(number) for number in range(5)]

    assert len(add(*flood, post(9, username="ben"))) == 3
    assert ("4", "waiting", "quota:2") in states()


def test_retweets_and_copies_are_one_card_and_counted(add, publisher):
    wall(is_folding=True)
    words = "The tide is coming in at nine"
    add(post(1, words), post(2, "unlike all others"))
    retweets = [post(number, words, original_id="1", retweeter=Author(username="ben")) for number in (3, 4)]

    assert add(*retweets, post(5, f"@mara {words.upper()}! https://a.example")) == [("tweet_changed", "1")]
    assert [data["passed_on"] for _, data, event, _ in publisher.published if event == "tweet_changed"] == [3]
    assert states()[2:] == [(str(number), "hidden", "folded:list:1") for number in (3, 4, 5)]
    add(post(1, words + " sharp", version=1))
    assert Tweet.objects.get(post_id="1").content["passed_on"] == 3


def test_short_words_and_old_ones_are_no_copies(add, monkeypatch):
    wall(is_folding=True)
    assert len(add(post(1, "Good day!"), post(2, "Good day!"))) == 2
    add(post(3, "The tide is coming in"))
    monkeypatch.setattr(folding, "SPAN", -1.0)

    assert len(add(post(4, "The tide is coming in"))) == 1


def test_who_copies_what_is_hidden_is_not_shown(add):
    wall(is_folding=True)
    add(post(1, "The tide is coming in"))
    Tweet.objects.update(state="hidden")

    assert add(post(2, "The tide is coming in")) == []
