"""What the wall's page says, what it does not, and what a page that was away is told."""

import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import Client, override_settings
from django.urls import include, path
from django.utils.html import json_script

import realtime_wall.wall
from realtime_wall.wall.models import Wall
from realtime_wall.wall.pages.card import card, card_labels
from realtime_wall.wall.templatetags import wall as wall_tags
from tests.programs import find
from tests.wall.html_tree import tree
from tests.wall.posts import hostile_posts, make_post, odd_posts, store

CARD_JS = Path(realtime_wall.wall.__file__).parent / "static/realtime_wall_wall/card.js"
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

urlpatterns = [
    path("", include("realtime_wall.urls")),
    path("wall/", include("realtime_wall.wall.urls")),
]


@pytest.fixture(autouse=True)
def site(database):
    with override_settings(ROOT_URLCONF=__name__):
        yield


@pytest.fixture
def client():
    return Client()


def page(client, address="/wall/"):
    response = client.get(address)
    assert response.status_code == 200
    return tree(response.content.decode())


def keys(page):
    return [card.attributes["data-key"] for card in page.find(class_="wall-card")]


# -- the page


def test_the_page_shows_the_newest_posts_first(client):
    stored = [store(make_post(created_at=f"2026-11-21T09:{minute:02}:00+00:00")) for minute in range(40)]

    assert keys(page(client)) == stored[:9:-1]


def test_a_hidden_post_is_not_in_the_page(client):
    store(make_post(text="a word that nobody should read"), state="hidden")

    assert b"nobody should read" not in client.get("/wall/").content


def test_a_post_stored_after_the_cursor_was_taken_is_in_the_page_or_comes_live(client, monkeypatch):
    def cursor_and_at_once_another_post():
        store(make_post())
        return "e:41"

    monkeypatch.setattr(wall_tags, "cursor", cursor_and_at_once_another_post)

    seen = page(client)

    assert len(keys(seen)) == 1
    assert [posts.attributes["data-cursor"] for posts in seen.find("ol")] == ["e:41"]


def test_an_empty_wall_invites_to_post_with_its_hashtag(client):
    Wall.objects.create(slug="opening", title="The opening", hashtag="harbour")

    seen = page(client, "/wall/opening/")

    # Without so much as a blank in it: the style sheet asks for :empty.
    assert [posts.children for posts in seen.find("ol", class_="wall-posts")] == [[]]
    assert "#harbour" in next(seen.find(class_="wall-invitation")).text


def test_a_hashtag_is_written_with_one_sign_whether_or_not_it_was_entered_with_it(client):
    Wall.objects.create(slug="opening", hashtag="#harbour")

    assert next(page(client, "/wall/opening/").find(class_="wall-hashtag")).text == "#harbour"


def test_the_main_wall_invites_with_the_hashtag_that_is_asked_for(client):
    Wall.objects.create(slug="other")
    with override_settings(REALTIME_WALL={"WALL": {"TRACK_KEYWORDS": ["harbour", "#harbour", "#sea"]}}):
        main, other = page(client), page(client, "/wall/other/")

    assert next(main.find(class_="wall-hashtag")).text == "#harbour"
    assert not list(other.find(class_="wall-hashtag"))


def test_each_wall_shows_and_hears_its_own_posts(client):
    store(make_post())
    other = Wall.objects.create(slug="hall-2")
    key = store(make_post(), wall=other)

    seen = page(client, "/wall/hall-2/")
    config = json.loads(next(seen.find("script", id="wall-config")).text)

    assert keys(seen) == [key]
    assert (config["channel"], config["posts"]) == ("tweets.hall-2", "/wall/hall-2/posts.json")


@pytest.mark.parametrize("address", ["/wall/nowhere/", "/wall/nowhere/posts.json"])
def test_a_wall_that_nobody_made_is_not_found_and_not_made(client, address):
    assert client.get(address).status_code == 404
    assert not Wall.objects.filter(slug="nowhere").exists()


@pytest.mark.parametrize(("asked", "theme"), [("", "dark"), ("light", "light"), ('"><script>', "dark")])
def test_the_theme_is_dark_unless_light_is_asked_for(client, asked, theme):
    seen = page(client, f"/wall/?theme={asked}")

    assert next(seen.find("html")).attributes["data-theme"] == theme


def test_no_script_or_style_is_written_into_the_page(client):
    for post in hostile_posts():
        store(post)

    seen = page(client)

    for script in seen.find("script"):
        assert script.attributes.get("type") == "application/json" or not script.text
    assert not list(seen.find("style"))
    for element in seen.find():
        assert not [name for name in element.attributes if name == "style" or name.startswith("on")]


def test_no_copy_of_the_page_is_kept_because_its_cursor_would_grow_old(client):
    assert "no-store" in client.get("/wall/")["Cache-Control"]
    assert "no-store" in client.get("/wall/posts.json")["Cache-Control"]


def test_its_service_worker_may_answer_for_it_and_for_every_wall_below(client):
    for address in ("/wall/", "/wall/hall-2/"):
        Wall.objects.get_or_create(slug="hall-2")
        config = json.loads(next(page(client, address).find("script", id="wall-config")).text)
        assert config["page"] == address
        assert config["worker"] == "/wall/worker.js"

    worker = client.get("/wall/worker.js")

    assert worker["Content-Type"] == "text/javascript"
    assert worker["Cache-Control"] == "no-cache"


# -- the tags, in a page of somebody's own


def own_page(template, **context):
    return tree(Template("{% load wall %}" + template).render(Context(context)))


def test_a_page_of_ones_own_shows_as_many_posts_as_it_asks_for():
    stored = [store(make_post(created_at=f"2026-11-21T09:{minute:02}:00+00:00")) for minute in range(3)]

    seen = own_page("{% render_tweets 2 %}<b>{% count %}</b>")

    assert keys(seen) == stored[:0:-1]
    assert next(seen.find("b")).text == "3"


def test_hidden_posts_are_not_counted():
    store(make_post(), state="hidden")

    assert own_page("{% count %}").text == "0"


def test_the_tags_take_another_wall_by_its_slug():
    key = store(make_post(), wall=Wall.objects.create(slug="hall-2"))

    seen = own_page("{% render_tweets 9 'hall-2' %}{% count 'hall-2' %}{% websocket_client 'hall-2' %}")

    assert keys(seen) == [key]
    assert json.loads(next(seen.find("script", id="wall-config")).text)["channel"] == "tweets.hall-2"


def test_every_script_of_the_wall_carries_the_nonce():
    scripts = [
        script
        for script in own_page("{% websocket_client %}", csp_nonce="n-1").find("script")
        if "src" in script.attributes
    ]

    assert len(scripts) >= 5
    assert {script.attributes.get("nonce") for script in scripts} == {"n-1"}


# -- what a page that was away reads


def missed(client, after=""):
    return client.get("/wall/posts.json", {"after": after}).json()


def test_what_was_stored_after_a_post_is_told_though_it_may_be_older(client):
    store(make_post())
    last_seen = store(make_post())
    late = make_post(created_at="2026-11-21T08:00:00+00:00")
    store(late)

    answer = missed(client, last_seen)

    assert answer["posts"] == [late]
    assert answer["keys"][-1] == f"x:{late['id']}"


def test_a_page_that_names_no_post_of_this_wall_is_told_all(client):
    first, second = make_post(), make_post()
    store(first)
    store(second)

    for unknown in ("", "x:none", "no key at all", ":::", "x:" + "9" * 5000):
        assert missed(client, unknown)["posts"] == [second, first]


def test_the_keys_leave_out_what_was_hidden_so_that_pages_take_it_down(client):
    shown = store(make_post())
    store(make_post(), state="hidden")

    told = missed(client, shown)
    assert (told["posts"], told["keys"], told["edited"], told["count"]) == ([], [shown], [], 1)


def test_what_was_edited_is_told_as_it_is_now(client):
    store(make_post())
    edited = make_post(edited=True)
    last_seen = store(edited)

    assert missed(client, last_seen)["edited"] == [edited]


def test_after_a_long_absence_the_newest_two_hundred_are_told(client):
    last_seen = store(make_post())
    for _ in range(201):
        newest = store(make_post())

    answer = missed(client, last_seen)

    assert len(answer["posts"]) == len(answer["keys"]) == 200
    assert answer["keys"][0] == newest
    assert [f"x:{post['id']}" for post in answer["posts"]] == answer["keys"]
    assert answer["count"] == 202


# -- a card


def card_by_server(post):
    html = render_to_string("realtime_wall_wall/card.html", {"card": card(post, card_labels(), NOON)})
    return next(tree(html).find("li"))


def test_a_card_has_no_address_but_of_the_web_and_of_our_static_files():
    for post in hostile_posts():
        for element in card_by_server(post).find():
            for name in ("href", "src"):
                address = element.attributes.get(name, "https://")
                assert re.match(r"https?://[^\s\"]*$|/static/realtime_wall_wall/icon\.svg$", address), post


def test_a_strangers_markup_is_shown_as_the_text_it_is():
    for post in hostile_posts():
        shown = card_by_server(post)

        assert next(shown.find(class_="wall-text")).text == post["text"]
        assert next(shown.find(class_="wall-name")).text == post["author_name"]


def test_a_card_says_of_a_retweet_who_wrote_it_and_who_passed_it_on():
    shown = card_by_server(make_post(retweeted_by="Tomás"))

    assert next(shown.find(class_="wall-retweet")).text == "retweeted by Tomás"
    assert next(shown.find(class_="wall-name")).text == "Mara Lindqvist"


def test_a_card_of_x_leads_to_its_author_by_face_name_and_handle_and_by_its_time_to_the_post():
    post = make_post(text="See #tides")
    shown = card_by_server(post)

    leads = {link.attributes["class"].split()[0]: link.attributes["href"] for link in shown.find("a")}
    (who,) = shown.find("a", class_="wall-who")
    assert leads["wall-avatar"] == leads["wall-who"] == post["author_url"]
    assert who.text == "Mara Lindqvist @mara"
    assert leads["wall-when"] == post["url"]
    assert next(shown.find(class_="wall-text")).text == "See #tides"
    assert next(shown.find(class_="wall-source")).attributes["data-source"] == "x"  # drawn as its logo
    assert shown.attributes["data-source"] == "x"


def test_entities_are_counted_in_code_points():
    text = "🚀👩🏽‍🚀 #lift off"
    start = text.index("#")
    entity = {"start": start, "end": start + 5, "kind": "hashtag", "text": "", "url": "https://x.example/t"}

    shown = card_by_server(make_post(text=text, entities=[entity]))

    assert [link.text for link in shown.find("a", class_="wall-link")] == ["#lift"]
    assert next(shown.find(class_="wall-text")).text == text


@pytest.mark.browser
def test_the_browser_makes_the_same_card_as_the_server(tmp_path):
    posts = odd_posts() + hostile_posts()

    made = list(cards_by_browser(posts, tmp_path).find("li", class_="wall-card"))

    assert len(made) == len(posts)
    for post, by_browser in zip(posts, made, strict=True):
        assert by_browser.outline() == card_by_server(post).outline()


def cards_by_browser(posts, folder):
    """The tree that a real browser has after card.js has made these cards."""
    make_them = """
        const read = (id) => JSON.parse(document.getElementById(id).textContent);
        for (const post of read("posts")) {
          document.querySelector("ol").append(WallCard.wallCard(post, read("labels"), read("now")));
        }
    """
    html = folder / "cards.html"
    html.write_text(
        f"<!doctype html><meta charset=utf-8>{json_script(posts, 'posts')}"
        f"{json_script(card_labels(), 'labels')}{json_script(NOON.timestamp() * 1000, 'now')}"
        f"<ol></ol><script src='{CARD_JS.as_uri()}'></script><script>{make_them}</script>"
    )
    switches = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync"
    switches += " --disable-background-networking --disable-component-update"
    run = subprocess.run(
        [
            find("chromium"),
            *switches.split(),
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={folder / 'profile'}",
            "--dump-dom",
            html.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    return next(tree(run.stdout).find("ol"))
