"""A screen over an hour, and over a week: its clock is driven, so that it takes minutes.

``REALTIME_WALL_HOUR`` and ``_WEEK`` are seconds of the page's clock, for a shorter try.
"""

import json
import os
from collections import defaultdict

import pytest

from tests.browser import (
    Shell,
    key,
    posts_of_today,
    wait_until_live,
)
from tests.integration.test_wall_without_network import wait_until_kept
from tests.live import wait_for

HOUR = int(os.environ.get("REALTIME_WALL_HOUR", "3600"))
WEEK = int(os.environ.get("REALTIME_WALL_WEEK", str(7 * 24 * 3600)))

STEP = 100  # milliseconds
WITHIN = 200  # milliseconds, that the log may differ from what was seen
KEPT = 200  # posts, by queue.js
GROWTH = 1.1  # of nodes, listeners and heap, from the first day to the last
SMALL = {"width": 1024, "height": 576}

# What can be seen by the page's geometry, of which the log's observer knows nothing, once the browser has
# drawn. The page's timers are driven; an IntersectionObserver comes with a frame, whatever the clock says.
LOOK = """
    window.seen = [];
    const clipped = (element) => {
        let { left, top, right, bottom } = element.getBoundingClientRect();
        for (let one = element.parentElement; one; one = one.parentElement) {
            if (getComputedStyle(one).overflowY === "visible" && one !== document.documentElement) continue;
            const box = one === document.documentElement
                ? { left: 0, top: 0, right: innerWidth, bottom: innerHeight } : one.getBoundingClientRect();
            [left, top] = [Math.max(left, box.left), Math.max(top, box.top)];
            [right, bottom] = [Math.min(right, box.right), Math.min(bottom, box.bottom)];
        }
        return { width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
    };
    const isSeen = (element) => {
        const whole = element.getBoundingClientRect();
        const part = clipped(element);
        const area = whole.width * whole.height;
        const isHalf = part.width * part.height >= area / 2 || part.height >= innerHeight / 2;
        return area > 0 && part.width > 0 && isHalf;
    };
    const visible = () => {
        if (document.documentElement.dataset.blank === "yes") return [];
        const slide = document.querySelector(".wall-slide");
        if (slide) return [slide.dataset.key];
        if (!document.querySelector(".wall-message").hidden) return [];
        const cards = Array.from(document.querySelectorAll(".wall-card"));
        return cards.filter(isSeen).map(({ dataset }) => dataset.key);
    };
    window.look = () => new Promise((done) => {
        const frame = new IntersectionObserver(() => {
            frame.disconnect();
            seen.push([Date.now(), visible()]);
            done();
        });
        frame.observe(document.body);
    });
"""
# Seconds of the page's clock. Before each few the network has its time: else heartbeats go unanswered by
# the clock, and the page is away most of its week.
PASS = """async (seconds) => {
    for (let passed = 0; passed < seconds; passed += 12) {
        await (await fetch("/health/")).text();
        await __pwClock.controller.runFor(12000);
    }
}"""
# And as much as it takes to read all posts.
PASS_SLOWLY = """async (seconds) => {
    const { posts } = JSON.parse(document.getElementById("wall-config").textContent);
    for (let passed = 0; passed < seconds; passed += 1) {
        await (await fetch(`${posts}?after=`)).text();
        await __pwClock.controller.runFor(1000);
    }
}"""
# What was displayed, to a few that have just ended.
HAS_REPORTED = """() => {
    const kept = Object.keys(localStorage).filter((name) => name.startsWith("realtime_wall.displays "));
    return kept.every((name) => JSON.parse(localStorage.getItem(name)).length < 100);
}"""
DRESS = """
from realtime_wall.wall.models import Look, Slide, Wall
wall = Wall.called({slug!r})
Look.objects.create(wall=wall, quiet=10, seconds={seconds})
Slide.objects.create(wall=wall, name="thanks", text="Thank you", seconds=4, every_minutes=1)
"""
DIRECT = """
from realtime_wall.wall.models import Wall
from realtime_wall.wall.stage.director import direct
direct(Wall.called({slug!r}), {asked!r})
"""
LAYOUTS = ("stream", "grid", "spotlight", "ticker")

pytestmark = [pytest.mark.browser, pytest.mark.alone, pytest.mark.prove]


def open_driven(visitors, address, ahead="02:00:00", kept=(), **options):
    """A page whose clock stands still until it is run; ahead, for frames keep the machine's time."""
    page = visitors.tab(**options)
    page.clock.install()
    page.goto(address)
    wait_until_live(page)
    if kept:
        wait_until_kept(page, *kept)
    page.clock.pause_at(page.evaluate("Date.now() / 1000 + 1"))
    if ahead:
        page.clock.fast_forward(ahead)
    return page


# -- the log of what was displayed


def test_the_display_log_is_what_was_to_be_seen(office, visitors):
    server, _ = office
    shell = Shell(server)
    shell.store(*posts_of_today(40, ago=60), wall="hour")
    shell.run(DRESS.format(slug="hour", seconds=5))
    reported = {}

    def note(request):
        if request.method == "POST" and request.url.endswith("/screens/"):
            for one in request.post_data_json["displays"]:
                reported[one["page"], one["number"]] = one

    page = open_driven(visitors, f"{server.url}hour/?screen=A", script=LOOK)
    page.on("request", note)
    run_the_hour(page, shell)
    shell.close()

    left = page.evaluate("Object.values(localStorage).flatMap((value) => JSON.parse(value))")
    for one in left:
        reported.setdefault((one["page"], one["number"]), one)
    seen = page.evaluate("seen")
    off = longest_differences(seen, list(reported.values()))
    print(f"{len(seen)} looks, {len(reported)} displays; longest differences in ms: {off[:5]}")
    assert len(seen) > HOUR * 1000 / STEP * 0.99 and len(reported) > HOUR / 10
    assert all(took <= WITHIN for took, *_ in off), off[:20]


def run_the_hour(page, shell):
    """Bursts of posts, with quiet between; each minute a slide, a message, a blank, another layout."""
    by_second = {
        15: {"blank": True},
        18: {"blank": False},
        50: {"message": {"text": "The doors close soon"}},
        54: {"message": None},
    }
    for second in range(HOUR):
        of_minute = second % 60
        if of_minute == 0:
            layout = LAYOUTS[second // 60 % len(LAYOUTS)]
            shell.run(DIRECT.format(slug="hour", asked={"layout": layout}))
        elif of_minute in by_second:
            shell.run(DIRECT.format(slug="hour", asked=by_second[of_minute]))
        if of_minute < 30 and second % 3 == 0:
            shell.post(*posts_of_today(1 + second % 2), wall="hour")
        for _ in range(1000 // STEP):
            page.clock.run_for(STEP)
            page.evaluate("look()")


def longest_differences(seen, displays):
    """How long log and looks differ about a key, at a time: (milliseconds, key, since), longest first."""
    shown = defaultdict(list)
    for one in displays:
        if one["visible"]:
            shown[one["key"]].append((one["from"], one["to"]))
    last = max(one["to"] for one in displays)
    keys = {key for _, keys in seen for key in keys} | shown.keys()
    found = []
    for each in keys:
        since = None
        looks = [(now, each in keys) for now, keys in seen if now < last]
        for now, was_seen in looks:
            if was_seen == any(start <= now < end for start, end in shown[each]):
                since = None
                continue
            since = now if since is None else since
            found.append((now - since, each, since))
    return sorted(found, reverse=True)


# -- a week


def test_a_week_leaves_nothing_behind(office, visitors):
    server, _ = office
    shell = Shell(server)
    shell.store(*posts_of_today(KEPT, ago=60), wall="week")
    shell.run(DRESS.format(slug="week", seconds=12))
    # Small, and without motion, which takes the machine's time: to paint is most of what a week costs.
    page = open_driven(
        visitors, f"{server.url}week/?screen=A", ahead="", viewport=SMALL, reduced_motion="reduce"
    )
    shell.post(*posts_of_today(KEPT), wall="week")  # as many as a page has, in a rush that is folded

    figures = []
    for day in range(1, 8):
        run_a_day(page, shell, WEEK // 7)
        wait_for(lambda: has_older(page, shell), "the posts that come round, all of them", 120)
        figures.append(sizes_of(page))
        print(f"after day {day}: {figures[-1]}, at a load of {os.getloadavg()[0]:.1f}", flush=True)
    shell.close()

    first, last = figures[0], figures[-1]
    assert all(last[name] <= GROWTH * first[name] for name in first), figures


def run_a_day(page, shell, seconds, pause=600):
    """Every ten minutes a post; every hundred a tap of the director's, and a new network. Else it rotates."""
    for number in range(max(1, seconds // pause)):
        # From another address each time: by the server's clock a day has some minutes, and too many reports.
        page.set_extra_http_headers({"X-Forwarded-For": f"198.51.100.{number}"})
        posts = posts_of_today(1)
        shell.post(*posts, wall="week")
        if number % 10 == 0:
            asked = {"layout": LAYOUTS[number // 10 % len(LAYOUTS)], "paused": False}
            shell.run(DIRECT.format(slug="week", asked=asked))
        if number % 10 == 5:
            page.evaluate("dispatchEvent(new Event('online'))")
        page.evaluate(PASS, pause)
    live = f".wall:has([data-state='live']):has([data-key='{key(posts[0])}'])"
    wait_for(lambda: page.evaluate(PASS, 12) or page.locator(live).count(), "the last post, live")
    wait_for(lambda: page.evaluate(PASS, 12) or page.evaluate(HAS_REPORTED), "the server to have it", 120)


def has_older(page, shell):
    """They belong to what it has, and are read anew once it is quiet, if the network has its time: 200 posts
    more, or less, are a third of all that is in memory."""
    shell.post(*posts_of_today(1), wall="week")  # else it does not ask again for what it could not have
    page.evaluate(PASS_SLOWLY, 20)
    return page.evaluate("wallOnStage._older.keys.length") == KEPT


def sizes_of(page):
    """What is in the page, what else is still in memory, who listens, and how large the heap is."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")
    objects = bytes_of_objects(devtools)  # which collects what nobody needs
    metrics = {one["name"]: one["value"] for one in devtools.send("Performance.getMetrics")["metrics"]}
    devtools.detach()
    print(f"with compiled code {metrics['JSHeapUsedSize']:,} bytes")
    return {
        "elements": page.evaluate("document.querySelectorAll('*').length"),
        "nodes": int(metrics["Nodes"]),
        "listeners": int(metrics["JSEventListeners"]),
        "resources": int(metrics["Resources"]),  # among them answers that were never read
        "heap": objects,
    }


def bytes_of_objects(devtools):
    """Of the script's heap, without compiled code, which comes and goes by a fifth from day to day."""
    chunks = []
    devtools.on("HeapProfiler.addHeapSnapshotChunk", lambda event: chunks.append(event["chunk"]))
    devtools.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    snapshot = json.loads("".join(chunks))
    meta, nodes = snapshot["snapshot"]["meta"], snapshot["nodes"]
    fields, kinds = meta["node_fields"], meta["node_types"][0]
    columns = [nodes[fields.index(name) :: len(fields)] for name in ("type", "self_size")]
    return sum(size for kind, size in zip(*columns, strict=True) if kinds[kind] not in ("code", "native"))
