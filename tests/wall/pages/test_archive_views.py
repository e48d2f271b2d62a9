"""What programs and readers are told about the posts of a wall."""

from urllib.parse import quote

import pytest
from django.test import Client, override_settings
from django.urls import include, path

from realtime_wall.wall.models import Wall
from realtime_wall.wall.pages import archive_views, query_threads
from realtime_wall.wall.stage.tables import Look
from realtime_wall.wall.urls import taken_names
from tests.wall.html_tree import tree
from tests.wall.posts import hostile_posts, make_post, store

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
    monkeypatch.setattr(query_threads, "PATIENCE", 0)
    for _ in range(query_threads.AT_ONCE):
        assert query_threads._free.acquire(blocking=False)
    try:
        answer = client.get("/wall/api/posts/")
    finally:
        for _ in range(query_threads.AT_ONCE):
            query_threads._free.release()

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert client.get("/wall/api/posts/").status_code == 200


# -- the page


def archive(client, query="", status=200, path="/wall/archive/"):
    answer = client.get(path + query)
    assert answer.status_code == status
    return tree(answer.content.decode())


def keys(page):
    return [card.attributes["data-key"] for card in page.find(class_="wall-card")]


def test_the_page_goes_on_behind_a_link(client):
    stored = [store(make_post(text=f"tides {number}")) for number in range(60)]

    first = archive(client, "?q=tides&source=x")
    (link,) = next(first.find(class_="wall-older")).find("a")
    second = archive(client, link.attributes["href"])

    assert keys(first) + keys(second) == stored[::-1]
    assert "q=tides&source=x&page=" in link.attributes["href"]
    assert "hidden" in next(second.find(class_="wall-older")).attributes
    assert next(second.find("input")).attributes["value"] == "tides"


def test_a_wrong_question_is_answered_with_the_page_and_what_is_wrong(client):
    store(make_post())

    page = archive(client, "?page=2", status=400)

    assert "no place in the archive" in next(page.find(class_="wall-problem")).text
    assert keys(page) == []


def test_nobody_finds_a_wall_that_is_not_there(client):
    archive(client, status=404, path="/wall/nowhere/archive/")


def test_sources_can_be_chosen_where_there_are_several(client):
    store(make_post())
    assert not list(archive(client).find("select"))
    store(make_post(source="mastodon"))

    options = [option.text for option in archive(client).find("option")]

    assert options == ["everywhere", "mastodon", "x"]


def test_badges_have_the_words_of_the_stage(client):
    for source in ("replay", "webhook", "mastodon"):
        store(make_post(source=source))
    Look.objects.create(wall=Wall.called(), badges="mastodon = Fediverse")

    badges = archive(client).find("span", class_="wall-source")

    assert [badge.text for badge in badges] == ["Fediverse", "sent in", ""]


def test_the_pages_of_a_wall_lead_to_each_other(client):
    Wall.objects.create(slug="hall-2", title="Hall 2")

    page = archive(client, path="/wall/hall-2/archive/")

    links = {link.text: link.attributes["href"] for link in next(page.find("nav")).find("a")}
    assert links["Wall"] == "/wall/hall-2/"
    assert links["Archive"] == "/wall/hall-2/archive/"
    assert next(page.find("title")).text == "Archive · Hall 2"


def test_nothing_a_stranger_wrote_becomes_markup(client):
    for post in hostile_posts():
        store(post)

    page = archive(client, "?author=" + quote("<script>"))
    page_of_all = archive(client)

    for seen in (page, page_of_all):
        for script in seen.find("script"):
            assert script.attributes.get("type") == "application/json" or not script.text
        for element in seen.find():
            assert not [name for name in element.attributes if name == "style" or name.startswith("on")]
    assert "@<script>" in next(page.find(class_="wall-filter")).text


# -- addresses


def test_a_wall_cannot_be_called_what_a_page_is(client):
    assert {"api", "hook"} <= taken_names()
    assert "posts.json" in taken_names()
    assert "hall-2" not in taken_names()
