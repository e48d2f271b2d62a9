"""The search page, and the frame in which X draws a post."""

import json

import gevent
import pytest
from django.core.cache import cache
from django.test import Client, override_settings
from django.urls import include, path
from gevent.pywsgi import WSGIServer

from realtime_wall.wall.pages.oembed import LONGEST
from realtime_wall.wall.pages.search_views import POLICY
from tests.wall.html_tree import tree
from tests.wall.posts import make_post, store

urlpatterns = [
    path("", include("realtime_wall.urls")),
    path("wall/", include("realtime_wall.wall.urls")),
]
EMBED = "/wall/search/embed/1993/"


class FakeService:
    """X's oEmbed: says what it is told to say, and remembers what it was asked."""

    def __init__(self):
        self.asked = []
        self.status, self.body = "200 OK", json.dumps({"html": "<blockquote>drawn</blockquote>"})
        self.headers = []
        self._server = WSGIServer(("127.0.0.1", 0), self._answer, log=None)

    def _answer(self, environ, start_response):
        self.asked.append(environ["QUERY_STRING"])
        start_response(self.status, [("Content-Type", "application/json"), *self.headers])
        return [self.body.encode()]

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *_):
        self._server.stop(timeout=0)

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/oembed"


@pytest.fixture(autouse=True)
def site(database):
    cache.clear()
    with override_settings(ROOT_URLCONF=__name__):
        yield
    cache.clear()


@pytest.fixture
def service():
    with FakeService() as service, override_settings(REALTIME_WALL={"WALL": {"OEMBED_URL": service.url}}):
        yield service


@pytest.fixture
def client():
    return Client()


def links(client, path="/wall/archive/"):
    return [link.text for link in next(tree(client.get(path).content.decode()).find("nav")).find("a")]


def test_there_is_a_search_page_where_visitors_may_listen(client):
    assert client.get("/wall/search/").status_code == 404
    assert "Search" not in links(client)
    with override_settings(REALTIME_WALL={"WALL": {"VISITORS": True}}):
        assert "Search" in links(client)
        page = tree(client.get("/wall/search/").content.decode())

    listen, stop = next(page.find("form", class_="wall-search")).find("button")
    assert "disabled" in listen.attributes and "disabled" in stop.attributes
    assert json.loads(next(page.find("script", id="search-config")).text)["embed"] == ""


@pytest.mark.threat("S54")
def test_x_is_asked_only_where_the_organiser_wants_it(client):
    assert client.get(EMBED).status_code == 404


@pytest.mark.threat("S53")
def test_the_frame_has_what_x_says_and_is_of_no_origin(client, service):
    answer = client.get(EMBED + "?theme=light")

    assert "<blockquote>drawn</blockquote>" in answer.content.decode()
    assert answer["Content-Security-Policy"] == POLICY
    assert POLICY.startswith("sandbox ") and "allow-same-origin" not in POLICY
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    (asked,) = service.asked
    assert "url=https%3A%2F%2Fx.com%2Fi%2Fstatus%2F1993" in asked
    assert "omit_script=1" in asked and "dnt=true" in asked and "theme=light" in asked


def test_x_is_asked_once_for_a_post(client, service):
    for _ in range(3):
        client.get(EMBED)
    service.status = "404 Not Found"
    for _ in range(3):
        assert client.get("/wall/search/embed/5/").status_code == 404

    assert len(service.asked) == 2


def test_a_hidden_post_is_not_drawn(client, service):
    store(make_post(id="1993"), state="hidden")

    assert client.get(EMBED).status_code == 404
    assert service.asked == []


@pytest.mark.threat("S54")
@pytest.mark.parametrize("post_id", ["x", "-1", "1" * 21, "1%0a", "..", "1.5", "٣"])
def test_only_numbers_are_asked_for(client, service, post_id):
    assert client.get(f"/wall/search/embed/{post_id}/").status_code == 404
    assert service.asked == []


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", "5", "null", '{"html": 5}', '{"title": "none"}', '"' + "x" * LONGEST + '"', "[" * 20_000],
)
def test_an_answer_that_makes_no_sense_is_nothing(client, service, body):
    service.body = body

    assert client.get(EMBED).status_code == 404


def test_x_cannot_send_us_elsewhere(client, service):
    service.status, service.headers = "302 Found", [("Location", service.url)]

    assert client.get(EMBED).status_code == 404
    assert len(service.asked) == 1


def test_nobody_waits_for_a_service_that_is_away(client):
    away = override_settings(REALTIME_WALL={"WALL": {"OEMBED_URL": "http://127.0.0.1:1/oembed"}})
    with away, gevent.Timeout(5):
        assert client.get(EMBED).status_code == 404
