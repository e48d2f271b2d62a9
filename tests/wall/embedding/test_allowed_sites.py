"""Who may show a wall elsewhere: which sites, by which headers, and with what."""

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client, override_settings
from django.urls import include, path

from realtime_wall.wall.embedding.allowed_sites import check_sites
from realtime_wall.wall.models import Wall
from tests.wall.posts import make_post, store

urlpatterns = [path("", include("realtime_wall.urls")), path("wall/", include("realtime_wall.wall.urls"))]
FRAMING = "django.middleware.clickjacking.XFrameOptionsMiddleware"


@pytest.fixture(autouse=True)
def site(database):
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[FRAMING]):
        yield


@pytest.fixture
def wall():
    wall = Wall.called()
    wall.embed_sites = "https://event.example\nhttps://*.party.example/ http://127.0.0.1:9000"
    wall.save()
    return wall


def test_without_any_site_nobody_frames_it_and_no_script_reads_it():
    answer = Client().get("/wall/embed/")
    posts = Client().get("/wall/api/posts/", headers={"Origin": "https://event.example"})

    assert answer["X-Frame-Options"] == "DENY"
    assert "frame-ancestors" not in answer["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in posts


def test_the_sites_that_the_admin_names_may_have_it_in_a_frame_and_no_other_page_of_ours(wall):
    key = store(make_post())

    answer = Client().get("/wall/embed/")

    assert key in answer.content.decode()
    assert "X-Frame-Options" not in answer
    policy = answer["Content-Security-Policy"]
    assert policy.endswith(
        "frame-ancestors 'self' https://event.example https://*.party.example http://127.0.0.1:9000"
    )
    assert "default-src 'none'" in policy
    assert Client().get("/wall/archive/")["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("https://event.example", True),
        ("https://EVENT.example", True),
        ("https://a.party.example", True),
        ("http://127.0.0.1:9000", True),
        ("http://event.example", False),
        ("https://event.example:444", False),
        ("https://event.example.evil.example", False),
        ("https://party.example", False),
        ("https://evilparty.example", False),
        ("null", False),
        ("", False),
    ],
)
def test_scripts_of_these_sites_read_the_posts(wall, origin, is_allowed):
    answer = Client().get("/wall/api/posts/", headers={"Origin": origin} if origin else {})

    assert answer.headers.get("Access-Control-Allow-Origin") == (origin if is_allowed else None)
    assert "Access-Control-Allow-Credentials" not in answer
    assert "Origin" in answer["Vary"]


@pytest.mark.parametrize(
    "text",
    [
        "event.example",
        "https://event.example/page",
        "https://*",
        "https://a.*.example",
        "*.example",
        "https://x;script-src",
        "javascript:1",
    ],
)
def test_what_is_no_site_is_refused_in_the_admin_and_ignored_in_the_table(text):
    with pytest.raises(ValidationError):
        check_sites(text)
    Wall.called()
    Wall.objects.update(embed_sites=text)

    assert "frame-ancestors" not in Client().get("/wall/embed/")["Content-Security-Policy"]


def test_the_script_for_other_sites_may_be_loaded_by_them():
    answer = Client().get("/wall/embed.js")

    assert answer["Content-Type"] == "text/javascript"
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert b"realtime-wall" in answer.content


def test_the_desk_has_what_is_to_be_pasted(wall):
    wall.moderators.add(User.objects.create_user("ada"))
    client = Client()
    client.force_login(User.objects.get())

    with override_settings(
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ]
    ):
        page = client.get("/wall/desk/").content.decode()

    assert "&lt;script src=&quot;http://testserver/wall/embed.js&quot; async&gt;" in page
