"""Posting from a phone: behind a code that can be renewed, within limits, and never without a moderator."""

import io
import random
import re

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from django.urls import include, path
from PIL import Image

from realtime_wall import api
from realtime_wall.wall.models import PhonePicture, Tweet, Wall
from realtime_wall.wall.moderation.decisions import Choice, decide
from realtime_wall.wall.phone_posts import phone_limits, picture
from realtime_wall.wall.phone_posts.picture import BadPicture, redraw
from realtime_wall.wall.phone_posts.post_token import new_key, token_of

urlpatterns = [path("", include("realtime_wall.urls")), path("wall/", include("realtime_wall.wall.urls"))]
HOSTILE = [
    b"",
    b"\x89PNG\r\n\x1a\n" + b"\0" * 50,
    b"GIF89a<script>alert(1)</script>",
    b"%PDF-1.4",
    b"\xff\xd8\xff",
]
HOSTILE += [b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", b"PK\x03\x04", b"<html><script>"]


@pytest.fixture
def wall(database, publisher, monkeypatch):
    monkeypatch.setattr(api, "publish", publisher)
    cache.clear()
    wall = Wall.called()
    renew(wall)
    with override_settings(ROOT_URLCONF=__name__):
        yield wall
    cache.clear()


def renew(wall):
    wall.post_key = new_key()
    wall.save()


def close(wall):
    wall.post_key = ""
    wall.save()


def drawn(kind="PNG", size=(40, 30), **options):
    file = io.BytesIO()
    Image.new("RGB", size, "teal").save(file, kind, **options)
    return file.getvalue()


def address(wall):
    return f"/wall/post/?t={token_of(wall)}"


def send(wall, client=None, file=None, name="Mara", text="Hello", **options):
    form = {"name": name, "text": text}
    if file is not None:
        form["picture"] = SimpleUploadedFile("x.png", file, "image/png")
    return (client or Client()).post(address(wall), form, **options)


def test_a_post_from_a_phone_waits_whatever_the_walls_mode(wall):
    answer = send(wall, file=drawn())

    assert answer.status_code == 302 and "sent=1" in answer.url
    tweet = Tweet.objects.get()
    assert (tweet.state, tweet.reason, tweet.content["author_name"]) == ("waiting", "phone", "Mara")
    assert tweet.content["media"][0]["url"] == f"/wall/picture/{tweet.post_id}.jpg"
    assert Client().get("/wall/posts.json").json()["posts"] == []


def test_an_old_code_and_none_let_nobody_post(wall):
    old = address(wall)
    renew(wall)
    for where in (old, "/wall/post/", "/wall/post/?t=x", address(wall) + "0"):
        assert Client().post(where, {"name": "Mara", "text": "Hello"}).status_code == 404
    close(wall)
    assert Client().post("/wall/post/?t=", {"name": "Mara", "text": "Hello"}).status_code == 404
    assert Client().get("/wall/post/code.svg").status_code == 404
    assert not Tweet.objects.exists()


def test_the_code_of_one_wall_is_none_of_another(wall):
    renew(Wall.called("upstairs"))

    assert Client().get(f"/wall/upstairs/post/?t={token_of(wall)}").status_code == 404


def test_a_form_of_another_site_cannot_post(wall):
    assert send(wall, Client(enforce_csrf_checks=True)).status_code == 403


def test_a_phone_has_its_limit_and_an_address_its_own(wall, monkeypatch):
    phone = Client()
    answers = [send(wall, phone).status_code for _ in range(phone_limits.OF_A_PHONE + 1)]
    assert answers == [302] * phone_limits.OF_A_PHONE + [400]
    assert send(wall).status_code == 302  # another phone

    monkeypatch.setattr(phone_limits, "OF_AN_ADDRESS", 7)
    assert send(wall).status_code == 400
    assert send(wall, REMOTE_ADDR="192.0.2.7").status_code == 302
    through_a_proxy = [send(wall, HTTP_X_FORWARDED_FOR=f"203.0.113.{number}") for number in range(9)]
    assert {answer.status_code for answer in through_a_proxy} == {302}


def test_a_picture_is_seen_while_its_post_is_and_by_moderators(wall):
    send(wall, file=drawn())
    tweet = Tweet.objects.get()
    where = tweet.content["media"][0]["url"]
    wall.moderators.add(User.objects.create_user("ada"))
    ada = Client()
    ada.force_login(User.objects.get())

    assert (Client().get(where).status_code, ada.get(where).status_code) == (404, 200)
    decide(wall, "approve", [Choice(str(tweet), "waiting")], "ada")
    assert Client().get(where)["Content-Type"] == "image/jpeg"
    decide(wall, "hide", [Choice(str(tweet), "shown")], "ada")
    assert Client().get(where).status_code == 404


def test_nothing_of_a_file_is_kept_but_its_pixels():
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "where I live", 6  # its description, and that it lies on its side
    file = drawn("JPEG", (40, 30), exif=exif, comment=b"a secret") + b"<script>alert(1)</script>"

    data, width, height = redraw(io.BytesIO(file))

    assert (width, height) == (30, 40)
    assert not [word for word in (b"where I live", b"secret", b"script", b"Exif") if word in data]
    assert Image.open(io.BytesIO(data)).format == "JPEG"


def test_a_large_picture_is_made_smaller_and_a_bomb_is_none(monkeypatch):
    _, width, height = redraw(io.BytesIO(drawn("PNG", (4000, 1000))))
    assert (width, height) == (1600, 400)
    monkeypatch.setattr(picture, "MOST_PIXELS", 1000)
    with pytest.raises(BadPicture):
        redraw(io.BytesIO(drawn("PNG", (4000, 1000))))


@pytest.mark.parametrize("file", HOSTILE)
def test_what_is_no_picture_is_refused_whatever_it_is_called(wall, file):
    answer = send(wall, file=file)

    assert answer.status_code == 400
    assert not PhonePicture.objects.exists()


def test_damaged_pictures_become_clean_ones_or_none():
    good = drawn("JPEG", (64, 64))
    for number in range(200):
        chance = random.Random(number)
        data = bytearray(good)
        for _ in range(chance.randrange(1, 30)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            clean, _, _ = redraw(io.BytesIO(bytes(data)))
        except BadPicture:
            continue
        assert Image.open(io.BytesIO(clean)).format == "JPEG"


@pytest.mark.parametrize("fields", [{"name": ""}, {"name": "\x00"}, {"name": "\u202e"}, {"text": "  "}])
def test_who_says_nothing_or_not_who_he_is_is_asked_again(wall, fields):
    answer = send(wall, **fields)

    assert answer.status_code == 400 and 'role="alert"' in answer.content.decode()


def test_what_is_too_large_is_not_read(wall):
    assert Client().post(address(wall), {"name": "x"}, CONTENT_LENGTH=str(2**31)).status_code == 413


def test_what_was_typed_is_escaped_when_it_is_shown_again(wall):
    page = send(wall, name="", text="</textarea><script>alert(1)</script>").content.decode()

    assert "<script>alert" not in page


def test_the_code_leads_to_the_page_and_is_on_the_events_screens(wall):
    pytest.importorskip("segno")
    code = Client().get("/wall/post/code.svg")

    assert code["Content-Type"] == "image/svg+xml" and b"<svg" in code.content
    assert "wall-code" in Client().get("/wall/?screen=Hall").content.decode()
    assert "wall-code" not in Client().get("/wall/").content.decode()


def test_a_moderator_opens_and_closes_it(wall):
    wall.moderators.add(User.objects.create_user("ada"))
    ada = Client()
    ada.force_login(User.objects.get())

    def ask(is_open):
        asked = {"action": "phones", "open": is_open}
        return ada.post("/wall/desk/act/", asked, content_type="application/json").json()["token"]

    first, second = ask(True), ask(True)
    assert first != second and re.fullmatch("[0-9a-f]{24}", second)
    assert ask(False) == ""
