"""Sources that are down are named to moderators, and to nobody else."""

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.urls import include, path

from realtime_wall.wall.feed.store import DatabaseStore
from realtime_wall.wall.models import Wall, WallSource
from tests.wall.html_tree import tree

urlpatterns = [path("", include("realtime_wall.urls")), path("wall/", include("realtime_wall.wall.urls"))]


@pytest.fixture
def wall(database):
    wall = Wall.called()
    for kind in ("x", "mastodon", "webhook"):
        WallSource.objects.create(wall=wall, kind=kind)
    WallSource.objects.create(wall=wall, kind="bluesky", enabled=False)
    with override_settings(ROOT_URLCONF=__name__):
        yield wall


def page_of(client, address="/wall/"):
    found = tree(client.get(address).content.decode())
    return json.loads(next(found.find("script", id="wall-config")).text)


def test_the_desk_names_them_and_a_page_is_told_when_all_of_them_are_down(wall):
    wall.moderators.add(User.objects.create_user("ada"))
    ada, visitor, store = Client(), Client(), DatabaseStore("main")
    ada.force_login(User.objects.get())

    def told():
        assert page_of(visitor)["down"] == visitor.get("/wall/posts.json").json()["down"]
        return page_of(visitor)["down"], ada.get("/wall/desk/screens/").json()["problems"]

    store.note("bluesky", "it is switched off, and not looked at")
    assert told() == (False, [])
    store.note("x", "the token is wrong")
    assert told() == (False, [{"source": "x", "problem": "the token is wrong"}])
    store.note("mastodon", "no network")
    assert told()[0] is True
    assert "token" not in visitor.get("/wall/").content.decode()
    store.note("x", "")
    assert told() == (False, [{"source": "mastodon", "problem": "no network"}])
