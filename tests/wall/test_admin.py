import re

import pytest
from django.contrib.admin.sites import site
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.urls import path

from realtime_wall import api
from realtime_wall.brokers.results import Receipt
from realtime_wall.errors import NoServer, PublishFailed
from realtime_wall.wall.feed.store import DatabaseStore
from realtime_wall.wall.models import Phrase, RejectedPost, Tweet, Wall, WallSource
from realtime_wall.wall.moderation.shipped_words import FOLDER, shipped_words
from realtime_wall.wall.post import Removal
from realtime_wall.wall.programs.program_tables import ApiToken, Webhook, WebhookMessage
from realtime_wall.wall.programs.program_token import digest_of
from tests.wall.fakes import post

urlpatterns = [path("admin/", site.urls)]
MODERATION = {
    "mode": "at_once",
    "delay": 30,
    "quota": 0,
    "least": 0,
    "look-TOTAL_FORMS": 0,
    "look-INITIAL_FORMS": 0,
}
TWEETS = "/admin/realtime_wall_wall/tweet/"


@pytest.fixture
def admin(database):
    DatabaseStore("main").add([post(1, "Tides & <b>pools</b>"), post(2, "Gulls", username="benokoro")])
    client = Client()
    client.force_login(User.objects.create_superuser("warden"))
    with override_settings(ROOT_URLCONF=__name__):
        yield client


def page(client, path, **query):
    answer = client.get(path, query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_tweets_are_listed_by_author_and_text(admin):
    listed = page(admin, TWEETS)

    assert "maraquill" in listed and "benokoro" in listed
    assert "Tides &amp; &lt;b&gt;pools&lt;/b&gt;" in listed
    assert "<b>pools" not in listed


def test_tweets_are_found_by_what_they_say(admin):
    found = page(admin, TWEETS, q="Gulls")

    assert "benokoro" in found and "maraquill" not in found


def test_the_raw_json_can_be_read_and_not_changed(admin):
    tweet = Tweet.objects.get(post_id="1")
    shown = page(admin, f"{TWEETS}{tweet.pk}/change/")

    assert "&quot;author_username&quot;: &quot;maraquill&quot;" in shown
    assert "<b>pools" not in shown
    assert not re.findall(r'name="(?:content|state|reason)" id', shown)


def test_tweets_are_hidden_and_shown_together(admin):
    chosen = {"_selected_action": [tweet.pk for tweet in Tweet.objects.all()]}

    admin.post(TWEETS, chosen | {"action": "hide"})
    assert Tweet.objects.filter(state="hidden").count() == 2
    admin.post(TWEETS, chosen | {"action": "show"})
    assert Tweet.objects.filter(state="hidden").count() == 0


@pytest.fixture
def told(publisher, monkeypatch):
    """What open pages were told, once it was true."""

    def publish(channel, message, event, event_id=None):
        if channel == "tweets":
            is_shown = Tweet.objects.filter(post_id=message["id"], state="shown").exists()
            publisher(channel, (message["id"], is_shown), event)

    monkeypatch.setattr(api, "publish", publish)
    monkeypatch.setattr(api, "retract", lambda *_: Receipt())
    return publisher.published


def removals(*ids):
    return [("tweets", (id, False), "tweet_removed", None) for id in ids]


def test_what_is_hidden_leaves_the_open_pages_and_comes_back(admin, told):
    chosen = {"_selected_action": [Tweet.objects.get(post_id="2").pk]}

    admin.post(TWEETS + "?state__exact=shown", chosen | {"action": "hide"})
    assert told == removals("2")
    answer = admin.post(TWEETS, chosen | {"action": "show"}, follow=True)

    assert told[1:] == [("tweets", ("2", True), "tweet", None)]
    assert "1 shown." in answer.content.decode()


def test_what_is_deleted_leaves_the_open_pages(admin, told):
    one, other = Tweet.objects.order_by("post_id")

    admin.post(f"{TWEETS}{one.pk}/delete/", {"post": "yes"})
    delete = {"action": "delete_selected", "_selected_action": [other.pk], "post": "yes"}
    admin.post(TWEETS, delete)

    assert told == removals("1", "2")
    assert not Tweet.objects.exists()


@pytest.mark.parametrize("problem", [NoServer("nowhere"), PublishFailed("it hangs")])
def test_a_tweet_is_hidden_though_no_page_could_be_told(admin, monkeypatch, caplog, problem):
    def fail(*_, **__):
        raise problem

    monkeypatch.setattr(api, "publish", fail)
    monkeypatch.setattr(api, "retract", fail)
    chosen = [Tweet.objects.get(post_id="1").pk]

    answer = admin.post(TWEETS, {"action": "hide", "_selected_action": chosen})

    assert answer.status_code == 302 and Tweet.objects.get(post_id="1").state == "hidden"
    assert ("decided about list:1: it hangs" in caplog.text) == isinstance(problem, PublishFailed)


def test_tweets_and_rejected_posts_are_not_written_by_hand(admin):
    assert admin.get(TWEETS + "add/").status_code == 403
    assert admin.get("/admin/realtime_wall_wall/rejectedpost/add/").status_code == 403


def test_a_rejected_post_shows_its_reason_and_its_json(admin):
    rejected = RejectedPost.objects.create(
        wall=Wall.called(), source="x", post_id="9", reason="DataError: too odd", raw='{"text": "<i>"}'
    )
    shown = page(admin, f"/admin/realtime_wall_wall/rejectedpost/{rejected.pk}/change/")

    assert "DataError: too odd" in shown
    assert "{&quot;text&quot;: &quot;&lt;i&gt;&quot;}" in shown


def test_walls_can_be_named(admin):
    wall = Wall.called()

    admin.post(
        f"/admin/realtime_wall_wall/wall/{wall.pk}/change/",
        {"slug": "main", "title": "Saltmarsh", "hashtag": "SaltmarshPy"} | MODERATION,
    )

    assert str(Wall.called()) == "Saltmarsh"


SOURCES = "/admin/realtime_wall_wall/wallsource/"


def add_source(client, **fields):
    wall = Wall.called(fields.pop("slug", "main"))
    data = {"wall": wall.pk, "kind": "x", "terms": "#tides", "address": "", "enabled": "on", "cap": 500}
    return client.post(f"{SOURCES}add/", data | fields)


def test_the_cap_of_a_source_and_what_it_stands_for_are_listed(admin):
    assert add_source(admin).status_code == 302
    add_source(admin, kind="bluesky", cap=0)
    for number in range(3):
        Tweet.objects.create(
            wall=Wall.called(), source="x", post_id=number, content={}, created_at="2027-01-15T08:00Z"
        )
    listed = page(admin, SOURCES)

    assert "3 / 500" in listed
    assert "$2.50 - $7.50" in listed
    assert "nothing" in listed


def test_without_a_cap_the_price_of_a_post_is_named(admin):
    add_source(admin, cap=0)

    assert "no limit: $0.005 to $0.015 for each post" in page(admin, SOURCES)


@pytest.mark.parametrize(
    "fields, reason",
    [
        ({"kind": "os.system"}, "is not one of the available choices"),
        ({"terms": "x" * 1100}, "too long for X"),
    ],
)
def test_a_source_that_cannot_be_made_is_not_saved(admin, fields, reason):
    assert reason in add_source(admin, **fields).content.decode()
    assert not WallSource.objects.exists()


def test_a_source_of_the_project_can_be_chosen_when_the_settings_name_it(admin):
    path = "tests.wall.sources.test_kinds.Own"
    with override_settings(REALTIME_WALL={"WALL": {"SOURCES": [path]}}):
        assert add_source(admin, kind=path).status_code == 302


def test_the_walls_list_says_what_feeds_them(admin):
    for kind, enabled in (("mastodon", True), ("x_search", True), ("bluesky", False)):
        WallSource.objects.create(wall=Wall.called(), kind=kind, enabled=enabled)

    assert ">mastodon, x_search<" in page(admin, "/admin/realtime_wall_wall/wall/")


def test_what_its_author_has_deleted_is_not_shown_again(admin):
    DatabaseStore("main").add([Removal(id="1", source="list")])
    removed = Tweet.objects.get(post_id="1")

    admin.post(TWEETS, {"_selected_action": [removed.pk], "action": "show"})

    removed.refresh_from_db()
    assert removed.state == "taken_back"


def test_a_source_in_trouble_is_seen_in_both_lists(admin):
    add_source(admin)
    DatabaseStore("main").note("x", "it has stopped for good: the token is wrong")

    assert "the token is wrong" in page(admin, SOURCES)
    assert "the token is wrong" in page(admin, "/admin/realtime_wall_wall/sourceposition/")
    WallSource.objects.update(enabled=False)
    assert "the token is wrong" not in page(admin, SOURCES)


def test_a_wall_cannot_take_the_address_of_another_page(admin):
    form = {"title": "", "hashtag": ""} | MODERATION

    refused = admin.post("/admin/realtime_wall_wall/wall/add/", form | {"slug": "api"})
    assert "Another page is at this address" in refused.content.decode()
    admin.post("/admin/realtime_wall_wall/wall/add/", form | {"slug": "apis"})

    assert list(Wall.objects.filter(slug__startswith="api").values_list("slug", flat=True)) == ["apis"]


def test_the_words_that_come_with_the_wall_are_added_once_to_those_that_want_them(admin):
    chosen = {"_selected_action": [Wall.called().pk], "action": "add_words"}
    added = admin.post("/admin/realtime_wall_wall/wall/", chosen, follow=True).content.decode()
    again = admin.post("/admin/realtime_wall_wall/wall/", chosen, follow=True).content.decode()

    assert f"{len(shipped_words())} words added" in added and ">0 words added" in again
    assert Phrase.objects.filter(wall=Wall.called(), text="Blödmann").exists()
    assert len(list(FOLDER.glob("*.txt"))) == 6


# -- programs

PROGRAMS = "/admin/realtime_wall_wall"


def test_a_token_is_shown_once_and_can_be_revoked(admin):
    made = admin.post(f"{PROGRAMS}/apitoken/add/", {"name": "robot", "may_decide": "on"}, follow=True)
    token = re.search(r"rwt_[\w-]{43}", made.content.decode())[0]
    row = ApiToken.objects.get()
    assert row.digest == digest_of(token)
    for where in ("apitoken/", f"apitoken/{row.pk}/change/"):
        assert token not in page(admin, f"{PROGRAMS}/{where}") and row.digest not in page(
            admin, f"{PROGRAMS}/{where}"
        )

    admin.post(f"{PROGRAMS}/apitoken/", {"action": "revoke", "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert row.revoked


def test_what_webhooks_were_not_told_is_listed_and_told_again(admin):
    admin.post(
        f"{PROGRAMS}/webhook/add/", {"url": "https://a.example/told", "secret": "x" * 20, "enabled": "on"}
    )
    webhook = Webhook.objects.get()
    Webhook.objects.update(problem="it answered 500", due="2027-01-01T00:00:00Z")
    DatabaseStore("main").add([post(7)])
    WebhookMessage.objects.update(problem="it answered 400", attempts=3)
    assert "it answered 500" in page(admin, f"{PROGRAMS}/webhook/")
    assert "post.shown list:7" in page(admin, f"{PROGRAMS}/webhookmessage/")

    message = WebhookMessage.objects.get()
    admin.post(f"{PROGRAMS}/webhookmessage/", {"action": "send_again", "_selected_action": [message.pk]})
    admin.post(f"{PROGRAMS}/webhook/", {"action": "try_now", "_selected_action": [webhook.pk]})
    message.refresh_from_db()
    webhook.refresh_from_db()
    assert (message.problem, message.attempts, webhook.due) == ("", 0, None)


def test_webhooks_are_sent_what_is_deleted_as_hidden(admin):
    Webhook.objects.create(url="https://a.example/told")
    tweet = Tweet.objects.get(post_id="1")
    admin.post(f"{TWEETS}{tweet.pk}/delete/", {"post": "yes"})

    (message,) = WebhookMessage.objects.all()
    assert (message.body["type"], message.body["data"]["key"]) == ("post.hidden", str(tweet))


@pytest.mark.parametrize("url", ["ftp://a.example/", "javascript:alert(1)", "https://a.example/<script>"])
def test_a_webhook_is_at_an_address_of_the_web(admin, url):
    admin.post(f"{PROGRAMS}/webhook/add/", {"url": url, "secret": "x" * 20, "enabled": "on"})

    assert not Webhook.objects.exists()


def test_a_feed_that_is_no_address_is_refused_where_it_is_typed(admin):
    form = {"kind": "rss", "wall": Wall.called().pk, "cap": 0, "address": "https://a.example/f blog.example"}
    refused = admin.post(f"{PROGRAMS}/wallsource/add/", form)

    assert "no address of a feed" in refused.content.decode() and not WallSource.objects.exists()
