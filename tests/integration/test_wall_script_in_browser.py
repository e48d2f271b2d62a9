"""What wall.js does with posts that come in a burst, unseen, one too many, or are taken back."""

import sqlite3
from itertools import count

import pytest
from playwright.sync_api import expect

from tests.browser import (
    PHONE,
    key,
    keys_of,
    posts_of_today,
    wait_until_live,
    wait_until_shown,
)
from tests.live import wait_for
from tests.wall.posts import make_post, picture

pytestmark = pytest.mark.browser

KEPT = 200
PACE = 900  # milliseconds from one arrival to the next
FOLD_SHOWN = 4000
GRACE = 1500
SHOW_THE_COUNT = """() => {
    const place = document.createElement("b");
    place.className = "wall-count";
    place.textContent = document.querySelectorAll(".wall-card").length;
    document.querySelector(".wall-header").append(place);
}"""


class WallOfItsOwn:
    """Each test has one, so that they can share the server."""

    numbers = count(1)

    def __init__(self, server, shell, visitors):
        self._server, self._shell, self._visitors = server, shell, visitors
        self.slug = f"hall-{next(self.numbers)}"
        self._shell.store(wall=self.slug)

    def store(self, *posts):
        self._shell.store(*posts, wall=self.slug)

    def post(self, *posts):
        self._shell.post(*posts, wall=self.slug)

    def tell(self, *posts):
        """Published, not stored."""
        self._shell.publish("tweet", *posts, wall=self.slug)

    def take_back(self, post):
        self._shell.publish("tweet_removed", {"id": post["id"], "source": post["source"]}, wall=self.slug)

    def edit(self, post):
        self._shell.publish("tweet_changed", post, wall=self.slug)

    def give_each_post(self, seconds):
        with sqlite3.connect(self._server.environment["SITE_DATABASE"]) as database:
            update = "UPDATE realtime_wall_wall_wall SET least = ? WHERE slug = ?"
            database.execute(update, (seconds, self.slug))

    def listed(self):
        return self._server.listed(f"{self.slug}/")

    def open(self, *, clock=False, query="", **options):
        """The page, live, with a count of the posts that it has been told of."""
        page = self._visitors.tab(**options)
        if clock:
            page.clock.install()
        page.goto(f"{self._server.url}{self.slug}/{query}")
        wait_until_live(page)
        page.evaluate(SHOW_THE_COUNT)
        return page


@pytest.fixture
def wall(office, visitors):
    return WallOfItsOwn(*office, visitors)


def stop_the_clock(page):
    page.clock.pause_at(page.evaluate("Date.now() / 1000 + 1"))


def wait_until_told(page, number):
    expect(page.locator(".wall-count")).to_have_text(str(number))


def pill(page):
    return page.locator(".wall-more")


# -- arriving


def test_a_few_posts_arrive_one_after_the_other(wall):
    page = wall.open(clock=True)
    stop_the_clock(page)
    posts = posts_of_today(3)
    wall.post(*posts)
    wait_until_told(page, 3)

    for shown in (1, 2, 3):
        wait_until_shown(page, keys_of(*posts[:shown]))
        page.clock.run_for(PACE)

    expect(pill(page)).to_be_hidden()


def test_a_burst_is_folded(wall):
    page = wall.open(clock=True)
    stop_the_clock(page)
    posts = posts_of_today(10)
    failed = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    wall.post(*posts)
    wait_until_told(page, 10)

    wait_until_shown(page, keys_of(posts[0]))
    wait_for(lambda: page.evaluate("1") and failed, "the faces, which cannot be had")
    page.evaluate(
        "WallCard.wallCard = null"
    )  # each was drawn when it came: two hundred at once would take long
    page.clock.run_for(PACE + 50)  # and is laid out in parts, one after the other
    wait_until_shown(page, keys_of(*posts))
    assert pill(page).inner_text() == "8 more"
    expect(page.locator(".wall-card img[src*='img.example']")).to_have_count(0)

    page.clock.run_for(FOLD_SHOWN)
    expect(pill(page)).to_be_hidden()


def test_where_posts_have_a_least_time_a_burst_waits_its_turn_author_by_author(wall):
    wall.give_each_post(8)
    page = wall.open(clock=True)
    stop_the_clock(page)
    flood, (other,) = posts_of_today(4, author_id="1"), posts_of_today(1, author_id="2")
    wall.post(*flood, other)
    wait_until_told(page, 5)
    wait_until_shown(page, [key(flood[0])])

    page.clock.run_for(7900)  # it has the stage for itself
    wait_until_shown(page, [key(flood[0])])
    page.clock.run_for(200)
    wait_until_shown(page, [key(other), key(flood[0])])
    page.clock.run_for(8000)
    wait_until_shown(page, [key(flood[1]), key(other), key(flood[0])])
    expect(pill(page)).to_be_hidden()


def test_when_it_is_quiet_older_posts_come_round_until_a_new_one_arrives(wall):
    posts = posts_of_today(40, ago=60)
    wall.store(*posts)
    page = wall.open(clock=True)
    assert top(page) == key(posts[-1])

    stop_the_clock(page)

    def has_read_the_others():  # thirty are in the page
        page.clock.run_for(12_000)
        return page.evaluate("wallOnStage._older.isRead")

    wait_for(has_read_the_others)
    seen = set()
    for _ in range(12):
        page.clock.run_for(12_000)
        seen.add(top(page))
    assert len(seen) >= 6  # a round may have ended, and some come again

    # Asked again, as after a gap, the server takes the question and is silent.
    page.route("**/posts.json*", lambda route: None)
    page.evaluate("wallOnStage._older.forget()")
    seen.clear()
    for _ in range(4):
        page.clock.run_for(12_000)
        seen.add(top(page))
    assert len(seen) >= 2
    page.clock.resume()

    wall.post(*(new := posts_of_today(1)))
    page.wait_for_function(
        "(key) => document.querySelector('.wall-card').dataset.key === key", arg=key(new[0])
    )


def top(page):
    return page.locator(".wall-card").first.get_attribute("data-key")


def test_a_post_that_is_told_twice_is_shown_once(wall):
    first, second, third = posts_of_today(3)
    wall.store(first)
    page = wall.open()

    wall.post(second)
    wall.tell(first, second, second, third, third)

    wait_until_shown(page, keys_of(first, second, third))
    wait_until_told(page, 3)


def test_no_more_than_two_hundred_cards_are_kept(wall):
    wall.store(*posts_of_today(30, ago=500))
    page = wall.open()

    wall.post(*posts_of_today(KEPT + 10))

    wait_until_told(page, 30 + KEPT + 10)
    wait_until_shown(page, wall.listed())
    assert page.locator(".wall-card").count() == KEPT


def test_nothing_moves_under_a_reader_who_has_scrolled_down(wall):
    early, (first, second) = posts_of_today(12, ago=10), posts_of_today(2)
    wall.store(*early)
    page = wall.open()
    page.evaluate("scrollTo(0, 600)")

    wall.post(first, second)
    expect(pill(page)).to_have_text("2 more")
    wait_until_shown(page, keys_of(*early))
    assert page.evaluate("scrollY") == 600

    pill(page).click()
    wait_until_shown(page, keys_of(*early, first, second))
    expect(pill(page)).to_be_hidden()
    assert page.evaluate("scrollY") == 0


def test_motion_is_left_out_for_those_who_do_not_want_it(wall):
    watch = """
        window.moved = 0;
        const { animate } = Element.prototype;
        Element.prototype.animate = function (...way) { moved += 1; return animate.apply(this, way); };
    """
    still = wall.open(script=watch, reduced_motion="reduce")
    moving = wall.open(script=watch, reduced_motion="no-preference")

    (post,) = posts_of_today(1)
    wall.post(post)

    for page, moved in ((still, 0), (moving, 2)):
        wait_until_shown(page, keys_of(post))
        assert page.evaluate("moved") == moved
    transition = "getComputedStyle(document.querySelector('.wall-dot')).transitionDuration"
    assert (still.evaluate(transition), moving.evaluate(transition)) == ("0s", "0.4s")


SLIDES = """
    window.slides = [];
    const { animate } = Element.prototype;
    Element.prototype.animate = function (frames, timing) {
        if (this.matches(".wall-posts")) slides.push(frames[0].transform);
        return animate.call(this, frames, timing);
    };
"""
LAID_OUT = "document.querySelectorAll('.wall-card:not(.wall-far)').length"
NOT_LAID_OUT = (
    "Array.from(document.querySelectorAll('.wall-far')).filter((card) => !card.offsetParent).length"
)


def test_a_screen_lays_out_no_more_than_it_can_show(wall):
    posts = posts_of_today(20, ago=50)
    wall.store(*posts)
    page = wall.open(query="?screen=A", script=SLIDES, reduced_motion="no-preference")
    assert page.evaluate(LAID_OUT) == 12
    assert page.evaluate(NOT_LAID_OUT) == 8

    wall.take_back(posts[-1])  # what was just too far down is needed now
    wait_until_told(page, 19)
    assert (page.evaluate(LAID_OUT), page.evaluate(NOT_LAID_OUT)) == (12, 7)

    # The list slides by the height of what came, though it is as high as before.
    wall.post(*posts_of_today(1))
    wait_until_told(page, 20)
    page.wait_for_function("() => slides.length === 1")
    of_a_card = page.evaluate("""() => {
        const [first, second] = document.querySelectorAll(".wall-card");
        return second.offsetTop - first.offsetTop;
    }""")
    assert page.evaluate("slides") == [f"translateY(-{of_a_card}px)"]

    page.set_viewport_size({"width": 300, "height": 1900})  # a column of lights
    page.wait_for_function(f"() => {LAID_OUT} === 20")
    elsewhere = wall.open()
    assert (
        elsewhere.evaluate("document.querySelectorAll('.wall-far').length") == 9
    )  # what was taken back above is still stored
    assert elsewhere.evaluate(NOT_LAID_OUT) == 0


def test_what_has_the_stage_stays_on_it_also_below_all_that_was_missed(wall):
    (first,) = posts_of_today(1, ago=50)
    wall.store(first)
    page = wall.open(query="?screen=A&layout=spotlight")
    page.evaluate("wallOnStage.rest(true)")  # else another one's turn may come meanwhile
    wall.store(*posts_of_today(20))
    page.evaluate("wallOnStage.readAgain()")  # as after a gap

    wait_until_told(page, 21)
    assert page.evaluate("document.querySelectorAll('.wall-far').length") == 9
    expect(page.locator(f"[data-key='{key(first)}']")).to_be_visible()


def test_in_a_rush_only_the_first_burst_slides(wall):
    page = wall.open(script=SLIDES, clock=True, reduced_motion="no-preference")
    stop_the_clock(page)
    posts, told, slides = posts_of_today(25), 0, []
    for told_then in (7, 13, 18, 19, 25):  # of the first seven one comes alone
        wall.post(*posts[told:told_then])
        wait_until_told(page, told_then)
        told = told_then
        page.clock.run_for(PACE + 50)
        slides.append(page.evaluate("slides.splice(0).length"))

    assert slides == [1 + 2, 0, 0, 1, 2]  # a burst comes in two parts


def test_more_than_a_screen_shows_slides_by_no_more_than_a_screen(wall):
    wall.store(*posts_of_today(20, ago=50))
    page = wall.open(query="?screen=A", script=SLIDES, reduced_motion="no-preference")

    page.evaluate("""() => {
        const list = document.querySelector(".wall-posts");
        WallMotion.makeRoom(list, () => {
            list.prepend(...Array.from(list.children, (card) => card.cloneNode(true)));
            new WallMotion.Depth(list);
        });
    }""")

    assert page.evaluate("slides") == [f"translateY(-{page.evaluate('innerHeight')}px)"]


# -- taken back


def test_a_post_that_is_taken_back_leaves_the_screen(wall):
    posts = posts_of_today(3)
    wall.store(*posts)
    page = wall.open()

    wall.take_back(posts[1])
    wait_until_shown(page, keys_of(posts[0], posts[2]))
    wait_until_told(page, 2)

    wall.take_back(make_post())
    wall.take_back(posts[0])
    wall.take_back(posts[2])
    wait_until_told(page, 0)
    expect(page.locator(".wall-posts:empty + .wall-empty .wall-invitation")).to_be_visible()


def test_a_post_that_is_taken_back_while_it_waits_is_never_shown(wall):
    early, (first, second) = posts_of_today(12, ago=10), posts_of_today(2)
    wall.store(*early)
    page = wall.open()
    page.evaluate("scrollTo(0, 600)")
    wall.post(first, second)

    expect(pill(page)).to_have_text("2 more")
    wall.take_back(second)
    expect(pill(page)).to_have_text("1 more")
    wall.take_back(first)
    expect(pill(page)).to_be_hidden()

    page.evaluate("scrollTo(0, 0)")
    (third,) = posts_of_today(1)
    wall.post(third)
    wait_until_shown(page, keys_of(*early, third))
    wait_until_told(page, 13)


# -- what stays right by itself


def test_a_short_break_is_not_spoken_of(wall):
    page = wall.open(clock=True)
    page.evaluate("""() => {
        window.said = [];
        const tell = () => said.push(document.querySelector(".wall-status").dataset.state);
        new MutationObserver(tell).observe(document.querySelector(".wall-status"), { attributes: true });
    }""")

    with page.expect_websocket():
        page.evaluate("dispatchEvent(new Event('online'))")  # the network changed: a new connection
    (post,) = posts_of_today(1)
    wall.post(post)

    wait_until_shown(page, keys_of(post))
    page.clock.fast_forward(GRACE)
    assert set(page.evaluate("said")) == {"live"}


def test_a_machine_that_wakes_up_takes_no_connection_for_alive(wall):
    page = wall.open(clock=True)

    with page.expect_websocket():
        page.clock.fast_forward("10:00")

    wait_until_live(page)


def test_times_grow_old(wall):
    wall.store(*posts_of_today(1))
    page = wall.open(clock=True)
    time = page.locator(".wall-card time")
    assert time.inner_text() == "now"

    page.clock.fast_forward("02:30")

    expect(time).to_have_text("2 min")


def test_a_picture_that_cannot_be_had_leaves_no_hole(wall):
    broken = {"author_avatar": "https://img.example/a.jpg", "media": [picture("https://img.example/b.jpg")]}
    (written,), (arrived,) = posts_of_today(1, ago=5, **broken), posts_of_today(1, **broken)
    wall.store(written)
    page = wall.open()
    wall.post(arrived)
    wait_until_shown(page, keys_of(written, arrived))

    expect(page.locator(".wall-card img, .wall-media")).to_have_count(0)
    assert page.locator(".wall-avatar").all_inner_texts() == ["ML", "ML"]


@pytest.mark.parametrize("viewport", [PHONE, {"width": 1920, "height": 1080}], ids=["phone", "stage"])
def test_no_post_is_wider_or_higher_than_the_screen(wall, viewport):
    endless = "w" * 25_000
    people = {"author_name": endless[:200], "author_username": endless[:200], "retweeted_by": endless[:200]}
    posts = [
        *posts_of_today(1, ago=3, text=endless, **people),
        *posts_of_today(1, ago=2, text="up\n" * 60, source=endless[:32]),
    ]
    wall.store(posts[0])
    page = wall.open(viewport=viewport)
    wall.post(posts[1])
    wait_until_shown(page, keys_of(*posts))

    assert page.evaluate("document.scrollingElement.scrollWidth") == viewport["width"]
    for part in (".wall-card", ".wall-text", ".wall-when", ".wall-source", ".wall-author"):
        for box in page.locator(part).all():
            found = box.bounding_box()
            assert found["x"] >= 0 and found["x"] + found["width"] <= viewport["width"], part
            assert found["height"] <= viewport["height"], part
    is_whole = "(texts) => texts.every((text) => text.scrollWidth <= text.clientWidth)"
    assert page.locator(".wall-text").evaluate_all(is_whole)
    assert all(author.bounding_box()["width"] > 100 for author in page.locator(".wall-author").all())


def test_a_wall_without_posts_says_what_to_do(wall):
    page = wall.open()

    expect(page.locator(".wall-invitation")).to_be_visible()
    assert "Nothing yet" in page.locator(".wall-invitation").inner_text()


def test_an_edited_post_is_shown_as_it_is_now_where_it_was(wall):
    first, second, third = posts_of_today(3)
    wall.store(first, second, third)
    page = wall.open()
    wait_until_shown(page, keys_of(first, second, third))

    wall.edit(second | {"text": "As it was meant", "edited": True})

    expect(page.locator(".wall-text", has_text="As it was meant")).to_be_visible()
    wait_until_shown(page, keys_of(first, second, third))
    assert page.locator(".wall-count").inner_text() == "3"


def test_an_edit_of_a_post_that_is_not_shown_shows_nothing(wall):
    first, other = posts_of_today(2)
    wall.store(first)
    page = wall.open()

    wall.edit(other | {"edited": True})
    wall.edit(first | {"text": "The last that came", "edited": True})

    expect(page.locator(".wall-text", has_text="The last that came")).to_be_visible()
    wait_until_shown(page, keys_of(first))
