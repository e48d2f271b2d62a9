"""The tags that a page of somebody's own may use, besides those of the wall's page."""

import pytest
from django.core.cache import cache
from django.template import Context, Template
from django.test import override_settings
from django.urls import include, path

from realtime_wall.wall.models import Tweet, Wall
from realtime_wall.wall.pages import query_threads
from tests.wall.html_tree import tree
from tests.wall.posts import hostile_posts, make_post, store
from tests.wall.queries.test_aggregates import retweet

urlpatterns = [path("", include("realtime_wall.urls")), path("wall/", include("realtime_wall.wall.urls"))]


@pytest.fixture(autouse=True)
def site(database):
    cache.clear()
    with override_settings(ROOT_URLCONF=__name__):
        yield
    cache.clear()


def page(template):
    return tree(Template("{% load wall %}" + template).render(Context()))


def texts(found, name):
    return [one.text for one in found.find(class_=name)]


def address(found):
    (script,) = [one for one in found.find("script") if "data-url" in one.attributes]
    return script.attributes["data-url"]


def test_the_sockets_may_be_on_another_host():
    elsewhere = {"WALL": {"WEBSOCKET_SERVER": "wss://live.example/ws/"}}

    assert address(page("{% websocket_client %}")) == "/ws/"
    assert (
        address(page("{% websocket_client server='wss://other.example/ws/' %}")) == "wss://other.example/ws/"
    )
    with override_settings(REALTIME_WALL=elsewhere):
        assert address(page("{% websocket_client 'main' %}")) == "wss://live.example/ws/"
        assert address(page("{% wall_client %}")) == "wss://live.example/ws/"


def test_top_users_are_those_who_wrote_most():
    for username in ("mara", "ben", "ben", "zoe"):
        store(make_post(author_username=username, author_name=username.title()))
    for _ in range(3):
        store(retweet("o900", author_username="zoe", author_name="Zoe"))

    found = page("{% top_users 2 %}")

    assert texts(found, "wall-name") == ["Ben", "Zoe"]
    assert [" ".join(text.split()) for text in texts(found, "wall-person-counts")] == [
        "2",
        "1 · passed on 3 times",
    ]


def test_top_tweets_are_what_was_passed_on_most():
    hall = Wall.objects.create(slug="hall-2")
    store(make_post(id="o900", text="passed on twice"), wall=hall)
    for original in ("o900", "o900", "o901"):
        store(retweet(original, text=f"text of {original}"), wall=hall)

    found = page("{% top_tweets 1 'hall-2' %}")

    assert texts(found, "wall-text") == ["passed on twice"]
    assert texts(found, "wall-times-passed") == ["2 times"]
    assert texts(page("{% top_tweets 5 %}"), "wall-text") == []


def test_the_rankings_are_escaped_and_without_what_is_hidden():
    for number, post in enumerate(hostile_posts()):
        store(post | {"original_id": f"o{number}"})
    found = page("{% top_users 20 %}{% top_tweets 20 %}")
    assert not list(found.find("script"))
    assert texts(found, "wall-name")

    Tweet.objects.update(state="hidden")
    found = page("{% top_users 20 %}{% top_tweets 20 %}")
    assert texts(found, "wall-name") == []


def test_a_page_does_without_its_rankings_while_many_count(monkeypatch):
    store(make_post())
    monkeypatch.setattr(query_threads, "_free", query_threads.BoundedSemaphore(1))
    monkeypatch.setattr(query_threads, "PATIENCE", 0)
    query_threads._free.acquire()

    assert texts(page("{% top_users 5 %}{% top_tweets 5 %}"), "wall-name") == []


def test_the_switch_does_nothing_without_a_script():
    (box,) = page("{% retweet_switch %}").find("input")

    assert {"checked", "disabled"} <= box.attributes.keys()


def test_a_post_that_was_edited_says_so():
    store(make_post(edited=True))
    store(make_post())

    assert texts(page("{% render_tweets 2 %}"), "wall-edited") == ["edited"]


def test_the_older_librarys_name_loads_the_same_tags():
    assert Template("{% load twitsocket_tags %}{% count %}").render(Context()) == "0"
