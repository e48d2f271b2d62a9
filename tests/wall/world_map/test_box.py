"""Posts are found by where they were written."""

import pytest
from django.test import Client, override_settings
from django.urls import include, path

from realtime_wall.wall.models import Wall
from realtime_wall.wall.queries.archive import Search, find
from realtime_wall.wall.world_map.box import BadSearch, Box, counted
from tests.wall.posts import make_post, store

urlpatterns = [
    path("", include("realtime_wall.urls")),
    path("wall/", include("realtime_wall.wall.urls")),
]
BERLIN = {"longitude": 13.4, "latitude": 52.5, "place": "Berlin"}
SUVA = {"longitude": 178.4, "latitude": -18.1, "place": "Suva"}
APIA = {"longitude": -171.8, "latitude": -13.8, "place": "Apia"}


@pytest.fixture(autouse=True)
def site(database):
    with override_settings(ROOT_URLCONF=__name__):
        yield


def keys_in(box):
    found = find(Wall.called(), Search(box=box and Box.parse(box)))
    return sorted(post.get("place", "") for post in found.posts)


@pytest.mark.parametrize(
    ("box", "places"),
    [
        (None, ["", "Apia", "Berlin", "Suva"]),
        ("-180,-90,180,90", ["Apia", "Berlin", "Suva"]),
        ("10,50,20,60", ["Berlin"]),
        ("170,-30,-170,0", ["Apia", "Suva"]),  # over the date line
        ("0,0,1,1", []),
    ],
)
def test_posts_are_found_by_a_box(box, places):
    for spot in (BERLIN, SUVA, APIA, {}):
        store(make_post(**spot))

    assert keys_in(box) == places
    answer = Client().get("/wall/api/posts/", {"box": box} if box else {}).json()
    assert sorted(post.get("place", "") for post in answer["posts"]) == places


@pytest.mark.parametrize(
    "text", ["1,2,3", "a,b,c,d", "1,2,3,4,5", "-181,0,1,1", "0,5,1,1", "0,-91,1,1", "1e9,0,1,1"]
)
def test_what_is_no_box_is_refused(text):
    with pytest.raises(BadSearch):
        Box.parse(text)
    response = Client().get("/wall/map/", {"box": text})
    assert (response.status_code, "<path d=" in response.content.decode()) == (400, False)


def test_places_are_counted_by_their_names():
    posts = [{"place": "a"}, {"place": "b"}, {"place": "a"}, {}, {"place": ""}]

    assert counted(posts, 1) == [("a", 2)]
