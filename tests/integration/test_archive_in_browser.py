"""The archive in a real browser: it goes on at both ends, finds, and can be read without a script."""

import sqlite3

import pytest
from playwright.sync_api import expect

from tests.browser import (
    PHONE,
    RETURNS_SOON,
    keep_picture,
    key,
    keys_of,
    posts_of_today,
    sample_posts,
    wait_until_live,
    wait_until_shown,
)
from tests.integration.test_search_in_browser import KEEP_THE_SOCKET
from tests.integration.test_wall_in_browser import HARM
from tests.wall.posts import hostile_posts, make_post

pytestmark = pytest.mark.browser

DESKTOP = {"width": 1280, "height": 900}
PAGE = 50
BERLIN = {"longitude": 13.4, "latitude": 52.5, "place": "Berlin"}
SUVA = {"longitude": 178.4, "latitude": -18.1, "place": "Suva"}
EUROPE = (0.45, 0.1), (0.65, 0.4)  # two corners, in parts of the drawing
# After them whatever follows a scroll has been told to the page.
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def archive(visitors, wall, query="", **options):
    page = visitors.tab(f"{wall.url}archive/{query}", viewport=options.pop("viewport", DESKTOP), **options)
    wait_until_live(page)
    return page


def read_to_the_end(page, number):
    """Scroll as a reader does, until there are so many posts."""
    page.wait_for_function(
        """(number) => {
            scrollTo(0, document.scrollingElement.scrollHeight);
            return document.querySelectorAll(".wall-card").length >= number;
        }""",
        arg=number,
        polling=50,
    )


def test_older_posts_come_as_the_reader_comes_to_the_end(hall, visitors):
    posts = posts_of_today(3 * PAGE - 10)
    hall.store(*posts)

    page = archive(visitors, hall)
    assert page.locator(".wall-card").count() >= PAGE
    read_to_the_end(page, len(posts))

    wait_until_shown(page, keys_of(*posts))
    expect(page.locator(".wall-older")).to_be_hidden()


def test_new_posts_come_on_top_and_follow_what_happens_to_them(hall, visitors):
    early = posts_of_today(3, ago=60)
    hall.store(*early)
    page = archive(visitors, hall)

    first, second = posts_of_today(2)
    hall.post(first, second)
    wait_until_shown(page, keys_of(*early, first, second))
    expect(page.locator(".wall-aloud")).to_have_text("2 new")

    hall.publish("tweet_changed", first | {"text": "said differently", "edited": True})
    expect(page.locator(f'[data-key="{key(first)}"] .wall-text')).to_have_text("said differently")
    hall.publish("tweet_removed", {"id": early[1]["id"], "source": early[1]["source"]})
    wait_until_shown(page, keys_of(early[0], early[2], first, second))


def test_a_post_that_comes_late_takes_its_place_by_time(hall, visitors):
    posts = posts_of_today(5, seconds=60)
    hall.store(*posts[::2])
    page = archive(visitors, hall)

    hall.post(posts[1], posts[3])

    wait_until_shown(page, keys_of(*posts))


def test_nothing_moves_under_a_reader_further_down(hall, visitors):
    early = posts_of_today(PAGE, ago=60)
    hall.store(*early)
    page = archive(visitors, hall)
    page.evaluate("scrollTo(0, 900)")
    (new,) = posts_of_today(1)

    hall.post(new)
    expect(page.locator(".wall-more")).to_have_text("1 new")
    wait_until_shown(page, keys_of(*early))

    page.locator(".wall-more").click()
    wait_until_shown(page, keys_of(*early, new))


def test_a_search_shows_what_has_the_words_now_and_as_it_comes(hall, visitors):
    tides = make_post(text="The Tides table")
    hall.store(tides, make_post(text="herring"))
    page = archive(visitors, hall)

    page.get_by_label("Words").fill("tides")
    page.keyboard.press("Enter")
    page.wait_for_url("**/archive/?q=tides")
    wait_until_live(page)
    wait_until_shown(page, [key(tides)])

    other, new = posts_of_today(2)
    hall.post(other | {"text": "no such word"}, new | {"text": "TIDES again"})
    wait_until_shown(page, [key(new), key(tides)])
    assert page.get_by_label("Words").input_value() == "tides"


def test_what_happened_while_the_server_was_away_is_there_afterwards(office, hall, visitors):
    early, late = posts_of_today(PAGE + 5, ago=60), posts_of_today(3)
    hall.store(*early)
    page = archive(visitors, hall, script=RETURNS_SOON)
    read_to_the_end(page, len(early))
    wait_until_shown(page, keys_of(*early))
    page.evaluate("scrollTo(0, 0)")

    running, _ = office
    assert running.stop() == 0
    hall.store(*late)
    with sqlite3.connect(running.environment["SITE_DATABASE"]) as database:
        database.execute(
            "UPDATE realtime_wall_wall_tweet SET state = 'hidden' WHERE post_id = ?", [early[7]["id"]]
        )
    running.start_again()

    wait_until_live(page)
    wait_until_shown(page, keys_of(*early[:7], *early[8:], *late))


def test_more_than_can_wait_are_read_when_the_reader_is_back(hall, visitors):
    # Half a second off: of two posts of the same millisecond the order is anybody's.
    early, many = posts_of_today(PAGE, ago=60.5), posts_of_today(210)
    hall.store(*early)
    page = archive(visitors, hall)
    page.evaluate("scrollTo(0, 900)")

    hall.post(*many)
    # Behind them in the channel: what is said of a post that is shown tells that all have come.
    hall.publish("tweet_changed", early[-1] | {"text": "these were all"})
    expect(page.locator(f'[data-key="{key(early[-1])}"] .wall-text')).to_have_text("these were all")
    expect(page.locator(".wall-more")).to_have_text("200 new")
    page.locator(".wall-more").click()
    expect(page.locator(".wall-more")).to_be_hidden()  # the reader is at the top before going on
    read_to_the_end(page, len(early + many))

    wait_until_shown(page, keys_of(*early, *many))


def test_what_waits_and_comes_with_an_older_page_too_is_shown_once(hall, visitors):
    posts = posts_of_today(PAGE + 10)
    late = posts.pop(3)
    hall.store(*posts)
    page = archive(visitors, hall)
    page.evaluate("scrollTo(0, 100)")

    hall.post(late)
    expect(page.locator(".wall-more")).to_have_text("1 new")
    read_to_the_end(page, len(posts) + 1)
    expect(page.locator(".wall-more")).to_be_hidden()
    page.evaluate("scrollTo(0, 0)")
    page.evaluate(TWO_FRAMES)

    wait_until_shown(page, keys_of(*posts, late))


def test_a_page_that_comes_when_the_list_is_another_one_does_not_end_it(hall, visitors):
    posts = posts_of_today(2 * PAGE + 10, ago=60)
    hall.store(*posts)
    page = visitors.tab(viewport=DESKTOP, script=KEEP_THE_SOCKET)
    held = []
    page.route("**/api/posts/**", lambda route: held.append(route), times=1)
    page.goto(f"{hall.url}archive/")
    wait_until_live(page)
    with page.expect_request("**/api/posts/**"):
        page.evaluate("scrollTo(0, document.scrollingElement.scrollHeight)")

    # More than can wait, so all is read again; and the reader is at the end before the first answer is.
    lines = list(map(hall.as_it_comes, posts_of_today(210)))
    page.evaluate("(lines) => lines.forEach((data) => connection.onmessage({ data }))", lines)
    with page.expect_response("**/api/posts/**"):
        page.evaluate("scrollTo(0, 0)")
    page.evaluate(TWO_FRAMES)
    page.evaluate("scrollTo(0, document.scrollingElement.scrollHeight)")
    page.evaluate(TWO_FRAMES)
    held[0].continue_()

    read_to_the_end(page, len(posts))
    wait_until_shown(page, keys_of(*posts))


def test_a_page_that_would_grow_for_ever_begins_anew(hall, visitors):
    early = posts_of_today(PAGE + 5, ago=60)
    hall.store(*early)
    page = archive(visitors, hall, script=KEEP_THE_SOCKET)

    lines = list(map(hall.as_it_comes, posts_of_today(190, seconds=0.1)))
    for turn in range(11):
        fresh = [line.replace('"id": "', f'"id": "{turn}-') for line in lines]
        page.evaluate("(lines) => lines.forEach((data) => connection.onmessage({ data }))", fresh)

    # They were not stored, so what was read again is without them, and goes on where it ends.
    page.wait_for_function("() => document.querySelectorAll('.wall-card').length < 200")
    page.wait_for_function(
        """(keys) => {
            scrollTo(0, document.scrollingElement.scrollHeight);
            return keys.every((key) => document.querySelector(`[data-key="${key}"]`));
        }""",
        arg=keys_of(*early),
        polling=50,
    )


def test_a_page_that_cannot_be_read_leaves_the_link(hall, visitors):
    posts = posts_of_today(PAGE + 10)
    hall.store(*posts)
    page = visitors.tab(viewport=DESKTOP)
    page.route("**/api/posts/**", lambda route: route.abort(), times=1)
    page.goto(f"{hall.url}archive/")
    wait_until_live(page)

    read_to_the_end(page, PAGE)
    expect(page.get_by_role("link", name="Older posts")).to_be_visible()
    page.get_by_role("link", name="Older posts").click()

    wait_until_shown(page, keys_of(*posts))


def test_without_a_script_links_lead_through_all_posts(hall, visitors):
    posts = posts_of_today(2 * PAGE + 3)
    hall.store(*posts)
    page = visitors.tab(f"{hall.url}archive/", java_script_enabled=False)

    def shown():
        cards = page.locator(".wall-card")
        return [card.get_attribute("data-key") for card in cards.all()]

    seen = shown()
    while page.get_by_role("link", name="Older posts").count():
        page.get_by_role("link", name="Older posts").click()
        seen += shown()
    assert seen == keys_of(*posts)

    page.get_by_role("link", name="Back to the newest").click()
    assert shown() == keys_of(*posts)[:PAGE]


@pytest.mark.threat("S52")
def test_hostile_posts_run_no_script_in_the_archive(hall, visitors):
    written, arrived = hostile_posts(), hostile_posts()
    far = [make_post(created_at=f"2026-11-21T10:{n // 60:02}:{n % 60:02}+00:00") for n in range(PAGE)]
    hall.store(*written, *far)
    page = archive(visitors, hall, query="?q=&author=%3Cscript%3E")
    assert page.locator(".wall-none").is_visible()
    page = archive(visitors, hall)
    title = page.title()
    read_to_the_end(page, PAGE + len(written))

    page.evaluate("scrollTo(0, 0)")
    hall.post(*arrived)
    page.wait_for_function(
        "(number) => document.querySelectorAll('.wall-card').length === number",
        arg=PAGE + len(written + arrived),
    )

    assert page.evaluate(HARM) == []
    assert page.title() == title


def test_the_archive_is_good_to_look_at(hall, visitors):
    hall.name("Saltmarsh Py", "SaltmarshPy")
    hall.store(*sample_posts(10, 40, seconds=97))

    desktop = archive(visitors, hall, color_scheme="dark")
    phone = archive(visitors, hall, viewport=PHONE, color_scheme="light")

    assert phone.evaluate("document.scrollingElement.scrollWidth") == PHONE["width"]
    size = "(text) => parseFloat(getComputedStyle(text).fontSize)"
    assert phone.locator(".wall-text").first.evaluate(size) >= 16
    keep_picture(desktop, "archive.png")
    keep_picture(phone, "archive-phone.png")


def test_the_map_is_found_from_here_gets_a_dot_for_each_post_and_shows_what_a_box_holds(hall, visitors):
    early, late, elsewhere = posts_of_today(3)
    hall.store(early | BERLIN, elsewhere | SUVA)  # the newest first: Suva, Berlin
    page = archive(visitors, hall)

    page.get_by_role("link", name="Map").click()
    wait_until_live(page)
    expect(page.locator(".wall-dots path")).to_have_count(2)
    hall.post(late | BERLIN)
    expect(page.locator(".wall-dots path")).to_have_count(3)
    expect(page.locator(".wall-places li")).to_have_text(["Berlin 2", "Suva 1"])

    drawing = page.locator(".wall-map").bounding_box()
    at = [(drawing["x"] + drawing["width"] * x, drawing["y"] + drawing["height"] * y) for x, y in EUROPE]
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move(*at[1], steps=3)
    page.mouse.up()
    page.wait_for_url("**/map/?box=*")
    expect(page.locator(".wall-dots path")).to_have_count(2)

    page.set_viewport_size(PHONE)
    stroke = "(dot) => getComputedStyle(dot).strokeWidth + getComputedStyle(dot).vectorEffect"
    dot = page.locator(".wall-dots path").first
    assert dot.evaluate(stroke) == "8pxnon-scaling-stroke"  # pixels, not the world's degrees
