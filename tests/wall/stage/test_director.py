"""The director's state: who may change it, what of it, and what pages are told."""

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.urls import include, path

from realtime_wall import api
from realtime_wall.wall.feed.store import DatabaseStore
from realtime_wall.wall.models import Tweet, Wall
from realtime_wall.wall.stage import director
from tests.wall.fakes import post

urlpatterns = [path("", include("realtime_wall.urls")), path("wall/", include("realtime_wall.wall.urls"))]
REMOTE = "/wall/remote/"


@pytest.fixture
def wall(database, publisher, monkeypatch):
    monkeypatch.setattr(api, "publish", publisher)
    wall = Wall.called()
    DatabaseStore("main").add([post(1), post(2)])
    with override_settings(ROOT_URLCONF=__name__):
        yield wall


@pytest.fixture
def ada(wall):
    wall.moderators.add(User.objects.create_user("ada"))
    client = Client()
    client.force_login(User.objects.get())
    return client


def act(client, status=200, **asked):
    answer = client.post(f"{REMOTE}act/", json.dumps(asked), content_type="application/json")
    assert answer.status_code == status, answer.content
    return answer.json()


@pytest.mark.threat("S43")
@pytest.mark.parametrize("user", [None, {}, {"is_staff": True}])
def test_nobody_but_moderators_directs(wall, user):
    client = Client()
    if user is not None:
        client.force_login(User.objects.create_user("eve", **user))

    assert client.get(REMOTE).status_code == (302 if user is None else 403)
    act(client, 403, blank=True)
    assert director.state_of(wall)["seq"] == 0


def test_what_was_said_is_published_stored_and_in_every_page_from_then_on(ada, wall, publisher):
    first = act(ada, paused=True, post="list:1")
    second = act(ada, message={"text": " The bar is open ", "seconds": 30})

    assert publisher.published[-1][:3] == (wall.channel, second, director.EVENT)
    assert (first["seq"], second["seq"]) == (1, 2)
    assert second["paused"] and second["post"] == "list:1" and second["message"]["text"] == "The bar is open"
    assert second["message"]["until"] - first["at"] >= 30_000
    assert second["at"] == first["at"]  # posts come round from where they were
    assert director.state_of(wall) == second
    read = ada.get("/wall/posts.json").json()
    assert (read["director"], read["staged"]["id"]) == (second, "1")
    assert act(ada, message=None)["message"] is None
    assert b'data-blank="yes"' not in ada.get("/wall/").content
    act(ada, blank=True, layout="spotlight")
    page = ada.get("/wall/").content
    assert b'data-layout="spotlight"' in page and b'data-blank="yes"' in page


def test_a_post_that_is_not_shown_has_no_stage(ada, wall):
    Tweet.objects.filter(post_id="2").update(state="hidden")
    assert act(ada, post="list:2")["post"] == ""

    act(ada, post="list:1")
    Tweet.objects.update(state="hidden")
    read = ada.get("/wall/posts.json").json()
    assert (read["director"]["post"], read["staged"]) == ("", None)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"seq": 7},
        {"paused": 1},
        {"blank": None},
        {"speed": 9},
        {"speed": "2"},
        {"speed": True},
        {"layout": "mosaic"},
        {"post": 4},
        {"post": "x" * 101},
        {"message": "hello"},
        {"message": {"text": ""}},
        {"message": {"text": "x" * 281}},
        {"message": {"text": 3}},
        {"message": {"text": "x", "seconds": -1}},
        {"countdown": {"text": "x"}},
        {"countdown": {"seconds": 1e9}},
        {"countdown": {"seconds": True}},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(ada, wall, asked):
    assert act(ada, 400, **asked)["error"]
    assert director.state_of(wall)["seq"] == 0
