import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest
from django.test import Client, override_settings
from django.urls import include, path
from hypothesis import given
from hypothesis import strategies as st

from realtime_wall.wall.models import RejectedPost, Tweet, Wall, WallSource
from realtime_wall.wall.post import BadPost, Post, Removal
from realtime_wall.wall.sources.webhook import KNOWN, LARGEST, from_webhook
from realtime_wall.wall.sources.x.x_payload import read_line

urlpatterns = [path("wall/", include("realtime_wall.wall.urls"))]
SECRET = "the harbour at night"
NOW = datetime(2027, 1, 15, 8, tzinfo=UTC)


@pytest.fixture(autouse=True)
def site(database, publisher, monkeypatch):
    monkeypatch.delenv("WEBHOOK_SECRET", raising=False)
    monkeypatch.setattr("realtime_wall.wall.feed.publish_queue.DIRECT", publisher)
    wall = {"SOURCES": ["webhook"], "WEBHOOK_SECRET": SECRET, "BANNED_USERS": ["spammer"]}
    with override_settings(ROOT_URLCONF=__name__, REALTIME_WALL={"WALL": wall}):
        yield


def send(body, *, secret=SECRET, slug="", method="post", **extra):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    client = Client(enforce_csrf_checks=True)
    answer = getattr(client, method)(
        f"/wall/{slug}hook/", data, content_type="application/json", headers=headers, **extra
    )
    return answer.status_code, answer.json() if answer.content[:1] == b"{" else None


def test_a_post_is_stored_and_on_the_pages_before_it_is_confirmed(publisher):
    assert send({"id": "1", "text": "Doors open at nine", "author": "Front desk"}) == (
        200,
        {"id": "1", "changed": True},
    )

    assert Tweet.objects.get().content["author_name"] == "Front desk"
    assert [(channel, event) for channel, _, event, _ in publisher.published] == [("tweets", "tweet")]


def test_what_is_marked_as_not_for_all_is_shown_without_its_picture_or_as_its_warning(publisher):
    send({"id": "1", "text": "Doors", "image": "https://img.example/1.jpg", "sensitive": True})
    send({"id": "2", "text": "Who did it", "warning": "Spoilers"})

    (first, second) = (message for _, message, *_ in publisher.published)
    assert (first["text"], first["media"]) == ("Doors", [])
    assert second["text"] == "Spoilers"


def test_the_same_again_changes_nothing(publisher):
    body = {"text": "Doors open at nine"}
    (_, first), (status, second) = send(body), send(body)

    assert (status, second) == (200, {"id": first["id"], "changed": False})
    assert len(publisher.published) == 1


def test_edits_and_removals_reach_the_pages(publisher):
    send({"id": "1", "text": "Doors open at nine"})
    send({"id": "1", "text": "Doors open at ten", "version": 1})
    send({"id": "1", "deleted": True})

    assert [event for _, _, event, _ in publisher.published] == ["tweet", "tweet_changed", "tweet_removed"]
    assert Tweet.objects.get().state == "taken_back"


@pytest.mark.parametrize("secret", ["", "wrong", SECRET + "x", SECRET[:-1], "é" * 16])
def test_who_does_not_know_the_secret_posts_nothing(secret):
    assert send({"text": "Hello"}, secret=secret)[0] == 401
    assert not Tweet.objects.exists()


@pytest.mark.parametrize(
    "body, reason",
    [
        (b"{no json", "no JSON"),
        (b"[1]", "no JSON object"),
        (b"\xff", "no JSON"),
        (b"[" * 50_000, "no JSON"),
        ({}, "neither text nor picture"),
        ({"text": ""}, "neither text nor picture"),
        ({"text": 5}, "'text' has to be a str"),
        ({"text": "x", "txt": "y"}, "'txt' is not known"),
        ({"text": "x", "version": -1}, "no version"),
        ({"text": "x", "version": 2**70}, "no version"),
        ({"text": "x", "version": True}, "has to be a int"),
        ({"text": "x", "id": "x" * 65}, "is no id"),
        ({"text": "x", "created_at": "yesterday"}, "ISO 8601"),
        ({"deleted": True}, "needs its id"),
        ({"deleted": True, "id": "x" * 65}, "needs its id"),
    ],
)
def test_what_is_no_post_is_refused_with_a_reason(body, reason):
    status, answer = send(body)

    assert status == 400
    assert reason in answer["error"]


def test_a_post_that_is_too_large_is_not_read():
    assert send({"text": "x" * LARGEST})[0] == 413


@pytest.mark.threat("S18")
def test_a_post_that_says_it_is_too_large_is_refused_at_its_head():
    """Reading on would wait for the rest, and fails here."""
    assert send({"text": "x"}, CONTENT_LENGTH="10000000000")[0] == 413


def test_only_posting_is_allowed():
    assert send({"text": "x"}, method="put")[0] == 405


def test_another_wall_has_to_have_a_webhook(publisher):
    assert send({"text": "x"}, slug="hall-2/")[0] == 404
    WallSource.objects.create(wall=Wall.called("hall-2"), kind="webhook")

    assert send({"text": "x"}, slug="hall-2/")[0] == 200
    assert publisher.published[0][0] == "tweets.hall-2"


@pytest.mark.parametrize("wall", [{"SOURCES": ["webhook"]}, {"WEBHOOK_SECRET": SECRET}])
def test_without_the_source_or_its_secret_there_is_no_webhook(wall):
    with override_settings(REALTIME_WALL={"WALL": wall}):
        assert send({"text": "x"})[0] == 404


def test_who_is_banned_is_not_shown():
    body = {"text": "x", "username": "Spammer"}

    assert send(body) == (200, {"id": _id(body), "changed": False})
    assert not Tweet.objects.exists()


def _id(body):
    data = json.dumps(body).encode()
    return from_webhook(read_line(data), data, now=NOW).id


def test_while_the_database_is_away_it_is_not_confirmed(database):
    send({"text": "one"})
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        status, answer = send({"text": "two"})
        other.execute("COMMIT")

    assert (status, answer["error"]) == (503, "the database is unavailable; send it again")
    assert send({"text": "two"})[0] == 200


JSON = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()) | st.floats()


@given(st.dictionaries(st.sampled_from(sorted(KNOWN)), JSON))
def test_whatever_is_sent_is_a_post_a_removal_or_refused(value):
    try:
        item = from_webhook(value, b"", now=NOW)
    except BadPost:
        return
    assert isinstance(item, Removal) or (isinstance(item, Post) and item.as_message()["id"])


def test_a_film_plays_over_its_picture():
    value = {"text": "x", "image": "https://img.example/1.jpg", "film": "https://img.example/1.mp4"}

    (film,) = from_webhook(value, b"", now=NOW).as_message()["media"]

    assert (film["kind"], film["url"], film["film"]) == ("video", value["image"], value["film"])
    with pytest.raises(BadPost, match="needs an 'image'"):
        from_webhook({"text": "x", "film": "https://img.example/1.mp4"}, b"", now=NOW)


def test_links_and_pictures_are_addresses_of_the_web():
    value = {
        "text": "x",
        "url": "javascript:alert(1)",
        "image": "javascript:alert(1)",
        "avatar": "/static/a.png",
    }
    message = from_webhook(value, b"", now=NOW).as_message()

    assert (message["url"], message["media"], message["author_avatar"]) == ("", [], "/static/a.png")
    assert not RejectedPost.objects.exists()
