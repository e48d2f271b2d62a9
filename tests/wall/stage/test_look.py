"""How a wall looks: what is set, what an address asks for, what is refused, and what open pages are told."""

import pytest
from django.contrib.admin.sites import site
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.urls import include, path

from realtime_wall import api
from realtime_wall.wall.models import Look, Slide, Wall
from realtime_wall.wall.stage import look_changes
from tests.wall.html_tree import tree
from tests.wall.posts import make_post, store

urlpatterns = [
    path("admin/", site.urls),
    path("", include("realtime_wall.urls")),
    path("wall/", include("realtime_wall.wall.urls")),
]
ADMIN = "/admin/realtime_wall_wall/"
FORM = {"slug": "main", "mode": "at_once", "delay": 30, "quota": 0, "least": 0}
LOOK = {"layout": "stream", "seconds": 12, "quiet": 120, "theme": "dark", "font": "sans"}
INLINE = {"look-TOTAL_FORMS": 1, "look-INITIAL_FORMS": 0}


@pytest.fixture(autouse=True)
def wall(database, publisher, monkeypatch):
    monkeypatch.setattr(api, "publish", publisher)
    # What follows a commit: a test has one database for itself, and no transaction around it.
    wall = Wall.called()
    publisher.published.clear()
    with override_settings(ROOT_URLCONF=__name__):
        yield wall


@pytest.fixture
def admin():
    client = Client()
    client.force_login(User.objects.create_superuser("warden"))
    return client


def page(query=""):
    answer = Client().get(f"/wall/{query}")
    assert answer.status_code == 200
    return tree(answer.content.decode())


def attributes(query=""):
    return next(page(query).find("html")).attributes


def style(query=""):
    return Client().get(f"/wall/look.css{query}").content.decode()


def save(admin, wall, **look):
    fields = {f"look-0-{name}": value for name, value in (LOOK | look).items()}
    has_one = Look.objects.filter(wall=wall).exists()
    inline = INLINE | {"look-INITIAL_FORMS": int(has_one), "look-0-wall": wall.pk}
    return admin.post(f"{ADMIN}wall/{wall.pk}/change/", FORM | inline | fields)


def test_what_is_set_is_in_the_page_in_its_style_and_told_to_open_pages(admin, wall, publisher):
    store(make_post(source="webhook"))
    colours = {"bg": "#ffffff", "card": "#eeeeee", "accent": "#003399"}
    saved = save(
        admin,
        wall,
        layout="grid",
        theme="light",
        font="serif",
        logo="/static/logo.svg",
        left_out=["time", "badge"],
        badges="webhook = From the hall\nx = X",
        **colours,
    )
    assert saved.status_code == 302, saved.content.decode()

    found = attributes()
    assert (found["data-layout"], found["data-theme"], found["data-without"]) == (
        "grid",
        "light",
        "time badge",
    )
    assert next(page().find("img", class_="wall-logo")).attributes["src"] == "/static/logo.svg"
    assert next(page().find(class_="wall-source")).text == "From the hall"
    assert "--wall-accent: #003399;" in style() and "Georgia" in style()
    channel, message, event, _ = publisher.published[-1]
    assert (channel, event) == (wall.channel, look_changes.EVENT)
    assert (message["layout"], message["badges"]["x"]) == ("grid", "X")
    save(admin, wall, layout="ticker")
    assert publisher.published[-1][1]["number"] > message["number"]


def test_colours_below_aa_are_refused_with_their_contrast(admin, wall):
    answer = save(admin, wall, text="#777777", card="#ffffff", bg="#ffffff", accent="#000000")

    assert "a contrast of 4.47, and it has to be 4.5" in answer.content.decode()
    assert not Look.objects.exists()
    assert "A colour is #" in save(admin, wall, text="red").content.decode()
    assert "It begins with" in save(admin, wall, logo="javascript:alert(1)").content.decode()


def test_an_address_asks_for_all_of_it():
    query = (
        "?layout=spotlight&theme=light&font=mono&seconds=7&quiet=0&least=3&without=face,link&title=Tide&hashtag=%23tide"
        "&logo=https://a.example/b.png&badges=webhook:Hall&bg=ffffff&card=%23fafafa&text=111111&accent=003399"
    )
    store(make_post(source="webhook"))

    found = page(query)
    assert attributes(query)["data-layout"] == "spotlight"
    assert attributes(query)["data-without"] == "face link"
    assert next(found.find(class_="wall-title")).text == "Tide"
    assert next(found.find(class_="wall-hashtag")).text == "#tide"
    assert next(found.find(class_="wall-source")).text == "Hall"
    assert '"seconds": 7, "quiet": 0, "least": 3' in next(found.find("script", id="wall-config")).text
    assert "--wall-bg: #ffffff;" in style(query) and "monospace" in style(query)


@pytest.mark.parametrize(
    "query",
    [
        "?layout=mosaic&theme=blue&font=comic&seconds=0&quiet=x&without=everything",
        "?logo=javascript:alert(1)&bg=red&seconds=99999&least=-1",
        "?logo=//evil.example/x&title=%00&card=%23ffff",
        "?bg=ffffff&text=eeeeee",  # which nobody could read
        "?accent=;}body{display:none",
    ],
)
def test_what_makes_no_sense_in_an_address_is_left_as_it_is_set(query):
    usual, found = attributes(), attributes(query)

    assert found == usual
    assert style(query) == style()
    assert not list(page(query).find("img", class_="wall-logo"))


def test_contrasts_are_computed_for_a_form_that_is_being_filled():
    answer = Client().get("/wall/look.json?text=777777&card=ffffff&bg=ffffff&accent=000000").json()

    assert answer["contrasts"]["text/card"] == 4.47
    assert answer["refused"] == ["text/bg", "text/card"]


def test_the_admin_has_a_preview_of_the_wall(admin, wall):
    found = admin.get(f"{ADMIN}wall/{wall.pk}/change/").content.decode()

    assert 'data-wall="/wall/"' in found and 'data-contrasts="/wall/look.json"' in found


def test_slides_are_told_to_pages_and_checked(admin, wall, publisher):
    fields = {
        "wall": wall.pk,
        "name": "Sponsor",
        "seconds": 8,
        "every_posts": 0,
        "every_minutes": 5,
        "place": 0,
    }
    add = f"{ADMIN}slide/add/"
    assert "A slide has a text" in admin.post(add, fields).content.decode()
    assert "It begins with" in admin.post(add, fields | {"film": "file:///x"}).content.decode()

    assert admin.post(add, fields | {"text": "Thank you", "enabled": "on"}).status_code == 302

    channel, message, event, _ = publisher.published[-1]
    assert (channel, event, message[0]["text"]) == (wall.channel, look_changes.SLIDES_EVENT, "Thank you")
    assert "Thank you" in next(page().find("script", id="wall-config")).text
    Slide.objects.all().first().delete()
    assert publisher.published[-1][1] == []
