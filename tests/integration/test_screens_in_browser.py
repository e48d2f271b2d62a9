"""What a screen writes down of itself, beside what was really on it; a wall in another site's page."""

import contextlib
import sqlite3
import threading
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from playwright.sync_api import expect

from tests.browser import NOTES_VIOLATIONS, key, posts_of_today, wait_until_live, wait_until_shown
from tests.live import wait_for

pytestmark = pytest.mark.browser

WITHIN = 200  # milliseconds
# In each frame what a camera would see: window.recorded is a list of {key, from, to}.
RECORDS = """
    window.recorded = [];
    const isOn = (card) => {
        const { top, bottom, height } = card.getBoundingClientRect();
        return Math.min(bottom, innerHeight) - Math.max(top, 0) >= Math.min(height, innerHeight) / 2;
    };
    const take = () => {
        const now = Date.now();
        const cards = Array.from(document.querySelectorAll(".wall-card"));
        const on = new Set(cards.filter(isOn).map((card) => card.dataset.key));
        for (const one of recorded) {
            if (!one.isOver && on.delete(one.key)) one.to = now;
            else one.isOver = true;
        }
        for (const key of on) recorded.push({ key, from: now, to: now });
        requestAnimationFrame(take);
    };
    requestAnimationFrame(take);
"""


def displays_of(server, slug):
    with sqlite3.connect(server.environment["SITE_DATABASE"]) as database:
        rows = database.execute(
            "SELECT key, since, until, is_visible FROM realtime_wall_wall_display"
            " JOIN realtime_wall_wall_wall AS wall ON wall_id = wall.id WHERE slug = ? AND screen = 'Stage'",
            (slug,),
        )
        return [(key, milliseconds(since), milliseconds(until), seen) for key, since, until, seen in rows]


def milliseconds(stored):
    return datetime.fromisoformat(stored + "+00:00").timestamp() * 1000


def test_what_was_on_a_screen_is_written_down_also_without_network(office, visitors):
    server, shell = office
    early, late = posts_of_today(14, ago=60), posts_of_today(3)
    shell.store(*early, wall="proof")
    page = visitors.tab(f"{server.url}proof/?screen=Stage", script=RECORDS + NOTES_VIOLATIONS)
    wait_until_live(page)

    page.context.set_offline(True)
    page.evaluate("scrollTo(0, 600)")  # other posts come into view
    page.wait_for_function("() => recorded.some((one) => one.isOver && Date.now() - one.to > 500)")
    page.evaluate("scrollTo(0, 0)")
    page.context.set_offline(False)
    wait_until_live(page)
    shell.post(*late, wall="proof")
    wait_until_shown(page, [key(post) for post in reversed([*early, *late])])
    page.wait_for_function("() => recorded.filter((one) => one.isOver).length >= 4")
    # Into the background: what was on is written down, and sent at once.
    recorded = page.evaluate("""() => {
        Object.defineProperty(document, "visibilityState", { value: "hidden" });
        document.dispatchEvent(new Event("visibilitychange"));
        return recorded;
    }""")

    # A card that passes by while the others make room is no display.
    lasting = [one for one in recorded if one["to"] - one["from"] > WITHIN]
    assert len(lasting) >= 4

    def unwritten():
        written = displays_of(server, "proof")
        return [one for one in lasting if not any(fits(one, row) for row in written)]

    def fits(one, row):
        times = zip((one["from"], one["to"]), row[1:3], strict=True)
        return row[0] == one["key"] and row[3] and all(abs(a - b) <= WITHIN for a, b in times)

    assert wait_for(lambda: not unwritten()), (unwritten(), displays_of(server, "proof"))
    assert page.evaluate("violations") == []


@contextlib.contextmanager
def other_site(html):
    """A site of another origin, which has this page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):  # as the library calls it
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_another_site_shows_the_wall_by_a_tag_and_reads_its_posts(office, visitors):
    server, shell = office
    first, second = posts_of_today(2)
    shell.store(first, wall="elsewhere")
    script = f'<script src="{server.url}embed.js" async></script>'
    with other_site(f'<!doctype html>{script}<realtime-wall wall="elsewhere" theme="light">') as site:
        with sqlite3.connect(server.environment["SITE_DATABASE"]) as database:
            allow = "UPDATE realtime_wall_wall_wall SET embed_sites = ? WHERE slug = 'elsewhere'"
            database.execute(allow, (site,))
        page = visitors.tab(site)
        frame = page.frame_locator("iframe")
        expect(frame.locator(".wall-status")).to_have_attribute("data-state", "live")
        shell.post(second, wall="elsewhere")
        expect(frame.locator(".wall-card").first).to_have_attribute("data-key", key(second))
        expect(frame.locator(".wall-card")).to_have_count(2)

        read = "async (url) => (await (await fetch(url)).json()).posts.length"
        assert page.evaluate(read, f"{server.url}elsewhere/api/posts/") == 2
