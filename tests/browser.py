"""A real browser for the tests, and the examples' servers for it to look at.

The pictures in ``docs/`` are taken by the tests themselves, when they are asked to::

    REALTIME_WALL_SCREENSHOTS=1 make test ARGS="tests/integration -m browser"
"""

import contextlib
import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from itertools import count
from operator import itemgetter

from playwright.sync_api import expect, sync_playwright

from realtime_wall.wall.models import channel_of
from realtime_wall.wall.sources.replay import SAMPLE, SAMPLE_SITE
from realtime_wall.wall.sources.x.x_payload import from_x, read_line
from tests.live import PATIENCE, ROOT, LiveServer
from tests.open_shell import OpenShell
from tests.programs import find
from tests.wall.posts import make_post

SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The posts name pictures all over the web; a test goes nowhere.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
STAGE = {"width": 1920, "height": 1080}
PHONE = {"width": 390, "height": 844}
# What the browser itself says of a server that is away, and of what it cannot have then.
NO_FAULT_OF_OURS = (
    "WebSocket connection to",
    "Failed to load resource",
    "An unknown error occurred when fetching the script.",
)
# Pages wait for a random time before they return; a lucky one does not keep a test waiting.
RETURNS_SOON = "Math.random = () => 0.1"

expect.set_options(timeout=PATIENCE * 1000)


@contextlib.contextmanager
def running_browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find("chromium"), args=SWITCHES)
        yield browser
        browser.close()


# What a page's Content-Security-Policy has forbidden, in ``window.violations``.
NOTES_VIOLATIONS = """
    window.violations = [];
    addEventListener("securitypolicyviolation", (event) => violations.push(event.effectiveDirective));
"""
WRITES_INLINE = """() => {
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.body.append(script);
    document.body.setAttribute("style", "color: red");
}"""


SEEN_THOUGH_HIDDEN = """() => Array.from(document.querySelectorAll("body [hidden]"))
    .filter((element) => getComputedStyle(element).display !== "none")
    .map((element) => element.outerHTML)
"""


class Visitors:
    """People with a browser each; what goes wrong in their pages fails the test."""

    def __init__(self, browser):
        self._browser = browser
        self._contexts = []
        self.complaints = []

    def tab(self, address=None, *, script="", viewport=STAGE, **options):
        """The page of a new visitor; the script runs before any of the page's own."""
        usual = {"viewport": viewport, "locale": "en-GB", "timezone_id": "UTC"}
        context = self._browser.new_context(**usual | options)
        self._contexts.append(context)
        context.set_default_timeout(PATIENCE * 1000)
        page = context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self._asked(dialog))
        if script:
            page.add_init_script(script)
        if address:
            page.goto(address)
        return page

    def leave(self):
        while self._contexts:
            self._contexts.pop().close()

    def _heard(self, message):
        if message.type == "error" and not message.text.startswith(NO_FAULT_OF_OURS):
            self.complaints.append(message.text)

    def _asked(self, dialog):
        self.complaints.append(f"a dialog: {dialog.message}")
        dialog.dismiss()


class ExampleServer(LiveServer):
    """One of the examples; without ``wall`` it has the example's own settings."""

    def __init__(self, example, database=None, wall=None):
        super().__init__(project=ROOT / example, settings=wall if wall is None else {"WALL": wall})
        self.environment["DJANGO_SETTINGS_MODULE"] = "tests.example_settings"
        self._starts = 0
        if database:
            shutil.copy(database, self.environment["SITE_DATABASE"])

    def start_again(self):
        """At the same address, where the pages look for it."""
        self._starts += 1
        self.command[1] = str(self.port)
        self.log = self.log.with_name(f"log{self._starts}")
        return self.start()

    def listed(self, slug=""):
        """The keys of the posts that a page of the wall may show, newest first."""
        return json.loads(self.get(f"/{slug}posts.json").body)["keys"]


TASK = """
from realtime_wall import publish
from realtime_wall.wall.models import Tweet, Wall
wall = Wall.called({wall!r})
tweets = [Tweet(wall=wall, content=post, created_at=post["created_at"]) for post in {store!r}]
for tweet in tweets:
    tweet.source, tweet.post_id = tweet.content["source"], tweet.content["id"]
Tweet.objects.bulk_create(tweets)
for post in {hide!r}:
    wall.tweets.filter(source=post["source"], post_id=post["id"]).update(state="hidden")
for event, message in {publish!r}:
    publish(wall.channel, message, event=event)
"""


class Shell(OpenShell):
    """Posts are stored and published from there."""

    def store(self, *posts, wall="main"):
        self._do(wall, store=posts)

    def post(self, *posts, wall="main"):
        """What the feed does: first into the database, then to the pages."""
        self._do(wall, store=posts, publish=[("tweet", post) for post in posts])

    def publish(self, event, *messages, wall="main"):
        self._do(wall, publish=[(event, message) for message in messages])

    def hide(self, *posts, wall="main"):
        """In the database alone, as while no server runs."""
        self._do(wall, hide=posts)

    def _do(self, wall, store=(), publish=(), hide=()):
        self.run(TASK.format(wall=wall, store=list(store), publish=list(publish), hide=list(hide)))


class WallOfItsOwn:
    """Each test has one, so that they can share the server and the shell."""

    numbers = count(1)

    def __init__(self, server, shell):
        self.slug = f"hall-{next(self.numbers)}"
        self._server, self._shell = server, shell
        self.store()

    @property
    def path(self):
        return f"{self.slug}/"

    @property
    def url(self):
        return self._server.url + self.path

    def name(self, title, hashtag):
        """As it is called on pictures."""
        self._shell.run(
            "from realtime_wall.wall.models import Wall\n"
            f"Wall.objects.filter(slug={self.slug!r}).update(title={title!r}, hashtag={hashtag!r})"
        )

    def store(self, *posts):
        self._shell.store(*posts, wall=self.slug)

    def post(self, *posts):
        self._shell.post(*posts, wall=self.slug)

    def publish(self, event, *messages):
        self._shell.publish(event, *messages, wall=self.slug)

    def as_it_comes(self, post):
        """What a page's socket is sent of a new post."""
        return json.dumps({"type": "tweet", "channel": channel_of(self.slug), "message": post})


def assert_policy_holds(visitors, page):
    """The page broke no rule of its own so far; and it has one, under which nothing inline runs."""
    assert page.evaluate("violations") == []
    assert page.evaluate(SEEN_THOUGH_HIDDEN) == []
    page.evaluate(WRITES_INLINE)
    page.wait_for_function("() => violations.length === 2")
    assert page.evaluate("violations") == ["script-src-elem", "style-src-attr"]
    assert page.evaluate("window.ran") is None
    visitors.complaints.clear()  # the browser's, of these two


def key(post):
    return f"{post['source']}:{post['id']}"


def keys_of(*posts):
    """As they stand on the page: the newest on top."""
    newest_first = sorted(posts, key=itemgetter("created_at"), reverse=True)
    return [key(post) for post in newest_first]


def wait_until_shown(page, keys):
    """Until the page shows exactly these posts, in this order."""
    page.wait_for_function(
        """(keys) => {
            const cards = Array.from(document.querySelectorAll(".wall-card"), (card) => card.dataset.key);
            return JSON.stringify(cards) === JSON.stringify(keys);
        }""",
        arg=keys,
    )


def wait_until_live(page):
    expect(page.locator(".wall-status")).to_have_attribute("data-state", "live")


def posts_of_today(count, *, seconds=1, ago=0, **fields):
    """Posts so many seconds one after the other, the last of them just now or some seconds ago."""
    latest = datetime.now(UTC) - timedelta(seconds=ago)
    times = [latest - timedelta(seconds=seconds * before) for before in reversed(range(count))]
    return [make_post(created_at=time.isoformat(timespec="milliseconds"), **fields) for time in times]


def sample_lines(first, last):
    """Lines of the recording that comes with the wall."""
    return SAMPLE.read_text().splitlines(keepends=True)[first : last + 1]


def sample_posts(first, last, *, seconds):
    """Posts of that recording, as if they had just come, so many seconds apart."""
    lines = sample_lines(first, last)
    times = [{"created_at": post["created_at"]} for post in posts_of_today(len(lines), seconds=seconds)]
    return [
        from_x(read_line(line), source="replay", site=SAMPLE_SITE, picture=_picture).as_message() | time
        for line, time in zip(lines, times, strict=True)
    ]


def _picture(url):
    return url.replace("sample:", "/static/realtime_wall_wall/sample/")


def keep_picture(page, name):
    """A picture for the docs, where somebody has asked for new ones."""
    if os.environ.get("REALTIME_WALL_SCREENSHOTS"):
        page.screenshot(path=ROOT / "docs" / name, animations="disabled")
