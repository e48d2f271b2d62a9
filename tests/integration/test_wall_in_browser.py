"""The wall in a real browser: it fills, it comes back, and no post can harm it."""

import signal
import sqlite3

import pytest
from playwright.sync_api import expect

from realtime_wall.wall.sources.x.x_payload import from_x, read_line
from tests.browser import (
    NOTES_VIOLATIONS,
    PHONE,
    RETURNS_SOON,
    assert_policy_holds,
    keep_picture,
    key,
    keys_of,
    posts_of_today,
    sample_lines,
    sample_posts,
    wait_until_live,
    wait_until_shown,
)
from tests.hostile import NOT_POSTS, hostile_lines
from tests.live import wait_for
from tests.wall.posts import hostile_posts

pytestmark = pytest.mark.browser

HAS_CARDS = "(number) => document.querySelectorAll('.wall-card').length >= number"
WRITTEN = 30  # posts in the page when it is opened


def status(page):
    return page.locator(".wall-status")


# -- posts arrive


def test_the_wall_fills_live(wall_server, visitors):
    server = wall_server()
    page = visitors.tab()
    page.goto(server.url)
    cards = page.locator(".wall-card")
    cards.first.wait_for()
    oldest = cards.last.get_attribute("data-key")  # there may be others by now, above it
    shown = cards.count()
    page.evaluate("window.isTheSamePage = true")
    page.wait_for_function(HAS_CARDS, arg=shown + 1)

    assert page.evaluate("window.isTheSamePage")
    assert cards.last.get_attribute("data-key") == oldest
    assert status(page).inner_text() == "live"


def test_large_posts_on_a_projector_and_a_feed_on_a_phone(hall, visitors):
    hall.name("Saltmarsh Py", "SaltmarshPy")
    hall.store(*sample_posts(10, 21, seconds=31))

    stage = visitors.tab(hall.url)
    phone = visitors.tab(hall.url, viewport=PHONE)
    wait_until_live(stage)
    wait_until_live(phone)

    size = "(text) => parseFloat(getComputedStyle(text).fontSize)"
    assert stage.locator("[data-length=medium] .wall-text").first.evaluate(size) >= 32
    whole = "(cards) => cards.filter((card) => card.getBoundingClientRect().bottom <= innerHeight).length"
    assert 3 <= stage.locator(".wall-card").evaluate_all(whole) <= 6
    assert stage.locator(".wall-media img").first.evaluate("(picture) => picture.naturalWidth") > 0
    assert phone.evaluate("document.scrollingElement.scrollWidth") == PHONE["width"]
    keep_picture(stage, "wall.png")
    keep_picture(phone, "wall-phone.png")


# -- the server goes away


def test_a_server_that_was_killed_comes_back_under_the_page(wall_server, visitors, tmp_path):
    recording = tmp_path / "opening.jsonl"
    recording.write_text("".join(sample_lines(14, 21)))
    server = wall_server(SOURCES=["replay"], REPLAY_FILE=str(recording), REPLAY_SPEED=25)
    page = visitors.tab(server.url, script=RETURNS_SOON)
    page.wait_for_function(HAS_CARDS, arg=2)
    wait_until_live(page)  # cards may have come with the page

    server.stop(signal.SIGKILL)
    expect(status(page)).to_have_attribute("data-state", "lost")
    assert status(page).inner_text() == "connection lost"
    keep_picture(page, "wall-lost.png")
    with sqlite3.connect(server.environment["SITE_DATABASE"]) as database:
        ((before,),) = database.execute("SELECT count(*) FROM realtime_wall_wall_tweet")
    server.start_again()

    wait_until_live(page)
    keys = wait_for(lambda: len(found := server.listed()) == before + 8 and found)
    wait_until_shown(page, keys)
    keep_picture(page, "wall-reconnected.png")
    assert status(page).inner_text() == "live"


def test_posts_that_came_while_the_server_was_away_are_there_afterwards(office, hall, visitors):
    server, _ = office
    early, late = posts_of_today(3, seconds=60, ago=10), posts_of_today(4, seconds=25)
    hall.store(*early)
    page = visitors.tab(hall.url, script=RETURNS_SOON)
    wait_until_live(page)

    assert server.stop() == 0
    hall.store(*late)
    # The first answer to "what did I miss" is lost as well.
    page.route("**/posts.json*", lambda route: route.abort(), times=1)
    server.start_again()

    # Some of them are older than what the page had.
    keys = keys_of(*early, *late)
    wait_until_shown(page, keys)
    (last,) = posts_of_today(1)
    hall.post(last)
    wait_until_shown(page, [key(last), *keys])
    assert server.listed(hall.path) == [key(last), *keys]


# -- posts of people who mean harm

HARM = """() => {
    const ours = ["OL", "UL", "LI", "P", "SPAN", "A", "BDI", "TIME", "IMG"];
    const harm = [];
    for (const element of document.querySelectorAll(".wall-posts, .wall-posts *")) {
        if (!ours.includes(element.tagName)) harm.push(element.outerHTML);
        for (const { name, value } of element.attributes) {
            const isAddress = ["src", "href"].includes(name);
            const isFine = isAddress
                ? /^(https?:[/]|[/]static)[/]/.test(value)
                : !/^(on|style$|srcdoc$|xlink)/.test(name);
            if (!isFine) harm.push(element.outerHTML);
        }
    }
    return harm;
}"""


@pytest.mark.threat("S52")
@pytest.mark.parametrize("part", [0, 1])
def test_a_hostile_post_runs_no_script(wall_server, visitors, tmp_path, part):
    posts = hostile_lines()[part::2]
    recording = tmp_path / "hostile.jsonl"
    recording.write_text("\n".join([*NOT_POSTS, *posts]))
    server = wall_server(SOURCES=["replay"], REPLAY_FILE=str(recording), REPLAY_LOOP=True, REPLAY_SPEED=4)
    wait_for(lambda: len(server.listed()) >= len(posts))

    # One pass is in the page that the server wrote, and the next ones arrive.
    page = visitors.tab(server.url)
    page.wait_for_function(
        "(number) => document.querySelectorAll('.wall-card').length >= number", arg=2 * WRITTEN
    )

    assert len(posts) == WRITTEN
    assert page.evaluate(HARM) == []
    assert page.evaluate("window.__pwned") is None
    readable = {from_x(read_line(post)).author.name for post in posts}
    assert set(page.locator(".wall-name").all_text_contents()) == readable
    if part == 0:
        keep_picture(page, "wall-hostile.png")


@pytest.mark.threat("S52")
def test_nor_does_one_that_got_past_the_feed(hall, visitors):
    written, arrived = hostile_posts(), hostile_posts()
    hall.store(*written)
    page = visitors.tab(hall.url)
    wait_until_live(page)
    title = page.title()

    hall.post(*arrived)
    page.wait_for_function(HAS_CARDS, arg=len(written + arrived))

    assert len(written) <= WRITTEN
    assert page.evaluate(HARM) == []
    assert page.title() == title


# -- what the pages may load


@pytest.mark.threat("S52")
def test_no_page_breaks_its_own_policy_and_nothing_inline_runs(office, hall, visitors):
    server, _ = office
    hall.store(*hostile_posts())
    page = visitors.tab(script=NOTES_VIOLATIONS)

    for address in (hall.url, f"{hall.url}archive/", f"{hall.url}report/", f"{server.url}search/"):
        page.goto(address)
        if "report" not in address:
            wait_until_live(page)
        if "report" not in address and "search" not in address:
            hall.post(*posts_of_today(1))
            page.locator(".wall-more").first.wait_for(state="attached")
        assert_policy_holds(visitors, page)
