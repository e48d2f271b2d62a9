"""Figures of moderation in one process, for ``make prove``: a flood of one author, and strangers' phones."""

import io
import random
import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from django.urls import include, path
from django.utils import timezone
from PIL import Image

from realtime_wall import api
from realtime_wall.brokers.results import Receipt
from realtime_wall.wall.feed.store import DatabaseStore
from realtime_wall.wall.models import PhonePicture, Tweet, Wall
from realtime_wall.wall.moderation import admission
from realtime_wall.wall.moderation.author_quota import AuthorQuota
from realtime_wall.wall.moderation.decisions import Choice, decide
from realtime_wall.wall.phone_posts import phone_limits
from realtime_wall.wall.phone_posts.post_token import new_key, token_of
from realtime_wall.wall.post import Author, Post
from tests.wall.posts import ADDRESSES, SCRIPTS
from tests.wall.test_hostile_corpus import TEXTS

urlpatterns = [path("", include("realtime_wall.urls")), path("wall/", include("realtime_wall.wall.urls"))]
QUOTA, SPAN = 20, 600
POSTS = 300
BAD = re.compile(r"(?:javascript|data|vbscript|file):", re.I)


def test_a_flood_of_one_author_has_its_quota_and_every_other_is_shown(database, monkeypatch):
    """10,000 among 1,000 in ten minutes; what comes next on the stage is in tests/js/queue.test.js."""
    monkeypatch.setattr(admission, "_quotas", AuthorQuota())
    Wall.called()
    Wall.objects.update(quota=QUOTA)
    began = timezone.now()
    now = [began]
    monkeypatch.setattr(timezone, "now", lambda: now[0])
    arrivals = [(n * SPAN / 10_000, f"f{n}", "flood") for n in range(10_000)]
    arrivals += [(n * SPAN / 1_000 + 0.01, f"o{n}", f"other{n}") for n in range(1_000)]
    arrivals.sort()
    store = DatabaseStore("main")
    for second in range(SPAN):
        now[0] = began + timedelta(seconds=second)
        here = [one for one in arrivals if second <= one[0] < second + 1]
        store.add([_post(key, who, began + timedelta(seconds=at)) for at, key, who in here])

    shown = list(Tweet.objects.filter(state="shown").values_list("post_id", flat=True))
    assert len([key for key in shown if key.startswith("f")]) == QUOTA
    assert len([key for key in shown if key.startswith("o")]) == 1_000
    assert Tweet.objects.filter(state="waiting", reason=f"quota:{QUOTA}").count() == 10_000 - QUOTA


def _post(key, who, at):
    return Post(id=key, source="x", text=f"text of {key}", created_at=at, author=Author(id=who, name=who))


@pytest.fixture
def wall(database, publisher, monkeypatch):
    monkeypatch.setattr(api, "publish", publisher)
    monkeypatch.setattr(api, "retract", lambda *which: publisher.retract(*which) or Receipt(sockets=3))
    monkeypatch.setattr(phone_limits, "OF_AN_ADDRESS", 10**6)
    cache.clear()
    wall = Wall.called()
    wall.post_key = new_key()
    wall.save()
    with override_settings(ROOT_URLCONF=__name__):
        yield wall
    cache.clear()


def test_three_hundred_hostile_posts_from_phones(wall):
    chance, taken = random.Random(14), 0
    words = [*TEXTS, *SCRIPTS, *ADDRESSES]
    for number in range(POSTS):
        text, name = words[number % len(words)], words[(number * 7) % len(words)] or "x"
        file = _hostile_file(chance, number) if number % 2 else None
        form = {"name": name[:5000], "text": text[:5000].encode("utf-8", "surrogatepass")}
        form["name"] = form["name"].encode("utf-8", "surrogatepass")
        if file is not None:
            form["picture"] = SimpleUploadedFile(f"{number}.png", file, "image/png")
        answer = Client().post(f"/wall/post/?t={token_of(wall)}", form)
        assert answer.status_code in (302, 400), answer.status_code
        assert not re.search(r"<script(?! src=)(?! id=)", answer.content.decode()), text
        taken += answer.status_code == 302
    tweets = list(Tweet.objects.all())
    print(f"\n{taken} of {POSTS} were taken, {PhonePicture.objects.count()} with a picture")
    assert len(tweets) == taken > POSTS / 4
    assert {tweet.state for tweet in tweets} == {"waiting"}

    decide(wall, "approve", [Choice(str(tweet), "waiting") for tweet in tweets], "ada")
    pages = [Client().get(f"/wall/{page}").content.decode() for page in ("", "archive/", "posts.json")]
    for page in pages[:2]:
        assert not BAD.search(" ".join(re.findall(r"(?:href|src|action)=[\"']?([^\"' >]*)", page)))
        assert not re.search(r"<script(?! src=)(?! id=\"[\w-]+\" type=\"application/json\")", page)
        assert not re.search(r"<[^>]*\son\w+=", re.sub(r"(?:alt|title|value)=\"[^\"]*\"", "", page))
    for tweet in tweets:
        for item in tweet.content["media"]:
            data = Client().get(item["url"])
            assert data["Content-Type"] == "image/jpeg" and data["X-Content-Type-Options"] == "nosniff"
    for picture in PhonePicture.objects.all():
        assert Image.open(io.BytesIO(bytes(picture.data))).format == "JPEG"
        assert b"<script" not in bytes(picture.data)


def _hostile_file(chance, number):
    """A picture with something behind it, a damaged one, or none at all."""
    drawn = io.BytesIO()
    kind = ("JPEG", "PNG", "GIF", "WEBP")[number % 4]
    Image.new("RGB", (chance.randrange(1, 60), chance.randrange(1, 60)), "teal").save(drawn, kind)
    data = bytearray(drawn.getvalue())
    match number % 5:
        case 0:
            return bytes(data) + b"<script>alert(1)</script>"
        case 1:
            for _ in range(chance.randrange(1, 20)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            return bytes(data)
        case 2:
            return b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>" + bytes(data)
        case 3:
            return bytes(data[: chance.randrange(len(data))])
    return chance.randbytes(chance.randrange(1, 500))
