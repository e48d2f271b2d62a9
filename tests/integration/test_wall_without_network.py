"""A wall whose network goes: it is loaded again, goes on, and shows nothing that was taken back meanwhile."""

import signal
import time

import pytest
from playwright.sync_api import expect

from tests.browser import (
    NOTES_VIOLATIONS,
    key,
    keys_of,
    posts_of_today,
    wait_until_live,
    wait_until_shown,
)
from tests.live import wait_for

pytestmark = pytest.mark.browser

# Of each page the keys that were there when something was painted, in window.painted.
NOTES_PAINTED = """
    window.painted = new Set();
    const note = () => {
        for (const card of document.querySelectorAll(".wall-card")) painted.add(card.dataset.key);
        requestAnimationFrame(note);
    };
    requestAnimationFrame(note);
"""
# A browser keeps, for ever, what it was answered and nobody has read.
NOTES_ANSWERS = """
    window.answers = [];
    const ask = window.fetch;
    window.fetch = async (address, options = {}) => {
        const answer = await ask(address, options);
        answers.push({ method: options.method ?? "GET", answer, isLimited: Boolean(options.signal) });
        return answer;
    };
"""
ALL_ARE_READ = """() => answers.some(({ method }) => method === "POST")
    && answers.every(({ method, answer }) => method === "HEAD" || answer.bodyUsed)"""
CAUGHT_UP = 2.0  # seconds
RETURNS_LATE = "Math.random = () => 1000"  # by itself after minutes; that it is a screen has to bring it back
# Uploaded, as the admin does it.
LOGO = """
import io
from PIL import Image
from realtime_wall.wall.models import Look, Wall
from realtime_wall.wall.phone_posts.picture import redraw_for_stage
from realtime_wall.wall.stage.pictures import keep
drawn = io.BytesIO()
Image.new("RGBA", (80, 40), (255, 180, 70, 255)).save(drawn, "PNG")
wall = Wall.called()
Look.objects.create(wall=wall, logo=keep(wall, redraw_for_stage(drawn)))
"""


def wait_until_kept(page, *posts):
    """Until the page, its files and these posts are in the browser."""
    are_kept = """async (keys) => {
        if (document.documentElement.dataset.kept === undefined) return false;
        const found = await caches.match(new URL("posts.json?kept", location.href).href);
        return Boolean(found) && JSON.stringify((await found.json()).keys) === JSON.stringify(keys);
    }"""
    # The browser's own waiting takes a promise for true.
    wait_for(lambda: page.evaluate(are_kept, keys_of(*posts)))


def test_a_screen_is_loaded_again_without_network_and_is_right_when_it_is_back(wall_server, visitors, shell):
    server = wall_server(SOURCES=[])
    desk = shell(server)
    first, doubtful, regretted, last = early = posts_of_today(4, ago=60)
    desk.store(*early)
    desk.run(LOGO)
    script = RETURNS_LATE + NOTES_PAINTED + NOTES_ANSWERS + NOTES_VIOLATIONS
    page = visitors.tab(server.url + "?screen=Stage", script=script)
    wait_until_live(page)
    wait_until_kept(page, *early)
    assert page.evaluate("violations") == []

    # What is taken back while there is a network is kept no longer ...
    desk.publish("tweet_removed", {"id": doubtful["id"], "source": doubtful["source"]})
    wait_until_kept(page, first, regretted, last)
    server.stop(signal.SIGKILL)
    page.reload()
    wait_until_shown(page, keys_of(first, regretted, last))
    assert key(doubtful) not in page.evaluate("[...painted]")
    expect(page.locator(".wall-status")).to_have_attribute("data-state", "failed")
    page.locator(".wall-logo").evaluate("(logo) => logo.decode()")
    assert page.evaluate("violations") == []

    # ... and what was taken back without one is gone as soon as there is one.
    late, hasty = posts_of_today(2)
    desk.store(late, hasty)
    desk.hide(regretted, doubtful, hasty)
    server.start_again()
    began = time.monotonic()
    wait_until_shown(page, keys_of(first, last, late))
    assert time.monotonic() - began < CAUGHT_UP
    assert key(hasty) not in page.evaluate("[...painted]")

    page.reload()
    wait_until_live(page)
    assert set(page.evaluate("[...painted]")) == set(keys_of(first, last, late))
    wait_until_kept(page, first, last, late)
    page.wait_for_function(ALL_ARE_READ)
    # On a dead line no answer comes, and nothing says so.
    assert page.evaluate("answers.every(({ isLimited }) => isLimited)")

    # The network is back between the page, which comes out of the browser, and its first picture: it asks.
    desk.hide(late)
    answer = server.get("/posts.json").body.decode()
    page.context.set_offline(True)
    page.route("**/posts.json*", lambda route: route.fulfill(body=answer, content_type="application/json"))
    page.reload()
    wait_until_shown(page, keys_of(first, last))
    assert page.locator(".wall-posts").get_attribute("data-kept") is not None
    assert set(page.evaluate("[...painted]")) == set(keys_of(first, last))
