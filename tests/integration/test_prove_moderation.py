"""Figures of moderation with servers and browsers, for ``make prove``: how soon, and what faults do to it."""

import json
import random
import re
import signal
import statistics
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from time import monotonic

import pytest
import requests
from playwright.sync_api import expect

from tests.browser import PHONE, STAGE, ExampleServer, wait_until_live
from tests.live import PATIENCE, wait_for
from tests.redis_server import RedisServer
from tests.workers import npm_install

TOOLS = Path(__file__).parent.parent / "js"
DESK = {"width": 1280, "height": 800}
SECRET = "a secret that is long"
WAITING, DECISIONS, A_SECOND = 500, 40, 10
PACE = 150  # milliseconds: two moderators together decide about four posts a second, which is fast
SETTING_UP = """
import json
from datetime import UTC, datetime
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from realtime_wall.wall.feed.store import DatabaseStore
from realtime_wall.wall.models import Mode, Wall
from realtime_wall.wall.post import Author, Post

wall = Wall.called()
Wall.objects.update(mode=Mode.APPROVED)
now, posts = datetime.now(UTC), []
for n in range(COUNT):
    who = Author(username=f"guest{n}", name=f"Guest {n}")
    posts.append(Post(id=f"w{n}", source="webhook", text=f"Post {n}", created_at=now, author=who))
DatabaseStore("main").add(posts)
keys = {}
for name in ("ada", "ben"):
    user = User.objects.create_user(name)
    wall.moderators.add(user)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    keys[name] = session.session_key
print(json.dumps(keys))
"""
STATES = """
import json
from realtime_wall.wall.models import Decision, Tweet
rows = list(Decision.objects.order_by("id").values_list("key", "was", "became", "by", "is_published"))
states = {str(tweet): tweet.state for tweet in Tweet.objects.all()}
print(json.dumps([rows, states]))
"""
ARRIVING = """
import sys, time, requests
url, secret, rate = sys.argv[1], sys.argv[2], float(sys.argv[3])
began, n, stored = time.monotonic(), 0, []
statuses = {}
with requests.Session() as session:
    print("ready", flush=True)
    import select
    while not select.select([sys.stdin], [], [], 0)[0]:
        answer = session.post(url, json={"id": f"a{n}", "text": f"arriving {n}", "author": "x"},
                              headers={"Authorization": f"Bearer {secret}"})
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
        n += 1
        time.sleep(max(0, began + n / rate - time.monotonic()))
print(statuses)
"""
# When cards came and went, and when a key was pressed; and what a page is connected by.
MARKS = """
window.marks = { came: {}, gone: {}, pressed: 0 };
const each = (nodes, kind) => {
  for (const node of nodes) {
    for (const card of node.querySelectorAll ? [node, ...node.querySelectorAll("[data-key]")] : []) {
      if (card.dataset && card.dataset.key) marks[kind][card.dataset.key] = Date.now();
    }
  }
};
new MutationObserver((changes) => {
  for (const change of changes) { each(change.addedNodes, "came"); each(change.removedNodes, "gone"); }
}).observe(document, { childList: true, subtree: true });
window.sockets = [];
const OfTheBrowser = WebSocket;
window.WebSocket = class extends OfTheBrowser {
  constructor(...given) { super(...given); sockets.push(this); }
};
addEventListener("keydown", () => { marks.pressed = Date.now(); }, true);
"""

pytestmark = [pytest.mark.browser, pytest.mark.alone]


@pytest.fixture
def server(migrated_wall):
    with set_up(
        ExampleServer("example_wall", migrated_wall, {"SOURCES": ["webhook"], "WEBHOOK_SECRET": SECRET})
    ) as one:
        yield one


def set_up(server, count=WAITING):
    done = server.manage("shell", "--verbosity", "0", "-c", SETTING_UP.replace("COUNT", str(count)))
    assert done.returncode == 0, done.stderr
    server.sessions = json.loads(done.stdout)
    return server


def open_desk(visitors, server, name, viewport=DESK, **options):
    nobody = {"cookies": [], "origins": []}
    page = visitors.tab(viewport=viewport, script=MARKS, storage_state=nobody, **options)
    page.context.add_cookies([{"name": "sessionid", "value": server.sessions[name], "url": server.url}])
    page.goto(f"{server.url}desk/")
    wait_until_live(page)
    page.locator(".desk-card").first.wait_for()
    return page


def outcome(server):
    done = server.manage("shell", "--verbosity", "0", "-c", STATES)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def gone_at(page, key):
    page.wait_for_function("(key) => marks.gone[key]", arg=key)
    return page.evaluate("(key) => marks.gone[key]", key)


def wait_until_said(desk, words):
    """Looked at in each frame: what ``expect`` asks for it asks ever more rarely."""
    desk.wait_for_function(
        "(words) => document.querySelector('.desk-said').textContent.includes(words)", arg=words
    )


def report(what, seconds):
    ordered = sorted(seconds)
    place = ordered[int(0.95 * (len(ordered) - 1))]
    numbers = statistics.median(ordered), place, ordered[-1]
    median, of_95, most = (f"{number:.3f} s" for number in numbers)
    print(f"\n{what}: median {median}, 95 % {of_95}, most {most}, of {len(ordered)}")
    return numbers


def test_two_moderators_while_ten_posts_a_second_arrive(server, visitors):
    ada, ben = open_desk(visitors, server, "ada"), open_desk(visitors, server, "ben")
    ben.locator(".desk-card").nth(30).click()
    arriving = subprocess.Popen(
        [sys.executable, "-c", ARRIVING, f"{server.url}hook/", SECRET, str(A_SECOND)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert arriving.stdout.readline() == "ready\n"
    took = []
    for number in range(DECISIONS):
        acting, other = (ada, ben) if number % 2 else (ben, ada)
        key = acting.locator(".desk-card[aria-current=true]").get_attribute("data-key")
        acting.keyboard.press("a" if number % 4 < 2 else "h")
        took.append((gone_at(other, key) - acting.evaluate("marks.pressed")) / 1000)
        acting.wait_for_timeout(PACE)
    statuses = arriving.communicate("end\n", timeout=PATIENCE)[0]
    _, of_95, _ = report("a decision on the other's page", took)

    rows, states = outcome(server)
    assert max(Counter(key for key, *_ in rows).values()) == 1 and len(rows) == DECISIONS
    assert all(states[key] == became for key, _, became, *_ in rows)
    arrived = [key for key in states if key.startswith("webhook:a")]
    print(f"arrived: {len(arrived)}, answered {statuses.strip()}")
    assert statuses.strip() == str({200: len(arrived)})
    assert len(states) == WAITING + len(arrived) and of_95 <= 0.2


def test_four_screens_confirm_within_a_second_and_an_absent_one_is_named(server, visitors):
    screens = [visitors.tab(f"{server.url}?screen={name}", viewport=STAGE, script=MARKS) for name in "ABCD"]
    for screen in screens:
        wait_until_live(screen)
    desk = open_desk(visitors, server, "ada")
    keys = [f"webhook:w{number}" for number in range(6)]
    for key in keys:
        desk.locator(f".desk-card[data-key='{key}']").click()
        desk.keyboard.press("a")
        for screen in screens:
            screen.locator(f".wall-card[data-key='{key}']").wait_for()
    desk.click("#desk-tab-shown")
    off, confirmed = [], []
    for key, how in zip(keys[:4], ("h", "h", "b", "b"), strict=True):
        pressed = decide(desk, key, how)
        name = f"Guest {key.removeprefix('webhook:w')}"
        wait_until_said(desk, f"{name} · 4 of 4 screens")
        confirmed.append((desk.evaluate("Date.now()") - pressed) / 1000)
        off += [(gone_at(screen, key) - pressed) / 1000 for screen in screens]
    report("hidden or banned: off the screens", off)
    report("hidden or banned: confirmed by all four", confirmed)
    assert max(confirmed) <= 1.0 and max(off) <= 1.0

    screens[3].context.set_offline(True)
    screens[3].evaluate("sockets.forEach((socket) => socket.close())")
    expect(screens[3].locator(".wall-status")).not_to_have_attribute("data-state", "live")
    decide(desk, keys[4], "h")
    expect(desk.locator(".desk-said")).to_contain_text("3 of 4 screens")
    expect(desk.locator(".desk-said")).to_contain_text("not yet: D")
    screens[3].context.set_offline(False)
    wait_until_live(screens[3])
    expect(screens[3].locator(f".wall-card[data-key='{keys[4]}']")).to_have_count(0)


def test_the_delay_line_is_dumped_within_a_second(server, visitors):
    screens = [visitors.tab(f"{server.url}?screen={name}", viewport=STAGE, script=MARKS) for name in "ABCD"]
    for screen in screens:
        wait_until_live(screen)
    desk = open_desk(visitors, server, "ada")
    desk.select_option(".desk-mode select", "delayed")
    expect(desk.locator(".desk-dump")).to_be_visible()
    for number in range(5):
        answer = requests.post(
            f"{server.url}hook/",
            json={"id": f"line{number}", "text": "in the line", "author": "x"},
            headers={"Authorization": f"Bearer {SECRET}"},
            timeout=PATIENCE,
        )
        assert answer.status_code == 200
    pressed = desk.evaluate("Date.now()")
    desk.click(".desk-dump")
    wait_until_said(desk, "4 of 4 screens")
    report("dumped: confirmed by all four", [(desk.evaluate("Date.now()") - pressed) / 1000])
    assert {state for key, state in outcome(server)[1].items() if ":line" in key} == {"hidden"}
    for screen in screens:
        assert not [key for key in screen.evaluate("Object.keys(marks.came)") if ":line" in key]


def decide(desk, key, how):
    """When the key was pressed."""
    desk.locator(f".desk-card[data-key='{key}']").click()
    desk.keyboard.press(how)
    if how == "b":
        desk.locator(".desk-ban [value=here]").wait_for()
        desk.keyboard.press("Enter")
    return desk.evaluate("marks.pressed")


def test_ten_are_approved_by_thumb_on_a_phone_on_which_axe_finds_nothing(server, visitors):
    phone = open_desk(visitors, server, "ada", PHONE, has_touch=True, is_mobile=True)
    show, waiting = phone.locator("[data-act=approve]"), phone.locator(".desk-count")
    began = monotonic()
    for done in range(1, 11):
        show.tap()
        expect(waiting).to_have_text(str(WAITING - done))
    seconds = monotonic() - began
    print(f"\nten approved by thumb: {seconds:.1f} s")
    assert seconds < 30
    assert npm_install(TOOLS).returncode == 0
    phone.evaluate((TOOLS / "node_modules/axe-core/axe.min.js").read_text() + "; undefined")
    for opened in ("", "ban"):
        if opened:
            phone.locator(f"[data-act={opened}]").tap()
        found = phone.evaluate("async () => (await axe.run({ resultTypes: ['violations'] })).violations")
        assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == []


# -- faults


class Moderator:
    """Approves and hides by the API of the desk; ``acknowledged`` is what was answered with 200."""

    def __init__(self, server, name="ada"):
        self.server, self.acknowledged = server, {}
        self.session = requests.Session()
        self.session.cookies.set("sessionid", server.sessions[name], domain="127.0.0.1")
        page = self.session.get(f"{server.url}desk/", timeout=PATIENCE).text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
        self.session.headers.update({"X-CSRFToken": token, "Referer": server.url})

    def decide(self, action, key, seen):
        try:
            answer = self.session.post(
                f"{self.server.url}desk/act/",
                json={"action": action, "posts": [{"key": key, "seen": seen}]},
                timeout=PATIENCE,
            )
        except requests.RequestException:
            return False
        if answer.status_code == 200 and answer.json()["decided"]:
            self.acknowledged[key] = answer.json()["decided"][0]["state"]
        return answer.status_code == 200


def test_a_server_that_is_killed_loses_no_decision_and_shows_nothing_else(server):
    chance, moderator, approved = random.Random(14), Moderator(server), set()
    for kill in range(5):
        killer = subprocess.Popen(["sleep", f"{chance.uniform(0.2, 1.0):.2f}"])
        number = 0
        while killer.poll() is None:
            key = f"webhook:w{kill * 80 + number}"
            moderator.decide("approve", key, "waiting")
            approved.add(key)
            if number % 2:
                moderator.decide("hide", key, "shown")
            number += 1
        server.process.send_signal(signal.SIGKILL)
        server.process.wait(PATIENCE)
        server.start_again()
        rows, states = outcome(server)
        for key, state in moderator.acknowledged.items():
            assert states[key] == state, key
        shown = {key for key, state in states.items() if state == "shown"}
        assert set(server.listed()) <= shown <= approved
    wait_for(lambda: all(published for *_, published in outcome(server)[0]), "all decisions to be published")
    print(f"\nacknowledged: {len(moderator.acknowledged)}, lost: 0, in {kill + 1} kills")


@pytest.mark.redis
def test_without_redis_nothing_is_lost_and_nothing_shown_that_was_not_approved(migrated_wall):
    with RedisServer() as redis:
        server = ExampleServer("example_wall", migrated_wall, {"SOURCES": []})
        settings = json.loads(server.environment["SITE_REALTIME_WALL"]) | {"BROKER": redis.url}
        server.environment["SITE_REALTIME_WALL"] = json.dumps(settings)
        with set_up(server, 20), closing(server.client()) as visitor:
            visitor.subscribe("tweets")
            moderator = Moderator(server)
            assert moderator.decide("approve", "webhook:w1", "waiting")
            assert visitor.read_until(lambda one: one["type"] == "tweet")["message"]["id"] == "w1"
            redis.kill()
            decided = {
                key: moderator.decide(action, f"webhook:{key}", seen)
                for action, key, seen in (
                    ("hide", "w1", "shown"),
                    ("approve", "w2", "waiting"),
                    ("hide", "w3", "waiting"),
                )
            }
            print(f"\nwithout Redis, answered with 200: {decided}")
            redis.start()
            heard = []
            while {"w1", "w2"} - {one["message"]["id"] for one in heard}:
                one = visitor.read()
                if one["type"].startswith("tweet"):
                    heard.append(one)
            rows, states = outcome(server)
            assert all(states[key] == state for key, state in moderator.acknowledged.items())
            assert {(one["type"], one["message"]["id"]) for one in heard} >= {
                ("tweet_removed", "w1"),
                ("tweet", "w2"),
            }
            assert not [one for one in heard if one["message"]["id"] not in ("w1", "w2")]
