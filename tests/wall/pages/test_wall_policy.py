"""What the wall's pages may load."""

import pytest
from django.test import Client, override_settings
from django.urls import include, path

from realtime_wall.wall import urls

urlpatterns = [
    path("", include("realtime_wall.urls")),
    path("wall/", include("realtime_wall.wall.urls")),
]
# Of the main wall; another wall's pages are the same views.
ROUTES = [str(one.pattern) for one in urls.urlpatterns if "<" not in str(one.pattern)]
NO_PAGES = {
    "worker.js",
    "picture/<slug:post_id>.jpg",
    "post/code.svg",
    "desk/posts/",
    "desk/screens/",
    "desk/displays.csv",
    "desk/posts.csv",
    "desk/posts.json",
    "embed.js",
    "screens/",
    "desk/act/",
    "remote/act/",
    "sign-out/",
    "posts.json",
    "look.css",
    "look.json",
    "api/posts/",
    "api/desk/posts/",
    "api/desk/act/",
    "hook/",
}


@pytest.fixture(autouse=True)
def site(database):
    with override_settings(ROOT_URLCONF=__name__):
        yield


@pytest.fixture
def client():
    return Client()


def header(client, path="/wall/", **wall):
    with override_settings(REALTIME_WALL={"WALL": {"VISITORS": True, **wall}}):
        return client.get(path).headers.get("Content-Security-Policy", "")


@pytest.mark.threat("S52")
@pytest.mark.parametrize("route", ROUTES)
@override_settings(REALTIME_WALL={"WALL": {"VISITORS": True}})
def test_no_page_runs_a_script_or_a_style_that_is_not_a_file(client, route):
    answer = client.get(f"/wall/{route}")
    found = answer.headers.get("Content-Security-Policy", "")

    if route in NO_PAGES:
        assert found == ""
        return
    assert "default-src 'none'" in found and "script-src 'self';" in found and "style-src 'self';" in found
    films = "'self' https: http:" if route == "" else "'none'"
    assert f"media-src {films};" in found
    frames = "'self'" if route == "remote/" else "'none'"
    assert f"frame-src {frames}" in found and "unsafe" not in found


def test_pictures_are_from_all_over_the_web(client):
    assert "img-src 'self' https: http:;" in header(client)


def test_a_socket_server_elsewhere_may_be_asked_in_every_way(client):
    found = header(client, WEBSOCKET_SERVER="wss://live.example/ws/")

    assert "connect-src 'self' ws://testserver wss://live.example https://live.example;" in found


def test_the_frame_of_xs_posts_is_of_this_site(client):
    assert "frame-src 'self'" in header(client, "/wall/search/", OEMBED_URL="https://publish.x.com/oembed")


def test_the_organiser_has_the_last_word(client):
    assert header(client, CONTENT_SECURITY_POLICY="default-src https:") == "default-src https:"
    assert header(client, CONTENT_SECURITY_POLICY="none") == ""
