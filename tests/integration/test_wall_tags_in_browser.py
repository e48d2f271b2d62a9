"""What a visitor chooses and is told on the wall's pages, in a real browser."""

import contextlib
import json
import socket

import pytest
from playwright.sync_api import expect

from tests.browser import ExampleServer, Shell, keys_of, posts_of_today, wait_until_live, wait_until_shown
from tests.wall.posts import make_post

pytestmark = pytest.mark.browser

# Each connection ends before it is open: with a code that lets the page try again, or for good.
REFUSED = """
    Math.random = () => 0.1;
    window.WebSocket = class {
        constructor() { setTimeout(() => this.onclose({ code: %d, reason: "" })); }
        close() {}
    };
"""


def status(page):
    return page.locator(".wall-status")


@pytest.mark.parametrize("path", ["", "archive/"])
def test_a_connection_that_never_was_is_not_called_lost(hall, visitors, path):
    # Else it would be live without a WebSocket.
    page = visitors.tab(hall.url + path, script=REFUSED % 1006 + "window.fetch = undefined;")

    expect(status(page)).to_have_attribute("data-state", "failed")
    expect(status(page)).to_have_text("no connection")


def test_a_connection_that_does_not_come_back_says_what_to_do(hall, visitors):
    page = visitors.tab(hall.url, script=REFUSED % 1008)

    expect(status(page)).to_have_attribute("data-state", "closed")
    expect(status(page)).to_have_text("connection closed: load the page again")


def test_the_notices_are_in_the_visitors_language(hall, visitors):
    words = {"de-DE": "Verbindung getrennt: Seite neu laden", "fr-FR": "connexion fermée : rechargez la page"}
    for language, sentence in words.items():
        page = visitors.tab(hall.url, script=REFUSED % 1008, locale=language)
        expect(status(page)).to_have_text(sentence)


def test_the_choice_to_see_no_retweets_is_kept_in_the_browser(hall, visitors):
    hall.store(make_post(text="an original"), make_post(text="a retweet", retweeted_by="Ben Okoro"))
    page = visitors.tab(f"{hall.url}archive/")
    wait_until_live(page)
    retweet = page.locator(".wall-card", has_text="a retweet")
    expect(retweet).to_be_visible()

    page.get_by_label("Retweets").uncheck()
    expect(retweet).to_be_hidden()
    page.reload()
    expect(page.get_by_label("Retweets")).not_to_be_checked()
    expect(retweet).to_be_hidden()
    expect(page.locator(".wall-card", has_text="an original")).to_be_visible()
    hall.post(make_post(text="another retweet", retweeted_by="Ben Okoro"))
    expect(page.locator(".wall-card", has_text="another retweet")).to_be_hidden()

    page.get_by_label("Retweets").check()
    expect(retweet).to_be_visible()


def test_an_edited_post_is_marked_as_it_changes(hall, visitors):
    post = make_post()
    hall.store(post)
    page = visitors.tab(hall.url)
    wait_until_live(page)
    expect(page.locator(".wall-edited")).to_have_count(0)

    hall.publish("tweet_changed", post | {"edited": True})

    expect(page.locator(".wall-edited")).to_have_text("edited")


def test_the_sockets_may_be_on_another_host(migrated_wall, visitors):
    """One server has the pages, another one the sockets and the feed; they share the database."""
    sockets = ExampleServer("example_wall", migrated_wall)
    pages = ExampleServer("example_wall")
    pages.command[1] = str(free_port())
    origin = f"http://127.0.0.1:{pages.command[1]}"
    tell(sockets, ALLOWED_ORIGINS=[origin], WALL={"SOURCES": []})
    with sockets:
        pages.environment["SITE_DATABASE"] = sockets.environment["SITE_DATABASE"]
        tell(pages, WALL={"SOURCES": [], "WEBSOCKET_SERVER": f"ws://{sockets.host}/ws/"})
        with pages, contextlib.closing(Shell(sockets)) as desk:
            early, late = posts_of_today(2)
            desk.store(early)
            page = visitors.tab(f"{origin}/")
            wait_until_live(page)

            desk.post(late)

            wait_until_shown(page, keys_of(early, late))


def tell(server, **settings):
    given = json.loads(server.environment["SITE_REALTIME_WALL"])
    server.environment["SITE_REALTIME_WALL"] = json.dumps(given | settings)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]
