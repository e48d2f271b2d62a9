"""The wall for everybody: by key, by ear, from right to left, and by the rules that axe knows."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import NOTES_VIOLATIONS, PHONE, ExampleServer, Shell, key, posts_of_today, wait_until_live
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
