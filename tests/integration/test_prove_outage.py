"""A screen without its network for ten minutes: does it go on, and is it right two seconds after its return?

``REALTIME_WALL_OUTAGE`` are the seconds of it, for a shorter try.
"""

import os
import signal
import time
from itertools import pairwise

import pytest
from playwright.sync_api import expect

from tests.browser import key, keys_of, posts_of_today, wait_until_live
from tests.integration.test_prove_screen import open_driven
from tests.integration.test_wall_without_network import wait_until_kept

OUTAGE = int(os.environ.get("REALTIME_WALL_OUTAGE", "600"))
CAUGHT_UP = 2.0  # seconds
SECONDS = 8  # that a post has the stage

# Whatever came into the page was painted, or might have been.
NOTES_ALL = """
    window.everIn = new Set();
    new MutationObserver(() => {
        for (const card of document.querySelectorAll(".wall-card")) everIn.add(card.dataset.key);
    }).observe(document, { childList: true, subtree: true });
"""
ADDRESS = f"?screen={{}}&layout=spotlight&seconds={SECONDS}"

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.prove]


def test_ten_minutes_without_network_rotate_and_end_right(wall_server, visitors, shell):
    """By the page's clock: the server is dead, and the browser knows that it has no network."""
    server = wall_server(SOURCES=[])
    desk = shell(server)
    early = posts_of_today(30, ago=60)
    desk.store(*early)
    page = open_driven(visitors, server.url + ADDRESS.format("A"), ahead="", kept=early, script=NOTES_ALL)

    server.stop(signal.SIGKILL)
    page.context.set_offline(True)
    changes = rotate([page], OUTAGE * 4 // 10, lambda: page.clock.run_for(1000))
    page.reload()
    changes += rotate([page], OUTAGE * 6 // 10, lambda: page.clock.run_for(1000))
    late, hasty = change_posts(desk, early[-2])
    server.start_again()
    page.clock.resume()
    page.context.set_offline(False)

    assert_caught_up([page], time.monotonic(), early[-2], late)
    assert_rotated(changes)
    assert_right_when_loaded_again(page, (early[-1], late), (early[-2], hasty))


def test_ten_minutes_of_this_machine_too_whether_the_browser_knows_or_not(wall_server, visitors, shell):
    """One browser knows that it has no network; to the other nobody says that none of its packets arrives.

    A server that is stopped (SIGSTOP) takes connections, as its kernel does, and says nothing on any of them.
    """
    server = wall_server(SOURCES=[])
    desk = shell(server)
    early = posts_of_today(30, ago=60)
    desk.store(*early)
    pages = [visitors.tab(server.url + ADDRESS.format(name), script=NOTES_ALL) for name in ("A", "B")]
    for page in pages:
        wait_until_live(page)
        wait_until_kept(page, *early)

    os.kill(server.process.pid, signal.SIGSTOP)
    pages[0].context.set_offline(True)
    changes = rotate(pages, OUTAGE * 4 // 10, lambda: time.sleep(1))
    for page in pages:
        page.reload()
    changes += rotate(pages, OUTAGE * 6 // 10, lambda: time.sleep(1))
    late, hasty = change_posts(desk, early[-2])
    began = time.monotonic()
    os.kill(server.process.pid, signal.SIGCONT)
    pages[0].context.set_offline(False)

    assert_caught_up(pages, began, early[-2], late)
    assert_rotated(changes)
    for page in pages:
        assert_right_when_loaded_again(page, (early[-1], late), (early[-2], hasty))


def rotate(pages, seconds, let_one_pass):
    """How long each post had the stage, in seconds by the page's clock; none at all is a long time, too."""
    changes = {page: [0.0] for page in pages}
    before = dict.fromkeys(pages)
    began = {page: now_of(page) for page in pages}
    while all(now_of(page) - began[page] < seconds for page in pages):
        let_one_pass()
        for page in pages:
            current = page.evaluate("document.querySelector('.wall-current')?.dataset.key ?? null")
            if current is not None and current != before[page]:
                before[page] = current
                changes[page].append(now_of(page) - began[page])
    ended = {page: [now_of(page) - began[page]] for page in pages}
    return [later - earlier for page in pages for earlier, later in pairwise(changes[page] + ended[page])]


def now_of(page):
    return page.evaluate("Date.now() / 1000")


def change_posts(desk, regretted):
    """What a moderator does meanwhile: a post that is there from then on, and one that was, for a moment."""
    late, hasty = posts_of_today(2)
    desk.store(late, hasty)
    desk.hide(regretted, hasty)
    return late, hasty


def assert_caught_up(pages, began, gone, there):
    took = []
    for page in pages:
        page.wait_for_function("(key) => wallOnStage.left({ gone: [], there: [key] }) === 0", arg=key(there))
        expect(page.locator(f"[data-key='{key(gone)}']")).to_have_count(0)
        took.append(round(time.monotonic() - began, 2))
    print(f"caught up within {took} s, at a load of {os.getloadavg()[0]:.1f}")
    assert max(took) < CAUGHT_UP


def assert_rotated(changes):
    print(f"the longest that a post stood on the stage: {max(changes):.1f} s, of {len(changes)}")
    assert max(changes) <= 2 * SECONDS + 2


def assert_right_when_loaded_again(page, there, gone):
    assert key(gone[-1]) not in page.evaluate("[...everIn]")
    page.reload()
    wait_until_live(page)
    page.wait_for_function("(keys) => wallOnStage.left({ gone: [], there: keys }) === 0", arg=keys_of(*there))
    assert not {key(post) for post in gone} & set(page.evaluate("[...everIn]"))
