"""What programs and readers are told about the posts of a wall."""

import pytest
from django.test import Client, override_settings
from django.urls import include, path

from realtime_wall.wall import archive_views, aside
from realtime_wall.wall.models import Wall
from realtime_wall.wall.urls import taken_names
from tests.wall.posts import make_post, store

urlpatterns = [
    path("", include("realtime_wall.urls")),
    path("wall/", include("realtime_wall.wall.urls")),
]


@pytest.fixture(autouse=True)
def site(database):
    with override_settings(ROOT_URLCONF=__name__):
        yield


@pytest.fixture
def client():
    return Client()


# -- the API


def test_a_program_reads_all_posts_page_by_page(client):
    stored = [store(make_post()) for _ in range(5)]

    seen, page = [], ""
    while page is not None:
        answer = client.get("/wall/api/posts/", {"limit": 2, "page": page}).json()
        seen += [f"x:{post['id']}" for post in answer["posts"]]
        page = answer["next"]

    assert seen == stored[::-1]


def test_each_wall_answers_for_itself_and_names_its_channel(client):
    store(make_post())
    post = make_post()
    store(post, wall=Wall.objects.create(slug="hall-2"))

    answer = client.get("/wall/hall-2/api/posts/").json()

    assert answer["posts"] == [post]
    assert answer["live"] == {"channel": "tweets.hall-2", "cursor": ""}
    assert client.get("/wall/nowhere/api/posts/").status_code == 404
    assert not Wall.objects.filter(slug="nowhere").exists()


def test_a_post_stored_after_the_cursor_was_taken_is_in_the_answer_or_comes_live(client, monkeypatch):
    def cursor_and_at_once_another_post():
        store(make_post())
        return "e:41"

    monkeypatch.setattr(archive_views, "cursor", cursor_and_at_once_another_post)

    answer = client.get("/wall/api/posts/").json()

    assert len(answer["posts"]) == 1
    assert answer["live"] == {"channel": "tweets", "cursor": "e:41"}
    assert "no-store" in client.get("/wall/api/posts/")["Cache-Control"]


def test_the_answer_is_searched_and_filtered(client):
    wanted = make_post(text="tides", author_username="tomas", source="mastodon")
    for post in (wanted, wanted | {"id": "a", "text": "herring"}, wanted | {"id": "b", "source": "x"}):
        store(post)

    query = {"q": "TIDES", "author": "tomas", "source": "mastodon"}
    assert client.get("/wall/api/posts/", query).json()["posts"] == [wanted]


def test_a_wrong_question_is_answered_with_what_is_wrong(client):
    answer = client.get("/wall/api/posts/?limit=none")

    assert answer.status_code == 400
    assert answer.json() == {"error": "limit has to be a number from 1"}


def test_nobody_waits_for_ever_behind_other_searches(client, monkeypatch):
    monkeypatch.setattr(aside, "PATIENCE", 0)
    for _ in range(aside.AT_ONCE):
        assert aside._free.acquire(blocking=False)
    try:
        answer = client.get("/wall/api/posts/")
    finally:
        for _ in range(aside.AT_ONCE):
            aside._free.release()

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert client.get("/wall/api/posts/").status_code == 200


# -- addresses


def test_a_wall_cannot_be_called_what_a_page_is(client):
    assert {"api", "hook"} <= taken_names()
    assert "posts.json" in taken_names()
    assert "hall-2" not in taken_names()
