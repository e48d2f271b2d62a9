"""The wall for everybody: by key, by ear, from right to left, by axe's rules, elsewhere, written down."""

import contextlib
import os
import sqlite3
import threading
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import (
    NOTES_VIOLATIONS,
    PHONE,
    ExampleServer,
    Shell,
    key,
    posts_of_today,
    wait_until_live,
    wait_until_shown,
)
from tests.live import wait_for
from tests.workers import npm_install

pytestmark = [pytest.mark.browser, pytest.mark.node]

TOOLS = Path(__file__).parent.parent / "js"
SET_UP = """
from project.demo import make_moderator
from realtime_wall.wall.models import Wall
from realtime_wall.wall.phone_posts.post_token import token_of
make_moderator(0)
print("token", token_of(Wall.called()))
"""
LAYOUTS = ["stream", "spotlight", "grid", "ticker"]
PAGES = ["archive/", "report/", "search/", "embed/", "start/", "sign-in/", "desk/", "remote/"]
# Left, in pixels, of the sign of a link and of the word behind it.
SIGN_AND_WORD = """(link) => {
    const left = (start) => {
        const range = document.createRange();
        range.setStart(link.firstChild, start);
        range.setEnd(link.firstChild, start + 1);
        return range.getBoundingClientRect().left;
    };
    return [left(0), left(1)];
}"""


@pytest.fixture(scope="module")
def office(migrated_wall):
    with ExampleServer("example_wall", migrated_wall, wall={"SOURCES": [], "VISITORS": True}) as server:
        done = server.manage("shell", "--verbosity", "0", "-c", SET_UP)
        assert done.returncode == 0, done.stderr
        server.token = done.stdout.rpartition("token ")[2].strip()
        shell = Shell(server)
        yield server, shell
        shell.close()


@pytest.fixture(scope="module")
def axe():
    install = npm_install(TOOLS)
    if install.returncode:
        pytest.skip(f"npm could not install axe: {install.stderr[-500:]}")
    return (TOOLS / "node_modules/axe-core/axe.min.js").read_text()


def faults(page, axe):
    """What axe finds, as (rule, the first place)."""
    page.evaluate(axe + "; undefined")
    found = page.evaluate("async () => (await axe.run({ resultTypes: ['violations'] })).violations")
    return [(one["id"], one["nodes"][0]["html"][:200], one["nodes"][0]["failureSummary"]) for one in found]


def test_a_wall_by_key_by_ear_and_from_right_to_left(office, visitors):
    server, shell = office
    text = "שלום @mara #TideConf"
    entities = [
        {"start": 5, "end": 10, "kind": "mention", "text": "", "url": "https://x.example/mara"},
        {"start": 11, "end": 20, "kind": "hashtag", "text": "", "url": "https://x.example/t"},
    ]
    (first,), (second,), (third,) = (
        posts_of_today(1, ago=9, text=text, entities=entities),
        posts_of_today(1, ago=5, text="The tide is in", author_name="Mara"),
        posts_of_today(1),
    )
    shell.store(first, wall="access")
    page = visitors.tab(f"{server.url}access/", script=NOTES_VIOLATIONS)
    wait_until_live(page)

    for link in page.locator(".wall-link").all():
        sign, word = link.evaluate(SIGN_AND_WORD)
        assert sign < word

    shell.post(second, wall="access")
    expect(page.locator(".wall-aloud")).to_have_text("Mara: The tide is in")

    page.keyboard.press("Tab")
    rest = page.get_by_role("button", name="Pause all movement")
    expect(rest).to_be_focused()
    page.keyboard.press("Enter")
    shell.post(third, wall="access")
    expect(page.locator(".wall-more")).to_have_text("1 more")
    assert page.locator(f"[data-key='{key(third)}']").count() == 0
    page.keyboard.press("Enter")
    page.locator(f"[data-key='{key(third)}']").wait_for()
    assert page.evaluate("violations") == []


def test_axe_finds_nothing_on_any_page(office, visitors, axe):
    """Once each here; each layout, theme and size in ``make prove``."""
    server, shell = office
    shell.store(*posts_of_today(3, text="The tide is in", author_name="Mara", author_username="mara"))
    proving = bool(os.environ.get("REALTIME_WALL_PROVE"))
    page = visitors.tab(f"{server.url}sign-in/", script=NOTES_VIOLATIONS, reduced_motion="reduce")
    page.get_by_label("Name").fill("moderator")
    page.get_by_label("Password").fill("salt-and-tide")
    page.get_by_role("button", name="Sign in").click()
    wait_until_live(page)

    addresses = [
        f"{path}?theme={theme}" for path in PAGES for theme in (["dark", "light"] if proving else ["light"])
    ]
    addresses += [f"post/?t={server.token}"]
    walls = [f"?layout={layout}&theme={theme}" for layout in LAYOUTS for theme in ("dark", "light")]
    addresses += walls if proving else [walls[0], walls[3]]
    found = []
    for viewport in [None, PHONE] if proving else [None]:
        if viewport:
            page.set_viewport_size(viewport)
        for address in addresses:
            page.goto(server.url + address)
            if page.locator(".wall-status").count():
                wait_until_live(page)
            found += [(address, *fault) for fault in faults(page, axe)]
            found += [(address, violation) for violation in page.evaluate("violations")]
    assert found == []


# -- what a screen writes down of itself, beside what was really on it

WITHIN = 200  # milliseconds, and as many more as two frames were apart: nobody saw what was in between
# In each frame what a camera would see: window.recorded is a list of {key, from, to}.
RECORDS = """
    window.recorded = [];
    window.apart = 0;
    let frame = Date.now();
    const isOn = (card) => {
        const { top, bottom, height } = card.getBoundingClientRect();
        const part = Math.min(bottom, innerHeight) - Math.max(top, 0);
        return height > 0 && part >= Math.min(height, innerHeight) / 2; // without a height it is not laid out
    };
    const take = () => {
        const now = Date.now();
        apart = Math.max(apart, now - frame);
        frame = now;
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
    lasted = "(within) => recorded.filter((one) => one.to - one.from > within + apart).length >= 4"
    page.wait_for_function(lasted, arg=WITHIN)
    # Into the background: what was on is written down, and sent at once.
    recorded, apart = page.evaluate("""() => {
        Object.defineProperty(document, "visibilityState", { value: "hidden" });
        document.dispatchEvent(new Event("visibilitychange"));
        return [recorded, apart];
    }""")
    within = WITHIN + apart

    # A card that passes by while the others make room is no display.
    lasting = [one for one in recorded if one["to"] - one["from"] > within]
    assert len(lasting) >= 4

    def unwritten():
        written = displays_of(server, "proof")
        return [one for one in lasting if not any(fits(one, row) for row in written)]

    def fits(one, row):
        times = zip((one["from"], one["to"]), row[1:3], strict=True)
        return row[0] == one["key"] and row[3] and all(abs(a - b) <= within for a, b in times)

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
