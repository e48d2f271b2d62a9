"""The desk as moderators use it: two at a table with keys, one with a phone, and a screen that confirms."""

import json
from time import monotonic

import pytest
from playwright.sync_api import expect

from tests.browser import PHONE, SEEN_THOUGH_HIDDEN, STAGE, ExampleServer, keep_picture, wait_until_live

DESK = {"width": 1280, "height": 800}
WAITING = 14
SETTING_UP = """
import json
from datetime import UTC, datetime
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from realtime_wall.wall.feed.announce import post_now
from realtime_wall.wall.models import Mode, Phrase, Wall
from realtime_wall.wall.post import Author, Post

Phrase.objects.create(text="idiot")
walls = [Wall.called("table"), Wall.called("phone")]  # of a test each
Wall.objects.update(mode=Mode.APPROVED)
for wall in walls:
    for number in range(1, 15):
        who = Author(username=f"guest{number}", name=f"Guest {number}")
        text = "what an 1d10t" if number == 14 else f"Post number {number}"
        now = datetime.now(UTC)
        post_now(wall.slug, [Post(id=str(number), source="x", text=text, created_at=now, author=who)])
keys = {}
for name in ("ada", "ben"):
    user = User.objects.create_user(name)
    for wall in walls:
        wall.moderators.add(user)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    keys[name] = session.session_key
print(json.dumps(keys))
"""

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(migrated_wall):
    with ExampleServer("example_wall", migrated_wall, {"SOURCES": []}) as running:
        done = running.manage("shell", "--verbosity", "0", "-c", SETTING_UP)
        assert done.returncode == 0, done.stderr
        running.sessions = json.loads(done.stdout)
        yield running


@pytest.fixture
def desk(server, visitors):
    def open_desk(wall, name, viewport=DESK, **options):
        cookie = {"name": "sessionid", "value": server.sessions[name], "url": server.url}
        page = visitors.tab(viewport=viewport, storage_state={"cookies": [], "origins": []}, **options)
        page.context.add_cookies([cookie])
        page.goto(f"{server.url}{wall}/desk/")
        wait_until_live(page)
        page.locator(".desk-card").first.wait_for()
        return page

    return open_desk


def card(page, number):
    return page.locator(f".wall-card[data-key='x:{number}']")


def said(page, words):
    expect(page.locator(".desk-said")).to_contain_text(words)


def test_moderators_decide_by_keys_and_see_each_other_and_the_screen_confirms(server, visitors, desk):
    screen = visitors.tab(f"{server.url}table/?screen=Hall", viewport=STAGE)
    wait_until_live(screen)
    ada, ben = desk("table", "ada"), desk("table", "ben")
    expect(ada.locator(".desk-count")).to_have_text(str(WAITING))
    assert ada.evaluate(SEEN_THOUGH_HIDDEN) == []

    ada.keyboard.press("a")
    expect(card(screen, 1)).to_be_visible()
    expect(card(ben, 1)).to_have_count(0)
    said(ada, "Shown: Guest 1 · 1 of 1 screens")
    expect(ben.locator(".desk-count")).to_have_text(str(WAITING - 1))

    ada.keyboard.press("ArrowDown")
    ada.keyboard.press("h")
    said(ada, "Hidden: Guest 3 · 1 of 1 screens")
    ada.keyboard.press("u")
    said(ada, "Undone.")
    expect(card(ada, 3)).to_be_visible()

    ada.click("#desk-tab-shown")
    expect(card(ada, 1)).to_be_visible()
    ada.keyboard.press("h")
    expect(card(screen, 1)).to_have_count(0)
    said(ada, "Hidden: Guest 1 · 1 of 1 screens")
    ada.keyboard.press("u")
    expect(card(screen, 1)).to_be_visible()

    pinned = ada.locator(".desk-pinned[data-key='x:1']")
    card(ada, 1).click()
    ada.keyboard.press("p")
    expect(pinned).to_be_visible()
    ada.keyboard.press("u")
    said(ada, "Undone.")
    expect(pinned).to_have_count(0)
    ada.select_option(".desk-mode select", "delayed")
    said(ada, "Posts are shown: after a delay")
    ada.click("[data-act=undo]")
    expect(ada.locator(".desk-mode select")).to_have_value("approved")

    # What ada decides arrives at ben's only when he has decided, too.
    def be_faster(route):
        ada.click("#desk-tab-waiting")
        card(ada, 2).click()
        ada.keyboard.press("h")
        said(ada, "Hidden: Guest 2")
        route.continue_()

    keep_picture(ben, "desk.png")
    ben.route("**/desk/act/", be_faster, times=1)
    ben.keyboard.press("a")
    said(ben, "Somebody else was faster: x:2")

    card(ada, 5).click()
    ada.keyboard.press("b")
    ada.keyboard.press("Enter")
    said(ada, "Banned: Guest 5")
    ada.click("#desk-tab-banned")
    ada.get_by_role("button", name="Lift").click()
    said(ada, "The ban of Guest 5 is lifted.")


def test_ten_are_approved_by_thumb_on_a_phone(server, desk):
    phone = desk("phone", "ada", PHONE, has_touch=True, is_mobile=True)
    expect(card(phone, 14).locator(".desk-reason")).to_have_text("has “idiot” in it")
    show = phone.locator("[data-act=approve]")
    assert show.bounding_box()["height"] >= 44
    assert phone.evaluate("document.scrollingElement.scrollWidth") == PHONE["width"]
    keep_picture(phone, "desk-phone.png")

    waiting = phone.locator(".desk-card")
    before, began = waiting.count(), monotonic()
    for done in range(1, 11):
        show.tap()
        expect(waiting).to_have_count(before - done)
    seconds = monotonic() - began
    said(phone, "Shown")
    assert seconds < 30
