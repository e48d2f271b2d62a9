import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from realtime_wall.wall.post import (
    WITHDRAWN,
    Author,
    BadPost,
    Entity,
    LinkCard,
    Media,
    Post,
    Removal,
    picture_url,
    tidy,
    web_url,
)
from tests.wall.fakes import post

WHOLE = Post(
    id="1790000000000000001",
    source="x",
    text="See #tides",
    created_at=datetime(2026, 5, 14, 10, 50, tzinfo=timezone(timedelta(hours=2))),
    url="https://x.com/maraquill/status/1790000000000000001",
    lang="en",
    author=Author(
        id="7",
        name="Mara",
        username="maraquill",
        avatar="https://pictures.example/mara.png",
        url="https://x.com/maraquill",
    ),
    entities=(Entity(4, 10, "hashtag", "#tides", "https://x.com/hashtag/tides"),),
    media=(Media("photo", "https://pictures.example/harbour.png", "The harbour", 1200, 675),),
    original_id="1789",
    retweeter=Author(name="Ben", username="benokoro"),
)


def test_the_message_is_one_flat_object_of_plain_values():
    assert WHOLE.as_message() == {
        "id": "1790000000000000001",
        "source": "x",
        "url": "https://x.com/maraquill/status/1790000000000000001",
        "text": "See #tides",
        "created_at": "2026-05-14T08:50:00.000+00:00",
        "lang": "en",
        "author_id": "7",
        "author_name": "Mara",
        "author_username": "maraquill",
        "author_avatar": "https://pictures.example/mara.png",
        "author_url": "https://x.com/maraquill",
        "entities": [
            {"start": 4, "end": 10, "kind": "hashtag", "text": "#tides", "url": "https://x.com/hashtag/tides"}
        ],
        "media": [
            {
                "kind": "photo",
                "url": "https://pictures.example/harbour.png",
                "alt": "The harbour",
                "width": 1200,
                "height": 675,
            }
        ],
        "link": None,
        "poll": [],
        "edited": False,
        "original_id": "1789",
        "retweeted_by": "Ben",
        "retweeted_by_username": "benokoro",
    }
    assert json.loads(json.dumps(WHOLE.as_message())) == WHOLE.as_message()


def test_a_film_goes_with_its_picture_and_is_held_back_with_it():
    film = Media("video", "https://pictures.example/1.jpg", film="https://films.example/1.mp4")
    nothing = Media("video", "https://pictures.example/1.jpg", film="javascript:alert(1)")
    still = Media("photo", "https://pictures.example/1.jpg", film="https://films.example/1.mp4")

    assert post(media=(film,)).as_message()["media"][0]["film"] == "https://films.example/1.mp4"
    assert all("film" not in one for one in post(media=(nothing, still)).as_message()["media"])
    for held_back in (post(media=(film,), sensitive=True), post(media=(film,), warning="Spiders")):
        assert held_back.as_message()["media"] == []


@pytest.mark.parametrize(
    "url",
    [
        "https://posts.example/".ljust(2048, "x"),
        "https://posts.example/1?a=b#c",
        "http://127.0.0.1:8000/x",
        "https://pörts.example/é",
    ],
)
def test_web_addresses_are_let_through(url):
    assert web_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "java\nscript:alert(1)",
        " https://posts.example",
        "https://posts.example/a b",
        'https://posts.example/"onclick=x',
        "data:text/html,x",
        "ftp://posts.example",
        "//posts.example/x",
        "/admin/logout",
        "posts.example",
        "https://",
        "https:///path",
        "https://[::1",
        "https:\\\\posts.example",
        "https://posts.example/\x00",
        "https://posts.example/\ud800",
        "https://posts.example/" + "x" * 2048,
    ],
)
def test_other_addresses_are_dropped(url):
    assert web_url(url) == ""
    assert replace(WHOLE, url=url).as_message()["url"] == ""


def test_hostile_addresses_are_dropped_wherever_they_are():
    bad = "javascript:alert(1)"
    message = replace(
        WHOLE,
        author=Author(avatar=bad, url=bad),
        entities=(Entity(0, 3, "url", "x", bad),),
        media=(Media("photo", bad), Media("photo", "https://pictures.example/2.png")),
    ).as_message()

    assert "javascript" not in json.dumps(message)
    assert [item["url"] for item in message["media"]] == ["https://pictures.example/2.png"]


def test_a_picture_may_come_from_this_site():
    assert picture_url("/static/sample/stage.svg") == "/static/sample/stage.svg"
    assert picture_url("https://pictures.example/1.png") == "https://pictures.example/1.png"


@pytest.mark.parametrize("url", ["//posts.example/x.png", "/\\posts.example/x.png", "x.png", '/"onerror=x'])
def test_what_only_looks_like_a_path_of_this_site_is_dropped(url):
    assert picture_url(url) == ""


def test_what_no_database_and_no_client_can_hold_is_taken_out():
    assert tidy("a\0b", 10) == "ab"
    assert tidy("é\0\ud83c!", 10) == "é\ufffd!"
    assert tidy("🌊" * 20, 10) == "🌊" * 10


def test_a_later_version_says_that_it_was_edited():
    assert replace(WHOLE, version=2).as_message()["edited"] is True


@pytest.mark.parametrize("version", [-1, WITHDRAWN, 2**80])
def test_a_version_that_no_database_holds_is_refused(version):
    with pytest.raises(BadPost, match="is no version"):
        post(1, version=version)


def test_a_removal_is_later_than_every_version_of_its_post():
    removal = Removal(id="1", source="list")

    assert removal.key == post(1).key
    assert removal.version > post(1, version=WITHDRAWN - 1).version


def test_every_text_is_bounded():
    long = "x" * 100_000
    message = replace(
        WHOLE,
        text=long,
        lang=long,
        author=Author(id=long, name=long, username=long),
        retweeter=Author(name=long, username=long),
        original_id=long,
        entities=tuple(Entity(0, 1, "url", "x" * 10_000, "https://posts.example") for _ in range(1000)),
        media=tuple(Media("photo", "https://posts.example/1.png", long) for _ in range(100)),
        link=LinkCard("https://posts.example/", long, long, long),
        poll=(long,) * 100,
    ).as_message()

    assert len(message["text"]) == 25_000
    assert len(message["media"]) == 8
    sizes = [
        len(value) for key, value in message.items() if key not in ("text", "entities", "edited", "link")
    ]
    assert max(sizes) <= 200
    assert len(json.dumps([message["link"], message["poll"]])) < 7_000
    assert len(json.dumps(replace(post(), entities=WHOLE.entities * 1000).as_message())) < 30_000


@pytest.mark.parametrize("text", ["See #tides", "S\0ee #tides", "\0\0See #ti\0des\0"])
def test_entities_stay_in_place_when_characters_are_removed(text):
    start, end = text.index("#"), len(text.rstrip("\0"))
    entity = Entity(start, end, "hashtag", "#tides", "https://x.com/hashtag/tides")

    message = replace(WHOLE, text=text, entities=(entity,)).as_message()

    (moved,) = message["entities"]
    assert message["text"] == "See #tides"
    assert message["text"][moved["start"] : moved["end"]] == "#tides"


def test_entities_of_what_is_cut_off_are_left_out():
    text = "x" * 25_000 + "\0 #tides"
    entity = Entity(25_002, 25_008, "hashtag", "#tides", "https://x.com/hashtag/tides")

    assert replace(WHOLE, text=text, entities=(entity,)).as_message()["entities"] == []


def test_of_a_sensitive_post_no_picture_is_shown():
    link = LinkCard("https://posts.example/", "Title", picture="https://posts.example/1.png")
    message = replace(WHOLE, sensitive=True, link=link).as_message()

    assert (message["text"], message["media"]) == ("See #tides", [])
    assert (message["link"]["title"], message["link"]["picture"]) == ("Title", "")
    with pytest.raises(BadPost, match="its picture is marked"):
        replace(WHOLE, sensitive=True, text="")


def test_of_a_post_behind_a_warning_only_the_warning_is_shown():
    link = LinkCard("https://posts.example/", "Title")
    message = replace(WHOLE, warning="Spoilers", link=link, poll=("He", "She")).as_message()

    shown = [message[key] for key in ("text", "entities", "media", "link", "poll")]
    assert shown == ["Spoilers", [], [], None, []]


@pytest.mark.parametrize("fields", [{"poll": ("a", "b")}, {"link": LinkCard("https://a.example/", "")}])
def test_a_post_may_be_a_poll_or_a_link_alone(fields):
    assert post(text="", **fields).as_message()["text"] == ""


def test_a_link_that_is_no_address_of_the_web_is_left_out():
    assert replace(WHOLE, link=LinkCard("javascript:alert(1)", "Title")).as_message()["link"] is None


@pytest.mark.parametrize("post_id", ["", "1" * 65, "1\n2", "1\x002"])
def test_a_post_needs_a_usable_id(post_id):
    with pytest.raises(BadPost, match="is no id"):
        post(post_id)


def test_an_id_may_be_as_long_as_its_column():
    assert post("1" * 64).id == "1" * 64


def test_a_post_needs_a_text_or_a_picture():
    with pytest.raises(BadPost, match="neither text nor picture"):
        post(text=" \n")
    assert post(text="", media=WHOLE.media).media == WHOLE.media


def test_the_key_tells_posts_of_two_sources_apart():
    assert post(1).key == "list:1"
    assert post(1, source="x").key == "x:1"
