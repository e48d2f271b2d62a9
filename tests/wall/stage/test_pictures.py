"""Logos and slides' pictures that are uploaded: redrawn, served, refused in words, and dropped."""

import io

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from PIL import Image

from realtime_wall import api
from realtime_wall.wall.models import Look, Slide, Wall
from realtime_wall.wall.phone_posts import picture as pictures
from realtime_wall.wall.stage.slides import slides_of
from realtime_wall.wall.stage.tables import StagePicture
from tests.wall.stage.test_look import ADMIN, page, save

SLIDE = {"name": "Thanks", "seconds": 8, "every_posts": 0, "every_minutes": 5, "place": 0, "enabled": "on"}


@pytest.fixture(autouse=True)
def wall(database, publisher, monkeypatch):
    monkeypatch.setattr(api, "publish", publisher)
    with override_settings(ROOT_URLCONF="tests.wall.stage.test_look"):
        yield Wall.called()


@pytest.fixture
def admin():
    client = Client()
    client.force_login(User.objects.create_superuser("warden"))
    return client


def file(size=(40, 20), kind="PNG", colour=(0, 80, 160, 0), name="logo.png"):
    drawn = io.BytesIO()
    Image.new("RGBA" if kind in ("PNG", "WEBP") else "RGB", size, colour).save(drawn, kind)
    return SimpleUploadedFile(name, drawn.getvalue(), content_type="image/png")


def save_slide(admin, wall, path="add/", **fields):
    return admin.post(f"{ADMIN}slide/{path}", SLIDE | {"wall": wall.pk} | fields)


def test_a_logo_is_redrawn_and_shown_by_its_address(admin, wall):
    assert save(admin, wall, upload=file()).status_code == 302

    address = Look.objects.get().logo
    assert [
        one.attributes["src"] for one in page().find("img") if one.attributes.get("class") == "wall-logo"
    ] == [address]
    answer = Client().get(address)
    assert answer.headers["Content-Type"] == "image/webp"
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == (40, 20) and image.convert("RGBA").getpixel((0, 0))[3] == 0  # transparent still


def test_what_no_look_and_no_slide_shows_is_dropped(admin, wall):
    save(admin, wall, upload=file())
    save(admin, wall, upload=file(size=(10, 10)))
    assert StagePicture.objects.count() == 1

    logo = Look.objects.get().logo
    save_slide(admin, wall, picture=logo)
    save(admin, wall, logo="")
    assert Client().get(logo).status_code == 200  # the slide shows it
    Slide.objects.get().delete()
    assert Client().get(logo).status_code == 404


def test_a_slide_has_an_uploaded_picture_of_a_screens_size(admin, wall):
    photo = file((4000, 1000), "JPEG", (200, 90, 30), "harbour.jpg")
    assert save_slide(admin, wall, upload=photo).status_code == 302

    (slide,) = slides_of(wall)
    with Image.open(io.BytesIO(Client().get(slide["picture"]).content)) as image:
        assert image.size == (2560, 640)


@pytest.mark.parametrize(
    "upload, limits, reason",
    [
        (
            SimpleUploadedFile("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
            {},
            "Of an SVG give the address",
        ),
        (SimpleUploadedFile("a.png", b"\x89PNG\r\n\x1a\nrubbish"), {}, "This cannot be shown"),
        (file(), {"MOST_PIXELS": 500}, "million pixels at most"),
    ],
    ids=["svg", "rubbish", "pixels"],
)
def test_what_cannot_be_taken_is_refused_in_words(admin, wall, monkeypatch, upload, limits, reason):
    for name, value in limits.items():
        monkeypatch.setattr(pictures, name, value)
    upload.seek(0)

    assert reason in save_slide(admin, wall, upload=upload).content.decode()
    assert not StagePicture.objects.exists() and not Slide.objects.exists()


def test_a_file_that_is_too_large_is_not_even_looked_at(admin, wall, monkeypatch):
    monkeypatch.setattr("realtime_wall.wall.stage.pictures.LARGEST_FILE", 10)

    assert "MB at most." in save_slide(admin, wall, upload=file()).content.decode()
