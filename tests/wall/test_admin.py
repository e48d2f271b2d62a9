import pytest
from django.contrib.admin.sites import site
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.urls import path

from realtime_wall.wall.models import RejectedPost, Tweet, Wall
from realtime_wall.wall.store import DatabaseStore
from tests.wall.fakes import post

urlpatterns = [path("admin/", site.urls)]
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
    assert 'name="content"' not in shown and 'name="hidden"' in shown


def test_tweets_are_hidden_and_shown_together(admin):
    chosen = {"_selected_action": [tweet.pk for tweet in Tweet.objects.all()]}

    admin.post(TWEETS, chosen | {"action": "hide"})
    assert Tweet.objects.filter(hidden=True).count() == 2
    admin.post(TWEETS, chosen | {"action": "show"})
    assert Tweet.objects.filter(hidden=True).count() == 0


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
        {"slug": "main", "title": "Saltmarsh", "hashtag": "SaltmarshPy"},
    )

    assert str(Wall.called()) == "Saltmarsh"
