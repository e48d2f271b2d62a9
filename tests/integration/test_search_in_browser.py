"""The search page in a real browser: one post at a time of what the visitor listens to."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from realtime_wall.wall.live_search.search_subscriptions import AT_ONCE as A_VISITORS_SHARE
from tests.browser import PHONE, RETURNS_SOON, keep_picture, key, sample_posts, wait_until_live
from tests.hostile import RUN
from tests.integration.test_wall_in_browser import HARM
from tests.wall.posts import hostile_posts, make_post

pytestmark = pytest.mark.browser

DESKTOP = {"width": 1280, "height": 800}
SHOWN = 10_000
AT_ONCE = int(A_VISITORS_SHARE)
IS_SHOWN = "(key) => document.querySelector('.wall-carousel .wall-card')?.dataset.key === key"
KEEP_THE_SOCKET = """
    const Real = window.WebSocket;
    window.WebSocket = function (url) { return (window.connection = new Real(url)); };
"""


def search(visitors, server, term="", *, clock=True, **options):
    """The page, live; with a clock that stands still until it is moved."""
    page = visitors.tab(viewport=options.pop("viewport", DESKTOP), **options)
    if clock:
        page.clock.install()
    page.goto(f"{server.url}search/")
    wait_until_live(page)
    if clock:
        page.clock.pause_at(page.evaluate("Date.now() / 1000 + 1"))
    if term:
        listen(page, term)
    return page


def listen(page, term):
    page.get_by_label("A word, a #hashtag or a phrase").fill(term)
    page.get_by_role("button", name="Search").click()
    expect(told(page)).to_contain_text(f"Listening to {term}")


def told(page):
    return page.locator(".wall-search-status")


def shown(page):
    return page.locator(".wall-carousel .wall-text")


def queue(page):
    return page.locator(".wall-queue")


def earlier(page):
    """What had its time, the last one first."""
    return page.locator(".wall-earlier .wall-text")


def tides(number, **fields):
    return make_post(text=f"tides {number}", **fields)


def test_the_button_waits_for_the_connection(office, visitors):
    server, _ = office
    page = visitors.tab(viewport=DESKTOP, script="window.WebSocket = class { close() {} };")
    page.goto(f"{server.url}search/")

    expect(page.get_by_role("button", name="Search")).to_be_disabled()
    expect(page.get_by_role("button", name="Stop")).to_be_disabled()
    expect(search(visitors, server).get_by_role("button", name="Search")).to_be_enabled()


def test_each_post_has_ten_seconds(office, visitors):
    server, desk = office
    page = search(visitors, server, "tides")

    desk.post(make_post(text="herring"), tides(1), tides(2, retweeted_by="Somebody"), tides(3), tides(4))
    expect(shown(page)).to_have_text("tides 1")
    expect(queue(page)).to_have_text("2 waiting")

    page.clock.run_for(SHOWN - 1000)
    expect(shown(page)).to_have_text("tides 1")
    page.clock.run_for(1500)
    expect(shown(page)).to_have_text("tides 3")
    page.clock.run_for(SHOWN + 500)
    expect(shown(page)).to_have_text("tides 4")
    expect(queue(page)).to_have_text("")
    expect(earlier(page)).to_have_text(["tides 3", "tides 1"])

    # The last one stays until there is another, which then comes at once.
    page.clock.run_for(SHOWN + 500)  # not so long that the page takes the silence for a loss
    expect(shown(page)).to_have_text("tides 4")
    desk.post(tides(5))
    expect(shown(page)).to_have_text("tides 5")


def test_of_too_many_the_oldest_are_left_out(office, visitors):
    server, desk = office
    page = search(visitors, server, "tides", script=KEEP_THE_SOCKET)
    desk.post(tides("first"))
    expect(shown(page)).to_have_text("tides first")

    # More than the queue holds comes from the server in some minutes only; so they come from here.
    lines = [json.dumps({"type": "tweet", "message": tides(number)}) for number in range(26)]
    page.evaluate("(lines) => lines.forEach((data) => connection.onmessage({ data }))", lines)

    expect(queue(page)).to_have_text("20 waiting · 6 left out")
    page.clock.run_for(SHOWN + 500)
    expect(shown(page)).to_have_text("tides 6")


def test_stop_is_the_end_of_it(office, visitors):
    server, desk = office
    page = search(visitors, server, "tides")
    desk.post(tides(1), tides(2))
    expect(queue(page)).to_have_text("1 waiting")

    page.get_by_role("button", name="Stop").click()
    expect(told(page)).to_have_text("Stopped.")
    expect(queue(page)).to_have_text("")
    page.clock.run_for(2 * SHOWN)
    expect(shown(page)).to_have_text("tides 1")

    listen(page, "gulls")
    desk.post(tides(3), make_post(text="gulls"))
    expect(shown(page)).to_have_text("gulls")


def test_what_is_edited_or_taken_back_is_followed(office, visitors):
    server, desk = office
    page = search(visitors, server, "tides")
    first, second, third = tides(1), tides(2), tides(3)
    desk.post(first, second, third)
    expect(queue(page)).to_have_text("2 waiting")

    desk.publish("tweet_changed", first | {"text": "tides, edited"})
    expect(shown(page)).to_have_text("tides, edited")
    desk.publish("tweet_removed", {"id": second["id"], "source": "x"})
    expect(queue(page)).to_have_text("1 waiting")
    desk.publish("tweet_removed", {"id": first["id"], "source": "x"})
    expect(shown(page)).to_have_text("tides 3")

    desk.post(tides(4))
    page.clock.run_for(SHOWN + 500)
    expect(earlier(page)).to_have_text("tides 3")
    desk.publish("tweet_changed", third | {"text": "high tides"})
    expect(earlier(page)).to_have_text("high tides")
    desk.publish("tweet_removed", {"id": third["id"], "source": "x"})
    expect(page.locator(".wall-earlier")).to_be_hidden()


def test_the_search_goes_on_when_the_connection_is_back(office, visitors):
    server, desk = office
    page = search(visitors, server, "tides", clock=False, script=RETURNS_SOON)

    assert server.stop() == 0
    expect(told(page)).to_contain_text("The connection is lost")
    expect(page.get_by_role("button", name="Search")).to_be_disabled()
    server.start_again()

    expect(told(page)).to_contain_text("Listening to tides")
    desk.post(tides(1))
    expect(shown(page)).to_have_text("tides 1")


def test_what_cannot_be_listened_to_is_said(office, visitors):
    server, _ = office
    page = search(visitors, server)

    page.get_by_label("A word, a #hashtag or a phrase").fill("a\u200bb")
    page.get_by_role("button", name="Search").click()

    expect(told(page)).to_contain_text("This cannot be listened to: a term is a word")
    expect(page.get_by_role("button", name="Stop")).to_be_disabled()


@pytest.mark.threat("S52")
def test_hostile_posts_run_no_script_in_the_search(office, visitors):
    server, desk = office
    posts = [post | {"retweeted_by": ""} for post in hostile_posts()]
    for start in range(0, len(posts), AT_ONCE):
        # Each to visitors of its own: one is sent no more at once.
        some = [post | {"text": f"{post['text']} harm{start}"} for post in posts[start : start + AT_ONCE]]
        page = search(visitors, server, f"harm{start}")
        title = page.title()
        desk.post(*some)
        for post in some:
            page.wait_for_function(IS_SHOWN, arg=key(post))
            assert page.evaluate(HARM) == []
            page.clock.fast_forward(SHOWN + 500)
        assert page.title() == title


class DrawnByX(BaseHTTPRequestHandler):
    html = f"<blockquote id=drawn>drawn by X</blockquote><script>{RUN}</script><img src=x onerror='{RUN}'>"

    def do_GET(self):
        body = json.dumps({"html": self.html}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def drawing_service():
    service = ThreadingHTTPServer(("127.0.0.1", 0), DrawnByX)
    thread = threading.Thread(target=service.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{service.server_port}/oembed"
    service.shutdown()
    thread.join()
    service.server_close()


@pytest.mark.threat("S53")
def test_what_x_draws_is_in_a_frame_that_reaches_nothing(wall_server, shell, visitors, drawing_service):
    server = wall_server(SOURCES=[], VISITORS=True, OEMBED_URL=drawing_service)
    page = search(visitors, server, "tides", clock=False)

    shell(server).post(tides(1, id="1993"))

    frame = page.frame_locator(".wall-embed")
    expect(frame.locator("#drawn")).to_have_text("drawn by X")
    assert page.evaluate("window.__pwned") is None
    assert page.locator(".wall-embed").get_attribute("sandbox").split()[0] == "allow-scripts"
    assert page.evaluate("document.querySelector('.wall-embed').contentDocument") is None
    # The browser says of each script in the frame that the frame's policy forbids it.
    visitors.complaints[:] = [said for said in visitors.complaints if "Content Security Policy" not in said]


def test_the_search_is_good_to_look_at(office, visitors):
    server, desk = office
    desktop = search(visitors, server, "#SaltmarshPy", clock=False, color_scheme="dark")
    phone = search(visitors, server, "#SaltmarshPy", clock=False, viewport=PHONE, color_scheme="light")

    desk.post(*sample_posts(14, 18, seconds=20))

    for page in (desktop, phone):
        expect(queue(page)).to_contain_text("waiting")
        page.wait_for_function("() => document.getAnimations().length === 0")
    assert phone.evaluate("document.scrollingElement.scrollWidth") == PHONE["width"]
    keep_picture(desktop, "search.png")
    keep_picture(phone, "search-phone.png")
