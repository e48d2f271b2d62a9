"""The report in a real browser: it fits on a desk, a phone and paper, and no post can harm it."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from tests.browser import PHONE, keep_picture, sample_posts
from tests.wall.posts import hostile_posts

pytestmark = pytest.mark.browser

DESKTOP = {"width": 1280, "height": 1400}


@pytest.fixture
def site(wall_server, shell):
    server = wall_server(SOURCES=[], TRACK_KEYWORDS=["#SaltmarshPy"])
    return server, shell(server)


def day_of_posts():
    """The recording over one day, busier around the breaks, and some of it passed on."""
    chance = random.Random(7)
    posts = sample_posts(0, 220, seconds=1)
    moment = datetime.now(UTC).replace(hour=8, minute=3) - timedelta(days=1)
    for number, post in enumerate(posts):
        is_break = moment.hour in (8, 10, 13, 16) or chance.random() < 0.1
        moment += timedelta(minutes=chance.expovariate(0.9 if is_break else 0.25))
        here = {"id": post["id"], "created_at": moment.isoformat(timespec="milliseconds")}
        if chance.random() < 0.3:
            original = posts[int(chance.paretovariate(0.8)) % 30]
            post = original | {"original_id": original["id"], "retweeted_by": "Hollis Greymoor"}
        posts[number] = post | here
    return posts


def test_the_report_is_good_to_look_at(site, visitors):
    server, desk = site
    away = {"author_avatar": "https://img.example/away.jpg"}
    desk.store(*[post | (away if post["author_username"] == "benokoro" else {}) for post in day_of_posts()])

    desktop = visitors.tab(f"{server.url}report/", viewport=DESKTOP, color_scheme="light")
    phone = visitors.tab(f"{server.url}report/", viewport=PHONE, color_scheme="dark")

    assert phone.evaluate("document.scrollingElement.scrollWidth") == PHONE["width"]
    stand = "() => Array.from(document.images).every((image) => image.complete && image.naturalWidth)"
    desktop.wait_for_function(stand)  # faces that cannot be had have left their initials
    heights = desktop.locator(".wall-chart-drawing rect").evaluate_all(
        "(bars) => bars.map((bar) => bar.getBoundingClientRect().height)"
    )
    drawing = desktop.locator(".wall-chart-drawing").bounding_box()
    assert 0.4 * drawing["height"] < max(heights) <= drawing["height"] + 1
    keep_picture(desktop, "report.png")
    keep_picture(phone, "report-phone.png")


def test_on_paper_there_is_the_report_and_nothing_to_press(site, visitors):
    server, desk = site
    desk.store(*day_of_posts())
    page = visitors.tab(f"{server.url}report/", viewport=DESKTOP, color_scheme="dark")

    page.emulate_media(media="print")

    assert not page.locator("nav, form, button").locator("visible=true").count()
    assert page.locator(".wall-chart-drawing").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_hostile_posts_run_no_script_in_the_report(site, visitors):
    server, desk = site
    posts = hostile_posts()
    passed_on = [post | {"id": f"r{post['id']}", "original_id": post["id"]} for post in posts]
    desk.store(*posts, *passed_on)

    page = visitors.tab(f"{server.url}report/", viewport=DESKTOP)

    assert page.title() == "Report · Live wall"
    assert page.evaluate("window.__pwned") is None
    assert page.locator(".wall-report script, .wall-report iframe").count() == 0
