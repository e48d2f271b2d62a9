"""The map of a wall: dots where posts were written, the places that were named, and a box to look into."""

import itertools
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client, override_settings
from django.urls import include, path

from realtime_wall.wall.post import BadPost, Spot
from realtime_wall.wall.sources.webhook import from_webhook
from realtime_wall.wall.sources.x.x_payload import from_x
from tests.wall.html_tree import tree
from tests.wall.posts import hostile_posts, make_post, store

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


def test_a_dot_is_where_a_post_was_written_and_its_place_is_counted():
    for spot in (BERLIN, BERLIN, SUVA, {}):
        store(make_post(**spot))

    page = Client().get("/wall/map/").content.decode()

    assert page.count("<path d=") == 3
    assert "M193.400 37.500h0" in page and "M358.400 108.100h0" in page
    assert 'viewBox="0 0 360 180"' in page
    assert page.index("Berlin</bdi> <output>2<") < page.index("Suva</bdi> <output>1<")


def test_a_box_shows_what_is_inside():
    for spot in (BERLIN, SUVA, APIA):
        store(make_post(**spot))

    page = Client().get("/wall/map/?box=10,50,20,60").content.decode()

    assert (page.count("<path d="), 'viewBox="190 30 10 10"' in page) == (1, True)
    config = json.loads(page.split('id="map-config" type="application/json">')[1].split("</script>")[0])
    assert config["box"] == [10, 50, 20, 60]


def test_a_webhook_and_x_say_where_a_post_was_written():
    now = datetime(2026, 11, 29, tzinfo=UTC)
    by_hook = from_webhook({"text": "here", **BERLIN, "latitude": 52}, b"{}", now=now)
    assert by_hook.as_message().items() >= {"longitude": 13.4, "latitude": 52.0, "place": "Berlin"}.items()
    for wrong in ({**BERLIN, "longitude": 181}, {**BERLIN, "latitude": "52"}, {**BERLIN, "latitude": True}):
        with pytest.raises(BadPost):
            from_webhook({"text": "here", **wrong}, b"{}", now=now)
    places = [{"id": "p", "full_name": "Berlin, Germany", "geo": {"bbox": [13.0, 52.0, 14.0, 53.0]}}]
    for geo, spot in [
        ({"place_id": "p"}, Spot(13.5, 52.5, "Berlin, Germany")),
        ({"coordinates": {"coordinates": [13.4, 52.4]}}, Spot(13.4, 52.4)),
        ({"coordinates": {"coordinates": [13.4, 152.4]}}, None),
        ({"coordinates": {"coordinates": ["a", None]}}, None),
        ({"place_id": "unknown"}, None),
    ]:
        line = {"data": {"id": "1", "text": "here", "geo": geo}, "includes": {"places": places}}
        assert from_x(line, now=now).spot == spot
    assert "longitude" not in from_x({"data": {"id": "1", "text": "nowhere"}}, now=now).as_message()


def test_hostile_posts_are_text_on_the_map():
    for post in hostile_posts():
        store(post | BERLIN | {"place": "<script>1</script>"})

    page = Client().get("/wall/map/").content.decode()

    assert "<script>1" not in page
    assert tree(page)


def test_no_coast_is_drawn_across_the_whole_map():
    """Land on both sides of 180 degrees stands at both edges; Antarctica is closed along the lower one."""
    drawing = Path(finders.find("realtime_wall_wall/world.svg")).read_text()
    for ring in re.findall(r"M([^MZ]+)Z", drawing):
        points = [tuple(map(float, point.split())) for point in ring.split("L")]
        for (x, y), (to_x, to_y) in itertools.pairwise([*points, points[0]]):
            assert abs(to_x - x) < 180 or y == to_y == 180
